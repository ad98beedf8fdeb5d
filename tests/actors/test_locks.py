"""Locks and what they caused: nothing shortens a lock, and nothing of it outlives it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import trio
from attrs import define

from broker.clock import Clock
from risk.rules import NewsBlackout, Rule
from risk.rules.news_blackout import Event, News
from simulator.faults import HalfOpen, HttpStatus, RefuseClose, Skew
from store.entry import Entry
from supervision import FaultInjected
from tests.actors.world import MORNING, World, run

ES = "CON.F.US.EP.Z26"
ENFORCEMENT = "seawall/logins/sim/accounts/SIM-50K-1/enforcement"


@define
class SetClock:
    """A machine's clock that somebody sets."""

    true: Clock
    ahead: timedelta = timedelta(0)

    @property
    def speed(self) -> float:
        """It runs as it should."""
        return 1.0

    def now(self) -> datetime:
        """What it shows."""
        return self.true.now() + self.ahead


async def locked(world: World) -> None:
    """The first account has lost too much for today."""
    world.price("25000")
    world.trade(1001, 3)
    await trio.sleep(1)
    world.price("24900")
    await trio.sleep(2)
    assert world.locks("SIM-50K-1") == ["daily_loss"]


def test_a_clock_that_is_set_ahead_ends_no_lock() -> None:
    """The machine believes it is tomorrow; the broker's answers say otherwise."""

    async def story() -> None:
        world = World()
        world.begin()
        clock: Any = SetClock(world.clock)
        world.clock = clock
        async with world.daemon():
            await locked(world)
            clock.ahead = timedelta(hours=20)
            world.broker.inject(Skew(seconds=Decimal(-20 * 3600)))
            world.trade(1001, 1)
            await trio.sleep(0.5)
            assert world.held(1001) == 0
            await trio.sleep(60)
            world.trade(1001, 1)
            await trio.sleep(1)
            assert world.locks("SIM-50K-1") == ["daily_loss"]
            assert world.held(1001) == 0

    run(story)


def test_a_lock_that_ended_before_a_restart_closes_nothing_after_it() -> None:
    """The journal still names it; a position of the new day is left alone."""

    async def story() -> None:
        world = World(start=datetime.fromisoformat("2026-11-18T22:59:00+00:00"))
        world.begin()
        with trio.CancelScope() as kill:
            async with world.daemon():
                await locked(world)
                kill.cancel()
        await trio.sleep(3600)
        world.trade(1001, 1)
        async with world.daemon():
            await trio.sleep(2)
            assert world.locks("SIM-50K-1") == []
            assert world.held(1001) == 1

    run(story)


def test_a_flatten_that_cannot_end_ends_with_its_lock() -> None:
    """An order that the broker will not cancel does not close the positions of the next day."""

    async def story() -> None:
        world = World(start=datetime.fromisoformat("2026-11-18T22:58:00+00:00"))
        world.begin()
        async with world.daemon():
            world.trade(1001, 1, limit=Decimal(20000))
            world.broker.inject(RefuseClose(operation="cancel", account_id=1001))
            await locked(world)
            assert world.held(1001) == 0
            await trio.sleep(300)
            assert world.locks("SIM-50K-1") == []
            world.trade(1001, 1, ES)
            await trio.sleep(5)
            assert world.held(1001, ES) == 1
            assert len(world.working(1001)) == 1

    run(story)


def test_what_a_flatten_was_aimed_at_is_closed_also_after_the_lock() -> None:
    """The close was refused until past the reset: that position still goes, a new one stays."""

    async def story() -> None:
        world = World(start=datetime.fromisoformat("2026-11-18T22:59:30+00:00"))
        world.begin()
        async with world.daemon():
            world.broker.inject(RefuseClose(operation="close", account_id=1001))
            await locked(world)
            assert world.held(1001) == 3
            await trio.sleep(45)
            assert world.locks("SIM-50K-1") == []
            world.trade(1001, 1, ES)
            world.broker.heal()
            await trio.sleep(35)
            assert world.held(1001) == 0
            assert world.held(1001, ES) == 1

    run(story)


def test_a_flatten_of_yesterday_is_not_taken_up_again() -> None:
    """Killed in the middle of it; when the daemon is back, another day and another position are."""

    async def story() -> None:
        world = World()
        world.begin()
        with trio.CancelScope() as kill:
            async with world.daemon():
                world.broker.inject(RefuseClose(account_id=1001))
                await locked(world)
                kill.cancel()
        world.broker.heal()
        world.trade(1001, -3)
        await trio.sleep(24 * 3600)
        world.trade(1001, 1, ES)
        async with world.daemon():
            assert world.locks("SIM-50K-1") == []
            await trio.sleep(5)
            assert world.held(1001, ES) == 1

    run(story)


