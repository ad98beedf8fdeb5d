"""Chooses the trouble of a run: sparse, so that the daemon is mostly live, and aimed at rare sites.

Too many faults hide bugs: a daemon that never gets live has nothing to lose. So there are quiet
stretches between clusters of one to three troubles. Chance alone seldom hits the few milliseconds
between an intent and its answer, so a good part of the trouble lies in wait for a message.
"""

import random
from collections.abc import Callable, Sequence
from functools import partial

from attrs import frozen

from simulation import trouble as its
from simulation.haunting import Moment
from simulation.trouble import Planned, Trouble, document
from simulator import faults
from store.memory import Half


@frozen
class Pace:
    """How much trouble there is."""

    quiet: float
    """Mean seconds between the clusters; never less than a third of it."""
    deaths: int
    """Deaths of the process at most."""


PACES = {"minutes": Pace(75.0, 2), "day": Pace(700.0, 3)}
"""By the kind of scenario; others are paced as a day."""
LEAVES_OFF = 150.0
"""Seconds before the end without new trouble, so that what is left can be judged."""
LIES_IN_WAIT = 120.0
"""Seconds until trouble that waits for a message gives up."""


def planned_faults(
    chance: random.Random, seconds: float, kind: str, accounts: Sequence[str]
) -> tuple[Planned, ...]:
    """Trouble for a run of so many seconds, in the order of time; ``accounts`` by their names."""
    pace = PACES.get(kind, PACES["day"])
    planned: list[Planned] = []
    deaths = 0
    at = pace.quiet * chance.uniform(0.3, 0.7)
    while at < seconds - LEAVES_OFF:
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3))):
            fault = one_trouble(chance, accounts)
            while deaths >= pace.deaths and is_deadly(fault):
                fault = one_trouble(chance, accounts)
            deaths += is_deadly(fault)
            planned.append(Planned(round(at + chance.choice((0, 0.02, 0.5, 4.0)), 3), fault))
        at += pace.quiet / 3 + chance.expovariate(1.5 / pace.quiet)
    return tuple(sorted(planned, key=lambda it: it.at))


def is_deadly(trouble: Trouble) -> bool:
    """Whether the process dies of it, at once or when its message comes."""
    match trouble:
        case its.Kill() | its.PowerCut():
            return True
        case its.Upon():
            return is_deadly(trouble.consequence)
        case its.UponSpooling():
            return trouble.consequence is not None and is_deadly(trouble.consequence)
        case _:
            return False


def one_trouble(chance: random.Random, accounts: Sequence[str]) -> Trouble:
    """One trouble of any kind."""
    weights = [weight for weight, _ in MENU]
    (choose,) = chance.choices([it for _, it in MENU], weights)
    return choose(chance, accounts)


def some(chance: random.Random, least: float = 0.5, most: float = 8.0) -> float:
    """Seconds something lasts."""
    return round(chance.uniform(least, most), 2)


# ---- the gateway and the way to it ---------------------------------------------------------------


def a_hub(chance: random.Random, accounts: Sequence[str]) -> Trouble:  # noqa: ARG001 - a menu's
    """Something happens to the connections."""
    hub: faults.Hub = chance.choice(("user", "user", "market", "both"))
    lasting = some(chance)
    kinds: tuple[Callable[[], Trouble], ...] = (
        partial(faults.DropHubs, hub=hub),
        partial(faults.ResetHubs, hub=hub),
        partial(faults.CloseHubs, hub=hub),
        partial(faults.HalfOpen, hub=hub),
        partial(faults.Stall, hub=hub, duration=lasting),
        partial(faults.GarbagePayload, hub=hub),
        faults.LogoutPush,
        partial(its.GatewayRestart, down_for=some(chance, 2, 20)),
    )
    return chance.choice(kinds)()


def an_event(chance: random.Random, accounts: Sequence[str]) -> Trouble:  # noqa: ARG001 - a menu's
    """Events are lost, doubled, late, permuted or in another shape."""
    lasting = some(chance, 1, 20)
    order: list[faults.EventKind] = ["trade", "position", "order", "account"]
    chance.shuffle(order)
    late: faults.EventKind = chance.choice(("trade", "position", "order"))
    kinds: tuple[Callable[[], Trouble], ...] = (
        partial(faults.LoseEvents, probability=0.5, duration=lasting),
        partial(faults.LoseEvents, probability=1.0, kinds=(late,), duration=lasting),
        partial(faults.DuplicateEvents, copies=chance.choice((2, 3)), duration=lasting),
        partial(faults.ScatterEvents, duration=lasting),
        partial(faults.ScatterEvents, order=tuple(order), duration=lasting),
        partial(faults.ScatterEvents, kinds=(late,), apart_ms=3000.0, duration=lasting),
        partial(faults.PayloadShape, shape=chance.choice(("wrapped", "list")), duration=lasting),
        partial(faults.FlatShape, shape=chance.choice(("type", "both")), duration=lasting),
        partial(faults.PartialQuotes, duration=lasting, zero_last=chance.random() < 0.5),
    )
    return chance.choice(kinds)()


