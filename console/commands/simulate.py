"""``seawall simulate``: the whole daemon in virtual time, under faults, from a seed or from many."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.options import Json
from console.output import complain

if TYPE_CHECKING:
    from simulation.campaign import Campaign

STANDARD_DAY = 3 * 3600.0
"""Seconds of trading in a standard day."""


def simulate(
    seed: Annotated[
        int, typer.Option(help="The same seed gives the same run; the first one of a campaign.")
    ] = 1,
    days: Annotated[
        float | None, typer.Option(help="So many standard days: five accounts, three hours.")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            help="So many minutes; by default as many as its kind has: 20, rich in trouble."
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            help="minutes, day, reset, night or early instead of what the length says; "
            "a campaign of minutes is mixed unless told otherwise."
        ),
    ] = None,
    campaign: Annotated[
        int | None, typer.Option(metavar="SEEDS", help="Run so many seeds, and tell the totals.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes of a campaign.")] = 2,
    shrink: Annotated[
        bool,
        typer.Option(
            "--shrink", help="Make what failed small, and keep it as a file for the tests."
        ),
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the campaign's report: JSON if FILE ends so, else Markdown."
        ),
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the timeline, for `seawall trace`.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Simulate the daemon and its traders under faults, and judge it by the exchange's truth."""
    from console.simulated.campaign import show_campaign
    from console.simulated.one import show_one

    single = campaign is None
    _refuse_nonsense(
        ("--days and --minutes exclude each other", days is not None and minutes is not None),
        ("--campaign runs at least one seed", not single and (campaign or 0) < 1),
        ("--jobs is at least one process", jobs < 1),
        ("--report is of a campaign: say --campaign SEEDS", single and report is not None),
        ("--trace is of one seed: leave --campaign out", not single and trace is not None),
        *((f"{file}: there is no such directory", _nowhere(file)) for file in (report, trace)),
    )
    plan = _plan(seed, campaign, days, minutes, kind)
    if single:
        good = show_one(plan.scenario(seed), trace_to=trace, shrink=shrink, as_json=as_json)
    else:
        good = show_campaign(plan, jobs=jobs, report=report, shrink=shrink, as_json=as_json)
    raise typer.Exit(0 if good else 1)


def _plan(
    seed: int,
    campaign: int | None,
    days: float | None,
    minutes: float | None,
    kind: str | None,
) -> "Campaign":
    from simulation.campaign import MIXED, Campaign

    seconds: float | None = None
    if days is not None:
        usual, seconds = "day", days * STANDARD_DAY
    else:
        usual = "minutes" if campaign is None else MIXED
        seconds = None if minutes is None else minutes * 60
    plan = Campaign(seed, campaign or 1, kind or usual, seconds)
    try:
        plan.scenario(seed)
    except ValueError as problem:
        _refuse_nonsense((str(problem), True))
    return plan


def _nowhere(file: Path | None) -> bool:
    return file is not None and not file.absolute().parent.is_dir()


def _refuse_nonsense(*problems: tuple[str, bool]) -> None:
    """Bad usage ends the command."""
    found = [text for text, holds in problems if holds]
    for text in found:
        complain(text)
    if found:
        raise typer.Exit(2)
