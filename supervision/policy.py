"""What a supervisor does about an ended child: pure decisions, no clock, no chance, no I/O."""

import math
from collections.abc import Sequence

from attrs import evolve, frozen

from .specs import Backoff, Park, Quarantine, Restart, Strategy, SupervisorSpec

_LARGEST_EXPONENT = 64
"""Beyond this every backoff is at its maximum; an unclamped 2.0**n overflows at n = 1024."""


@frozen
class Exit:
    """One end of an incarnation. Times are in seconds on one monotonic clock."""

    at: float
    failed: bool
    ran_for: float = 0.0
    """How long it had been running; 0 when it never finished starting."""
    boot: bool = False
    """True when the child has never yet been up."""
    gave_up: bool = False
    """True for a supervisor that escalated: it has spent a budget of its own already."""


@frozen
class History:
    """What is remembered of a child's failures."""

    streak: int = 0
    """Restarts since the child last ran calmly."""
    restarts: tuple[float, ...] = ()
    """Times of restarts within the last period."""
    on_probation: bool = False
    """True from the end of a parking until the child has run calmly: one failure parks it again."""


@frozen
class Again:
    """Start it again after ``delay`` seconds."""

    delay: float


@frozen
class SetAside:
    """Park it and try again after ``delay`` seconds."""

    delay: float


@frozen
class Finish:
    """It has stopped for good."""


@frozen
class GiveUp:
    """The supervisor itself has failed."""


type Decision = Again | SetAside | Finish | GiveUp


def affected(strategy: Strategy, children: Sequence[str], failed: str) -> tuple[str, ...]:
    """The children that are restarted when ``failed`` fails, in starting order."""
    if strategy is Strategy.ONE_FOR_ONE:
        return (failed,)
    if strategy is Strategy.ONE_FOR_ALL:
        return tuple(children)
    return tuple(children[children.index(failed) :])


def wants_restart(restart: Restart, *, failed: bool) -> bool:
    """Whether a child of this kind is started again after such an end."""
    return restart is Restart.PERMANENT or (restart is Restart.TRANSIENT and failed)


def delay_before(backoff: Backoff, streak: int, draw: float) -> float:
    """Seconds before the restart that follows ``streak`` earlier ones; ``draw`` is in [0, 1)."""
    if streak == 0:
        return backoff.initial
    exponent = min(streak - 1, _LARGEST_EXPONENT)
    return draw * min(backoff.maximum, math.ldexp(backoff.base, exponent))


def within(period: float, times: tuple[float, ...], now: float) -> tuple[float, ...]:
    """Those times that lie at most ``period`` seconds back."""
    return tuple(at for at in times if now - at <= period)


def poisoned(quarantine: Quarantine, kills: tuple[float, ...], now: float) -> bool:
    """Whether a message class has crashed its actor too often, the latest time included."""
    return len(within(quarantine.within, kills, now)) >= quarantine.kills


def judge(
    spec: SupervisorSpec,
    restart: Restart,
    history: History,
    spent: tuple[float, ...],
    end: Exit,
    *,
    draw: float,
) -> tuple[Decision, History]:
    """What to do about the end of a child, and what to remember of it.

    ``spent`` are the times of all restarts this supervisor has made; which of them count, and
    whether those of the siblings do, follows from ``spec``.
    """
    if not wants_restart(restart, failed=end.failed):
        return Finish(), history
    if end.ran_for >= spec.backoff.calm:
        history = evolve(history, streak=0, on_probation=False)
    if isinstance(spec.exhausted, Park):
        return _bulkhead(spec, spec.exhausted, history, end, draw)
    if len(within(spec.intensity.period, spent, end.at)) >= spec.intensity.restarts:
        return GiveUp(), history
    return _again(spec, history, end, draw)


def _bulkhead(
    spec: SupervisorSpec, park: Park, history: History, end: Exit, draw: float
) -> tuple[Decision, History]:
    recent = within(spec.intensity.period, history.restarts, end.at)
    exhausted = len(recent) >= spec.intensity.restarts
    if end.boot or end.gave_up or history.on_probation or exhausted:
        return SetAside(park.every), evolve(history, on_probation=True)
    return _again(spec, history, end, draw)


def _again(
    spec: SupervisorSpec, history: History, end: Exit, draw: float
) -> tuple[Decision, History]:
    recent = within(spec.intensity.period, history.restarts, end.at)
    remembered = evolve(history, streak=history.streak + 1, restarts=(*recent, end.at))
    return Again(delay_before(spec.backoff, history.streak, draw)), remembered
