"""``seawall gateway``: the simulated gateway alone."""

from pathlib import Path
from typing import Annotated

import typer

from console.options import Json


def gateway(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    scenario: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Accounts, prices and events, as TOML or JSON."),
    ] = None,
    start: Annotated[
        str | None, typer.Option(metavar="ISO", help="Its wall time, such as 2026-03-02T14:30Z.")
    ] = None,
    speed: Annotated[float, typer.Option(help="Its seconds per real second.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same day.")] = 1,
    as_json: Json = False,
) -> None:
    """Start a simulated ProjectX Gateway, for Seawall or any other client."""
    from simulator.__main__ import main

    arguments = ["--port", str(port), "--speed", str(speed), "--seed", str(seed)]
    if scenario is not None:
        arguments += ["--scenario", str(scenario)]
    if start is not None:
        arguments += ["--start", start]
    if as_json:
        arguments.append("--json")
    raise typer.Exit(main(arguments))
