"""A configuration file as text and as values, and the problems at its places."""

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from attrs import field, frozen

from config.locate import KeyPath, Spot, locate
from config.masking import show, shown_path
from config.problem import ConfigErrors, Problem, dotted

LARGEST = 1_000_000
"""Bytes; a configuration beyond this is some other file."""

_AT_LINE = re.compile(r" \(at line (\d+), column (\d+)\)$")
_AT_END = " (at end of document)"
_QUOTING = {
    "Cannot declare": "a table is declared a second time",
    "Cannot mutate": "a table that is complete is added to",
    "Cannot redefine": "a table that is complete is added to",
    "Duplicate inline": "an inline table has a key twice",
}
"""What the parser says with words of the file, which may be a secret; said without them."""


@frozen
class Source:
    """One readable file."""

    path: Path
    values: Mapping[str, Any] = field(repr=False)
    _lines: tuple[str, ...] = field(repr=False)
    _spots: Mapping[KeyPath, Spot] = field(repr=False)

    def spot(self, path: KeyPath) -> Spot:
        """Where a key stands; one that is not there stands where its table does."""
        while path and path not in self._spots:
            path = path[:-1]
        return self._spots.get(path, Spot(1, 1))

    def problem(self, path: KeyPath, message: str, hint: str = "") -> Problem:
        """A finding at a key."""
        spot = self.spot(path)
        shown = show(self._lines, spot.line)
        key = dotted(shown_path(path))
        return Problem(self.path, spot.line, spot.column, key, message, hint, shown)


def parse(path: Path, content: bytes) -> Source:
    """Read TOML with exact decimals; ConfigErrors for anything that is not TOML in UTF-8."""
    text = _decoded(path, content)
    lines = tuple(text.split("\n"))
    try:
        values = tomllib.loads(text, parse_float=_exact)
        return Source(path, values, lines, locate(text))
    except tomllib.TOMLDecodeError as wrong:
        raise ConfigErrors((_syntax(path, lines, str(wrong)),)) from None
    except RecursionError:
        raise ConfigErrors((_whole(path, "tables and arrays are nested too deeply"),)) from None
    except ValueError:
        # The parser hands numbers to int() and lets its refusal through.
        raise ConfigErrors((_whole(path, "a number has too many digits"),)) from None


def read_source(path: Path) -> Source:
    """The file at ``path``; ConfigErrors when it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or "no usable path"
        hint = "seawall.example.toml is a file to start from"
        raise ConfigErrors((_whole(path, f"cannot be read: {why}", hint),)) from None
    if len(content) > LARGEST:
        raise ConfigErrors((_whole(path, "is too large for a configuration"),))
    return parse(path, content)


def _exact(number: str) -> Decimal:
    try:
        return Decimal(number)
    except InvalidOperation:
        # An exponent beyond all bounds; whatever reads the key refuses it with its place.
        return Decimal("NaN")


def _decoded(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as wrong:
        before = wrong.object[: wrong.start].decode("utf-8", "replace").replace("\r\n", "\n")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        message = "is not UTF-8 text"
        raise ConfigErrors((Problem(path, line, column, "", message),)) from None


def _syntax(path: Path, lines: tuple[str, ...], said: str) -> Problem:
    line, column = len(lines), len(lines[-1]) + 1
    place = _AT_LINE.search(said)
    if place:
        line, column = int(place[1]), int(place[2])
    message = _AT_LINE.sub("", said).removesuffix(_AT_END)
    message = _QUOTING.get(" ".join(message.split()[:2]), message)
    return Problem(
        path, line, column, "", f"not valid TOML: {message}", source_line=show(lines, line)
    )


def _whole(path: Path, message: str, hint: str = "") -> Problem:
    return Problem(path, 1, 1, "", message, hint)
