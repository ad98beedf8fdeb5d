"""``daily_loss`` and ``unrealized_loss`` at their limits, and a cent either side."""

from datetime import timedelta
from decimal import Decimal

import pytest

from risk.rules import DailyLoss, Trigger, UnrealizedLoss
from risk.verdict import Close, Flatten
from tests.risk.world import ES, MNQ, NQ, World


def lost(cents: int) -> World:
    """A flat account that has lost so many cents, fees included."""
    world = World()
    world.fill(1, "20000", fees="0")
    world.fill(-1, "20000", fees=str(Decimal(cents) / 100))
    return world


@pytest.mark.parametrize(("cents", "breached"), [(99_999, False), (100_000, True), (100_001, True)])
def test_the_daily_limit_is_inclusive(cents: int, breached: bool) -> None:
    """At the limit is a breach, a cent before it is none."""
    world = lost(cents)
    verdict = world.judge(DailyLoss(limit=Decimal(1000)), trigger=Trigger.FILL)
    assert verdict.plan == ((Flatten(),) if breached else ())
    assert [lock.until for lock in verdict.locks] == [world.state.day_ends] * breached


def test_three_lots_at_thirds_meet_the_limit_exactly() -> None:
    """An average price that is no finite decimal must not blur the limit."""
    world = World()
    for price in ("20000", "20000", "20000.25"):
        world.fill(1, price)
    world.fill(-1, "20000")
    world.quote("19900", "19900.25")
    net = world.snapshot().net
    assert net == Decimal("-400.5")
    assert world.judge(DailyLoss(limit=Decimal("400.50"))).locks
    assert not world.judge(DailyLoss(limit=Decimal("400.51"))).locks


def test_open_loss_counts_in_the_net_basis_and_not_in_the_realised() -> None:
    """Fees count in both."""
    world = World()
    world.fill(1, "20000", fees="1")
    world.quote("19500.50", "19500.75")
    assert world.judge(DailyLoss(limit=Decimal(1000)), trigger=Trigger.MARK).locks
    realised = DailyLoss(limit=Decimal(1000), basis="realised")
    assert not world.judge(realised, trigger=Trigger.MARK).locks
    world.fill(-1, "19501", fees="1")
    assert world.judge(realised).locks


def test_a_day_that_was_locked_for_its_loss_is_not_judged_again() -> None:
    """The lock watches over what is open; the same breach is one breach."""
    world = lost(100_000)
    rule = DailyLoss(limit=Decimal(1000))
    world.state.locks.add(world.judge(rule).locks[0])
    assert world.judge(rule).violations == ()


def test_after_the_end_of_the_day_its_loss_locks_nothing() -> None:
    """The lock would have ended already; the roll brings new figures."""
    world = lost(100_000)
    world.wait((world.state.day_ends - world.now).total_seconds())
    assert world.judge(DailyLoss(limit=Decimal(1000))).violations == ()


def test_a_buffer_acts_before_the_limit() -> None:
    """The reason says both numbers."""
    rule = DailyLoss(limit=Decimal(1000), buffer=Decimal(50))
    assert lost(94_999).judge(rule).violations == ()
    (found,) = lost(95_000).judge(rule).violations
    assert "<= -950 (limit 1000 less buffer 50)" in found.reason


def test_warnings_name_the_highest_share_passed() -> None:
    """An alert and nothing else."""
    rule = DailyLoss(limit=Decimal(1000), warn_at=(50, 80))
    codes = {cents: [a.code for a in lost(cents).judge(rule).alerts] for cents in (499_99, 500_00)}
    assert codes == {499_99: [], 500_00: ["daily_loss_50"]}
    verdict = lost(900_00).judge(rule)
    assert [alert.code for alert in verdict.alerts] == ["daily_loss_80"]
    assert verdict.plan == ()


@pytest.mark.parametrize(("bid", "breached"), [("19900.25", False), ("19900", True)])
def test_the_open_limit_is_inclusive(bid: str, breached: bool) -> None:
    """Open P&L of one position, without fees."""
    world = World()
    world.fill(1, "20000", fees="0.37")
    world.quote(bid, "20000")
    verdict = world.judge(UnrealizedLoss(limit=Decimal(200)), trigger=Trigger.MARK)
    assert verdict.plan == ((Close(MNQ.id),) if breached else ())
    assert verdict.locks == ()


def test_each_position_stands_for_itself_unless_the_total_is_meant() -> None:
    """A profit elsewhere saves nothing in one scope, and counts in the other."""
    world = World()
    world.fill(1, "20000")
    world.fill(1, "5000", ES)
    world.quote("19900", "19900.25")
    world.quote("5001", "5001.25", ES)
    assert world.judge(UnrealizedLoss(limit=Decimal(200))).plan == (Close(MNQ.id),)
    total = UnrealizedLoss(limit=Decimal(200), scope="total")
    assert world.judge(total).plan == ()
    world.quote("4999", "4999.25", ES)
    assert world.judge(total).plan == (Flatten(),)


