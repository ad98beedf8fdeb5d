"""The referee on how much of each product may be held, beside how much of all."""

import pytest

from simulation.allowances import PerRoot
from simulation.rulebook import rules_of
from simulation.translation import terms_of
from simulation.truth import Order, Terms
from tests.simulation.history import GC, MNQ, A, History

TWO_MNQ = Terms(per_root=PerRoot((("MNQ", 2.0),)))
NO_GC = Terms(per_root=PerRoot((("MNQ", 9.0),), other=0.0))
BOTH = Terms(max_contracts=5.0, per_root=PerRoot((("MNQ", 2.0),)))


def test_too_many_of_a_product_must_be_gone_within_a_second() -> None:
    """Of another there may be more."""
    history = History(TWO_MNQ)
    history.trade(2)
    history.trade(4, GC)
    history.wait(5)
    assert history.found == []
    history.trade(1)
    history.wait(0.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(1, "A")]


def test_what_is_too_much_of_a_product_may_go_and_no_more() -> None:
    """Two of four; the third was never too many."""
    history = History(TWO_MNQ)
    history.trade(4)
    history.reduce(2)
    assert history.found == []
    history.reduce(1)
    assert (11, "A") in history.found


def test_another_product_must_stay() -> None:
    """Too much MNQ closes no GC."""
    history = History(TWO_MNQ)
    history.trade(4)
    history.trade(2, GC)
    history.reduce(1, GC)
    assert (11, "A") in history.found


def test_two_caps_may_ask_for_lots_of_two_products() -> None:
    """The newest of all for the one, then the newest of a root for the other."""
    history = History(BOTH)
    history.trade(4)
    history.trade(3, GC)
    history.reduce(2, GC)
    history.reduce(2)
    history.wait(5)
    assert history.found == []


def test_two_caps_ask_for_no_more_than_both_together() -> None:
    """What went for the one counts for the other."""
    history = History(BOTH)
    history.trade(4)
    history.trade(3, GC)
    history.reduce(2, GC)
    history.reduce(2)
    history.reduce(1)
    assert history.found != []


def _entry(history: History, contract: str) -> str:
    """An order that would open something works; its number."""
    order = Order(9001, contract, 1, 1, 1, 1, None)
    history.knowledge.order(A, order)
    history.knowledge.told_order(A, order)
    return str(order.id)


def test_where_nothing_may_be_held_nothing_may_work_to_open_it() -> None:
    """It must not wait for its fill."""
    history = History(NO_GC)
    _entry(history, GC)
    history.wait(0.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(1, "A")]


@pytest.mark.parametrize(("contract", "found"), [(GC, []), (MNQ, [(11, "A")])])
def test_only_an_order_that_may_not_be_filled_may_be_cancelled(
    contract: str, found: list[tuple[int, str]]
) -> None:
    """What may be held may be waited for."""
    history = History(NO_GC)
    history.ask("cancel", _entry(history, contract))
    assert history.found == found


@pytest.mark.parametrize(
    ("text", "other"), [("MNQ/2", None), ("MNQ/2:block", 0.0), ("MNQ/2:3", 3.0)]
)
def test_limits_by_root_can_be_written(text: str, other: float | None) -> None:
    """With what holds for the others."""
    rules = rules_of(f"max_contracts_per_instrument={text}")
    assert terms_of(rules).per_root == PerRoot((("MNQ", 2.0),), other)
