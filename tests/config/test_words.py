"""Durations, money and times are read exactly or not at all."""

from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import words


@given(st.integers(0, 10**8))
def test_a_duration_reads_back_as_it_was_written(milliseconds: int) -> None:
    """What a document says of a span gives the same span again, as far as it is in range."""
    span = timedelta(milliseconds=milliseconds)
    written = words.plain(span)
    if len(written) <= 8:
        assert words.duration(written) == span


@given(st.decimals(min_value=-(10**11), max_value=10**11, places=4))
def test_money_reads_back_exactly(amount: Decimal) -> None:
    """No float comes between."""
    assert words.money(words.plain(amount)) == amount


@pytest.mark.parametrize("written", ["1e3", "1.0e3", "-2E+2", "0e5"])
def test_money_in_powers_of_ten_is_said_in_full(written: str) -> None:
    """TOML's own spelling of a number goes no further."""
    amount = words.money(Decimal(written))
    assert amount == Decimal(written)
    assert "E" not in str(amount)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("1h30m", 5400), ("1d", 86400), ("500ms", 0.5)]
)
def test_durations(text: str, seconds: float) -> None:
    """A number with its unit, or several of different units."""
    assert words.duration(text).total_seconds() == seconds


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        *(
            (words.duration, v)
            for v in (30, "30", "s", "-5s", "1.5h", "5s5s", "5 s", "", "9" * 9 + "s")
        ),
        *((words.money, v) for v in (True, None, "1e3", "$5", "", " 5", Decimal("NaN"), 10**13)),
        *((words.money, v) for v in (Decimal("Infinity"), Decimal("1E-20"), Decimal("1E+99"), "٣")),
        *((words.whole, v) for v in (True, Decimal(5), "5", 10**30)),
        *((words.time_of_day, v) for v in ("24:00", "7:00", "17:60", "17", time(17, 0, 1), 17)),
        *((words.day, v) for v in ("2026-02-30", "today", 20261122, None)),
        *((words.text, v) for v in ("", "  ", "a\nb", "a\x1b[0m", 5)),
        *((words.flag, v) for v in (1, 0, "true")),
    ],
)
def test_anything_else_is_refused(reader: Callable[[object], object], value: object) -> None:
    """A guess about money or time is worse than a question."""
    with pytest.raises(words.Misread, match="must"):
        reader(value)


def test_times_and_days_in_both_spellings() -> None:
    """As text or as TOML's own."""
    assert words.time_of_day("08:30") == words.time_of_day(time(8, 30)) == time(8, 30)
    assert words.day("2026-11-22") == words.day(date(2026, 11, 22)) == date(2026, 11, 22)
