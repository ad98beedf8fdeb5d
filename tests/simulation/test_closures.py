"""The referee on hours in which nothing may be open."""

from datetime import UTC, datetime, timedelta

import pytest

from simulation.rulebook import rules_of
from simulation.scenario import (
    BEFORE_EARLY_CLOSE,
    BEFORE_LONGER_NIGHT,
    BEFORE_RESET,
    MORNING,
    Scenario,
)
from simulation.timetable import TIMED
from simulation.trading_days import next_reset
from simulation.translation import terms_of
from tests.simulation.history import GC, MNQ, History


def holding(rules: str, contract: str = MNQ, *, start: datetime = MORNING) -> History:
    """One contract is held ten seconds after the beginning, on an account of these rules."""
    history = History(terms_of(rules_of(rules)), start)
    history.trade(1, contract)
    return history


@pytest.mark.parametrize("rules", ["flat_by=0901/0", "flat_by=0904/180"])
def test_what_is_open_from_the_margin_on_must_be_closed(rules: str) -> None:
    """Within a second; nobody needs to hear anything for that."""
    history = holding(rules)
    history.at(60.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(1, "A")]


def test_an_order_alone_must_go_too() -> None:
    """Also one that would have protected a position."""
    history = History(terms_of(rules_of("flat_by=0901/0")))
    history.stop(-1)
    history.at(61.1)
    assert history.found == [(1, "A")]
    history = History(terms_of(rules_of("flat_by=0901/0")))
    history.stop(-1)
    history.at(60.001)
    history.lock(rule="flat_by")
    history.ask("cancel", "9001")
    assert history.found == []


@pytest.mark.parametrize(("at", "found"), [(60.001, []), (59.99, [(11, "A"), (4, "A")])])
def test_a_lock_waits_for_the_margin(at: float, found: list[tuple[int, str]]) -> None:
    """A hundredth of a second before it there is no reason, nor any time to which it could last."""
    history = holding("flat_by=0901/0")
    history.at(at)
    history.lock(rule="flat_by")
    assert history.found == found


def test_a_close_waits_for_the_margin() -> None:
    """Before it, it is wrong."""
    history = holding("flat_by=0901/0")
    history.at(59.99)
    history.close()
    assert history.found == [(11, "A")]


def test_a_close_waits_for_its_lock() -> None:
    """Else the account could trade on."""
    history = holding("flat_by=0901/0")
    history.at(60.001)
    history.close()
    assert history.found == [(4, "A")]


def test_the_lock_is_to_the_reset() -> None:
    """A minute less would let him trade before the day is over."""
    history = holding("flat_by=0901/0")
    history.at(60.001)
    history.lock(next_reset(MORNING) - timedelta(minutes=1), rule="flat_by")
    assert history.found == [(4, "A")]


def test_what_a_lock_asks_for_is_not_asked_for_twice() -> None:
    """The rule has said all that it has to say."""
    history = holding("flat_by=0901/0")
    history.at(60.001)
    history.lock(rule="flat_by")
    history.wait(1.1)
    assert history.found == [(1, "A")]
    assert {rule for rule, _ in history.docket.open} == {"lock"}


@pytest.mark.parametrize(
    ("contract", "found"), [(MNQ, [(1, "A")]), (GC, [])], ids=["closes early", "stays"]
)
def test_what_closes_early_goes_before_it(contract: str, found: list[tuple[int, str]]) -> None:
    """At 12:14 on the day after Thanksgiving stocks must be gone, and metals may stay."""
    history = holding("flat_by=1510/60", contract, start=BEFORE_EARLY_CLOSE)
    history.at(541.1)
    assert history.found == found


@pytest.mark.parametrize(("at", "found"), [(539.9, [(11, "A")]), (540.001, [])])
def test_an_early_close_allows_to_close_and_locks_nothing(
    at: float, found: list[tuple[int, str]]
) -> None:
    """Of that product alone."""
    history = holding("flat_by=1510/60", start=BEFORE_EARLY_CLOSE)
    history.at(at)
    history.close()
    assert history.found == found
    history = holding("flat_by=1510/60", start=BEFORE_EARLY_CLOSE)
    history.at(540.001)
    history.lock(rule="flat_by")
    assert (11, "A") in history.found