def a_request(chance: random.Random, accounts: Sequence[str]) -> Trouble:  # noqa: ARG001 - a menu's
    """Requests are refused, uncertain, slow or answered with what was."""
    lasting = some(chance, 1, 20)
    operation: faults.Operation = chance.choice(("close", "close", "partial_close", "cancel"))
    kinds: tuple[Callable[[], Trouble], ...] = (
        partial(faults.RefuseClose, operation=operation, duration=lasting),
        partial(faults.RefuseClose, operation=operation, times=2, duration=60.0),
        partial(_uncertain, chance, operation),
        partial(_uncertain, chance, operation),
        partial(faults.Slow, delay_ms=round(chance.uniform(100, 4000)), duration=lasting),
        partial(
            faults.Slow, path="/api/Position/*", delay_ms=round(chance.uniform(100, 4000)), times=3
        ),
        partial(faults.HttpStatus, status=chance.choice((500, 503)), duration=some(chance)),
        partial(faults.HttpStatus, status=429, retry_after=2.0, duration=some(chance)),
        partial(faults.HttpStatus, status=401, duration=some(chance, 0.1, 2)),
        partial(faults.StaleSnapshot, duration=some(chance, 0.2, 2)),
        partial(faults.StopFillsDuringClose, times=1, duration=60.0),
        partial(faults.StopFillsDuringClose, when="after", times=1, duration=60.0),
        partial(faults.PartialFills, size=1, duration=lasting),
    )
    return chance.choice(kinds)()


def _uncertain(chance: random.Random, operation: faults.Operation) -> Trouble:
    return faults.UncertainClose(
        how=chance.choice(("status", "disconnect")),
        executes=chance.random() < 0.5,
        operation=operation,
        times=chance.choice((1, 2)),
        duration=60.0,
    )


# ---- actors --------------------------------------------------------------------------------------


def an_actor(chance: random.Random, accounts: Sequence[str]) -> Trouble:
    """An actor crashes, at any message or at once, is slow, or hangs."""
    one = chance.choice(accounts)
    actor = chance.choice(
        (
            *(f"{one}/{part}" for part in ("account", "rules", "enforcement")),
            "connection",
            "price cache",
            "session clock",
            "store",
        )
    )
    nth = chance.choice((1, 1, 2, 5, 20))
    kinds: tuple[Callable[[], Trouble], ...] = (
        partial(its.CrashActor, actor=actor),
        partial(its.CrashActor, actor=actor, nth=nth, moment="before", duration=LIES_IN_WAIT),
        partial(its.CrashActor, actor=actor, nth=nth, moment="after", duration=LIES_IN_WAIT),
        partial(its.CrashActor, actor=actor, nth=1, times=3, moment="before", duration=5.0),
        partial(
            its.SlowHandler,
            actor=actor,
            seconds=chance.choice((0.005, 0.05, 0.2)),
            duration=some(chance),
        ),
        partial(its.StuckHandler, actor=actor, nth=nth, duration=LIES_IN_WAIT),
    )
    return chance.choice(kinds)()


AIMED_CRASHES: tuple[tuple[str, str], ...] = (
    ("enforcement", "Decided"),
    ("enforcement", "RequestAnswered"),
    ("enforcement", "Wake"),
    ("enforcement", "ReadDone"),
    ("enforcement", "started"),
    ("rules", "Evaluate"),
    ("account", "Fill"),
    ("account", "PositionUpdate"),
    ("account", "ReadDone"),
    ("account", "LockSet"),
    ("account", "LinkUp"),
    ("account", "DayTurned"),
    ("account", "started"),
    ("account", "EnforcementDone"),
    ("connection", "CloseContract"),
    ("connection", "MutationAnswered"),
    ("connection", "ConnectionChange"),
    ("session clock", "Wake"),
    ("store", "Gathered"),
)
"""Where a crash may lose something: the actor, and the message it crashes at."""