def test_what_is_being_closed_counts_no_more_for_the_open_loss_of_a_position() -> None:
    """Three of eight stay: their loss alone decides, also before the broker has confirmed."""
    world = World()
    world.fill(8, "20016")
    world.quote("20000", "20000.25")
    alone, together = (
        UnrealizedLoss(limit=Decimal(200), scope=scope) for scope in ("position", "total")
    )
    assert world.judge(alone).plan == (Close(MNQ.id),)
    assert world.judge(together).plan == (Flatten(),)
    world.state.set_in_flight(MNQ.id, 5)
    assert world.judge(alone).plan == world.judge(together).plan == ()
    world.quote("19982", "19982.25")
    assert world.judge(alone).plan == (Close(MNQ.id),)
    assert "8 MNQ (5 being closed)" in world.judge(alone).violations[0].reason
    assert world.judge(together).plan == (Flatten(),)


def test_a_profit_on_its_way_out_still_counts_against_the_loss_beside_it() -> None:
    """Its close may be refused; once it has left, what stays is judged without it."""
    world = World()
    world.fill(-1, "5000", ES)
    world.fill(1, "20000")
    world.quote("4989.75", "4990", ES)
    world.quote("19850", "19850.25")
    rule = UnrealizedLoss(limit=Decimal(200), scope="total")
    world.state.set_in_flight(ES.id, 1)
    assert world.judge(rule).plan == ()
    world.fill(1, "4990", ES)
    assert world.judge(rule).plan == (Flatten(),)


def test_a_position_on_its_way_out_is_not_closed_twice() -> None:
    """A repeated quote repeats nothing."""
    world = World()
    world.fill(2, "20000")
    world.quote("19900", "19900.25")
    world.state.set_in_flight(MNQ.id, 2)
    assert world.judge(UnrealizedLoss(limit=Decimal(200))).plan == ()


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: DailyLoss(limit=Decimal(0)), "limit must be more than 0"),
        (lambda: DailyLoss(limit=Decimal(-5)), "limit must be more than 0"),
        (lambda: DailyLoss(limit=Decimal("NaN")), "must be a number of dollars"),
        (lambda: DailyLoss(limit=Decimal(9), basis="gross"), "basis must be net or realised"),  # type: ignore[arg-type]
        (lambda: DailyLoss(limit=Decimal(9), warn_at=(0,)), "percentages from 1 to 99"),
        (lambda: DailyLoss(limit=Decimal(9), buffer=Decimal(9)), "buffer must be"),
        (lambda: DailyLoss(limit=Decimal(9), reduce_only_at=100), "reduce_only_at must be"),
        (lambda: UnrealizedLoss(limit=Decimal(9), cooldown=timedelta(0)), "cooldown must be"),
        (lambda: UnrealizedLoss(limit=Decimal(0)), "limit must be more than 0"),
        (lambda: UnrealizedLoss(limit=Decimal(9), scope="all"), "scope must be"),  # type: ignore[arg-type]
    ],
)
def test_parameters_without_a_meaning_are_refused(make: object, error: str) -> None:
    """With a sentence that says what is allowed."""
    with pytest.raises(ValueError, match=error):
        make()  # type: ignore[operator]


def test_a_fill_whose_first_quote_is_on_its_way_does_not_blind_the_day_to_its_open_profit() -> None:
    """Closed losses decide alone where prices are missing, but not in the moment of every first fill."""
    world = lost(60_000)
    world.fill(1, "6800", ES)
    world.quote("6830", "6830.25", of=ES)
    world.fill(1, "25000", NQ)
    assert not world.judge(DailyLoss(limit=Decimal(500))).locks
    world.wait(3)
    assert world.judge(DailyLoss(limit=Decimal(500))).locks


def test_what_is_found_held_has_a_moment_for_its_first_price_before_closed_losses_decide() -> None:
    """A start reads trades that are minutes old: their prices are asked for only now."""
    world = lost(60_000)
    trade = world.make_trade(1, "6800", ES)
    world.wait(300)
    world.report(trade)
    world.hold(1, "6800", ES)
    rule = DailyLoss(limit=Decimal(500))
    verdict = world.judge(rule)
    assert not verdict.locks
    assert verdict.wake_in == pytest.approx(2)
    world.quote("6830", "6830.25", of=ES)
    assert world.snapshot().net == Decimal(900)
    assert not world.judge(rule).locks
    world.wait(100)
    assert world.judge(rule).locks
