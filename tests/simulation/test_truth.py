"""The referee's own books."""

from datetime import UTC, datetime

import pytest

from simulation.truth import Book, Instrument, Trade

MES = Instrument("MES", "MES", 5.0, 0.25)
AT = datetime(2026, 11, 18, 15, tzinfo=UTC)


def booked(*trades: tuple[int, float]) -> Book:
    """A book that has carried two contracts, bought at 6700, into a day that began at 6800."""
    book = Book({"MES": MES}, begun={"MES": (2, 6800.0, 2 * 6700.0)})
    book.fold()
    for number, (signed, price) in enumerate(trades, start=1):
        book.trade(Trade(number, "MES", signed, price, 1.0, AT))
    return book


def test_a_profit_that_was_carried_in_is_no_loss_of_the_new_day() -> None:
    """Realised - fees counts from the price at the start of the day, as the day's result does."""
    assert booked().realised() == 0
    assert booked((-1, 6790.0)).realised() == pytest.approx(-51)
    assert booked((-2, 6790.0), (-1, 6780.0), (1, 6782.0)).realised() == pytest.approx(-113)
    assert booked((-3, 6790.0), (1, 6792.0)).realised() == pytest.approx(-112)


def test_closed_and_open_make_the_day() -> None:
    """Of an episode that began on an earlier day, too."""
    book, prices = booked((-1, 6790.0)), {"MES": (6795.0, 6795.25)}
    book.position("MES", 7, 1, 6700.0, 0.0)
    assert book.closed() + book.open("MES", prices) == pytest.approx(book.day(prices))
