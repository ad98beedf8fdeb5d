"""The referee on rules that end the day, or a position, by other figures than the day's loss."""

from datetime import UTC, datetime

import pytest

from simulation.rulebook import rules_of
from simulation.scenario import FURTHER_RULES, MORNING, OF_SEVERAL_DAYS, generate
from simulation.timetable import TIMED
from simulation.trading_days import week_end
from simulation.truth import DayLimit, Terms
from tests.simulation.history import MNQ, History

WEEKLY = Terms(day_limits=(DayLimit("weekly_loss", -500.0),))
PROFIT = Terms(day_limits=(DayLimit("daily_profit", 500.0),))
FRIDAY = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(("terms", "price"), [(WEEKLY, 24936), (PROFIT, 25064)])
def test_a_result_that_ends_the_day_must_be_closed(terms: Terms, price: float) -> None:
    """Within a second of being told, a loss as well as a profit."""
    history = History(terms)
    history.stop(-4)
    history.trade(4)
    history.price(MNQ, price)
    history.wait(0.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(1, "A")]


@pytest.mark.parametrize(("rule", "until"), [("weekly_loss", FRIDAY), ("daily_loss", None)])
def test_a_lock_must_be_of_the_rule_that_was_broken(rule: str, until: datetime | None) -> None:
    """The week's lasts to Friday; the day's would be without a breach."""
    history = History(WEEKLY)
    history.stop(-4)
    history.trade(4)
    history.price(MNQ, 24936)
    history.lock(until, rule=rule)
    assert (history.found == []) is (rule == "weekly_loss")


def test_a_weeks_lock_that_ends_with_the_day_is_a_violation() -> None:
    """It would let him trade the rest of the week."""
    history = History(WEEKLY)
    history.stop(-4)
    history.trade(4)
    history.price(MNQ, 24936)
    history.lock(rule="weekly_loss")
    assert (4, "A") in history.found


def test_a_position_that_won_enough_must_be_closed_and_only_that() -> None:
    """A close a dollar before it is a violation."""
    history = History(Terms(unrealized_profit=100.0))
    history.stop(-2)
    history.trade(2)
    history.price(MNQ, 25025.25)
    history.wait(1.1)
    assert history.found == [(1, "A")]
    history = History(Terms(unrealized_profit=100.0))
    history.trade(2)
    history.price(MNQ, 25025)
    history.close()
    assert history.found == [(11, "A")]


@pytest.mark.parametrize(("close", "found"), [(25025.25, []), (25025.0, [(11, "A")])])
def test_a_bar_is_a_price_for_who_has_no_quote(close: float, found: list[tuple[int, str]]) -> None:
    """Its close is what a position is worth then, though the touch may be a tick away."""
    history = History(Terms(unrealized_profit=100.0))
    history.stop(-2)
    history.trade(2)
    history.wait(2)
    history.knowledge.told_bar("last_price", "sim", MNQ, close)
    history.close()
    assert history.found == found


def test_the_week_ends_on_friday_in_chicago() -> None:
    """From Friday's close on it is the next one's."""
    assert week_end(MORNING) == FRIDAY
    assert (week_end(FRIDAY) - FRIDAY).days == 7


def test_further_rules_are_given_to_some_and_never_to_the_first() -> None:
    """Those of several days only where the run has but one."""
    seen, every = set(), {*FURTHER_RULES, *TIMED}
    for seed in range(200):
        scenario = generate(seed, "minutes")
        first, *others = ({rule.name for rule in rules_of(it.rules)} for it in scenario.accounts)
        assert not first & every
        rules = {rule for names in others for rule in names & every}
        assert scenario.start == MORNING or not rules & OF_SEVERAL_DAYS
        seen |= rules
    assert seen == every
