"""Each trouble does what it says to machine, actors or broker, and ends when it should."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import trio
from attrs import define, field

from broker.memory import MemoryBroker
from simulation.clocks import MachineClock, TrueClock
from simulation.haunting import Haunting
from simulation.striking import Mischief, lasting
from simulation.trouble import (
    ClockDrift,
    ClockJump,
    CrashActor,
    DiskRefuses,
    DiskSlow,
    GatewayRestart,
    Kill,
    Planned,
    PowerCut,
    Suspend,
    Trouble,
    Upon,
    UponSpooling,
    document,
)
from simulator import Account, Exchange, front_contracts
from simulator.faults import DropHubs, HttpStatus, LoseEvents, StopFillsDuringClose
from store.entry import Entry
from store.memory import MemoryDisk
from supervision import Actor, ChildSpec, FaultInjected, Ref, SupervisorSpec, open_system
from supervision.testing import run_virtual

START = datetime(2026, 11, 18, 15, tzinfo=UTC)
NQ = "CON.F.US.ENQ.Z26"


def entry(seq: int, kind: str = "lock") -> Entry:
    return Entry(seq, START.isoformat(), kind, "A", "{}")


@define
class Rehearsal:
    """A stage without a daemon: what would be done to it is written down."""

    truth: TrueClock = field(factory=lambda: TrueClock(START))
    disk: MemoryDisk = field(factory=MemoryDisk)
    haunting: Haunting = field(factory=Haunting)
    clock: MachineClock = field(init=False)
    broker: MemoryBroker = field(init=False)
    did: list[tuple[float, str, Any]] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.clock = MachineClock(self.truth)
        accounts = [Account(1001, "A", Decimal(50_000))]
        exchange = Exchange(front_contracts(["NQ"]), accounts, START)
        self.broker = MemoryBroker(exchange, self.truth, random.Random(1), local=self.clock)

    def crash(self, path: str) -> None:
        self.note("crash", path)

    def kill(self, down_for: float) -> None:
        self.note("kill", down_for)

    def suspend(self, seconds: float) -> None:
        self.note("suspend", seconds)

    def told(self, what: str, trouble: Trouble) -> None:
        self.note(what, trouble.name)

    def note(self, what: str, detail: object) -> None:
        self.did.append((round(trio.current_time() - self.origin, 3), what, detail))

    origin: float = field(factory=trio.current_time)


def rehearse(
    story: Callable[[Rehearsal, Mischief], Awaitable[None]], *planned: Planned
) -> Rehearsal:
    async def run() -> Rehearsal:
        stage = Rehearsal()
        mischief = Mischief(stage, planned, stage.told)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(mischief.run)
            await story(stage, mischief)
            nursery.cancel_scope.cancel()
        return stage

    return run_virtual(run, seed=1)


def test_trouble_begins_and_ends_at_its_times() -> None:
    """Of the broker, of the machine, and what only strikes."""

    async def story(stage: Rehearsal, mischief: Mischief) -> None:
        await trio.sleep(3)
        assert stage.broker.board.standing(LoseEvents) is not None
        await trio.sleep(17)
        assert stage.broker.board.standing(LoseEvents) is None

    stage = rehearse(
        story,
        Planned(2.0, LoseEvents(duration=5.0)),
        Planned(4.0, Kill(down_for=3.0)),
        Planned(9.0, DropHubs()),
    )
    assert stage.did == [
        (2.0, "begins", "lose"),
        (4.0, "begins", "kill"),
        (4.0, "kill", 3.0),
        (7.0, "ends", "lose"),
        (7.0, "ends", "kill"),
        (9.0, "begins", "drop"),
        (9.0, "ends", "drop"),
    ]


def test_a_disk_refuses_and_is_slow_for_a_while() -> None:
    """And is as before afterwards."""

    async def story(stage: Rehearsal, mischief: Mischief) -> None:
        await trio.sleep(2)
        disk = stage.disk
        assert (disk.refusing, disk.refusing_half, disk.write_takes) == ("full", "spool", 0.5)
        await trio.sleep(5)
        assert (disk.refusing, disk.write_takes) == ("", 0.0)

    rehearse(
        story,
        Planned(1.0, DiskRefuses(reason="full", half="spool", duration=4.0)),
        Planned(1.0, DiskSlow(seconds=0.5, duration=5.0)),
    )


def test_a_power_cut_takes_the_cache_with_it() -> None:
    """The process dies of it as of a kill."""

    async def story(stage: Rehearsal, mischief: Mischief) -> None:
        stage.disk.cached += [entry(1), entry(2), entry(3)]
        await trio.sleep(2)
        assert stage.disk.cached == [entry(1)]
        assert stage.disk.torn == 1
        assert (1.0, "kill", 9.0) in stage.did

    rehearse(story, Planned(1.0, PowerCut(down_for=9.0, kept=1, torn=True)))


def test_the_machines_clock_goes_wrong_and_is_set_right() -> None:
    """By a jump and by drifting; the exchange's does not."""

    async def story(stage: Rehearsal, mischief: Mischief) -> None:
        await trio.sleep(2)
        assert stage.clock.wrong_by == -60.0
        assert (stage.clock.now() - stage.truth.now()).total_seconds() == -60.0
        await trio.sleep(20)
        assert round(stage.clock.wrong_by, 6) == 0.2
        await trio.sleep(20)
        assert stage.clock.now() == stage.truth.now()

    rehearse(
        story,
        Planned(1.0, ClockJump(seconds=-60.0, duration=10.0)),
        Planned(20.0, ClockDrift(rate=0.1, duration=10.0)),
    )


