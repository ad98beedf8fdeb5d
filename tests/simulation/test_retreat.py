"""The referee on a day's best of which too much was given back."""

from datetime import timedelta

import pytest

from simulation.rulebook import rules_of
from simulation.trading_days import next_reset
from simulation.translation import terms_in, terms_of
from simulation.truth import Terms
from tests.simulation.history import MNQ, MORNING, History

TERMS = Terms(give_back=(100.0, 0.6))


def at_best(points: float = 50.0, stands: float = 1.0, **more: object) -> History:
    """Two MNQ bought at 25000.25, so many points above that for a while."""
    start = more.get("start", MORNING)
    history = History(TERMS, start=start)  # type: ignore[arg-type]
    history.stop(-2)
    history.trade(2)
    history.price(MNQ, 25000.25 + points)
    history.wait(stands)
    return history


@pytest.mark.parametrize(("points", "found"), [(30.0, [(1, "A")]), (30.25, [])])
def test_a_day_that_gave_too_much_back_must_end(
    points: float, found: list[tuple[int, str]]
) -> None:
    """Of a best of 200 dollars 120 must stay; within a second of being told."""
    history = at_best()
    history.price(MNQ, 25000.25 + points)
    history.wait(0.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == found


def test_a_best_below_what_is_asked_for_obliges_to_nothing() -> None:
    """99.50 is not 100."""
    history = at_best(24.75)
    history.price(MNQ, 25000.25)
    history.wait(1.1)
    assert history.found == []
    history.lock(rule="daily_profit")
    assert history.found == [(11, "A")]


def test_the_lock_needs_that_enough_is_gone() -> None:
    """A tick before it, it is a false alarm; so is a close."""
    history = at_best()
    history.price(MNQ, 25030.25)
    history.lock(rule="daily_profit")
    history.close()
    assert history.found == []
    history = at_best()
    history.price(MNQ, 25030.5)
    history.lock(rule="daily_profit")
    assert history.found == [(11, "A")]
    history = at_best()
    history.price(MNQ, 25030.5)
    history.close()
    assert history.found == [(11, "A")]


def test_a_best_of_an_instant_may_have_been_seen_and_need_not() -> None:
    """So it allows the end of the day, and does not oblige to it."""
    history = at_best(stands=0.01)
    history.price(MNQ, 25025.25)
    history.wait(2)
    assert history.found == []
    history.lock(rule="daily_profit")
    assert history.found == []


def test_a_best_that_nobody_was_told_obliges_to_nothing() -> None:
    """The daemon cannot have seen it."""
    history = at_best(points=0.0)
    history.price(MNQ, 25050.25, told=False)
    history.wait(1)
    history.price(MNQ, 25010.25)
    history.wait(5)
    assert history.found == []


@pytest.mark.parametrize(("stands", "found"), [(3.0, []), (14.0, [(1, "A")])])
def test_a_death_forgives_what_was_not_written_yet(
    stands: float, found: list[tuple[int, str]]
) -> None:
    """The best is written down every five seconds."""
    history = at_best(stands=1.0)
    for _ in range(int(stands)):
        history.wait(0.5)
        history.price(MNQ, 25040.25)
        history.wait(0.5)
        history.price(MNQ, 25040.0)
    history.circumstances.life_ended()
    history.live()
    stop = history.docket.true.orders[9001]
    history.knowledge.told_order(1001, stop)
    for trade in history.docket.true.trades.values():
        history.tell(trade)
    history.price(MNQ, 25040.0)
    history.wait(10)
    history.price(MNQ, 25025.25)
    history.wait(1.1)
    assert [it for it in history.found if it[0] == 1] == found


def test_a_new_day_begins_without_a_best() -> None:
    """What was won on the day before is no more at stake."""
    history = at_best(start=next_reset(MORNING) - timedelta(seconds=20))
    history.wait(20)
    history.recorded(history.docket, "reset", day="2026-11-19")
    history.recorded(history.bench.dockets[1002], "reset", day="2026-11-19")
    history.price(MNQ, 25020.25)
    history.wait(2)
    assert history.found == []


def test_how_it_is_written() -> None:
    """From which best on, and how many percent of it are to be kept."""
    assert terms_in("daily_profit=300:give_back/60").give_back == (300.0, 0.6)
    assert terms_of(rules_of("daily_profit=300")).give_back is None
