"""Many seeds, each a run of its own, over several processes; what they showed as small data.

Whatever a run raises ends its process, and is told as the failure of that seed; another process goes
on with the next. Nothing here depends on which process ran what: a seed says everything.
"""

import signal
from collections.abc import Generator
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess

from attrs import field, frozen

from simulation.coverage import Coverage
from simulation.invariants import Violation
from simulation.run import simulate
from simulation.scenario import Scenario, generate

MIXED = "mixed"
KINDS_IN_TURN = ("minutes",) * 7 + ("early", "reset", "night")
"""What a mixed campaign runs: mostly trouble by day, every tenth seed each around an end of a day."""
HANGS_AFTER = 300.0
"""Real seconds in which not one of the processes has finished a run: they hang."""
_LAST_WORDS = 10.0
"""Seconds in which a process that fails may say why, on stderr."""


@frozen
class Campaign:
    """Which seeds, and what each of them stands for."""

    first: int = 0
    seeds: int = 100
    kind: str = MIXED
    """One of ``simulation.scenario.KINDS``, or ``mixed``."""
    seconds: float | None = None
    """Of each run; None: as long as its kind is."""

    @property
    def numbers(self) -> range:
        """The seeds."""
        return range(self.first, self.first + self.seeds)

    def kind_of(self, seed: int) -> str:
        """The kind of scenario that a seed stands for."""
        return KINDS_IN_TURN[seed % len(KINDS_IN_TURN)] if self.kind == MIXED else self.kind

    def scenario(self, seed: int) -> Scenario:
        """What a seed stands for; ValueError for an unknown kind or no time at all."""
        return generate(seed, self.kind_of(seed), seconds=self.seconds)


@frozen
class Run:
    """What one seed showed."""

    seed: int
    kind: str
    seconds: float
    """How long its traders traded."""
    violations: tuple[Violation, ...] = ()
    coverage: Coverage = field(factory=Coverage)
    messages: int = 0
    virtual_seconds: float = 0.0
    lives: int = 0
    failure: str = ""
    """Why it has shown nothing: its process hung or died."""

    @property
    def clean(self) -> bool:
        """It came to its end, and no promise was broken."""
        return not self.violations and not self.failure


def run_seed(campaign: Campaign, seed: int) -> Run:
    """Run one seed in this process."""
    scenario = campaign.scenario(seed)
    outcome = simulate(scenario)
    return Run(
        seed,
        campaign.kind_of(seed),
        scenario.seconds,
        violations=outcome.violations,
        coverage=outcome.coverage,
        messages=outcome.messages,
        virtual_seconds=outcome.virtual_seconds,
        lives=outcome.lives,
    )


def runs(campaign: Campaign, *, jobs: int = 2, hangs_after: float = HANGS_AFTER) -> Generator[Run]:
    """Every seed in a process out of ``jobs``, in the order in which they end.

    Close the iterator to end it before its end, processes and all.
    """
    left = iter(campaign.numbers)
    context = get_context("spawn")
    crew = [_Worker(context, campaign) for _ in range(min(jobs, campaign.seeds))]
    busy = {worker.answers: worker for worker in crew if worker.take(next(left, None))}
    try:
        while busy:
            ready = wait(list(busy), timeout=hangs_after)
            if not ready:
                yield from (worker.failed("it hung") for worker in busy.values())
                return
            for answers in ready:
                assert isinstance(answers, Connection)
                worker = busy.pop(answers)
                yield worker.result()
                if not worker.alive:
                    crew.remove(worker)
                    crew.append(worker := _Worker(context, campaign))
                if worker.take(next(left, None)):
                    busy[worker.answers] = worker
    finally:
        for worker in crew:
            worker.end()


class _Worker:
    """One process, and the seed it is at."""

    def __init__(self, context: SpawnContext, campaign: Campaign) -> None:
        self._campaign = campaign
        self.answers, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=_work, args=(campaign, theirs), daemon=True
        )
        self._process.start()
        theirs.close()
        self._seed = 0
        self.alive = True

    def take(self, seed: int | None) -> bool:
        """Begin with a seed; False when there is none left."""
        if seed is None:
            return False
        self._seed = seed
        # One that has died at its start says so by its answer.
        with suppress(BrokenPipeError):
            self.answers.send(seed)
        return True

    def result(self) -> Run:
        """What became of the seed."""
        try:
            run = self.answers.recv()
        except (EOFError, ConnectionError):
            self._process.join(_LAST_WORDS)
            self.end()
            return self.failed(f"its process ended with code {self._process.exitcode}")
        assert isinstance(run, Run)
        return run

    def failed(self, why: str) -> Run:
        """The seed has shown nothing."""
        campaign, seed = self._campaign, self._seed
        seconds = campaign.scenario(seed).seconds
        return Run(seed, campaign.kind_of(seed), seconds, failure=why)

    def end(self) -> None:
        """It is not wanted any more."""
        if self.alive:
            self.alive = False
            self.answers.close()
            self._process.kill()
            self._process.join()


def _work(campaign: Campaign, seeds: Connection) -> None:
    """In a process of its own: run what is asked for, until nobody asks any more."""
    # Ctrl-C is for the process that reports; it ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            seed = seeds.recv()
        except (EOFError, ConnectionError):
            return
        seeds.send(run_seed(campaign, seed))