def an_aimed_crash(chance: random.Random, accounts: Sequence[str]) -> Trouble:  # noqa: ARG001
    """Just where something may be lost."""
    if chance.random() < 0.2:
        return its.UponSpooling(nth=chance.choice((1, 2)), duration=LIES_IN_WAIT)
    actor, message = chance.choice(AIMED_CRASHES)
    moment: Moment = chance.choice(("before", "after"))
    nth = chance.choice((1, 1, 2))
    return its.CrashActor(
        actor=actor, message=message, nth=nth, moment=moment, duration=LIES_IN_WAIT
    )


SITES: tuple[tuple[str, str], ...] = (
    ("connection", "CloseContract"),
    ("connection", "CloseContract"),
    ("connection", "PartialCloseContract"),
    ("connection", "CancelOrder"),
    ("enforcement", "Decided"),
    ("enforcement", "RequestAnswered"),
    ("account", "ReadDone"),
    ("account", "LockSet"),
    ("account", "DayTurned"),
)
"""Messages at which other trouble hurts most: a request has left, a verdict fell, a day turned."""
DELAYS = (0.0, 0.004, 0.011, 0.019, 0.5)
"""Seconds after them: before a request arrives, when it is answered, and while the rest goes on."""


def an_aimed_trouble(chance: random.Random, accounts: Sequence[str]) -> Trouble:
    """At a critical message something else happens: a death, a reconnect, a race, another crash."""
    actor, message = chance.choice(SITES)
    then: tuple[Callable[[], Trouble], ...] = (
        partial(its.Kill, down_for=some(chance)),
        partial(faults.DropHubs, hub="user"),
        partial(faults.DropHubs, hub="both"),
        partial(faults.HalfOpen, hub="user"),
        partial(its.CrashActor, actor=chance.choice(("connection", "enforcement", "account"))),
        partial(faults.LoseEvents, duration=some(chance, 0.1, 2)),
        partial(faults.StaleSnapshot, duration=some(chance, 0.2, 2)),
        partial(faults.StopFillsDuringClose, times=1, duration=5.0),
        partial(_uncertain, chance, "close"),
        partial(faults.Slow, delay_ms=2500, duration=1.0),
        partial(an_event, chance, accounts),
    )
    return its.Upon(
        actor=actor,
        message=message,
        moment="before" if chance.random() < 0.3 else "after",
        delay=chance.choice(DELAYS),
        duration=LIES_IN_WAIT,
        then=document(chance.choice(then)()),
    )


# ---- the machine ---------------------------------------------------------------------------------


def a_machine(chance: random.Random, accounts: Sequence[str]) -> Trouble:  # noqa: ARG001 - a menu's
    """A death, the disk, the clock, a nap."""
    lasting = some(chance, 5, 60)
    half: Half = chance.choice(("both", "spool", "journal"))
    kinds: tuple[Callable[[], Trouble], ...] = (
        partial(its.Kill, down_for=some(chance)),
        partial(its.Kill, down_for=some(chance, 20, 90)),
        partial(
            its.PowerCut,
            down_for=some(chance, 10, 60),
            kept=chance.choice((0, 0, 1, 2)),
            torn=chance.random() < 0.5,
        ),
        partial(its.UponSpooling, then=document(its.Kill(down_for=2.0)), duration=LIES_IN_WAIT),
        partial(its.DiskRefuses, half=half, duration=lasting),
        partial(its.DiskSlow, seconds=chance.choice((0.2, 2.0)), duration=lasting),
        partial(
            its.ClockJump,
            seconds=chance.choice((-3600.0, -10.0, 5.0, 36_000.0)),
            duration=lasting,
        ),
        partial(its.ClockDrift, rate=chance.choice((-0.005, 0.0005, 0.005)), duration=lasting),
        partial(
            its.Suspend,
            seconds=some(chance, 5, 90),
            seen=chance.random() < 0.5,
            hubs=chance.choice(("alive", "dropped", "half_open")),
        ),
    )
    return chance.choice(kinds)()


type Choice = Callable[[random.Random, Sequence[str]], Trouble]
MENU: tuple[tuple[float, Choice], ...] = (
    (16, a_hub),
    (16, an_event),
    (22, a_request),
    (12, an_actor),
    (14, an_aimed_crash),
    (14, an_aimed_trouble),
    (10, a_machine),
)
"""What trouble is made of, by weight."""
