"""``seawall demo``: a trading day on a simulated gateway, told as it goes."""

from pathlib import Path
from typing import Annotated

import typer

from console.options import Json


def demo(
    fast: Annotated[bool, typer.Option("--fast", help="Less time to read: under 20 s.")] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the measurements as JSON.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Play a trading day on a simulated gateway: breaches, a cut network, a killed actor, the reset."""
    from console.demo.program import run
    from console.output import complain

    if report is not None and not report.absolute().parent.is_dir():
        complain(f"--report {report}: there is no directory {report.absolute().parent}")
        raise typer.Exit(2)
    raise typer.Exit(run(fast=fast, report=report, as_json=as_json))
