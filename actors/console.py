"""The console actor: answers questions about the running daemon over a Unix socket.

One question a connection, one JSON line each way: ``{"ask": "tree"}`` or ``{"ask": "status"}``. The
socket lies in the state directory, readable by its owner only. Nothing here can change anything, and
whatever a client does ends his connection and no more.
"""

import json
import socket
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Never

import structlog
import trio

from actors.address import SOCKET_NAME, socket_address
from supervision import Actor, Node

QUESTION_AT_MOST = 4096
"""Bytes of one question."""
ANSWER_WITHIN = 5.0
"""Seconds a client may take for his question and for reading the answer."""

log = structlog.get_logger("seawall.console")


class Console(Actor[Never]):
    """Serves pictures of the tree."""

    def __init__(self, directory: Path, tree: Callable[[], Node]) -> None:
        self._path = directory / SOCKET_NAME
        self._tree = tree
        self._answers: Mapping[str, Callable[[], object]] = {
            "tree": lambda: picture(self._tree()),
            "status": lambda: summary(self._tree()),
        }

    async def started(self) -> None:
        """Listen; a socket left behind by a killed daemon is replaced."""
        listener = trio.SocketListener(_bound(self._path))
        self.context.start_task(self._serve, listener, name="console")

    async def _serve(self, listener: trio.SocketListener) -> None:
        try:
            await trio.serve_listeners(self._answer, [listener])
        finally:
            self._path.unlink(missing_ok=True)

    async def _answer(self, stream: trio.SocketStream) -> None:
        with trio.move_on_after(ANSWER_WITHIN):
            async with stream:
                try:
                    question = await _line(stream)
                    await stream.send_all(json.dumps(self._answered(question)).encode() + b"\n")
                except (trio.BrokenResourceError, trio.ClosedResourceError) as problem:
                    log.debug("a console client left early", problem=str(problem))

    def _answered(self, question: bytes) -> object:
        try:
            asked = json.loads(question)
        except ValueError:
            return {"error": "the question is not JSON"}
        ask = asked.get("ask") if isinstance(asked, dict) else None
        answer = self._answers.get(ask) if isinstance(ask, str) else None
        if answer is None:
            return {"error": f"unknown question; known are {', '.join(self._answers)}"}
        return answer()


def _bound(path: Path) -> trio.socket.SocketType:
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with socket_address(path) as address:
            listening.bind(address)
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        listening.listen(16)
    except OSError:
        listening.close()
        raise
    return trio.socket.from_stdlib_socket(listening)


async def _line(stream: trio.SocketStream) -> bytes:
    got = b""
    while b"\n" not in got and len(got) < QUESTION_AT_MOST:
        more = await stream.receive_some(QUESTION_AT_MOST)
        if not more:
            break
        got += more
    return got


def picture(node: Node) -> dict[str, Any]:
    """The whole tree, JSON-able."""
    return {
        "id": node.id,
        "path": node.path,
        "kind": node.kind,
        "state": node.state,
        "generation": node.generation,
        "restarts": node.restarts,
        "depth": node.depth,
        "peak": node.peak,
        "last_error": node.last_error,
        "busy_for": node.busy_for,
        "status": dict(node.status),
        "children": [picture(child) for child in node.children],
    }


def summary(node: Node) -> dict[str, Any]:
    """What a trader asks first: connections, accounts, locks, journal."""
    return {
        "logins": [_login(each) for each in _children(node, "logins")],
        "accounts": [
            _account(account, login)
            for login in _children(node, "logins")
            for account in _children(login, "accounts")
        ],
        "groups": [{**each.status, "state": each.state} for each in _children(node, "groups")],
        "journal": _part(node, "store"),
        "clock": _part(node, "session clock"),
        "restarts": sum(each.restarts for each in _walk(node) if each.kind == "actor"),
    }


def _login(login: Node) -> dict[str, Any]:
    connection = _part(login, "connection")
    return {**connection, "login": login.id, "state": _worst(login, connection["state"])}


def _account(account: Node, login: Node) -> dict[str, Any]:
    """What the account says of itself, and whether all that guards it is there."""
    parts = [_part(account, name) for name in ("account", "rules", "enforcement")]
    state = _worst(account, *(part["state"] for part in parts))
    return {
        **parts[0],
        "account": account.id,
        "login": login.id,
        "state": _worst(login, state),
        "armed": parts[2].get("armed"),
        "rules": parts[1].get("rules", []),
        "enforcing": parts[2].get("open", []),
        "problem": account.last_error,
    }


def _worst(node: Node, *states: str) -> str:
    """The state of a node and its parts: the first that is not running."""
    return next((state for state in (node.state, *states) if state != "running"), "running")


def _part(node: Node, name: str) -> dict[str, Any]:
    found = next((child for child in node.children if child.id == name), None)
    return {"state": "missing"} if found is None else {**found.status, "state": found.state}


def _children(node: Node, name: str) -> tuple[Node, ...]:
    return next((child.children for child in node.children if child.id == name), ())


def _walk(node: Node) -> list[Node]:
    return [node, *(each for child in node.children for each in _walk(child))]
