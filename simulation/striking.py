"""Trouble as it happens: what each kind does to the machine, the daemon or the broker, and its end."""

from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Literal, Protocol

import trio

from broker.memory import MemoryBroker
from simulation.clocks import MachineClock, TrueClock
from simulation.haunting import Haunting, Spell
from simulation.trouble import (
    ActorTrouble,
    ClockDrift,
    ClockJump,
    CrashActor,
    DiskRefuses,
    DiskSlow,
    GatewayRestart,
    Kill,
    Planned,
    PowerCut,
    SlowHandler,
    StuckHandler,
    Suspend,
    Trouble,
    Upon,
    UponSpooling,
)
from simulator.faults import DropHubs, HalfOpen, HttpStatus, ResetHubs
from store.entry import Entry
from store.memory import MemoryDisk
from supervision import FaultInjected

type Told = Callable[[Literal["begins", "ends"], Trouble], None]
"""Hears of each trouble when it begins to stand, or strikes, and when it is over."""
type Undo = Callable[[], None]


class Stage(Protocol):
    """What trouble happens to."""

    @property
    def broker(self) -> MemoryBroker:
        """The exchange's side."""

    @property
    def disk(self) -> MemoryDisk:
        """Of the trader's machine."""

    @property
    def truth(self) -> TrueClock:
        """The exchange's clock."""

    @property
    def clock(self) -> MachineClock:
        """The machine's."""

    @property
    def haunting(self) -> Haunting:
        """Of the daemon's actors."""

    def crash(self, path: str) -> None:
        """Crash the actor at this path between two messages, if it is running."""

    def kill(self, down_for: float) -> None:
        """End the daemon's process now, and start it again so many seconds later."""

    def suspend(self, seconds: float) -> None:
        """Trio's clock moves on at once, before anything else happens."""


