"""One client's side of a SignalR hub, JSON protocol: records in, records out; no I/O.

Records end with 0x1e. The first is the handshake, then invocations (type 1), pings (6) and a close
(7); with an ``invocationId`` an invocation is answered by a completion (3). Source: the ASP.NET Core
SignalR hub protocol, and the methods of the ProjectX Gateway's realtime documentation.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from attrs import Factory, define

from simulator.payloads import encode

SEPARATOR = b"\x1e"
PING = encode({"type": 6}) + SEPARATOR
LARGEST = 1024 * 1024
"""Bytes of unfinished record a client may leave behind."""

USER_HUB = {"Accounts": "GatewayUserAccount"} | {
    "Orders": "GatewayUserOrder",
    "Positions": "GatewayUserPosition",
    "Trades": "GatewayUserTrade",
}
MARKET_HUB = {
    "ContractQuotes": "GatewayQuote",
    "ContractTrades": "GatewayTrade",
    "ContractMarketDepth": "GatewayDepth",
}
TOPICS = {"user": USER_HUB, "market": MARKET_HUB}

Key = tuple[str, int | str | None]
"""What is subscribed: a push's name, and the account or contract (None: all the user's accounts)."""


class HubProtocolError(Exception):
    """The client said something that ends the connection; the text goes into the close record."""


class InvocationError(Exception):
    """An invocation that cannot be done; the text goes into its completion."""


def invocation(target: str, *arguments: Any) -> bytes:
    """A push, as a record."""
    return encode({"type": 1, "target": target, "arguments": arguments}) + SEPARATOR


def goodbye(error: str | None, *, allow_reconnect: bool) -> bytes:
    """The type-7 record that ends a connection."""
    record: dict[str, Any] = {"type": 7, "allowReconnect": allow_reconnect}
    return encode(record | ({"error": error} if error else {})) + SEPARATOR


@define(eq=False)
class HubSession:
    """What one connection has said so far, and what it subscribed."""

    id: str
    hub: str
    """``user`` or ``market``."""
    user: str
    may_see: Callable[[int], bool]
    """Whether an account belongs to this login."""
    is_listed: Callable[[str], bool]
    """Whether a contract exists."""
    subscribed: Callable[[Key], None] = lambda _: None
    """Told of each new subscription, after it is in place."""
    subscriptions: set[Key] = Factory(set)
    handshaken: bool = False
    closed: bool = False
    """The client said goodbye."""
    _rest: bytes = b""

    def receive(self, data: bytes) -> list[bytes]:
        """Records to answer with; HubProtocolError when the connection cannot go on."""
        *records, self._rest = (self._rest + data).split(SEPARATOR)
        if len(self._rest) > LARGEST:
            raise HubProtocolError("the record is too long")
        answers = []
        for record in records:
            answer = self._handshake(record) if not self.handshaken else self._handle(record)
            if answer is not None:
                answers.append(answer)
        return answers

    def _handshake(self, record: bytes) -> bytes:
        request = _object(record)
        if request.get("protocol") != "json" or request.get("version") not in (0, 1):
            raise HubProtocolError("the handshake must ask for protocol json, version 1")
        self.handshaken = True
        return b"{}" + SEPARATOR

    def _handle(self, record: bytes) -> bytes | None:
        message = _object(record)
        kind = message.get("type")
        if kind == 1:
            return self._completed(message)
        if kind == 4:
            return _completion(message.get("invocationId"), "this hub has no streams")
        self.closed = self.closed or kind == 7
        return None

    def _completed(self, message: dict[str, Any]) -> bytes | None:
        try:
            self._invoke(message.get("target"), message.get("arguments"))
        except InvocationError as error:
            return _completion(message.get("invocationId"), str(error))
        return _completion(message.get("invocationId"), None)

    def _invoke(self, target: object, arguments: object) -> None:
        if target == "Heartbeat":
            return
        if not isinstance(target, str) or not isinstance(arguments, list):
            raise InvocationError("an invocation needs a target and a list of arguments")
        method = target.removeprefix("Unsubscribe").removeprefix("Subscribe")
        topic = TOPICS[self.hub].get(method)
        if topic is None or target not in (f"Subscribe{method}", f"Unsubscribe{method}"):
            raise InvocationError(f"Unknown hub method '{target}'")
        key = (topic, self._subject(method, arguments))
        if target.startswith("Un"):
            self.subscriptions.discard(key)
        else:
            self.subscriptions.add(key)
            self.subscribed(key)

    def _subject(self, method: str, arguments: list[Any]) -> int | str | None:
        if method == "Accounts":
            return None
        if len(arguments) != 1:
            raise InvocationError(f"{method} takes one argument")
        return self._contract(arguments[0]) if self.hub == "market" else self._account(arguments[0])

    def _account(self, argument: object) -> int:
        text = str(argument)[:20]
        if not text.isascii() or not text.isdigit() or not self.may_see(int(text)):
            raise InvocationError(f"no account {text}")
        return int(text)

    def _contract(self, argument: object) -> str:
        if not isinstance(argument, str) or not self.is_listed(argument):
            raise InvocationError(f"no contract {str(argument)[:60]}")
        return argument


def _object(record: bytes) -> dict[str, Any]:
    try:
        message = msgspec.json.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HubProtocolError("a record is no JSON") from error
    if not isinstance(message, dict):
        raise HubProtocolError("a record is no object")
    return message


def _completion(invocation_id: object, error: str | None) -> bytes | None:
    if not isinstance(invocation_id, str):
        return None
    answer: dict[str, Any] = {"type": 3, "invocationId": invocation_id}
    answer |= {"result": None} if error is None else {"error": error}
    return encode(answer) + SEPARATOR
