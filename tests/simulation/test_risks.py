"""The referee on what a position may lose at its stops."""

import pytest
from attrs import evolve

from simulation.rulebook import rules_of
from simulation.translation import terms_of
from simulation.truth import Order, Terms
from tests.simulation.history import MNQ, A, History

TERMS = Terms(max_risk=100.0)


def protected(*prices: float, size: int = 1, terms: Terms = TERMS) -> History:
    """One MNQ for each of these stops, bought at 25000.25; a stop is for ``size``."""
    history = History(terms)
    history.trade(max(len(prices), 1))
    for number, price in enumerate(prices, start=9001):
        stop(history, Order(number, MNQ, -1, size, 4, 1, None, price))
    return history


def stop(history: History, order: Order) -> None:
    """A stop works, and the daemon knows it."""
    history.knowledge.order(A, order)
    history.knowledge.told_order(A, order)


@pytest.mark.parametrize(
    ("prices", "found"),
    [
        ((24950.25,), []),
        ((24950.0,), [(1, "A")]),
        ((25010.25, 24945.25), []),
        ((25000.25, 24950.0), [(1, "A")]),
        ((), []),
    ],
)
def test_a_position_that_risks_too_much_must_be_closed(
    prices: tuple[float, ...], found: list[tuple[int, str]]
) -> None:
    """Exactly the limit is allowed; what one stop secures, another may risk."""
    history = protected(*prices)
    history.wait(1.1)
    assert history.found == found


def test_the_nearest_stops_end_a_position() -> None:
    """Those beyond have nothing left to do, in whatever order they came."""
    history = protected()
    stop(history, Order(9000, MNQ, -1, 1, 4, 1, None, 24990.0))
    stop(history, Order(9001, MNQ, -1, 1, 4, 1, None, 24800.0))
    history.wait(1.1)
    assert history.found == []


@pytest.mark.parametrize(("price", "found"), [(24950.0, []), (24950.5, [(11, "A")])])
def test_a_close_needs_a_stop_that_is_too_far_away(
    price: float, found: list[tuple[int, str]]
) -> None:
    """A quarter of a point decides."""
    history = protected(price)
    history.close()
    assert history.found == found


def test_a_part_is_no_answer() -> None:
    """The position goes whole."""
    history = protected(24930.0, 24930.0)
    history.ask("partial_close", MNQ, 1)
    assert history.found == [(11, "A")]


def test_a_target_and_a_sleeping_stop_risk_nothing() -> None:
    """Only what would end the position now."""
    history = History(TERMS)
    history.trade(1)
    parent = Order(9000, MNQ, 1, 1, 1, 1, None)
    stop(history, parent)
    stop(history, Order(9001, MNQ, -1, 1, 1, 1, None, None))
    stop(history, Order(9002, MNQ, -1, 1, 4, 8, 9000, 24000.0))
    history.wait(1.1)
    assert history.found == []
    stop(history, evolve(parent, remaining=0, status=2))
    history.wait(1.1)
    assert history.found == [(1, "A")]


def test_how_it_is_written() -> None:
    """In dollars."""
    assert terms_of(rules_of("max_risk_per_trade=150")).max_risk == 150.0
