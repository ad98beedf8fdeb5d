"""The report of a campaign: as a JSON document, and as a page of Markdown to be kept."""

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve

from simulation.campaign import Run
from simulation.coverage import SOMETIMES, Coverage
from simulation.floors import floors_of
from simulation.tally import Tally

PROMISES: Mapping[int, str] = {
    1: "no breach outlives its time",
    2: "no request could open, add or flip",
    3: "one effective close per breach and episode",
    4: "a lock survives, ends at its time, and is written before its close leaves",
    5: "when live, positions and P&L are the broker's; when nothing hinders, it is live",
    6: "nobody delays another account",
    7: "each enforcement has one record of its whole cause",
    8: "one reset per trading day",
    9: "no message is lost without a cause",
    10: "bad input crashes nothing but the actor that met it",
    11: "no lock, close or cancellation without a breach",
}
"""What must hold, in short, by number."""
SHOWN = 20
"""Failed seeds that a page names."""


def again(seed: int, seconds: float, kind: str) -> str:
    """The command that runs a seed again."""
    return f"seawall simulate --seed {seed} --minutes {seconds / 60:g} --kind {kind}"


def again_of(run: Run) -> str:
    """The command that shows it again."""
    return again(run.seed, run.seconds, run.kind)


def what_failed(run: Run) -> str:
    """The first thing that a failed run showed, as a sentence."""
    if run.failure:
        return run.failure
    first = min(run.violations, key=lambda it: it.at)
    return f"invariant {first.invariant} at {first.at:.3f} s, {first.account}: {first.text}"


def document(tally: Tally, wall: float) -> dict[str, Any]:
    """For programs; ``wall``: real seconds that it took."""
    campaign = tally.campaign
    return {
        "first_seed": campaign.first,
        "seeds": campaign.seeds,
        "kind": campaign.kind,
        "done": tally.done,
        "interrupted": tally.interrupted,
        "virtual_hours": round(tally.virtual_seconds / 3600, 3),
        "lives": tally.lives,
        "messages": tally.messages,
        "wall_s": round(wall, 3),
        "messages_per_s": round(_rate(tally, wall)),
        "violations": {str(n): tally.violations[n] for n in PROMISES},
        "false_alarms": tally.false_alarms,
        "failed": [
            {
                "seed": run.seed,
                "kind": run.kind,
                "again": again_of(run),
                "failure": run.failure,
                "violations": [
                    {"at": it.at, "invariant": it.invariant, "account": it.account, "text": it.text}
                    for it in run.violations
                ],
            }
            for run in tally.failed
        ],
        "coverage": tally.coverage.document(),
        "below_floor": list(tally.shortfalls()),
    }


def totals(tally: Tally, wall: float) -> list[tuple[str, str]]:
    """What is said first, as pairs."""
    coverage = tally.coverage
    hours = tally.virtual_seconds / 3600
    return [
        ("seeds", f"{tally.done} of {tally.campaign.seeds}, {_kinds(tally)}"),
        ("virtual time", f"{hours:,.1f} hours, {tally.lives:,} lives of the daemon"),
        ("messages", f"{tally.messages:,}, {_rate(tally, wall):,.0f} a second"),
        ("troubles", f"{coverage.faults.total():,} of {len(coverage.faults)} kinds"),
        ("breaches", f"{coverage.breaches.total():,}"),
        ("requests", f"{coverage.requests.total():,}"),
        ("guarded", f"{coverage.live_share:.1%} of the time"),
        ("violations", f"{tally.violations.total():,} in {len(tally.failed):,} seeds"),
        ("false alarms", f"{tally.false_alarms:,} locks, closes or cancellations"),
    ]


def _kinds(tally: Tally) -> str:
    campaign = tally.campaign
    last = campaign.first + campaign.seeds - 1
    return f"{campaign.first:,} to {last:,}, {campaign.kind}"


def _rate(tally: Tally, wall: float) -> float:
    return tally.messages / wall if wall else 0.0


# ---- Markdown ------------------------------------------------------------------------------------


def markdown(tally: Tally, wall: float, command: str) -> str:
    """A page that says what was tried and what came of it; ``command`` makes it again."""
    parts = [
        "# A campaign of the simulation",
        (
            "The whole daemon in virtual time, each seed a run of its own, judged all along by the "
            "exchange's truth. Made by"
        ),
        f"```sh\n{command}\n```",
        _verdict(tally),
        _table(("", ""), totals(tally, wall)),
        "## Promises",
        _table(
            ("invariant", "must hold", "violations"),
            ((str(n), text, f"{tally.violations[n]:,}") for n, text in PROMISES.items()),
        ),
        *_failures(tally),
        "## What was met",
        _states(tally),
        "## Trouble that struck",
        _counts(("trouble", "times"), tally.coverage.faults),
        "## Breaches, by the exchange's truth",
        _counts(("rule", "times"), tally.coverage.breaches),
        "## Requests",
        _counts(("request and outcome", "times"), tally.coverage.requests),
    ]
    return "\n\n".join(parts) + "\n"


def _verdict(tally: Tally) -> str:
    if tally.interrupted:
        return f"**Interrupted: {tally.done} of {tally.campaign.seeds} seeds have been run.**"
    if tally.failed:
        return "**Promises were broken.**"
    if tally.shortfalls():
        return "**No promise was broken, but too little was tried.**"
    return "**No promise was broken.**"


def _failures(tally: Tally) -> Iterable[str]:
    if tally.failed:
        yield "## Seeds that failed"
        lines = [f"- `{again_of(run)}`: {what_failed(run)}" for run in tally.failed[:SHOWN]]
        more = len(tally.failed) - SHOWN
        yield "\n".join([*lines, f"- and {more} more"] if more > 0 else lines)
    if short := tally.shortfalls():
        yield "## Below the floor"
        yield "\n".join(f"- {it}" for it in short)


def _states(tally: Tally) -> str:
    coverage: Coverage = tally.coverage
    ran = evolve(tally.campaign, seeds=tally.done)  # fewer, if it was interrupted
    floors = floors_of(ran).sometimes
    rows = ((it, f"{coverage.sometimes[it]:,}", str(floors.get(it, 0))) for it in SOMETIMES)
    return _table(("state", "times", "at least"), rows)


def _counts(heads: tuple[str, str], counts: Mapping[str, int]) -> str:
    return _table(heads, ((name, f"{times:,}") for name, times in sorted(counts.items())))


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
