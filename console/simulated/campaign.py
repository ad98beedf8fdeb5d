"""A campaign: shown as it goes on a terminal, then its totals, also when it was interrupted."""

import json
import sys
from contextlib import closing
from pathlib import Path
from time import perf_counter

from console.output import Part, Said, Table, Tone, complain, show
from console.simulated.one import make_small
from simulation import report as reports
from simulation.campaign import Campaign, Run, runs
from simulation.tally import Tally

TOLD = 20
"""Failed seeds that are named."""


def show_campaign(
    campaign: Campaign, *, jobs: int, report: Path | None, shrink: bool, as_json: bool
) -> bool:
    """Run every seed and tell the totals; whether no promise was broken and enough was met."""
    began = perf_counter()
    tally = _run(campaign, jobs)
    wall = perf_counter() - began
    document, parts = reports.document(tally, wall), _parts(tally, wall)
    broken = next((it for it in tally.failed if it.violations), None)
    if shrink and broken is not None:
        small, kept = make_small(campaign.scenario(broken.seed))
        document["regression"] = str(kept)
        parts.append(Said(f"{kept}: {len(small.faults)} troubles, {small.seconds:g} s", Tone.WARN))
    if report is not None:
        _write(report, tally, wall, jobs)
    show(document, *parts, as_json=as_json)
    return tally.good and not tally.interrupted


def _run(campaign: Campaign, jobs: int) -> Tally:
    """Ctrl-C ends it, and what there is then counts."""
    tally = Tally(campaign)
    try:
        with closing(runs(campaign, jobs=jobs)) as ended:
            for run in ended:
                tally.add(run)
                _tell(tally, run)
    except KeyboardInterrupt:
        complain(f"interrupted after {tally.done} seeds")
    return tally


def _tell(tally: Tally, run: Run) -> None:
    """A seed that failed is named at once: the rest may take hours."""
    on_terminal = sys.stderr.isatty()
    if not run.clean:
        _clear(on_terminal)
        complain(f"seed {run.seed}: {reports.what_failed(run)}")
    if on_terminal:
        failed = f"{len(tally.failed)} failed"
        text = f"\r{tally.done} of {tally.campaign.seeds} seeds, {failed}"
        sys.stderr.write(text if tally.interrupted else "\r\x1b[K")
        sys.stderr.flush()


def _clear(on_terminal: bool) -> None:
    if on_terminal:
        sys.stderr.write("\r\x1b[K")


def _write(file: Path, tally: Tally, wall: float, jobs: int) -> None:
    if file.suffix == ".json":
        text = json.dumps(reports.document(tally, wall), indent=2) + "\n"
    else:
        text = reports.markdown(tally, wall, _command(tally.campaign, jobs, file))
    file.write_text(text, encoding="utf-8")


def _command(campaign: Campaign, jobs: int, file: Path) -> str:
    length = "" if campaign.seconds is None else f" --minutes {campaign.seconds / 60:g}"
    return (
        f"seawall simulate --seed {campaign.first} --campaign {campaign.seeds}{length} "
        f"--kind {campaign.kind} --jobs {jobs} --report {file.name if file.is_absolute() else file}"
    )


def _parts(tally: Tally, wall: float) -> list[Part]:
    parts: list[Part] = [
        Said(f"campaign of {tally.campaign.seeds} seeds in {wall:.1f} s", Tone.TITLE),
        Table(("", ""), tuple(reports.totals(tally, wall))),
    ]
    for run in tally.failed[:TOLD]:
        parts += [
            Said(f"seed {run.seed}: {reports.what_failed(run)}", Tone.BAD),
            Said(f"again: {reports.again_of(run)}", Tone.WARN),
        ]
    if (more := len(tally.failed) - TOLD) > 0:
        parts.append(Said(f"and {more} more seeds", Tone.BAD))
    parts += [Said(f"below the floor: {it}", Tone.BAD) for it in tally.shortfalls()]
    if tally.interrupted:
        parts.append(Said(f"interrupted after {tally.done} seeds", Tone.WARN))
    elif tally.good:
        parts.append(Said("no promise was broken", Tone.GOOD))
    return parts
