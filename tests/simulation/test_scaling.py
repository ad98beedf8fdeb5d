"""The referee on the balance with which a day began, and how much may be held by it."""

from collections.abc import Iterable

import pytest

from simulation.rulebook import rules_of
from simulation.scenario import BEFORE_RESET
from simulation.translation import terms_of
from tests.simulation.history import A, History

PLAN = "scaling_plan=49000/1,50000/3,50200/5"
TODAY, TOMORROW = "2026-11-18", "2026-11-19"


def planned(rules: str = PLAN, *, knows: bool = True) -> History:
    """Ten minutes before the reset; the account knows the balance of the morning, or has forgotten it."""
    history = History(terms_of(rules_of(rules)), BEFORE_RESET)
    if not knows:
        history.docket.scaling.begun("")
        history.docket.rescale(history.bench.now)
    return history


def opening(history: History, day: str, balance: float) -> None:
    """The account writes down with what its day began."""
    history.recorded(history.docket, "opening", day=day, balance=str(balance))


def numbers(found: Iterable[tuple[int, str]]) -> list[int]:
    """Of the promises."""
    return [number for number, _ in found]


@pytest.mark.parametrize(("size", "found"), [(3, []), (4, [(1, "A")])])
def test_more_than_the_balance_allows_must_go(size: int, found: list[tuple[int, str]]) -> None:
    """Exactly that balance reaches a step."""
    history = planned()
    history.trade(size)
    history.wait(1.1)
    assert history.found == found


def test_only_what_is_too_much_may_go() -> None:
    """Not a contract more, and nothing of what is allowed."""
    for held, closed, found in ((5, 2, []), (5, 3, [11, 3]), (3, 1, [11, 3])):
        history = planned()
        history.trade(held)
        history.reduce(closed)
        assert numbers(history.found) == found


def test_a_balance_below_all_steps_allows_what_the_lowest_does() -> None:
    """Not nothing."""
    history = planned("scaling_plan=60000/4,70000/6")
    history.trade(4)
    history.wait(2)
    assert history.found == []
    history.trade(1)
    history.wait(1.1)
    assert history.found == [(1, "A")]


def test_micros_may_be_a_tenth() -> None:
    """Thirty of them are three."""
    history = planned(f"{PLAN}:mini_equivalent")
    history.trade(30)
    history.wait(2)
    assert history.found == []
    history.trade(1)
    history.wait(1.1)
    assert history.found == [(1, "A")]


def test_who_does_not_know_the_balance_allows_what_any_would() -> None:
    """And closes only what none does."""
    history = planned(knows=False)
    history.trade(5)
    history.wait(2)
    assert history.found == []
    history.reduce(1)
    assert numbers(history.found) == [11, 3]
    history = planned(knows=False)
    history.trade(6)
    history.wait(1.1)
    assert history.found == [(1, "A")]


def test_the_balance_must_be_known_soon() -> None:
    """Eight seconds after the newest half-turn; who has no plan may wait."""
    history = planned(knows=False)
    history.trade(1)
    history.wait(7.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(5, "A")]
    history = planned("max_contracts=5", knows=False)
    history.trade(1)
    history.wait(20)
    assert history.found == []


@pytest.mark.parametrize(("balance", "found"), [(50_000.0, []), (50_000.02, [(5, "A")])])
def test_the_balance_must_be_the_exchanges(balance: float, found: list[tuple[int, str]]) -> None:
    """To the cent, also of an account without a plan."""
    for rules in (PLAN, "max_contracts=5"):
        history = planned(rules)
        opening(history, TODAY, balance)
        assert history.found == found


def test_within_a_day_nothing_changes() -> None:
    """Whatever is won meanwhile."""
    history = planned()
    history.knowledge.balance(A, 50_300.0)
    history.trade(4)
    history.wait(1.1)
    assert history.found == [(1, "A")]


def test_the_next_day_counts_anew() -> None:
    """By the old number until it is begun, then by the highest until its balance is known."""
    history = planned()
    history.knowledge.balance(A, 50_100.0)
    history.at(600.1)
    history.trade(4)
    history.reduce(1)
    for docket in history.bench.dockets.values():
        history.recorded(docket, "reset", day=TOMORROW)
    history.trade(1)
    history.wait(5)
    assert history.found == []
    opening(history, TOMORROW, 50_100.0)
    history.wait(1.1)
    assert history.found == [(1, "A")]


def test_a_death_forgets_what_no_disk_has() -> None:
    """What is written stays, for the day that it is of."""
    written = ("opening", "A", {"day": TODAY, "balance": "50000"})
    for on_disk, most in (([written], 3), ([], 5), ([("opening", "B", written[2])], 5)):
        history = planned()
        history.papers.life_ended(on_disk)
        assert history.docket.scaling.limit() == most
    history = planned()
    history.papers.life_ended([written])
    history.at(600.1)
    history.circumstances.life_begun()
    assert history.docket.scaling.limit() == 5
