"""Marks: the side that counts, partial and broken quotes, age, and suspicious spreads."""

from decimal import Decimal

import pytest

from risk.domain import Mark
from risk.marks import MarkBasis, Marks
from risk.rules import DailyLoss, Trigger, UnrealizedLoss
from risk.verdict import Close
from tests.risk.world import MNQ, World

LIMIT = UnrealizedLoss(limit=Decimal(200))


def test_a_long_is_worth_the_bid_and_a_short_the_ask() -> None:
    """What closing it would bring."""
    for signed, worth in ((1, -20), (-1, -40)):
        world = World()
        world.fill(signed, "20000")
        world.quote("19990", "20020")
        assert world.snapshot().contracts[MNQ.id].open == worth


@pytest.mark.parametrize(("basis", "worth"), [("touch", -20), ("mid", 10), ("last", 4)])
def test_other_bases_can_be_chosen(basis: MarkBasis, worth: int) -> None:
    """The middle of the quote, or the last trade."""
    world = World(mark=basis)
    world.fill(1, "20000")
    world.quote("19990", "20020", last="20002")
    assert world.snapshot().contracts[MNQ.id].open == worth


@pytest.mark.parametrize("broken", [("0", "20020"), ("-1", None), (None, None), ("20030", "20020")])
def test_broken_values_are_ignored_field_by_field(broken: tuple[str | None, str | None]) -> None:
    """Zero, negative, missing and crossed prices leave the last usable value in force."""
    world = World()
    world.fill(1, "20000")
    world.quote("19990", "20020")
    world.quote(*broken)
    assert world.snapshot().contracts[MNQ.id].open == -20


def test_a_zero_last_price_is_no_price() -> None:
    """It comes before the first trade of a session."""
    world = World()
    assert not world.quote(last="0")


def test_partial_quotes_merge_into_the_last() -> None:
    """Each side keeps its own value and age."""
    world = World()
    world.fill(-1, "20000")
    world.quote("19990", "20010")
    world.quote(bid="19995")
    assert world.snapshot().contracts[MNQ.id].open == -20


def test_a_mark_is_forgotten_with_the_position_it_was_for() -> None:
    """Nobody watches the price in between: the next position would begin with a loss it never had."""
    world = World()
    world.fill(1, "20000")
    world.quote("20000", "20000.25")
    world.fill(-1, "20000")
    world.wait(0.005)
    world.fill(1, "20500")
    assert world.snapshot().contracts[MNQ.id].open == 0


def test_a_reversal_keeps_the_price_that_was_watched_all_the_time() -> None:
    """Nobody sends it again before the next quote; until then the touch counts, not the entry."""
    world = World()
    world.fill(-3, "20000")
    world.quote("20000", "20000.25")
    world.wait(1)
    world.fill(3, "20000.25")
    world.fill(4, "20000.25")
    assert world.snapshot().contracts[MNQ.id].open == -2
    world.wait(3)
    assert world.snapshot().contracts[MNQ.id].priced


def test_a_position_without_any_price_counts_at_its_entry_and_says_so() -> None:
    """Flagged, never silently zero, unless its first quote can still be on its way."""
    world = World()
    world.fill(1, "20000")
    assert world.snapshot().totals.priced
    world.wait(2.001)
    snapshot = world.snapshot()
    assert (snapshot.net, snapshot.totals.priced) == (Decimal(0), False)
    assert [alert.code for alert in world.judge().alerts] == ["mark_stale"]


def test_a_stale_mark_still_counts_but_is_flagged() -> None:
    """Sixty seconds are fresh, a moment more is not; the value stays in force."""
    world = World()
    world.fill(1, "20000")
    world.quote("19900", "19900.25")
    world.wait(60)
    assert world.snapshot().totals.priced
    world.wait(0.001)
    assert not world.snapshot().totals.priced
    assert world.judge(LIMIT).plan == (Close(MNQ.id),)


def test_the_fetched_price_replaces_a_stale_quote() -> None:
    """A bar's close, received later, is the better knowledge."""
    world = World()
    world.fill(1, "20000")
    world.quote("19990", "19990.25")
    world.wait(61)
    world.quote(last="19900")
    assert world.snapshot().contracts[MNQ.id].open == -200
    assert world.snapshot().totals.priced