@pytest.mark.parametrize(
    ("at", "wrong", "found"),
    [(58.1, True, []), (58.1, False, [(11, "A")]), (57.9, True, [(11, "A")])],
)
def test_a_clock_that_was_set_may_be_two_seconds_early(
    at: float, found: list[tuple[int, str]], *, wrong: bool
) -> None:
    """And not a moment as long as nobody has touched it."""
    history = holding("flat_by=0901/0")
    history.bench.clock_is_wrong = lambda: wrong
    history.at(at)
    history.lock(rule="flat_by")
    assert [it for it in history.found if it[0] == 11] == found


def test_a_clock_that_was_set_may_be_two_seconds_late() -> None:
    """And then a second more."""
    history = holding("flat_by=0901/0")
    history.bench.clock_is_wrong = lambda: True
    history.at(62.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(1, "A")]


def test_who_has_slept_acts_by_the_old_time_until_the_clocks_are_compared() -> None:
    """He was told nothing else; later he knows."""
    for since, found in ((14.9, []), (15.5, [(11, "A")])):
        history = holding("flat_by=1658/0", start=BEFORE_RESET)
        history.at(490.0)
        history.circumstances.asleep(300.0)
        history.start += timedelta(seconds=300.0)
        history.recorded(history.docket, "reset", day="2026-11-19")
        history.wait(since)
        history.close()
        assert [it for it in history.found if it[0] == 11] == found


@pytest.mark.parametrize("start", [MORNING, BEFORE_RESET, BEFORE_EARLY_CLOSE])
@pytest.mark.parametrize("rule", TIMED)
def test_what_is_rolled_binds_within_the_run(rule: str, start: datetime) -> None:
    """In each of a hundred, at least for one product."""
    for seed in range(100):
        (hours,) = terms_of(rules_of(f"{rule}={rolled(rule, seed, start)}")).hours
        moments = [start + timedelta(seconds=second) for second in range(60, 1200, 10)]
        roots = ("MNQ", "MES")
        assert any(
            hours.locks(it) or any(hours.shuts(root, it) for root in roots) for it in moments
        )


def rolled(rule: str, seed: int, start: datetime) -> str:
    """What some seed makes of it."""
    return TIMED[rule](Scenario(seed).chance("hours"), start)


# ---- session ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rules", ["session=0800-0901", "session=0800-0903:120"])
def test_what_is_open_when_the_hours_are_over_must_be_closed(rules: str) -> None:
    """Within a second of their end, or of the margin before it."""
    history = holding(rules)
    history.at(60.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(1, "A")]


def test_nothing_may_be_closed_before_the_hours_are_over() -> None:
    """A hundredth of a second before."""
    history = holding("session=0800-0901")
    history.at(59.99)
    history.close()
    assert history.found == [(11, "A")]


OPENS = datetime(2026, 11, 18, 15, 5, tzinfo=UTC)
TOMORROW = datetime(2026, 11, 19, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rules", "until"),
    [
        ("session=0800-0901", TOMORROW),
        ("session=0800-0901,0905-1000", OPENS),
        ("session=0800-0901,GC/0905-1000", OPENS),
        ("session=0800-0901:0/wed", TOMORROW + timedelta(days=6)),
        ("session=0800-0901:0/mon+wed", TOMORROW + timedelta(days=4)),
    ],
)
def test_the_lock_is_until_any_hours_begin(rules: str, until: datetime) -> None:
    """Of whatever product, on the next day that is allowed."""
    for wrong in (timedelta(0), timedelta(minutes=-1), timedelta(minutes=1)):
        history = holding(rules)
        history.at(60.001)
        history.lock(until + wrong, rule="session")
        assert history.found == ([(4, "A")] if wrong else [])


def test_once_the_hours_have_begun_everything_may_stay() -> None:
    """The lock has ended; a close is wrong again."""
    history = holding("session=0900-0901,0905-1000")
    history.at(60.001)
    history.lock(OPENS, rule="session")
    history.close()
    history.at(300.5)
    history.trade(1)
    history.wait(2)
    assert history.found == []
    history.close()
    assert history.found == [(11, "A")]


@pytest.mark.parametrize(("contract", "found"), [(MNQ, [(1, "A")]), (GC, [])])
def test_hours_of_one_product_close_that_alone(contract: str, found: list[tuple[int, str]]) -> None:
    """And lock nothing, while others may be open."""
    history = holding("session=0800-1500,MNQ/0800-0901", contract)
    history.at(61.1)
    assert history.found == found
    history.lock(TOMORROW, rule="session")
    assert (11, "A") in history.found


