"""``seawall trace``: the timeline of a simulated run, for people."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.options import Json
from console.output import complain, show

if TYPE_CHECKING:
    from simulation.trace import Line

USUAL = frozenset({"message", "quote", "heard", "asked", "answered"})
"""Kinds that are left out unless they are asked for: most lines, and the least telling ones."""


def trace(
    file: Annotated[Path, typer.Argument(help="Written by `seawall simulate --trace FILE`.")],
    everything: Annotated[
        bool, typer.Option("--all", help="Also messages, quotes, questions and answers.")
    ] = False,
    who: Annotated[str, typer.Option(help="Only lines whose subject or text contains this.")] = "",
    since: Annotated[float, typer.Option(help="From this second on.")] = 0.0,
    until: Annotated[float, typer.Option(help="Up to this second.")] = float("inf"),
    as_json: Json = False,
) -> None:
    """Show what happened in a simulated run: messages, faults, decisions, requests, events."""
    wanted = (
        line
        for line in _lines(file)
        if since <= line.at <= until
        and (everything or line.kind not in USUAL)
        and (who in line.who or who in line.text)
    )
    if as_json:
        document = [[line.at, line.kind, line.who, line.text] for line in wanted]
        show(document, as_json=True)
        return
    for line in wanted:
        show(None, str(line), as_json=False)


def _lines(file: Path) -> "Iterator[Line]":
    from simulation.trace import read_trace

    try:
        yield from read_trace(file)
    except (OSError, ValueError) as problem:
        complain(f"{file} is no trace: {problem}")
        raise typer.Exit(2) from problem
