"""How answers are shown: rich on a terminal, aligned plain text in a pipe, JSON for programs.

Commands describe what they want to say with the values of this module; only this module knows how
it will look. Colour never carries meaning alone: what is red also says so in words.
"""

import enum
import json
import sys
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree


class Tone(enum.Enum):
    """How serious a word is; the value is rich's style."""

    PLAIN = ""
    QUIET = "dim"
    TITLE = "bold"
    GOOD = "green"
    WARN = "yellow"
    BAD = "bold red"


@frozen
class Said:
    """Words with a tone."""

    text: str
    tone: Tone = Tone.PLAIN


@frozen
class Table:
    """Rows under headings; a table without headings is a list of aligned rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Said | str, ...], ...]
    numbers: frozenset[int] = frozenset()
    """Columns that are aligned to the right."""


@frozen
class Branch:
    """A line, and what hangs below it."""

    line: tuple[Said | str, ...]
    children: "tuple[Branch, ...]" = field(default=())


Part = Said | str | Table | Branch


def show(document: Any, *parts: Part, as_json: bool) -> None:
    """Print the parts for people, or with ``as_json`` the document for programs, to stdout."""
    if as_json:
        _write(json.dumps(document, indent=2, ensure_ascii=False))
    elif sys.stdout.isatty():
        _show_rich(parts)
    else:
        for part in parts:
            _write(plain(part))


def complain(text: str) -> None:
    """Print one problem to stderr."""
    print(f"seawall: {text}", file=sys.stderr)  # noqa: T201


def plain(part: Part) -> str:
    """The part as text without control characters."""
    match part:
        case Table():
            return _plain_table(part)
        case Branch():
            return "\n".join(_plain_branch(part, 0))
        case _:
            return _text(part)


def _write(text: str) -> None:
    print(text)  # noqa: T201


def _text(said: Said | str) -> str:
    return said if isinstance(said, str) else said.text


def _plain_table(table: Table) -> str:
    rows = [[_text(cell) for cell in row] for row in table.rows]
    if any(table.columns):
        rows.insert(0, [column.upper() for column in table.columns])
    widths = [max((len(row[n]) for row in rows), default=0) for n in range(len(table.columns))]
    return "\n".join(_aligned(row, widths, table.numbers) for row in rows)


def _aligned(row: list[str], widths: list[int], numbers: frozenset[int]) -> str:
    cells = [
        cell.rjust(width) if n in numbers else cell.ljust(width)
        for n, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _plain_branch(branch: Branch, depth: int) -> list[str]:
    line = "  " * depth + "  ".join(text for said in branch.line if (text := _text(said)))
    return [line, *(each for child in branch.children for each in _plain_branch(child, depth + 1))]


def _show_rich(parts: tuple[Part, ...]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for part in parts:
        match part:
            case Table():
                _print_table(console, part)
            case Branch():
                console.print(_rich_branch(part, None))
            case _:
                console.print(_rich(part))


def _rich(said: Said | str) -> "Text":
    from rich.text import Text

    return Text(said) if isinstance(said, str) else Text(said.text, style=said.tone.value)


def _print_table(console: "Console", table: Table) -> None:
    from rich import box
    from rich.table import Table as RichTable

    shown = RichTable(
        box=box.SIMPLE_HEAD, show_header=any(table.columns), show_edge=False, pad_edge=False
    )
    for n, column in enumerate(table.columns):
        shown.add_column(column, justify="right" if n in table.numbers else "left")
    for row in table.rows:
        shown.add_row(*(_rich(cell) for cell in row))
    console.print(shown)


def _rich_branch(branch: Branch, above: "Tree | None") -> "Tree":
    from rich.text import Text
    from rich.tree import Tree

    label = Text("  ").join(_rich(said) for said in branch.line if _text(said))
    here = Tree(label, guide_style="dim") if above is None else above.add(label)
    for child in branch.children:
        _rich_branch(child, here)
    return here
