"""How a configuration is shown to people who may pass it on: without what could be a secret.

Keys get pasted where names, variables or nothing belong, and a base64 key ends in ``=`` like the name
of a value. So in tables that hold credentials, in lines with a telling word and around anything
long enough to be a key, only words of the schema are shown.
"""

import re

import attrs

from config import tables
from config.locate import KeyPath
from risk.past import Seed

PRIVATE = frozenset({"logins", "notify"})
"""Tables in which credentials live, or are put by mistake: their values are not shown."""

_TABLES = frozenset(each.name for each in attrs.fields(tables.FileTable))
_KEYS = _TABLES.union(
    each.name
    for table in (
        tables.DaemonTable,
        tables.LoginTable,
        Seed,
        tables.AccountTable,
        tables.GroupTable,
        tables.AddressTable,
        tables.NotifyTable,
    )
    for each in attrs.fields(table)
)
_PUBLIC = re.compile(
    r"(username_env|api_key_env|api_url|user_hub_url|market_hub_url|url_env)\s*=\s*"
    r"(\"[A-Z_][A-Z0-9_]{0,40}\"|\"https?://[\w.:\[\]-]+(/(api|hubs/user|hubs/market)?)?\")"
)
_SECRET_WORD = re.compile(r"(?i)key|secret|token|pass|hook|discord|credential")
_KEY_LIKE = re.compile(r"[A-Za-z0-9+/_-]{32}")
"""Names that people give are shorter; the gateway's keys have 44 characters."""
_WORD = re.compile(r"[a-z][a-z_]{0,23}")
"""What a mistyped key looks like, and a pasted one does not."""
_SECTION = re.compile(r"\s*\[\[?\s*[\"']?(\w+)")
_HEADER = re.compile(r"\s*\[\[?[\w.\"' -]+\]\]?")
_NESTED_NAMES = {"logins": 2, "notify": 1}
"""Parts of a path into a private table that people name; what follows is the schema's."""


def show(lines: tuple[str, ...], number: int) -> str:
    """Line ``number`` (from 1) for people: control characters harmless, possible secrets masked."""
    if not 1 <= number <= len(lines):
        return ""
    line = "".join(c if c.isprintable() else " " for c in lines[number - 1])
    return _masked(line) if _may_hold_secret(lines, number) else line


def shown_path(path: KeyPath) -> KeyPath:
    """The path of a key with ``...`` for parts that could be a secret."""
    names = _NESTED_NAMES.get(str(path[0]), len(path)) if path else 0
    return tuple(
        part if isinstance(part, int) or _harmless(part, is_name=n < names) else "..."
        for n, part in enumerate(path)
    )


def looks_like_key(text: str) -> bool:
    """Whether a value is long and without breaks, as keys and tokens are."""
    return _KEY_LIKE.search(text) is not None


def _harmless(part: str, *, is_name: bool) -> bool:
    return not looks_like_key(part) if is_name else part in _KEYS or bool(_WORD.fullmatch(part))


def _may_hold_secret(lines: tuple[str, ...], number: int) -> bool:
    line = lines[number - 1]
    if _SECRET_WORD.search(line) or looks_like_key(line):
        return True
    for above in reversed(lines[:number]):
        section = _SECTION.match(above)
        if section and section[1] in _TABLES:
            return section[1] in PRIVATE
    return any(above.lstrip(" \t\"'").startswith(tuple(PRIVATE)) for above in lines[:number])


def _masked(line: str) -> str:
    code = line.partition("#")[0].rstrip()
    if not code:
        return "# ..."
    if _PUBLIC.fullmatch(code.strip()) or (_is_header(code) and not looks_like_key(code)):
        return code
    key, equals, _ = code.partition("=")
    known = all(part.strip(" \t\"'") in _KEYS for part in key.split("."))
    return f"{key}= ..." if equals and known else "..."


def _is_header(code: str) -> bool:
    section = _SECTION.match(code)
    return bool(section and section[1] in _TABLES and _HEADER.fullmatch(code))