def test_closed_losses_act_where_prices_are_missing() -> None:
    """The day's closed loss needs no price, whatever an old quote promises."""
    world = World()
    world.fill(1, "20000")
    world.fill(-1, "19500")
    world.fill(1, "20000")
    world.quote("20100", "20100.25")
    rule = DailyLoss(limit=Decimal(1000))
    assert world.judge(rule).locks == ()
    world.wait(61)
    assert len(world.judge(rule).locks) == 1


def quoted_for_a_minute() -> World:
    """A long with a minute of ordinary quotes behind it."""
    world = World()
    world.fill(1, "20000")
    for _ in range(60):
        world.quote("20000", "20000.50")
        world.wait(1)
    return world


def test_a_suspiciously_wide_quote_must_last_a_second() -> None:
    """A hole in the book is not a loss; what is still there after a second is."""
    world = quoted_for_a_minute()
    world.quote("19800", "20000.50")
    verdict = world.judge(LIMIT, trigger=Trigger.MARK)
    assert verdict.plan == ()
    assert verdict.wake_in == pytest.approx(1.0)
    world.wait(0.999)
    assert world.judge(LIMIT, trigger=Trigger.TIMER).plan == ()
    world.wait(0.002)
    assert world.judge(LIMIT, trigger=Trigger.TIMER).plan == (Close(MNQ.id),)


def test_a_wide_quote_that_heals_is_forgotten() -> None:
    """The next wide one has its own second."""
    world = quoted_for_a_minute()
    world.quote("19800", "20000.50")
    world.wait(0.5)
    world.quote("20000", "20000.50")
    world.wait(0.6)
    world.quote("19800", "20000.50")
    assert world.judge(LIMIT, trigger=Trigger.MARK).plan == ()


def test_ten_medians_are_not_suspicious() -> None:
    """Only more than that is, so an ordinary fast market is believed at once."""
    world = quoted_for_a_minute()
    world.quote("19899.5", "19904.5")
    assert world.judge(LIMIT, trigger=Trigger.MARK).plan == (Close(MNQ.id),)


def test_sides_of_different_age_may_cross() -> None:
    """The market falls: the bid came first, the ask below it a moment later; both count."""
    marks = Marks()
    assert marks.apply(Mark(Decimal(25000), Decimal("25000.25"), None, 1.0, 1.0), Decimal("0.25"))
    merged = Mark(Decimal(24949), Decimal("24948.25"), None, 2.0, 2.1)
    assert marks.apply(merged, Decimal("0.25"))
    assert marks.price(1, "touch", 2.2).value == 24949
    assert marks.price(-1, "touch", 2.2).value == Decimal("24948.25")


def test_a_fill_outside_the_last_quote_shows_that_the_market_has_moved_on() -> None:
    """Its quote comes on another way: at the old one a stop filled in a gap would look like a loss."""
    world = World()
    world.fill(1, "20000")
    world.quote("20000", "20000.25")
    world.wait(1)
    world.fill(9, "20100.25")
    assert world.snapshot().contracts[MNQ.id].open == Decimal("200.50")
    world.quote("20100", "20100.25")
    assert world.snapshot().contracts[MNQ.id].open == Decimal("195.50")


def test_a_fill_at_the_quoted_price_leaves_the_mark_at_the_touch() -> None:
    """Bought at the ask, a long is worth the bid."""
    world = World()
    world.fill(1, "20000")
    world.quote("20000", "20000.25")
    world.wait(1)
    world.fill(1, "20000.25")
    assert world.snapshot().contracts[MNQ.id].open == Decimal("-0.50")


def test_late_news_of_an_older_fill_does_not_displace_a_newer_quote() -> None:
    """What counts is when it was traded, not when it was heard."""
    world = World()
    world.fill(1, "20000")
    late = world.make_trade(1, "20050")
    world.wait(1)
    world.quote("19990", "19990.25")
    world.report(late)
    world.hold(2, "20025")
    assert world.snapshot().contracts[MNQ.id].open == Decimal(-140)
