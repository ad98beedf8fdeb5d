"""``seawall trace``: the timeline of a simulated run, for people."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.options import Json
from console.output import complain, show

if TYPE_CHECKING:
    from simulation.trace import Line

USUAL = frozenset({"message", "quote", "heard", "asked", "answered"})
"""Kinds that are left out unless they are asked for: most lines, and the least telling ones."""
EVERYBODYS = frozenset({"scenario", "life", "machine", "fault"})
"""Kinds that concern each account."""


def trace(
    file: Annotated[Path, typer.Argument(help="Written by `seawall simulate --trace FILE`.")],
    everything: Annotated[
        bool, typer.Option("--all", help="Also messages, quotes, questions and answers.")
    ] = False,
    account: Annotated[
        str, typer.Option(help="Only what concerns this account, by its name or number.")
    ] = "",
    kind: Annotated[
        list[str] | None, typer.Option(help="Only lines of this kind; may be said repeatedly.")
    ] = None,
    who: Annotated[str, typer.Option(help="Only lines whose subject or text contains this.")] = "",
    since: Annotated[float, typer.Option(help="From this second on.")] = 0.0,
    until: Annotated[float, typer.Option(help="Up to this second.")] = float("inf"),
    as_json: Json = False,
) -> None:
    """Show what happened in a simulated run: messages, faults, decisions, requests, events."""
    lines = list(_lines(file))
    _refuse_unknown(kind, lines)
    concerns = _about(account, lines) if account else _everything
    wanted = (
        line
        for line in lines
        if since <= line.at <= until
        and (line.kind in kind if kind else everything or line.kind not in USUAL)
        and (who in line.who or who in line.text)
        and concerns(line)
    )
    if as_json:
        document = [[line.at, line.kind, line.who, line.text] for line in wanted]
        show(document, as_json=True)
        return
    for line in wanted:
        show(None, str(line), as_json=False)


def _everything(_: "Line") -> bool:
    return True


def _about(account: str, lines: "Iterable[Line]") -> "Callable[[Line], bool]":
    """Which lines concern an account; bad usage when none names it."""
    called = {account} | _names(account, lines)
    pattern = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, sorted(called)))})(?![\w.-])")
    asked: set[tuple[str, str]] = set()
    """Questions about it, by login and number."""

    def concerns(line: "Line") -> bool:
        if line.kind in EVERYBODYS:
            return True
        question = line.who, line.text.partition(" ")[0]
        if line.kind == "answered":
            return question in asked
        found = bool(pattern.search(line.who) or pattern.search(line.text))
        if found and line.kind == "asked":
            asked.add(question)
        return found

    if not any(pattern.search(line.who) for line in lines):
        complain(f"no account {account} in this run")
        raise typer.Exit(2)
    return concerns


def _names(account: str, lines: "Iterable[Line]") -> set[str]:
    """Its name and its number, as the journal connects them."""
    seen = re.compile(r'account_seen \{"id": (\d+), "name": "([^"]+)"')
    found = (seen.match(line.text) for line in lines if line.kind == "journal")
    return {
        each for match in found if match and account in match.groups() for each in match.groups()
    }


def _refuse_unknown(kinds: list[str] | None, lines: "Iterable[Line]") -> None:
    known = {line.kind for line in lines}
    for kind in kinds or ():
        if kind not in known:
            complain(f"no line of kind {kind}; there are {', '.join(sorted(known))}")
            raise typer.Exit(2)


def _lines(file: Path) -> "Iterator[Line]":
    from simulation.trace import read_trace

    try:
        yield from read_trace(file)
    except (OSError, ValueError) as problem:
        complain(f"{file} is no trace: {problem}")
        raise typer.Exit(2) from problem
