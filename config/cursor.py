"""A place in a configuration: its value, its key, and the way to say what is wrong there."""

import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Literal

import attrs
from attrs import field, frozen

from config import words
from config.locate import KeyPath
from config.masking import PRIVATE, looks_like_key
from config.problem import ConfigErrors, Findings, Problem, in_quotes
from config.source import Source, read_source

_LONGEST_SHOWN = 60

SCALARS: Mapping[object, Callable[[object], object]] = {
    str: words.text,
    int: words.whole,
    bool: words.flag,
    Decimal: words.money,
    timedelta: words.duration,
    time: words.time_of_day,
    date: words.day,
    datetime: words.instant,
}


@frozen
class Cursor:
    """A value and where it stands."""

    source: Source
    findings: Findings = field(repr=False)
    path: KeyPath
    value: Any = field(repr=False)

    def error(self, message: str, hint: str = "") -> None:
        """This must be put right."""
        self.findings.errors.append(self.problem(message, hint))

    def warn(self, message: str, hint: str = "") -> None:
        """This deserves a look."""
        self.findings.warnings.append(self.problem(message, hint))

    def later(self, message: str, hint: str = "") -> None:
        """This is known and does nothing yet."""
        self.findings.not_yet.append(self.problem(message, hint))

    def problem(self, message: str, hint: str = "") -> Problem:
        """A finding here."""
        return self.source.problem(self.path, message, hint)

    def child(self, key: str | int) -> "Cursor":
        """One key or element further; a key that is not there reads as None."""
        inside = self.value
        if isinstance(key, str):
            value = inside.get(key) if isinstance(inside, dict) else None
        else:
            value = inside[key]
        return attrs.evolve(self, path=(*self.path, key), value=value)

    def has(self, key: str) -> bool:
        """Whether this is a table with that key."""
        return isinstance(self.value, dict) and key in self.value

    def children(self) -> Iterator[tuple[str, "Cursor"]]:
        """Every key of a table; a missing one has none, anything else is an error."""
        if self.value is not None and not isinstance(self.value, dict):
            self.error(f"must be a table{self.got}")
            return
        for key in self.value or ():
            yield key, self.child(key)

    @property
    def got(self) -> str:
        """``, got 5``, or only its kind where a credential may stand."""
        if self.path and self.path[0] in PRIVATE:
            return f", got {_kind(self.value)}"
        match self.value:
            case dict() | list():
                return f", got {_kind(self.value)}"
            case str(text) if looks_like_key(text):
                return f", got {_kind(text)}"
            case str(text):
                said = in_quotes(text)
            case bool(yes):
                said = str(yes).lower()
            case int(number) if abs(number) > words.MOST:
                return ", got a number"
            case other:
                said = str(other)
        return f", got {said if len(said) <= _LONGEST_SHOWN else _kind(self.value)}"

    def read(self, kind: Any) -> Any:
        """The value as a type of a schema; None after an error was noted.

        ``object`` reads anything; an attrs class reads a table.
        """
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if kind is object:
            return self.value
        if origin in (types.UnionType, typing.Union):
            return self.read(self._meant([it for it in arguments if it is not type(None)]))
        if origin is Literal:
            return self._choice(arguments)
        if origin is tuple:
            return self._array(arguments[0])
        if origin is Mapping:
            return self._table(arguments[1])
        if getattr(kind, "from_file", False):
            return self._file(kind)
        if attrs.has(kind):
            fields = self.fields(kind)
            return None if fields is None else self._built(kind, fields)
        return self._scalar(SCALARS[kind])

    def fields(self, schema: Any) -> dict[str, Any] | None:
        """Values by key of a table with the keys of an attrs class; None if this is no table.

        Unknown, unreadable and missing keys are noted, all of them, and left out.
        """
        known = {words.key(each.name): each for each in attrs.fields(schema)}
        if not isinstance(self.value, dict):
            self.error(f"must be a table{self.got}", hint("", known))
            return None
        read: dict[str, Any] = {}
        for key, child in self.children():
            if key not in known:
                child.error("unknown key", hint(key, known))
                continue
            value = child.read(known[key].type)
            if value is not None:
                read[known[key].name] = value
        self._refuse_missing(required(schema), known)
        return read

    def lacks(self, *keys: str, among: Collection[str]) -> bool:
        """Whether none of these keys is there, nor one that was probably meant to be."""
        present = {closest(key, among) or key for key in self.value}
        return not present & set(keys)

    def _refuse_missing(self, needed: Collection[str], known: Collection[str]) -> None:
        missing = [key for key in map(words.key, needed) if self.lacks(key, among=known)]
        if missing:
            self.error(f"needs {' and '.join(missing)}", hint("", known))

    def _built(self, schema: Any, fields: Mapping[str, Any]) -> Any:
        complete = all(key in fields for key in required(schema))
        return schema(**fields) if complete else None

    def _file(self, kind: Any) -> Any:
        """A file of its own, or its content as a journal has kept it; None when anything is wrong."""
        inside = self if isinstance(self.value, dict) else self._named()
        if inside is None:
            return None
        errors = len(self.findings.errors)
        fields = inside.fields(kind)
        return kind(**fields) if fields and len(self.findings.errors) == errors else None

    def _named(self) -> "Cursor | None":
        """The file of this name, seen from where this one lies; what is wrong in it is told as of it."""
        name = self._scalar(words.text)
        if name is None:
            return None
        try:
            source = read_source(self.source.path.parent / name)
        except ConfigErrors as wrong:
            self.findings.errors.extend(wrong.problems)
            return None
        return Cursor(source, self.findings, (), {**source.values, "name": name})

    def _scalar(self, reader: Callable[[object], object]) -> Any:
        try:
            return reader(self.value)
        except ValueError as wrong:
            self.error(f"{wrong}{self.got}")
            return None

    def _choice(self, choices: tuple[str, ...]) -> str | None:
        if isinstance(self.value, str) and self.value in choices:
            return self.value
        allowed = " or ".join(f'"{choice}"' for choice in choices)
        near = closest(self.value, choices) if isinstance(self.value, str) else ""
        self.error(f"must be {allowed}{self.got}", f'did you mean "{near}"?' if near else "")
        return None

    def _meant(self, kinds: list[Any]) -> Any:
        """Which of several types this is to be: a word chooses among words."""
        words_of = [kind for kind in kinds if typing.get_origin(kind) is Literal]
        return words_of[0] if words_of and isinstance(self.value, str) else kinds[0]

    def _table(self, kind: Any) -> dict[str, Any] | None:
        if not isinstance(self.value, dict):
            self.error(f"must be a table such as {{ ES = ... }}{self.got}")
            return None
        read = {key: child.read(kind) for key, child in self.children()}
        return {key: value for key, value in read.items() if value is not None}

    def _array(self, kind: Any) -> tuple[Any, ...] | None:
        if not isinstance(self.value, list):
            self.error(f"must be an array such as [ ... ]{self.got}")
            return None
        read = [self.child(index).read(kind) for index in range(len(self.value))]
        return tuple(each for each in read if each is not None)


def required(schema: Any) -> tuple[str, ...]:
    """The keys of an attrs class that have no default."""
    return tuple(each.name for each in attrs.fields(schema) if each.default is attrs.NOTHING)


def hint(word: str, allowed: Collection[str]) -> str:
    """What was probably meant, and what may stand there."""
    near = closest(word, allowed)
    meant = [f"did you mean {near}?"] if near else []
    return "; ".join([*meant, f"allowed: {', '.join(allowed)}"]) if allowed else ""


def closest(word: str, allowed: Collection[str]) -> str:
    """The name nearest to a word, empty when none is near."""
    names = {name.lower(): name for name in allowed}
    near = get_close_matches(word.lower(), names, n=1)
    return names[near[0]] if near else ""


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case str():
            return "a text"
        case int() | Decimal():
            return "a number"
        case list():
            return "an array"
        case dict():
            return "a table"
        case _:
            return f"a {type(value).__name__}"