class Mischief:
    """Lets planned trouble happen, each at its time, through all lives of the daemon."""

    def __init__(self, stage: Stage, planned: tuple[Planned, ...], told: Told) -> None:
        self._stage = stage
        self._told = told
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._wake = trio.Event()
        self._undo: dict[int, tuple[Trouble, Undo]] = {}
        """What stands, by a number of its own."""
        for it in planned:
            self._later(it.at, partial(self.strike, it.fault))

    async def run(self) -> None:
        """Until cancelled; the times of the plan count from when this was made."""
        while True:
            now = trio.current_time()
            while self._agenda and self._agenda[0][0] <= now:
                heappop(self._agenda)[2]()
            self._wake = trio.Event()
            due = self._agenda[0][0] if self._agenda else inf
            with trio.move_on_at(due):
                await self._wake.wait()

    def strike(self, trouble: Trouble) -> None:
        """Let it begin now."""
        self._told("begins", trouble)
        undo = self._begin(trouble)
        number = next(self._numbers)
        self._undo[number] = trouble, undo
        lasts = lasting(trouble)
        if lasts != inf:
            self._later(lasts, partial(self._end, number))

    def heal(self) -> None:
        """Everything that stands or lies in wait ends, and nothing planned comes any more."""
        self._agenda.clear()
        for number in list(self._undo):
            self._end(number)
        stage = self._stage
        stage.broker.heal()
        stage.haunting.lift()
        stage.haunting.free()

    def _end(self, number: int) -> None:
        trouble, undo = self._undo.pop(number)
        undo()
        self._told("ends", trouble)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        heappush(self._agenda, (trio.current_time() + seconds, next(self._numbers), action))
        self._wake.set()

    def _begin(self, trouble: Trouble) -> Undo:
        match trouble:
            case ActorTrouble():
                return self._at_actor(trouble)
            case UponSpooling():
                return self._at_spool(trouble)
            case DiskRefuses() | DiskSlow():
                return _at_disk(trouble, self._stage.disk)
            case ClockJump() | ClockDrift():
                return _at_clock(trouble, self._stage.clock)
            case Kill() | PowerCut() | Suspend():
                self._at_machine(trouble)
            case GatewayRestart():
                broker, down = self._stage.broker, HttpStatus(duration=trouble.down_for)
                broker.inject(down)
                broker.inject(ResetHubs(hub=trouble.hub))
            case _:
                # The broker's own board ends it in time.
                self._stage.broker.inject(trouble)
        return _nothing

    def _at_actor(self, trouble: ActorTrouble) -> Undo:
        haunting = self._stage.haunting
        if isinstance(trouble, CrashActor) and trouble.moment == "now":
            for path in haunting.paths(trouble.actor)[:1]:
                self._stage.crash(path)
            return _nothing
        spell = self._spell(trouble)
        haunting.cast(spell)
        return partial(haunting.lift, spell)

    def _spell(self, trouble: ActorTrouble) -> Spell:
        spell = Spell(trouble.actor, trouble.message, trouble.nth, trouble.times or 1)
        match trouble:
            case CrashActor(moment=moment):
                spell.moment = "after" if moment == "after" else "before"
                spell.crash = f"planned, {moment} {trouble.message}"
            case SlowHandler(seconds=seconds):
                spell.late, spell.times = seconds, trouble.times
            case StuckHandler():
                spell.late = inf
            case Upon(moment=moment, delay=delay):
                spell.moment = moment
                spell.call = partial(self._soon, delay, trouble.consequence)
            case _:
                raise TypeError(f"{trouble.name} befalls no actor")
        return spell

    def _soon(self, delay: float, trouble: Trouble) -> None:
        if delay:
            self._later(delay, partial(self.strike, trouble))
        else:
            self.strike(trouble)

    def _at_spool(self, trouble: UponSpooling) -> Undo:
        disk, came = self._stage.disk, count(1)
        before = disk.spooled

        def spooled(entry: Entry) -> None:
            before(entry)
            if entry.kind != trouble.record or next(came) != trouble.nth:
                return
            consequence = trouble.consequence
            if consequence is None:
                raise FaultInjected(f"planned, after spooling a {trouble.record}")
            self.strike(consequence)

        def undo() -> None:
            if disk.spooled is spooled:
                disk.spooled = before

        disk.spooled = spooled
        return undo

    def _at_machine(self, trouble: Kill | PowerCut | Suspend) -> None:
        stage = self._stage
        match trouble:
            case Kill(down_for=down_for):
                stage.kill(down_for)
            case PowerCut(down_for=down_for, kept=kept, torn=torn):
                stage.kill(down_for)
                stage.disk.lose_power(kept=kept, torn=torn)
            case Suspend(seconds=seconds, seen=seen, hubs=hubs):
                if hubs != "alive":
                    stage.broker.inject(DropHubs() if hubs == "dropped" else HalfOpen())
                if seen:
                    stage.suspend(seconds)
                else:
                    stage.truth.sleep_through(seconds)


def lasting(trouble: Trouble) -> float:
    """Seconds until it is over; infinite when only a general healing ends it."""
    match trouble:
        case Kill(down_for=seconds) | PowerCut(down_for=seconds):
            return seconds
        case GatewayRestart(down_for=seconds):
            return seconds
        case CrashActor(moment="now") | Suspend():
            return 0.0
        case _ if trouble.duration is not None:
            return trouble.duration
        case ActorTrouble() | UponSpooling() | DiskRefuses() | DiskSlow() | ClockJump():
            return inf
        case ClockDrift():
            return inf
        case _:
            return 0.0 if trouble.times is None else inf


def _nothing() -> None:
    """Is left to undo."""


def _at_disk(trouble: DiskRefuses | DiskSlow, disk: MemoryDisk) -> Undo:
    def write_again() -> None:
        disk.refusing = ""

    def be_quick() -> None:
        disk.write_takes = usual

    usual = disk.write_takes
    if isinstance(trouble, DiskRefuses):
        disk.refusing, disk.refusing_half = trouble.reason, trouble.half
        return write_again
    disk.write_takes = trouble.seconds
    return be_quick


def _at_clock(trouble: ClockJump | ClockDrift, clock: MachineClock) -> Undo:
    if isinstance(trouble, ClockJump):
        clock.jump(trouble.seconds)
    else:
        clock.drift(trouble.rate)
    return clock.set_right
