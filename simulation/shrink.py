"""Makes a failing scenario small, and keeps it as a file that the tests run for ever.

A smaller scenario counts when it breaks the same invariant; where, when and in which account may
differ. Each question is a whole run, so the order is from what saves most to what saves least: the
time after the violation, the troubles, the accounts, the traders' steps, the troubles' details, the
shuffling of tasks that are ready at once.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen

from simulation.invariants import Violation
from simulation.reduction import ddmin
from simulation.scenario import AccountPlan, Scenario
from simulation.trouble import Planned, document, parse_trouble
from simulator.faults import BadFault

AFTERWARDS = 1.0
"""Seconds that a shrunk scenario goes on after its violation."""
RUNS_AT_MOST = 400
FEW_SHUFFLES, SHUFFLES_PER_SECOND = 64, 10_000
"""Where the search for the least number begins, and ends."""


@frozen
class Trial:
    """What a run of a scenario showed."""

    violations: tuple[Violation, ...]
    steps: tuple[str, ...] = ()
    """Names of the traders' steps that were done; each may be put into ``Scenario.omitted``."""


type Try = Callable[[Scenario], Trial]


@define
class _Search:
    """The smallest scenario so far that breaks the invariant."""

    attempt: Try
    invariant: int
    told: Callable[[str], None]
    runs_left: int
    best: Scenario
    violation: Violation
    steps: tuple[str, ...]
    _known: dict[str, bool] = field(factory=dict)

    def holds(self, scenario: Scenario) -> bool:
        """Whether it still fails; if it does it is the best."""
        key = json.dumps(scenario.document(), sort_keys=True)
        if key not in self._known:
            self._known[key] = self._try(scenario)
        return self._known[key]

    def _try(self, scenario: Scenario) -> bool:
        if self.runs_left <= 0:
            return False
        self.runs_left -= 1
        trial = self.attempt(scenario)
        found = first(trial.violations, self.invariant)
        if found is None:
            return False
        self.best, self.violation, self.steps = scenario, found, trial.steps
        self.told(f"{len(scenario.faults)} troubles, {scenario.seconds:g} s: {found.text}")
        return True


def first(violations: Sequence[Violation], invariant: int) -> Violation | None:
    """The earliest violation of an invariant."""
    of_kind = [it for it in violations if it.invariant == invariant]
    return min(of_kind, key=lambda it: it.at) if of_kind else None


def shrink(
    scenario: Scenario,
    attempt: Try,
    *,
    told: Callable[[str], None] = lambda _: None,
    runs: int = RUNS_AT_MOST,
) -> tuple[Scenario, Violation]:
    """The smallest scenario found that breaks what this one breaks first; ValueError if it is clean.

    ``attempt`` runs a scenario; ``told`` hears of each step forward.
    """
    trial = attempt(scenario)
    if not trial.violations:
        raise ValueError("this scenario breaks nothing")
    earliest = min(trial.violations, key=lambda it: it.at)
    search = _Search(attempt, earliest.invariant, told, runs, scenario, earliest, trial.steps)
    size = None
    while size != (size := _size(search.best)):
        _cut_short(search)
        _fewer_faults(search)
        _fewer_accounts(search)
        _fewer_steps(search)
        _plainer_faults(search)
        _fewer_shuffles(search)
    return search.best, search.violation


def _size(scenario: Scenario) -> tuple[int, int, int, float, float]:
    faults = sum(len(json.dumps(it.document())) for it in scenario.faults)
    shuffles = math.inf if scenario.shuffles is None else scenario.shuffles
    return faults, len(scenario.accounts), -len(scenario.omitted), scenario.seconds, shuffles


def _cut_short(search: _Search) -> None:
    seconds = round(search.violation.at + AFTERWARDS, 3)
    if seconds < search.best.seconds:
        within = tuple(it for it in search.best.faults if it.at < seconds)
        _ = search.holds(evolve(search.best, seconds=seconds)) and search.holds(
            evolve(search.best, faults=within)
        )


def _fewer_faults(search: _Search) -> None:
    base = search.best
    ddmin(base.faults, lambda part: search.holds(evolve(base, faults=part)))


def _fewer_accounts(search: _Search) -> None:
    for account in search.best.accounts:
        rest = tuple(it for it in search.best.accounts if it.id != account.id)
        followed = any(it.trader.endswith(f":{account.id}") for it in rest)
        if rest and not followed:
            search.holds(_only(search.best, rest))


def _only(scenario: Scenario, accounts: tuple[AccountPlan, ...]) -> Scenario:
    ids = {it.id for it in accounts}
    logins = tuple(
        evolve(it, accounts=tuple(one for one in it.accounts if one in ids))
        for it in scenario.logins
    )
    return evolve(scenario, accounts=accounts, logins=tuple(it for it in logins if it.accounts))


def _fewer_steps(search: _Search) -> None:
    base, steps = search.best, tuple(dict.fromkeys((*search.best.omitted, *search.steps)))
    if not search.steps:
        return

    def still(kept: tuple[str, ...]) -> bool:
        omitted = tuple(it for it in steps if it not in set(kept))
        return search.holds(evolve(base, omitted=omitted))

    ddmin(search.steps, still)


def _plainer_faults(search: _Search) -> None:
    for number in range(len(search.best.faults)):
        for plainer in _plainer(search.best.faults[number]):
            faults = list(search.best.faults)
            faults[number] = plainer
            if search.holds(evolve(search.best, faults=tuple(faults))):
                break


def _fewer_shuffles(search: _Search) -> None:
    """From which round of the scheduler on everything may run in order, to a tenth; often from none."""
    base = search.best
    most = base.seconds * SHUFFLES_PER_SECOND if base.shuffles is None else base.shuffles
    few, enough = -1, 0
    while enough < most and not search.holds(evolve(base, shuffles=enough)):
        few, enough = enough, 2 * enough or FEW_SHUFFLES
    if enough >= most:
        if base.shuffles is None:
            return
        enough = base.shuffles
    while enough - few > max(1, enough // 10):
        middle = (few + enough) // 2
        if search.holds(evolve(base, shuffles=middle)):
            enough = middle
        else:
            few = middle


def _plainer(planned: Planned) -> Iterator[Planned]:
    """The same trouble with one detail as usual, or less of it."""
    said = document(planned.fault)
    for key in sorted(set(said) - {"fault", "then", "actor", "duration"}):
        yield from _parsed(planned.at, {k: v for k, v in said.items() if k != key})
    for key in ("duration", "seconds", "down_for", "delay_ms"):
        value = said.get(key)
        if isinstance(value, int | float) and abs(value) >= 1:
            yield from _parsed(planned.at, {**said, key: round(value / 2, 3)})


def _parsed(at: float, said: dict[str, Any]) -> Iterator[Planned]:
    try:
        yield Planned(at, parse_trouble(said))
    except BadFault:
        return


# ---- regression files ----------------------------------------------------------------------------


@frozen
class Regression:
    """A scenario that once broke something, and must not any more."""

    found: str
    """What it showed then, as a sentence."""
    invariant: int
    scenario: Scenario

    def write(self, folder: Path, name: str) -> Path:
        """Keep it as ``NAME.json`` in a folder."""
        path = folder / f"{name}.json"
        said = {
            "found": self.found,
            "invariant": self.invariant,
            "scenario": self.scenario.document(),
        }
        path.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path) -> "Regression":
        """Read one back; OSError, KeyError, ValueError when it is none."""
        said = json.loads(path.read_text(encoding="utf-8"))
        return cls(said["found"], int(said["invariant"]), Scenario.of(said["scenario"]))
