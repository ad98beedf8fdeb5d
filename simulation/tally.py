"""What many runs have shown together, and what they must at least have reached."""

from collections import Counter
from collections.abc import Iterable

from attrs import define, field

from simulation.campaign import Campaign, Run
from simulation.coverage import SOMETIMES, Coverage, Floors

ENOUGH = 200
"""Runs from which on every state and every kind of trouble must have been met."""
TROUBLE = frozenset(
    {
        "clock_drift",
        "clock_jump",
        "close_hubs",
        "crash_actor",
        "disk_refuses",
        "disk_slow",
        "drop",
        "duplicate",
        "flat_shape",
        "garbage_payload",
        "gateway_restart",
        "half_open",
        "http",
        "kill",
        "logout_push",
        "lose",
        "partial_fills",
        "partial_quotes",
        "payload_shape",
        "power_cut",
        "refuse_close",
        "reset",
        "scatter",
        "slow",
        "slow_handler",
        "stale_snapshot",
        "stall",
        "stop_fills_during_close",
        "stuck_handler",
        "suspend",
        "uncertain_close",
        "upon",
        "upon_spooling",
    }
)
"""What the planner draws from, by name."""
FALSE_ALARM = 11
"""The number of the invariant that forbids locks, closes and cancellations without a reason."""


def floors_of(campaign: Campaign) -> Floors:
    """What a campaign must reach: a short one only its share of time live."""
    if campaign.seeds < ENOUGH:
        return Floors()
    return Floors(faults=TROUBLE, sometimes=dict.fromkeys(SOMETIMES, 1))


@define
class Tally:
    """The totals of a campaign, also of one that was interrupted."""

    campaign: Campaign
    done: int = 0
    messages: int = 0
    virtual_seconds: float = 0.0
    lives: int = 0
    """Lives of the daemon."""
    coverage: Coverage = field(factory=Coverage)
    violations: Counter[int] = field(factory=Counter)
    """By the number of the invariant."""
    _failed: list[Run] = field(factory=list)

    def add(self, run: Run) -> None:
        """One more run has come to its end."""
        self.done += 1
        self.messages += run.messages
        self.virtual_seconds += run.virtual_seconds
        self.lives += run.lives
        self.coverage.merge(run.coverage)
        self.violations.update(it.invariant for it in run.violations)
        if not run.clean:
            self._failed.append(run)

    @property
    def failed(self) -> tuple[Run, ...]:
        """Runs that broke a promise or showed nothing, by their seeds."""
        return tuple(sorted(self._failed, key=lambda it: it.seed))

    @property
    def false_alarms(self) -> int:
        """Locks, closes and cancellations without a reason."""
        return self.violations[FALSE_ALARM]

    @property
    def interrupted(self) -> bool:
        """Not every seed has been run."""
        return self.done < self.campaign.seeds

    def shortfalls(self) -> tuple[str, ...]:
        """What was not reached though it must be, as sentences; of what is interrupted nothing."""
        if self.interrupted:
            return ()
        return floors_of(self.campaign).missed(self.coverage)

    @property
    def good(self) -> bool:
        """No promise was broken, and enough was tried for that to mean something."""
        return not self._failed and not self.shortfalls()


def tally_of(campaign: Campaign, runs: Iterable[Run]) -> Tally:
    """The totals of these runs."""
    tally = Tally(campaign)
    for run in runs:
        tally.add(run)
    return tally
