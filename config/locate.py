"""Where every key of a TOML document stands.

The standard parser says what a document means but forgets where it was said. This one walks over a
text that the standard parser has accepted, so it only has to find keys and skip values; it
understands headers, arrays of tables, dotted and quoted keys, inline tables, arrays and every kind
of string.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping

from attrs import frozen

KeyPath = tuple[str | int, ...]
"""Keys from the root; an integer is an index in an array."""


@frozen
class Spot:
    """A place in a text; line and column count characters from 1."""

    line: int
    column: int


_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'""")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_DEEPEST = 100
"""Parts of a dotted key; the standard parser would take any number."""

_SCALAR = re.compile(r"[^\n#,\]}]*")


def locate(text: str) -> Mapping[KeyPath, Spot]:
    """The spot of every key and array element of a valid document without carriage returns.

    A table that several headers mention stands where its own header is, else where it is mentioned
    first. ValueError when the text is no valid document, RecursionError when it is nested too deeply.
    """
    walk = _Walk(text)
    walk.document()
    lines = _LineStarts(text)
    return {path: lines.spot(offset) for path, offset in walk.offsets.items()}


class _LineStarts:
    """Offsets to lines, each line start found once."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def spot(self, offset: int) -> Spot:
        line = bisect_right(self._starts, offset)
        return Spot(line, offset - self._starts[line - 1] + 1)


class _Walk:
    """One pass over the text; ``offsets`` grows as keys are met."""

    def __init__(self, text: str) -> None:
        self.offsets: dict[KeyPath, int] = {}
        self._text = text
        self._at = 0
        self._counts: dict[KeyPath, int] = {}
        """Arrays of tables, with how many tables each has so far."""

    def document(self) -> None:
        table: KeyPath = ()
        while self._skip(_BLANK) < len(self._text):
            table = self._line(table)

    def _line(self, table: KeyPath) -> KeyPath:
        if self._take("[["):
            return self._header("]]", array=True)
        if self._take("["):
            return self._header("]", array=False)
        self._pair(table)
        return table

    def _header(self, closing: str, *, array: bool) -> KeyPath:
        keys = list(self._keys())
        self._need(closing)
        path: KeyPath = ()
        for key, offset in keys[:-1]:
            path = self._into((*path, key), offset)
        name, offset = keys[-1]
        path = (*path, name)
        if not array:
            self.offsets[path] = offset
            return path
        self.offsets.setdefault(path, offset)
        self._counts[path] = self._counts.get(path, 0) + 1
        return self._into(path, offset)

    def _into(self, path: KeyPath, offset: int) -> KeyPath:
        """The table a header names on its way; of an array of tables, the newest."""
        self.offsets.setdefault(path, offset)
        if path in self._counts:
            path = (*path, self._counts[path] - 1)
            self.offsets.setdefault(path, offset)
        return path

    def _pair(self, path: KeyPath) -> None:
        for key, offset in self._keys():
            path = (*path, key)
            self.offsets.setdefault(path, offset)
        self._need("=")
        self._value(path)

    def _keys(self) -> Iterator[tuple[str, int]]:
        for _ in range(_DEEPEST):
            self._skip(_SPACE)
            found = _KEY.match(self._text, self._at)
            if found is None:
                raise self._lost("a key")
            self._at = found.end()
            yield _plain(found[0]), found.start()
            self._skip(_SPACE)
            if not self._take("."):
                return
        raise RecursionError

    def _value(self, path: KeyPath) -> None:
        self._skip(_SPACE)
        self.offsets.setdefault(path, self._at)
        if self._take("["):
            self._array(path)
        elif self._take("{"):
            self._inline(path)
        else:
            string = _STRING.match(self._text, self._at)
            self._at = string.end() if string else self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        index = 0
        self._skip(_BLANK)
        while not self._take("]"):
            self._value((*path, index))
            index += 1
            self._skip(_BLANK)
            if not self._take(","):
                self._need("]")
                return
            self._skip(_BLANK)

    def _inline(self, path: KeyPath) -> None:
        self._skip(_BLANK)
        while not self._take("}"):
            self._pair(path)
            self._skip(_BLANK)
            if not self._take(","):
                self._need("}")
                return
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at

    def _take(self, token: str) -> bool:
        taken = self._text.startswith(token, self._at)
        self._at += len(token) if taken else 0
        return taken

    def _need(self, token: str) -> None:
        self._skip(_SPACE)
        if not self._take(token):
            raise self._lost(token)

    def _lost(self, wanted: str) -> ValueError:
        return ValueError(f"expected {wanted} at offset {self._at}")


def _plain(token: str) -> str:
    """A key without its quotes and escapes."""
    return token if token[0] not in "\"'" else str(tomllib.loads(f"key = {token}")["key"])
