"""The referee on pauses: what must be closed of what was opened in one, and that nothing else may be."""

import math
from datetime import timedelta

import pytest

from simulation.rulebook import rules_of
from simulation.trading_days import next_reset
from simulation.translation import terms_of
from simulation.truth import Terms
from tests.simulation.history import GC, MNQ, MORNING, History

COOLDOWN = Terms(tiers=((10.0, 60.0), (500.0, 600.0)))


def lost(terms: Terms = COOLDOWN) -> History:
    """Two MNQ are held, one GC has just lost its spread, 10 dollars."""
    history = History(terms)
    history.trade(2)
    history.trade(1, GC)
    history.trade(-1, GC)
    history.wait(5)
    return history


def test_what_is_added_in_a_cooldown_must_go() -> None:
    """Within a second of being told."""
    history = lost()
    history.trade(1)
    history.wait(0.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(1, "A")]


def test_the_increase_may_be_closed_and_what_was_held_before_may_not() -> None:
    """Neither by a partial close of more, nor by a whole one."""
    history = lost()
    history.trade(1)
    history.reduce(1)
    assert history.found == []
    history = lost()
    history.trade(1)
    history.ask("partial_close", MNQ, 2)
    assert history.found == [(11, "A")]
    history = lost()
    history.trade(1)
    history.close()
    assert (11, "A") in history.found


def test_more_than_the_increase_is_closed_only_once() -> None:
    """The second close takes what was held before."""
    history = lost()
    history.trade(1)
    history.reduce(1)
    history.reduce(1)
    assert (11, "A") in history.found
    assert (3, "A") in history.found


def test_what_is_opened_in_a_cooldown_is_closed_whole() -> None:
    """Nothing of it was there before; by whatever order it came."""
    history = lost()
    history.trade(1, GC)
    history.close(GC)
    assert history.found == []


def test_without_a_loss_nothing_may_be_closed() -> None:
    """A dollar less than the tier is no reason."""
    history = lost(Terms(tiers=((11.0, 60.0),)))
    history.trade(1)
    history.ask("partial_close", MNQ, 1)
    assert history.found == [(11, "A")]


def test_after_the_cooldown_nothing_may_be_closed() -> None:
    """Two seconds are left to clocks that differ."""
    history = lost()
    history.wait(58)
    history.trade(1)
    history.ask("partial_close", MNQ, 1)
    assert history.found == [(11, "A")]


def test_a_cooldown_that_is_nearly_over_obliges_to_nothing() -> None:
    """By the daemon's clock it may be over."""
    history = lost()
    history.wait(53.5)
    history.trade(1)
    history.wait(4)
    assert history.found == []


def test_a_longer_cooldown_does_not_forgive_what_came_in_the_one_before() -> None:
    """It came in a pause that runs still."""
    history = lost()
    history.trade(1)
    history.trade(5, GC)
    history.price(GC, 4090.0)
    history.trade(-5, GC)
    history.wait(1.1)
    assert history.found == [(1, "A")]


def test_what_came_before_its_loss_was_told_is_closed_all_the_same() -> None:
    """The half-turn that ended the round trip arrives late; then there is a second."""
    history = History(COOLDOWN)
    history.trade(1, GC)
    late = history.trade(-1, GC, told=False)
    history.wait(0.5)
    history.trade(1)
    history.wait(3)
    assert history.found == []
    history.tell(late)
    history.wait(0.9)
    assert history.found == []
    history.wait(1.3)
    assert history.found == [(1, "A")]


@pytest.mark.parametrize(("won", "found"), [(False, [(1, "A")]), (True, [])])
def test_losses_in_a_row_over_all_contracts(*, won: bool, found: list[tuple[int, str]]) -> None:
    """A win between them breaks the row."""
    history = History(Terms(streaks=((2, 60.0),)))
    history.trade(1)
    history.trade(-1)
    if won:
        history.trade(1)
        history.price(MNQ, 25010.0)
        history.trade(-1)
    history.trade(1, GC)
    history.trade(-1, GC)
    history.wait(5)
    history.trade(1)
    history.wait(1.1)
    assert history.found == found


def test_a_reversal_that_lost_leaves_its_rest_in_the_pause() -> None:
    """It is a close, and an opening of the rest."""
    history = History(COOLDOWN)
    history.trade(1, GC)
    history.trade(-3, GC)
    history.wait(1.1)
    assert history.found == [(1, "A")]


def test_a_cooldown_ends_with_the_day() -> None:
    """However long it would last."""
    before = next_reset(MORNING) - timedelta(seconds=30)
    history = History(Terms(tiers=((10.0, 3600.0),)), start=before)
    history.trade(1, GC)
    history.trade(-1, GC)
    history.wait(25)
    history.read()
    history.trade(1)
    history.ask("close", MNQ)
    assert history.found == [(11, "A")]


def test_how_a_cooldown_is_written() -> None:
    """Losses in dollars, then losses in a row, each with the seconds of its pause."""
    terms = terms_of(rules_of("cooldown_after_loss=20/60,100/300:3/90"))
    assert (terms.tiers, terms.streaks) == (((20.0, 60.0), (100.0, 300.0)), ((3, 90.0),))


FREQUENCY = Terms(entries=((2, 60.0), (4, math.inf)))


def entered(times: int, terms: Terms = FREQUENCY) -> History:
    """So many entries of one MNQ each, a second apart."""
    history = History(terms)
    for _ in range(times):
        history.trade(1)
        history.wait(1)
    return history


def test_one_entry_too_many_must_go() -> None:
    """Two are allowed in a minute."""
    assert entered(2).found == []
    history = entered(3)
    history.wait(0.1)
    assert history.found == [(1, "A")]


def test_only_the_entry_that_was_too_many_may_be_closed() -> None:
    """Those before it came when there was room."""
    history = entered(2)
    history.trade(1)
    history.reduce(1)
    assert history.found == []
    history.ask("partial_close", MNQ, 1)
    assert history.found == [(11, "A")]


def test_entries_that_have_been_closed_count_as_well() -> None:
    """The next one within the minute is too many."""
    history = History(FREQUENCY)
    for _ in range(2):
        history.trade(1)
        history.trade(-1)
    history.trade(1)
    history.close()
    assert history.found == []


def test_exits_are_no_entries() -> None:
    """Nor are the many fills of one order."""
    history = History(FREQUENCY)
    history.trade(3)
    for _ in range(2):
        history.trade(-1)
        history.wait(1)
    history.wait(1.1)
    assert history.found == []
    history.ask("partial_close", MNQ, 1)
    assert history.found == [(11, "A")]


def test_the_minute_rolls() -> None:
    """Once it is over there is room again, and clocks may differ by two seconds."""
    history = entered(2)
    history.wait(62)
    history.trade(1)
    history.ask("partial_close", MNQ, 1)
    assert history.found == [(11, "A")]


def test_after_the_days_entries_there_is_no_other() -> None:
    """However long ago they were."""
    history = entered(2)
    history.wait(62)
    history.trade(1)
    history.trade(1)
    history.wait(62)
    history.trade(1)
    history.wait(1.1)
    assert history.found == [(1, "A")]


def test_how_often_is_written_by_window() -> None:
    """A minute, an hour, the trading day."""
    terms = terms_of(rules_of("trade_frequency=2/minute,8/hour,20/session"))
    assert terms.entries == ((2, 60.0), (8, 3600.0), (20, math.inf))
