"""A configuration file as text and as values, and how a place in it is shown without secrets."""

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from attrs import field, frozen

from config.locate import KeyPath, Spot, locate
from config.problem import ConfigErrors, Problem, dotted

LARGEST = 1_000_000
"""Bytes; a configuration beyond this is some other file."""

PRIVATE = frozenset({"logins", "notify"})
"""Tables in which credentials live, or are put by mistake: their values are not shown."""

_PUBLIC_KEYS = (
    r"(username_env|api_key_env|api_url|user_hub_url|market_hub_url|url_env)\s*=\s*"
    r"(\"[A-Z_][A-Z0-9_]{0,40}\"|\"https?://[\w.:\[\]-]+(/(api|hubs/user|hubs/market)?)?\")\s*(#.*)?"
)
_SECRET_WORD = re.compile(r"(?i)key|secret|token|pass|hook|discord|credential")
_HEADER = re.compile(r"\s*\[\[?\s*([\w.\"' -]+)\]")
_AT_LINE = re.compile(r" \(at line (\d+), column (\d+)\)$")
_AT_END = " (at end of document)"


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
        return Problem(self.path, spot.line, spot.column, dotted(path), message, hint, shown)


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


def show(lines: tuple[str, ...], number: int) -> str:
    """Line ``number`` (from 1) for people: control characters harmless, possible secrets masked."""
    if not 1 <= number <= len(lines):
        return ""
    line = "".join(c if c.isprintable() else " " for c in lines[number - 1])
    return _masked(line) if _may_hold_secret(lines, number) else line


def _may_hold_secret(lines: tuple[str, ...], number: int) -> bool:
    if _SECRET_WORD.search(lines[number - 1]):
        return True
    for line in reversed(lines[:number]):
        header = _HEADER.match(line)
        if header:
            return header[1].strip(" \"'").partition(".")[0].strip(" \"'") in PRIVATE
    return any(line.lstrip().startswith(tuple(PRIVATE)) for line in lines[:number])


def _masked(line: str) -> str:
    if line.strip().startswith("#"):
        return "# ..."
    if _HEADER.fullmatch(line.partition("#")[0].rstrip()) or re.fullmatch(
        _PUBLIC_KEYS, line.strip()
    ):
        return line.partition("#")[0].rstrip()
    key, equals, _ = line.partition("=")
    plain_key = re.fullmatch(r"[\w.\"' -]+", key) is not None
    return f"{key}= ..." if equals and plain_key else "..."


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
    return Problem(
        path, line, column, "", f"not valid TOML: {message}", source_line=show(lines, line)
    )


def _whole(path: Path, message: str, hint: str = "") -> Problem:
    return Problem(path, 1, 1, "", message, hint)
