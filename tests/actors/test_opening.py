"""A reset that nobody watched: what the day began with is asked of the broker."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import trio

from risk.rules.daily_loss import DailyLoss
from simulator.faults import HttpStatus
from tests.actors.world import World, run

BEFORE = datetime(2026, 11, 18, 22, 57, tzinfo=UTC)
"""Three minutes before the reset."""


@pytest.mark.parametrize("silent", [0.0, 4.0])
@pytest.mark.parametrize("closed", [True, False])
def test_what_was_lost_before_a_reset_nobody_watched_locks_no_new_day(
    closed: bool, silent: float
) -> None:
    """Held or closed since, and even when the price history does not answer at first."""

    async def story() -> None:
        world = World(start=BEFORE, rules=lambda: (DailyLoss(limit=Decimal(500)),))
        world.begin()
        world.price("25000")
        world.trade(1001, 1)
        world.price("24600")
        await trio.sleep(190)  # the reset is 10 s ago
        world.price("24590")
        if closed:
            world.trade(1001, -1)
        await trio.sleep(60)
        if silent:
            world.broker.inject(HttpStatus(path="/api/History/*", duration=silent))
        async with world.daemon():
            world.price("24590")
            await trio.sleep(silent + 3)
            assert world.locks("SIM-50K-1") == []
            fees = Decimal("0.37") if closed else 0
            assert Decimal(str(world.account("SIM-50K-1")["net"])) == -20 - fees
            assert world.held(1001) == (0 if closed else 1)

    run(story)


def test_a_breach_of_the_new_day_is_seen_as_soon_as_its_start_has_a_price() -> None:
    """The wait is the question's, not longer."""

    async def story() -> None:
        world = World(start=BEFORE, rules=lambda: (DailyLoss(limit=Decimal(500)),))
        world.begin()
        world.price("25000")
        world.trade(1001, 1)
        await trio.sleep(240)
        world.price("24700")
        async with world.daemon():
            world.price("24700")
            await trio.sleep(0.5)
            assert world.locks("SIM-50K-1") == ["daily_loss"]
            assert world.held(1001) == 0

    run(story)
