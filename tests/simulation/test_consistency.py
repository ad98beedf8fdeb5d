"""The referee on a day that becomes too large a part of all profit."""

import pytest

from simulation.rulebook import rules_of, seed_of
from simulation.translation import terms_in
from simulation.truth import DayLimit
from tests.simulation.history import MNQ, History

RULE = "consistency=40:49925"


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        (RULE, (DayLimit("consistency", 50.0),)),
        ("consistency=50:49850", (DayLimit("consistency", 150.0),)),
        ("consistency=50:50100", ()),
    ],
)
def test_the_day_may_earn_its_share_of_what_earlier_days_earned(
    text: str, limits: tuple[DayLimit, ...]
) -> None:
    """Where they have earned nothing, all profit is the day's: nothing is asked for."""
    assert terms_in(text).day_limits == limits


def test_the_daemon_is_told_what_the_account_began_with() -> None:
    """By the seed of the account; without the rule nobody needs one."""
    seed = seed_of(f"daily_loss=500 {RULE}")
    assert seed is not None
    assert seed.starting_balance == 49925
    assert seed_of("daily_loss=500:realised") is None
    assert len(rules_of(RULE)) == 1


def won(price: float) -> History:
    """Two MNQ bought at 25000.25, now at a price."""
    history = History(terms_in(RULE))
    history.stop(-2)
    history.trade(2)
    history.price(MNQ, price)
    return history


def test_a_day_that_is_too_large_must_end() -> None:
    """Within a second of being told."""
    history = won(25012.75)
    history.wait(0.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(1, "A")]


def test_the_lock_comes_before_the_close_and_both_need_the_profit() -> None:
    """A tick less is no reason for either."""
    history = won(25012.75)
    history.lock(rule="consistency")
    history.close()
    assert history.found == []
    history = won(25012.75)
    history.close()
    assert history.found == [(4, "A")]
    history = won(25012.5)
    history.lock(rule="consistency")
    assert history.found == [(11, "A")]
    history = won(25012.5)
    history.close()
    assert history.found == [(11, "A")]
