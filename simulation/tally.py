"""What many runs have shown together, and what they must at least have reached."""

from collections import Counter
from collections.abc import Iterable

from attrs import define, field

from simulation.campaign import Campaign, Run
from simulation.coverage import Coverage
from simulation.floors import floors_of

FALSE_ALARM = 11
"""The number of the invariant that forbids locks, closes and cancellations without a reason."""


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