def test_a_suspended_machine_misses_time_that_deadlines_see_or_not() -> None:
    """In the second case only wall clocks have moved."""

    async def story(stage: Rehearsal, mischief: Mischief) -> None:
        await trio.sleep(3)
        assert (1.0, "suspend", 40.0) in stage.did
        assert (stage.truth.now() - START).total_seconds() == 33.0
        assert stage.clock.now() == stage.truth.now()

    rehearse(
        story,
        Planned(1.0, Suspend(seconds=40.0)),
        Planned(2.0, Suspend(seconds=30.0, seen=False, hubs="alive")),
    )


def test_a_gateway_that_restarts_refuses_everything_meanwhile() -> None:
    """Requests and hubs alike."""

    async def story(stage: Rehearsal, mischief: Mischief) -> None:
        await trio.sleep(2)
        assert stage.broker.board.standing(HttpStatus) is not None
        await trio.sleep(5)
        assert stage.broker.board.standing(HttpStatus) is None

    rehearse(story, Planned(1.0, GatewayRestart(down_for=5.0)))


class Idle(Actor[str]):
    """Does nothing, whatever it is told."""


def test_trouble_lies_in_wait_for_a_message() -> None:
    """A crash now, and another trouble some time after; it is over when it gives up waiting."""

    async def story(stage: Rehearsal, mischief: Mischief) -> None:
        ref: Ref[str] = Ref("a")
        spec = SupervisorSpec("house", (ChildSpec("a", ref, Idle),))
        async with open_system(spec, chance=random.Random(1), haunt=stage.haunting):
            await trio.sleep(2)
            ref.tell("x")
            await trio.sleep(10)
            ref.tell("y")
            await trio.sleep(1)

    stage = rehearse(
        story,
        Planned(
            1.0,
            Upon(
                actor="a",
                message="str",
                delay=0.5,
                duration=5.0,
                then=document(StopFillsDuringClose(times=1, duration=1.0)),
            ),
        ),
        Planned(1.5, CrashActor(actor="a")),
    )
    assert stage.did == [
        (1.0, "begins", "upon"),
        (1.5, "begins", "crash_actor"),
        (1.5, "crash", "house/a"),
        (1.5, "ends", "crash_actor"),
        (2.5, "begins", "stop_fills_during_close"),
        (3.5, "ends", "stop_fills_during_close"),
        (6.0, "ends", "upon"),
    ]


def test_the_writer_of_a_record_dies_between_it_and_its_next_step() -> None:
    """At the chosen record of its kind; or something else happens there."""

    async def story(stage: Rehearsal, mischief: Mischief) -> None:
        await trio.sleep(1.5)
        stage.disk.spooled(entry(1, "intent"))
        stage.disk.spooled(entry(2))
        died = False
        try:
            stage.disk.spooled(entry(3))
        except FaultInjected:
            died = True
        assert died
        assert (1.5, "kill", 2.0) in stage.did
        await trio.sleep(10)
        stage.disk.spooled(entry(4))

    rehearse(
        story,
        Planned(1.0, UponSpooling(then=document(Kill()), duration=5.0)),
        Planned(1.0, UponSpooling(nth=2, duration=5.0)),
    )


def test_everything_ends_when_all_is_to_be_well() -> None:
    """What stands, what lies in wait, and what would still have come."""

    async def story(stage: Rehearsal, mischief: Mischief) -> None:
        await trio.sleep(2)
        mischief.heal()
        assert stage.disk.refusing == ""
        assert stage.broker.board.standing(LoseEvents) is None
        assert stage.clock.wrong_by == 0
        await trio.sleep(100)

    stage = rehearse(
        story,
        Planned(1.0, DiskRefuses()),
        Planned(1.0, ClockJump(seconds=5.0)),
        Planned(1.0, LoseEvents()),
        Planned(50.0, Kill()),
    )
    begun = sorted(name for _, what, name in stage.did if what == "begins")
    assert begun == ["clock_jump", "disk_refuses", "lose"]


def test_what_is_told_to_last_lasts_so_long() -> None:
    """Deaths and restarts last as long as they keep something down."""
    assert lasting(Kill(down_for=3.0)) == 3.0
    assert lasting(GatewayRestart(down_for=4.0)) == 4.0
    assert lasting(LoseEvents(duration=2.0)) == 2.0
    assert lasting(DropHubs()) == 0.0
