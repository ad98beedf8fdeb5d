"""Actors that die at bad moments: nothing is closed twice, and nothing waits for an answer for ever."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
import trio

from actors.messages import ReadDone
from simulator.faults import HttpStatus
from tests.actors.world import GC, World, run

ACCOUNT = "seawall/logins/sim/accounts/SIM-50K-1/"
CONNECTION = "seawall/logins/sim/connection"


@pytest.mark.parametrize("after", [0.001, 0.02, 0.06, 0.1, 0.3])
def test_a_read_that_dies_with_the_connection_is_begun_again(after: float) -> None:
    """A partial close waits for a read; whoever carried it is gone, and another one is asked for."""

    async def story() -> None:
        world = World(read_latency=0.2)
        world.begin()
        async with world.daemon():
            world.trade(1001, 7)
            await trio.sleep(after)
            world.system.crash(CONNECTION, "planned")
            await trio.sleep(5)
            assert world.held(1001) == 5

    run(story)


@pytest.mark.parametrize("after", [0.02, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("victim", ["account", "rules", "enforcement"])
def test_a_partial_close_under_way_is_not_sent_again_by_a_successor(
    victim: str, after: float
) -> None:
    """Two too many are closed, however slowly: a second partial close would take two more."""

    async def story() -> None:
        world = World(request_latency=1.0)
        world.begin()
        async with world.daemon():
            world.trade(1001, 7)
            await trio.sleep(after)
            world.system.crash(ACCOUNT + victim, "planned")
            await trio.sleep(8)
            assert world.held(1001) == 5

    run(story)


def test_only_the_awaited_read_says_what_the_broker_holds_now() -> None:
    """An answer to an earlier life's question is not taken for the answer to this one's."""

    async def story() -> None:
        world = World(read_latency=0.4)
        world.begin()
        async with world.daemon():
            world.trade(1001, 7)
            await trio.sleep(0.1)
            enforcement = world.system.at(ACCOUNT + "enforcement")
            assert enforcement is not None
            enforcement.tell(ReadDone("enforcement-0-1", 1, 0, 0, (), (), None))
            await trio.sleep(3)
            assert world.held(1001) == 5

    run(story)


def test_a_trade_that_was_read_is_known_to_a_successor_of_the_next_day() -> None:
    """Else it would count as what the new day began with, against the close of it that was heard."""

    async def story() -> None:
        world = World(start=datetime(2026, 11, 18, 22, 58, tzinfo=UTC))
        world.begin()
        world.price("25000")
        world.trade(1001, 4)
        await trio.sleep(1)
        async with world.daemon():
            await trio.sleep(1)
            world.price("24990")
            world.trade(1001, -4)
            await trio.sleep(150)
            world.price("24800")
            world.system.crash(ACCOUNT + "account", "planned")
            await trio.sleep(5)
            assert world.account("SIM-50K-1")["net"] == "0"
            assert world.locks("SIM-50K-1") == []

    run(story)


def test_time_without_a_stop_is_not_counted_twice_by_a_life_that_waits_for_the_broker() -> None:
    """What it counts itself is not what an earlier life has left to it."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.trade(1001, 1)
            await trio.sleep(2)
            world.broker.inject(HttpStatus(path="/api/Position/*", duration=30.0))
            world.system.crash(ACCOUNT + "account", "planned")
            await trio.sleep(1)
            world.trade(1001, 1)
            await trio.sleep(112)
            assert world.held(1001) == 2
            await trio.sleep(20)
            assert world.held(1001) == 0

    run(story)


def test_a_breach_before_enforcement_is_started_again_does_not_wait_for_the_next_look() -> None:
    """Its end was told before the breach, and a successor heeds no verdict that is older than it."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            with suppress(LookupError):  # until it is not there
                while True:
                    world.system.crash(ACCOUNT + "enforcement", "planned")
                    await trio.sleep(0.001)
            world.trade(1001, 1, GC)
            await trio.sleep(2)
            assert world.held(1001, GC) == 0

    run(story)
