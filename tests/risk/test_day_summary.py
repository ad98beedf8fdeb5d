"""The day in a few numbers, when it is over."""

from datetime import timedelta
from decimal import Decimal

from risk.verdict import Lock
from tests.risk.world import GC, World


def test_a_day_is_told_by_its_result_its_round_trips_and_its_locks() -> None:
    """A partial exit is no round trip of its own; what is carried over the night is open."""
    world = World()
    world.fill(2, "20000", fees="1.00")
    world.fill(-1, "20010", fees="0.50")
    world.fill(-1, "20020", fees="0.50")
    world.fill(1, "20000", fees="0.50")
    world.fill(-1, "19950", fees="0.50")
    world.fill(1, "4000", GC, fees="1.50")
    world.quote("4001", "4001.1", GC)
    world.snapshot()
    world.quote("3999", "3999.1", GC)
    ends = world.state.day_ends
    world.state.locks.add(Lock("daily_loss", ends, world.now, "enough"))
    world.wait((ends - world.now) / timedelta(seconds=1))
    rolled = world.state.roll_day(world.now, world.mono)
    assert rolled is not None
    assert str(rolled.summary) == (
        "net -144.50 (realised -40.00, open -100.00, fees 4.50), at best 55.50; "
        "2 round trips, 1 won, 1 lost, the largest loss -101.00; locked by daily_loss"
    )


def test_a_day_without_a_trade_is_told_too() -> None:
    """Nothing is divided by nothing."""
    world = World()
    world.wait(86_400)
    rolled = world.state.roll_day(world.now, world.mono)
    assert rolled is not None
    assert rolled.summary.net == Decimal(0)
    assert str(rolled.summary).endswith("at best 0.00; 0 round trips, 0 won, 0 lost")
