"""A machine that has slept: its wall clock has gone on, its timers have not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import trio

from tests.actors.test_locks import SetClock
from tests.actors.world import World, run


def test_what_fell_due_in_a_sleep_is_not_waited_for_by_the_clock_of_before() -> None:
    """The broker confirms the new time a second before the grace ends: it ends then."""

    async def story() -> None:
        world = World()
        world.begin()
        clock: Any = SetClock(world.clock)
        world.clock = clock
        begun = trio.current_time()
        async with world.daemon():
            await trio.sleep_until(begun + 11)
            world.trade(1001, 1)
            # Just before the regular look at 55 s; of the grace of 120 s then 1.5 s are left.
            await trio.sleep_until(begun + 54.5)
            clock.ahead = timedelta(seconds=75)
            await trio.sleep_until(begun + 55.8)
            assert world.held(1001) == 1
            await trio.sleep_until(begun + 56.5)
            assert world.held(1001) == 0

    run(story)


def test_a_day_that_a_wrong_clock_turned_too_early_is_told_again_at_its_time() -> None:
    """The accounts did not believe it then; now nobody waits for their own next look."""

    async def story() -> None:
        world = World(start=datetime(2026, 11, 18, 22, 57, 58, tzinfo=UTC))
        world.begin()
        clock: Any = SetClock(world.clock)
        world.clock = world.broker.local = clock
        begun = trio.current_time()
        async with world.daemon():
            clock.ahead = timedelta(hours=10)
            await trio.sleep_until(begun + 20)
            clock.ahead = timedelta(0)
            await trio.sleep_until(begun + 121.9)
            assert world.account("SIM-50K-1")["trading_day"] == "2026-11-18"
            await trio.sleep_until(begun + 122.05)
            assert world.account("SIM-50K-1")["trading_day"] == "2026-11-19"

    run(story)
