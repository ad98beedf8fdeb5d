"""One seed: run, shown with what led to the first broken promise, and made small on demand."""

from pathlib import Path
from time import perf_counter
from typing import Any

from console.commands.trace import USUAL
from console.output import Part, Said, Table, Tone, complain, show
from simulation import run as simulation
from simulation.report import again
from simulation.run import Outcome
from simulation.scenario import Scenario
from simulation.shrink import Regression, Trial
from simulation.shrink import shrink as smallest

STORY_LINES = 40
"""Lines of the timeline before the first violation that are shown."""
REGRESSIONS = Path("tests/simulation/regressions")


def show_one(scenario: Scenario, *, trace_to: Path | None, shrink: bool, as_json: bool) -> bool:
    """Run a scenario and tell of it; whether no promise was broken."""
    began = perf_counter()
    outcome = simulation.simulate(scenario, trace_to=trace_to)
    wall = perf_counter() - began
    document, parts = _document(outcome, wall), _parts(outcome, wall)
    if shrink and outcome.violations:
        small, kept = make_small(scenario)
        document["regression"] = str(kept)
        parts.append(
            Said(f"{kept}: {len(small.faults)} troubles, {small.seconds:g} s", Tone.WARN),
        )
    show(document, *parts, as_json=as_json)
    return not outcome.violations


def make_small(scenario: Scenario) -> tuple[Scenario, Path]:
    """Shrink what breaks a promise, and keep it where the tests look, or else here."""

    def attempt(smaller: Scenario) -> Trial:
        outcome = simulation.simulate(smaller)
        return Trial(outcome.violations, outcome.steps)

    small, violation = smallest(scenario, attempt, told=complain)
    folder = REGRESSIONS if REGRESSIONS.is_dir() else Path()
    found = f"{violation.account}: {violation.text}"
    regression = Regression(found, violation.invariant, small)
    name = f"{scenario.name}-invariant-{violation.invariant}"
    return small, regression.write(folder, name)


def _document(outcome: Outcome, wall: float) -> dict[str, Any]:
    return {
        "seed": outcome.scenario.seed,
        "trace_sha256": outcome.trace_hash,
        "messages": outcome.messages,
        "virtual_s": round(outcome.virtual_seconds, 3),
        "wall_s": round(wall, 3),
        "violations": [
            {"at": it.at, "invariant": it.invariant, "account": it.account, "text": it.text}
            for it in outcome.violations
        ],
        "coverage": outcome.coverage.document(),
    }


def _parts(outcome: Outcome, wall: float) -> list[Part]:
    scenario = outcome.scenario
    rate = outcome.messages / wall if wall else 0.0
    parts: list[Part] = [
        Said(f"{scenario.name}: {outcome.virtual_seconds:.0f} s in {wall:.2f} s", Tone.TITLE),
        Table(
            ("", ""),
            (
                ("messages", f"{outcome.messages}, {rate:.0f} a second"),
                ("lives of the daemon", str(outcome.lives)),
                ("faults planned", str(len(scenario.faults))),
                ("guarded", f"{outcome.coverage.live_share:.1%} of the time"),
                ("trace", outcome.trace_hash),
            ),
        ),
    ]
    if not outcome.violations:
        return [*parts, Said("no promise was broken", Tone.GOOD)]
    first = min(it.at for it in outcome.violations)
    before = [str(line) for line in outcome.story if line.at <= first and line.kind not in USUAL]
    parts += before[-STORY_LINES:]
    parts += [
        Said(f"{it.at:.3f} s, invariant {it.invariant}, {it.account}: {it.text}", Tone.BAD)
        for it in outcome.violations
    ]
    kind = scenario.name.partition("-")[0]
    return [*parts, Said(f"again: {again(scenario.seed, scenario.seconds, kind)}", Tone.WARN)]
