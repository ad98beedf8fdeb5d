"""What the day began with when nobody watched: its price is asked for, and the day's loss waits."""

from datetime import timedelta
from decimal import Decimal

from risk.marks import FIRST_QUOTE_WITHIN_S
from risk.rules.daily_loss import DailyLoss
from risk.waits import OPENING_LATEST_S
from tests.risk.world import MES, MNQ, World

RULE = DailyLoss(limit=Decimal(300), warn_at=(50,))


def unseen() -> World:
    """One contract, bought on an earlier day at 20000, first read today and worth 400 less."""
    world = World()
    world.read(world.make_position(1, "20000"))
    world.quote("19800", "19800.25")
    return world


def test_a_loss_of_the_day_before_is_not_counted_while_its_size_is_asked_for() -> None:
    """It would lock the account for a loss that is not of today."""
    world = unseen()
    assert world.state.unpriced_starts() == (MNQ.id,)
    verdict = world.judge(RULE)
    assert (verdict.violations, verdict.wake_in) == ((), OPENING_LATEST_S)
    price = Decimal("19810.5"), world.now, world.mono
    assert not world.state.price_start(MNQ.id, world.state.day_ends, *price)
    assert world.state.price_start(MNQ.id, world.state.day_starts, *price)
    assert not world.state.price_start(MNQ.id, world.state.day_starts, *price)
    snapshot = world.snapshot()
    assert (snapshot.net, snapshot.day_waits) == (Decimal(-21), False)
    assert not snapshot.totals.estimated
    assert world.judge(RULE).violations == ()
    assert world.state.unpriced_starts() == ()


def test_a_price_at_the_start_that_never_comes_does_not_keep_the_loss_from_being_judged() -> None:
    """By the entry then, and by what the broker says that closing earned."""
    world = unseen()
    world.wait(OPENING_LATEST_S)
    (found,) = world.judge(RULE).violations
    assert (found.observed, found.inputs["estimated"]) == (Decimal(-400), "true")


def test_the_wait_begins_again_when_the_broker_can_be_asked_again() -> None:
    """Nothing is judged while the hub is down, and nobody answers either."""
    world = unseen()
    world.state.lost_hub()
    world.wait(60)
    world.read(world.make_position(1, "20000"))
    assert world.snapshot().day_waits


def test_closing_what_was_carried_counts_from_the_price_at_the_start() -> None:
    """The broker's figure for the closing trade reaches back into the day before."""
    world = unseen()
    world.report(world.make_trade(-1, "19790", profit="-420"))
    world.hold(0)
    assert world.judge(RULE).violations == ()
    world.state.price_start(MNQ.id, world.state.day_starts, Decimal(19800), world.now, world.mono)
    assert world.snapshot().net == -20


def test_a_mark_from_after_the_start_of_the_day_is_not_its_price() -> None:
    """A reset that is made late must ask what the price was in time; until a moment later it knows."""
    for late, known in ((0.2, True), (5.0, False)):
        world = World()
        world.fill(1, "20000")
        world.wait((world.state.day_ends - world.now).total_seconds() + late)
        world.quote("19900", "19900.25")
        rolled = world.state.roll_day(world.now, world.mono)
        assert rolled is not None
        assert (rolled.open_at_start[MNQ.id].mark == 19900) is known
        assert world.snapshot().day_waits is not known


def test_a_fill_of_the_old_day_that_comes_late_asks_what_it_was_worth_at_the_reset() -> None:
    """Its own price is older, and the newest mark is newer."""
    world = World()
    world.read()
    world.wait((world.state.day_ends - world.now).total_seconds())
    world.state.roll_day(world.now, world.mono)
    world.wait(2)
    world.quote("19900", "19900.25")
    at = world.state.day_starts - timedelta(seconds=1)
    world.report(world.make_trade(1, "20000", at=at))
    world.hold(1, "20000")
    assert world.snapshot().day_waits
    world.state.price_start(MNQ.id, world.state.day_starts, Decimal(19950), world.now, world.mono)
    assert world.snapshot().net == -100


def test_an_old_price_of_what_is_found_at_a_start_is_no_price_for_a_moment() -> None:
    """A newer one has been asked for; without the open profit the closed losses would lock."""
    world = World()
    world.quote("20300", "20300.25")
    world.wait(61)
    for sign, price in ((1, "6000"), (-1, "5930")):
        world.report(world.make_trade(sign, price, MES))
    world.read(world.make_position(1, "20000"))
    world.state.price_start(MNQ.id, world.state.day_starts, Decimal(20000), world.now, world.mono)
    waits = world.judge(RULE)
    assert (waits.violations, waits.wake_in) == ((), FIRST_QUOTE_WITHIN_S)
    world.wait(FIRST_QUOTE_WITHIN_S)
    assert world.judge(RULE).violations
