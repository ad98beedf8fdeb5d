"""``seawall simulate``: the whole daemon in virtual time, under faults, from one seed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.commands.trace import USUAL
from console.options import Json
from console.output import Part, Said, Table, Tone, complain, show

if TYPE_CHECKING:
    from simulation.run import Outcome
    from simulation.scenario import Scenario

STANDARD_DAY = 3 * 3600.0
"""Seconds of trading in a standard day."""
STORY_LINES = 40
"""Lines of the timeline before the first violation that are shown."""


def simulate(
    seed: Annotated[int, typer.Option(help="The same seed gives the same run.")] = 1,
    days: Annotated[
        float | None, typer.Option(help="So many standard days: five accounts, three hours.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="So many minutes, rich in trouble; 20 by default.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(help="minutes, day, reset or night instead of what the length says."),
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the timeline, for `seawall trace`.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Simulate the daemon and its traders under faults, and judge it by the exchange's truth."""
    from time import perf_counter

    from simulation.run import simulate as run

    scenario = _scenario(seed, days, minutes, kind)
    began = perf_counter()
    outcome = run(scenario, trace_to=trace)
    wall = perf_counter() - began
    show(_document(outcome, wall), *_parts(outcome, wall), as_json=as_json)
    raise typer.Exit(1 if outcome.violations else 0)


def _scenario(seed: int, days: float | None, minutes: float | None, kind: str | None) -> "Scenario":
    from simulation.scenario import generate

    if days is not None and minutes is not None:
        complain("--days and --minutes exclude each other")
        raise typer.Exit(2)
    seconds = days * STANDARD_DAY if days is not None else (minutes or 20.0) * 60
    try:
        return generate(seed, kind or ("day" if days is not None else "minutes"), seconds=seconds)
    except ValueError as problem:
        complain(str(problem))
        raise typer.Exit(2) from problem


def _document(outcome: "Outcome", wall: float) -> dict[str, Any]:
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


def _parts(outcome: "Outcome", wall: float) -> list[Part]:
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
    return [*parts, Said(f"again: {_again(scenario)}", Tone.WARN)]


def _again(scenario: "Scenario") -> str:
    kind = scenario.name.partition("-")[0]
    length = f"--minutes {scenario.seconds / 60:g} --kind {kind}"
    return f"seawall simulate --seed {scenario.seed} {length}"
