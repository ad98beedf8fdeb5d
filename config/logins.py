"""``[logins.NAME]``: who logs in, with which key, and where to."""

import os
import re
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import attrs
from attrs import field, frozen

from broker.hosts import is_loopback
from broker.port import Login
from config.cursor import Cursor
from config.model import LoginConfig
from config.problem import quoted_key
from config.tables import TOPSTEPX, LoginTable

VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
"""Names of variables; a key that was pasted in place of a name rarely looks like one."""

_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?")

_LONGEST_KEY = 4096
_OTHERS_MAY = stat.S_IRWXG | stat.S_IRWXO


@frozen
class Circumstances:
    """What a login depends on beside its own table."""

    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    """Where relative paths start."""
    for_run: bool
    loopback_only: bool


def read_login(at: Cursor, name: str, around: Circumstances) -> LoginConfig | None:
    """A login; None after noting why it is none. Its key is read but kept only to run."""
    fields = at.fields(LoginTable)
    if fields is None:
        return None
    table = LoginTable(**fields)
    username = _username(at, table, around)
    key = _api_key(at, table, around)
    urls = _urls(at, table)
    if urls is None:
        return None
    loopback = _same_side(at, urls, around)
    login = Login(name=name, username=username, api_key=key if around.for_run else "", **urls)
    return LoginConfig(name, login, loopback)


def refuse_same_user(logins: Cursor, around: Circumstances) -> None:
    """One user has one session: two logins of one user would throw each other out."""
    seen: dict[str, str] = {}
    for name, at in logins.children():
        user = _user(at, around)
        if user in seen:
            at.error(
                f"is the same user as login {quoted_key(seen[user])}: the gateway gives a user one"
                " session, so they would log each other out",
                "name one login in all accounts of this user",
            )
        elif user:
            seen[user] = name


def refuse_mixed(logins: Cursor, read: Collection[LoginConfig], around: Circumstances) -> None:
    """One daemon has one set of prices, and a simulated gateway uses the live contracts' names."""
    live = next((each.name for each in read if not each.loopback), None)
    if live is None or around.loopback_only:
        return
    for each in read:
        if each.loopback:
            logins.child(each.name).error(
                f"is simulated and login {quoted_key(live)} is not: they would share one set of"
                " prices, and simulated quotes could close and lock live positions",
                "give the simulated gateway a file of its own",
            )


def _user(at: Cursor, around: Circumstances) -> str:
    """The user's name, else the variable that will hold it; empty when neither is stated."""
    variable = at.child("username_env").value
    if isinstance(variable, str):
        return around.environment.get(variable, "").strip().casefold() or f"variable {variable}"
    username = at.child("username").value
    return username.strip().casefold() if isinstance(username, str) else ""


def read_variable(at: Cursor, around: Circumstances) -> str:
    """The value of the environment variable a key names, empty after noting that it is not set."""
    name = at.value
    if not isinstance(name, str) or not VARIABLE.fullmatch(name):
        at.error(
            "must be the name of an environment variable in capital letters, digits and _",
            "the variable holds the value, this file only its name",
        )
        return ""
    value = around.environment.get(name, "").strip()
    if not value:
        note = at.error if around.for_run else at.warn
        note(f"environment variable {name} is not set")
    return value


def _username(at: Cursor, table: LoginTable, around: Circumstances) -> str:
    if not _exactly_one(at, "username", "username_env"):
        return ""
    if table.username_env is not None:
        return read_variable(at.child("username_env"), around)
    return (table.username or "").strip()


def _api_key(at: Cursor, table: LoginTable, around: Circumstances) -> str:
    if not _exactly_one(at, "api_key_env", "api_key_file"):
        return ""
    if table.api_key_env is not None:
        return read_variable(at.child("api_key_env"), around)
    if table.api_key_file is not None:
        return _key_in_file(at.child("api_key_file"), around.folder / table.api_key_file)
    return ""


def _exactly_one(at: Cursor, one: str, other: str) -> bool:
    if at.has(one) and at.has(other):
        at.child(other).error(f"{one} is set too: only one of {one} and {other} may be")
        return False
    if at.lacks(one, other, among=[each.name for each in attrs.fields(LoginTable)]):
        at.error(f"needs {one} or {other}")
        return False
    return True


def _key_in_file(at: Cursor, path: Path) -> str:
    """The key in a file that only its owner may open; the value of the key itself is never shown.

    The path is not shown either where there is no such file: it may be a key in the wrong place.
    """
    try:
        # Not blocking: the path could be a pipe.
        opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or "no usable path"
        at.error(f"the key file cannot be opened: {why}", "paths are relative to this file")
        return ""
    try:
        mode = os.fstat(opened).st_mode
        if not stat.S_ISREG(mode):
            at.error("the key file is no regular file")
        elif mode & _OTHERS_MAY:
            allowed = f"{stat.S_IMODE(mode):04o}"
            at.error(f"others may use the key file: its mode is {allowed}", "chmod 600 it")
        else:
            return _one_key(at, os.read(opened, _LONGEST_KEY + 1))
    finally:
        os.close(opened)
    return ""


def _one_key(at: Cursor, content: bytes) -> str:
    key = content.decode("utf-8", "replace").strip()
    if not key or len(content) > _LONGEST_KEY or not key.isprintable():
        at.error("the key file must hold one key on one line and nothing else")
        return ""
    return key


def _urls(at: Cursor, table: LoginTable) -> dict[str, str] | None:
    """The three addresses by key; TopstepX's when none is named."""
    named = [key for key in TOPSTEPX if at.has(key)]
    if not named:
        return dict(TOPSTEPX)
    missing = [key for key in TOPSTEPX if key not in named]
    if missing:
        at.error(
            f"names {' and '.join(named)} but not {' and '.join(missing)}",
            "name all three addresses, or none for TopstepX",
        )
    usable = [_usable(at.child(key)) for key in named if getattr(table, key) is not None]
    if len(usable) < len(TOPSTEPX) or not all(usable):
        return None
    return {key: getattr(table, key).rstrip("/") for key in TOPSTEPX}


def _usable(at: Cursor) -> bool:
    """Whether a value is an address without credentials that keeps the key from listeners."""
    if not _bare_address(at.value):
        at.error("must be an address such as https://HOST/PATH, without user, password, ? and #")
        return False
    if not at.value.startswith("https") and not is_loopback(at.value):
        at.error("must begin with https: only on this machine may a key travel in the clear")
        return False
    return True


def _bare_address(url: str) -> bool:
    if not _ADDRESS.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _same_side(at: Cursor, urls: Mapping[str, str], around: Circumstances) -> bool:
    """Whether the addresses are on this machine; a mix is an error at those that are not."""
    outside = [key for key, url in urls.items() if not is_loopback(url)]
    if around.loopback_only:
        for key in outside:
            place = at.child(key) if at.has(key) else at
            place.error('clock = "gateway" needs a simulated gateway: the address is not loopback')
    elif len(outside) not in (0, len(urls)):
        for key in outside:
            at.child(key).error(
                "mixes simulated and real: another address of this login is on this machine,"
                " this one is not"
            )
    return not outside
