"""What a restart makes of balances, peaks and locks that outlive a day."""

from datetime import date, timedelta
from decimal import Decimal

from attrs import evolve

from actors.account_image import restored
from risk.day_summary import summary_of
from risk.past import PastDay, Peaks, Seed, past_of, strictest
from risk.rules.trailing_drawdown import UNTIL_SEEDED
from risk.trading_day import TradingCalendar
from risk.verdict import Lock
from store import records
from store.port import Record
from store.projection import Projection
from tests.risk.world import NOON, World

CALENDAR = TradingCalendar()
TODAY = date(2026, 11, 18)


def journal(*written: Record) -> Projection:
    projection = Projection()
    for record in written:
        projection.apply(record)
    return projection


async def test_only_a_seed_of_that_day_or_later_ends_a_lock_at_the_floor() -> None:
    """An older one says nothing of what has happened since."""
    lock = Lock("trailing_drawdown", UNTIL_SEEDED + timedelta(seconds=1), NOON, "the floor")
    known = journal(records.lock("A", NOON, lock))
    later = NOON + timedelta(days=5)
    held = [
        bool(restored("A", CALENDAR, known, later, seed).locks.held)
        for seed in (None, Seed(), Seed(as_of=date(2026, 11, 17)), Seed(as_of=TODAY))
    ]
    assert held == [True, True, True, False]


async def test_peaks_come_back_and_the_days_own_only_on_its_day() -> None:
    """What was written last counts."""
    peaks = Peaks(Decimal(400), Decimal(50400), Decimal(50100))
    known = journal(
        records.peaks("A", NOON, TODAY, Peaks(Decimal(1))), records.peaks("A", NOON, TODAY, peaks)
    )
    assert restored("A", CALENDAR, known, NOON).standing.peaks == peaks
    tomorrow = restored("A", CALENDAR, known, NOON + timedelta(days=1)).standing.peaks
    assert tomorrow == Peaks(Decimal(0), Decimal(50400), Decimal(50100))


def test_days_are_folded_from_balances_and_results() -> None:
    """A day whose end nobody watched earned what the balance had moved by."""
    monday, tuesday = date(2026, 11, 16), date(2026, 11, 17)
    days = (
        PastDay(date(2026, 11, 13), Decimal(50000), Decimal(900)),
        PastDay(monday, Decimal(50900), None),
        PastDay(tuesday, Decimal(50700), Decimal(-300)),
    )
    past = past_of(days, None, TODAY, Decimal(50400), Decimal(0))
    assert (past.high, past.high_origin) == (Decimal(50900), "computed")
    assert past.week == Decimal(-500)
    assert past.best_day == Decimal(900)
    assert past.missing == ()


def test_a_seed_replaces_what_was_before_it_and_keeps_its_origin() -> None:
    """Days up to ``as_of`` are in its numbers already; the week is not among them."""
    days = (
        PastDay(date(2026, 11, 16), Decimal(53000), Decimal(2000)),
        PastDay(date(2026, 11, 17), Decimal(55000), Decimal(-100)),
    )
    seed = Seed(high_water=Decimal(52000), best_day=Decimal(700), as_of=date(2026, 11, 17))
    past = past_of(days, seed, TODAY, Decimal(51000), Decimal(0))
    assert (past.high, past.high_origin, past.high_told) == (Decimal(52000), "operator", True)
    assert past.best_day == Decimal(700)
    assert past.week == Decimal(1900)


def test_of_two_words_on_one_past_the_stricter_counts() -> None:
    """Each number by itself; a word against none stands."""
    one = Seed(Decimal(50000), Decimal(51000), Decimal(300), as_of=TODAY)
    other = Seed(Decimal(49000), Decimal(52000), None, payout_taken=True)
    both = Seed(Decimal(50000), Decimal(52000), Decimal(300), payout_taken=True)
    assert strictest(one, other) == strictest(other, one) == both
    assert strictest(one, None) == strictest(None, one) == one
    assert strictest(None, None) is None


def test_what_the_journal_says_of_days_comes_back() -> None:
    """The balance in the morning, and the result that the reset wrote down."""
    start = records.DayStart(TODAY, CALENDAR.starts(TODAY))
    after = records.DayStart(date(2026, 11, 19), CALENDAR.ends(TODAY))
    ended = evolve(summary_of(World().snapshot()), net=Decimal("-12.34"))
    known = journal(
        records.reset("A", NOON, start),
        records.opening("A", NOON, records.Opening(TODAY, Decimal("50000.10"))),
        records.reset("A", NOON, after, ended),
    )
    assert known.account("A").days == (PastDay(TODAY, Decimal("50000.10"), Decimal("-12.34")),)