def test_an_entry_in_a_product_that_is_closed_must_go() -> None:
    """Its hours have not begun; what protects a position in another stays."""
    history = History(terms_of(rules_of("session=0800-1500,MNQ/1000-1100")))
    history.stop(1, type=1)
    history.wait(1.1)
    assert history.found == [(1, "A")]
    history = History(terms_of(rules_of("session=0800-1500,MNQ/1000-1100")))
    history.stop(1, type=1)
    history.ask("cancel", "9001")
    assert history.found == []


def test_hours_that_go_on_over_the_reset_do_not_end_with_it() -> None:
    """But where the next day has none."""
    reset = 600.0
    for rules, found in (("1600-1710:60", []), ("1600-1710:60/wed", [(1, "A")])):
        history = holding(f"session={rules}", start=BEFORE_RESET)
        history.at(reset - 58.9)
        assert history.found == found


def test_friday_ends_what_lasts_to_the_reset() -> None:
    """Monday's day has begun, its hours have not."""
    history = holding("session=0830-1700:60", start=BEFORE_LONGER_NIGHT)
    history.at(541.1)
    assert history.found == [(1, "A")]
    monday = datetime(2026, 11, 2, 14, 30, tzinfo=UTC)
    history = holding("session=0830-1700:60", start=BEFORE_LONGER_NIGHT)
    history.at(540.001)
    history.lock(monday, rule="session")
    assert history.found == []


def test_an_early_close_is_the_end_of_hours_of_what_closes() -> None:
    """Of nothing else."""
    for contract, found in ((MNQ, [(1, "A")]), (GC, [])):
        history = holding("session=0830-1500:60", contract, start=BEFORE_EARLY_CLOSE)
        history.at(541.1)
        assert history.found == found


def test_in_a_day_that_has_not_begun_nothing_is_asked_for() -> None:
    """What the rule says of it counts from its reset on."""
    history = holding("session=0830-1800:0/wed", start=BEFORE_RESET)
    history.at(599.9)
    history.at(600.1)
    history.at(603.0)
    assert history.found == []
    history.recorded(history.docket, "reset", day="2026-11-19")
    history.at(604.1)
    assert history.found == [(1, "A")]


# ---- news ------------------------------------------------------------------------------------------

NINE_ONE = datetime(2026, 11, 18, 15, 1, tzinfo=UTC)


def news(*windows: str) -> str:
    """Windows from a second after 9:00 on, with what they last and are for: ``60/300/MNQ``."""
    parts = (it.partition("/") for it in windows)
    starts = ((MORNING + timedelta(seconds=int(at)), rest) for at, _, rest in parts)
    return "news_blackout=" + ",".join(f"{at:%Y%m%dT%H%M%SZ}/{rest}" for at, rest in starts)


@pytest.mark.parametrize(
    ("window", "contract", "found"),
    [
        ("60/300", MNQ, [(1, "A")]),
        ("60/300/MNQ+MES", MNQ, [(1, "A")]),
        ("60/300/MNQ+MES", GC, []),
    ],
)
def test_nothing_may_be_open_while_news_come_out(
    window: str, contract: str, found: list[tuple[int, str]]
) -> None:
    """Of the products that the window names, or at all."""
    history = holding(news(window), contract)
    history.at(60.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == found


@pytest.mark.parametrize(("at", "found"), [(59.99, [(11, "A")]), (70.0, []), (80.5, [(11, "A")])])
def test_a_close_is_right_within_the_window_alone(at: float, found: list[tuple[int, str]]) -> None:
    """Its end is not part of it."""
    history = History(terms_of(rules_of(news("60/20/MNQ"))))
    history.at(at - 0.1)
    history.trade(1)
    history.at(at)
    history.close()
    assert history.found == found


@pytest.mark.parametrize(
    ("windows", "lasts"),
    [
        (("60/300",), 300),
        (("30/300", "50/400"), 390),
        (("60/300", "70/900"), 300),
        (("60/300", "60/900/MNQ"), 300),
    ],
)
def test_the_lock_is_to_the_end_of_the_longest_window(windows: tuple[str, ...], lasts: int) -> None:
    """Of those that are on now and name no products."""
    for wrong in (0, -1, 1):
        history = holding(news(*windows))
        history.at(60.001)
        history.lock(NINE_ONE + timedelta(seconds=lasts + wrong), rule="news_blackout")
        assert [it for it in history.found if it[0] == 4] == ([(4, "A")] if wrong else [])


def test_a_window_of_products_locks_nothing() -> None:
    """What they are is closed, as long as it lasts."""
    history = holding(news("60/300/MNQ"))
    history.at(60.001)
    history.lock(NINE_ONE + timedelta(seconds=300), rule="news_blackout")
    assert (11, "A") in history.found