def test_a_clock_that_is_set_past_the_reset_turns_no_day() -> None:
    """Today's loss stays today's: what is lost after somebody set the clock still counts to it."""

    async def story() -> None:
        world = World()
        world.begin()
        clock: Any = SetClock(world.clock)
        world.clock = clock
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 3)
            await trio.sleep(1)
            world.price("24970")
            world.trade(1001, -3)
            await trio.sleep(20)
            clock.ahead = timedelta(hours=9)
            world.broker.inject(Skew(seconds=Decimal(-9 * 3600)))
            await trio.sleep(40)
            assert world.account("SIM-50K-1")["trading_day"] == "2026-11-18"
            world.trade(1001, 3)
            await trio.sleep(1)
            world.price("24900")
            await trio.sleep(2)
            assert world.held(1001) == 0
            assert world.locks("SIM-50K-1") == ["daily_loss"]

    run(story)


@pytest.mark.parametrize("ahead", [9, -24])
def test_an_account_that_restarts_under_a_wrong_clock_begins_in_the_day_that_it_is(
    ahead: int,
) -> None:
    """What was lost before counts on; no other day is written down."""

    async def story() -> None:
        path = "seawall/logins/sim/accounts/SIM-50K-1/account"
        world = World(falls=(path,))
        world.begin()
        clock: Any = SetClock(world.clock)
        world.clock = clock
        async with world.daemon() as system:
            world.price("25000")
            world.trade(1001, 3)
            await trio.sleep(1)
            world.price("24970")
            world.trade(1001, -3)
            await trio.sleep(20)
            clock.ahead = timedelta(hours=ahead)
            world.broker.inject(Skew(seconds=Decimal(-ahead * 3600)))
            await trio.sleep(20)
            system.crash(path, "on purpose")
            await trio.sleep(20)
            assert world.account("SIM-50K-1")["trading_day"] == "2026-11-18"
            assert str(world.account("SIM-50K-1")["net"]).startswith("-18")
            await trio.sleep(1)
            entries = (*world.disk.durable, *world.disk.cached)
            days = [it.record().body["day"] for it in entries if it.kind == "reset"]
            assert set(days) == {"2026-11-18"}

    run(story)


def test_a_lock_whose_writer_dies_before_it_can_say_so_is_kept_all_the_same() -> None:
    """It is on the disk; the account must not trade on because nobody told it."""

    async def story() -> None:
        world = World(falls=(ENFORCEMENT,))
        world.begin()
        died: list[str] = []

        def die_once(entry: Entry) -> None:
            if entry.kind == "lock" and not died:
                died.append(entry.kind)
                raise FaultInjected("planned")

        world.disk.spooled = die_once
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 4)
            await trio.sleep(1)
            world.price("24900")
            world.trade(1001, -4)
            await trio.sleep(3)
            assert died
            assert world.locks("SIM-50K-1") == ["daily_loss"]
            world.trade(1001, 1)
            await trio.sleep(3)
            assert world.held(1001) == 0

    run(story)


def test_a_position_that_a_read_found_is_not_older_by_what_our_clock_is_behind() -> None:
    """Its time without a stop is counted by the broker's clock from its first moment on."""

    async def story() -> None:
        world = World()
        world.begin()
        clock: Any = SetClock(world.clock)
        world.clock = clock
        async with world.daemon():
            clock.ahead = timedelta(seconds=-60)
            world.broker.inject(Skew(seconds=Decimal(60)))
            await trio.sleep(40)
            world.broker.inject(HalfOpen(hub="user"))
            world.trade(1001, 1)
            await trio.sleep(119)
            assert world.held(1001) == 1
            await trio.sleep(25)
            assert world.held(1001) == 0

    run(story)


def news() -> tuple[Rule, ...]:
    event = Event(MORNING + timedelta(minutes=1), MORNING + timedelta(minutes=3), title="CPI")
    return (NewsBlackout(file=News((event,))),)


def test_a_lock_that_has_ended_does_not_come_back_with_a_new_life_of_enforcement() -> None:
    """It is in the journal still, and the broker's clock cannot be asked: the position is his."""

    async def story() -> None:
        world = World(rules=news)
        world.begin()
        async with world.daemon():
            world.price("25000")
            await trio.sleep(70)
            world.trade(1001, 1)
            await trio.sleep(5)
            assert world.locks("SIM-50K-1") == ["news_blackout"]
            await trio.sleep(200)
            world.trade(1001, 2)
            world.broker.inject(HttpStatus(status=503, path="/api/Account/search"))
            await trio.sleep(90)
            world.system.crash(ENFORCEMENT, "planned")
            await trio.sleep(10)
            assert (world.locks("SIM-50K-1"), world.held(1001)) == ([], 2)

    run(story)
