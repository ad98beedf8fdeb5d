"""One run of the whole daemon in virtual time, from its scenario alone."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import structlog
import trio
from attrs import field, frozen
from structlog.typing import EventDict

from simulation.coverage import Coverage
from simulation.invariants import Violation
from simulation.machine import Machine
from simulation.market import Market
from simulation.referee import Referee
from simulation.scenario import Scenario
from simulation.striking import Mischief
from simulation.trace import Line, Trace
from simulation.traders import Crowd
from simulation.watcher import Audience, Watcher
from supervision.testing import run_virtual

WELL_WITHIN = 75.0
"""Quiet seconds at the end: a try every 30 s, an audit every 60 s, and what follows of them."""


@frozen
class Outcome:
    """What became of a run."""

    scenario: Scenario
    violations: tuple[Violation, ...]
    coverage: Coverage
    trace_hash: str
    messages: int
    """Messages that actors handled."""
    virtual_seconds: float
    lives: int
    """Lives of the daemon."""
    steps: tuple[str, ...] = field(default=(), repr=False)
    """Names of the traders' steps that were done; shrinking leaves them out one by one."""
    story: tuple[Line, ...] = field(default=(), repr=False)
    """The end of the timeline, up to the first violation if there is one."""


type Watching = Callable[[], Sequence[Watcher]]
"""Makes further watchers of one run; the referee is always there."""


def simulate(
    scenario: Scenario, *, watching: Watching = tuple, trace_to: Path | None = None
) -> Outcome:
    """Run a scenario to its end: the same one does the same in every process."""
    if trace_to is None:
        return _run(scenario, watching, None)
    with trace_to.open("w", encoding="utf-8") as file:
        return _run(scenario, watching, file)


def _run(scenario: Scenario, watching: Watching, file: IO[str] | None) -> Outcome:
    with _silence():
        return run_virtual(
            _simulated,
            scenario,
            watching,
            file,
            seed=scenario.seed,
            shuffles=math.inf if scenario.shuffles is None else scenario.shuffles,
            within=30 * 86_400,
        )


async def _simulated(scenario: Scenario, watching: Watching, file: IO[str] | None) -> Outcome:
    referee = Referee()
    trace = Trace(file, lambda: bool(referee.violations))
    crowd = Crowd(scenario)
    audience = Audience((trace, referee, *watching(), crowd))
    machine = Machine(scenario, audience)
    Market(machine)
    mischief = Mischief(machine, scenario.faults, audience.trouble)
    audience.opened(machine)
    async with trio.open_nursery() as nursery:
        for watcher in audience.watchers:
            if type(watcher).watch is not Watcher.watch:
                nursery.start_soon(watcher.watch)
        nursery.start_soon(machine.run)
        nursery.start_soon(machine.agenda.run)
        nursery.start_soon(mischief.run)
        await trio.sleep_until(machine.origin + scenario.seconds)
        crowd.close()
        mischief.heal()
        audience.healed()
        await trio.sleep(WELL_WITHIN)
        audience.closing()
        nursery.cancel_scope.cancel(reason="the run is over")
    return Outcome(
        scenario,
        violations=referee.violations,
        coverage=referee.coverage,
        trace_hash=trace.digest(),
        messages=trace.messages,
        virtual_seconds=machine.elapsed,
        lives=machine.life,
        steps=crowd.steps,
        story=trace.story(),
    )


@contextmanager
def _silence() -> Iterator[None]:
    """The daemon's log goes nowhere: the trace tells more, and formatting lines costs time."""
    before = structlog.get_config()
    structlog.configure(
        processors=[_drop], wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )
    try:
        yield
    finally:
        structlog.configure(**before)


def _drop(_logger: object, _method: str, _event: EventDict) -> EventDict:
    raise structlog.DropEvent
