"""The trouble this gateway can make, each kind a small typed value parsed from JSON.

``{"fault": "refuse_close", "code": 5, "times": 2}``. ``times`` bounds how often a fault strikes,
``duration`` how long it stands (real seconds); without either it stands until it is cleared.
``{"clear": true}`` removes all that stand, ``{"clear": "NAME"}`` those of one kind.
"""

import difflib
import re
from collections.abc import Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Literal, get_args

import msgspec

Hub = Literal["user", "market", "both"]
Operation = Literal["close", "partial_close", "cancel", "modify", "place"]
EventKind = Literal["trade", "position", "order", "account"]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Common to all kinds."""

    name: ClassVar[str]
    times: int | None = None
    duration: float | None = None

    def problem(self) -> str | None:
        """What is wrong with the values, None when they make sense."""
        if self.times is not None and self.times < 1:
            return "times must be at least 1"
        if self.duration is not None and self.duration <= 0:
            return "duration must be above 0 seconds"
        return None


class HubFault(Fault, frozen=True, kw_only=True):
    """Strikes hub connections, of one hub or both, of one user or all."""

    hub: Hub = "both"
    user: str | None = None

    def concerns(self, hub: str, user: str) -> bool:
        """Whether this connection is meant."""
        return self.hub in ("both", hub) and self.user in (None, user)


class DropHubs(HubFault, frozen=True):
    """Close the TCP connections without a word."""

    name = "drop"


class ResetHubs(HubFault, frozen=True):
    """Close the TCP connections with RST."""

    name = "reset"


class HalfOpen(HubFault, frozen=True):
    """Keep the sockets, never read or write again; with ``duration`` also what connects meanwhile."""

    name = "half_open"


class CloseHubs(HubFault, frozen=True):
    """Say goodbye properly: a type-7 record, then close."""

    name = "close_hubs"
    error: str | None = None
    allow_reconnect: bool = False


class Stall(HubFault, frozen=True):
    """Write nothing for ``duration`` seconds (default 5), then everything that waited."""

    name = "stall"


class GarbageFrame(HubFault, frozen=True):
    """Send a text frame that is no record."""

    name = "garbage_frame"
    text: str = '{"type":1,"target":'


class GarbagePayload(HubFault, frozen=True):
    """Push an event whose argument makes no sense."""

    name = "garbage_payload"
    event: str = "GatewayUserPosition"
    payload: Any = "?"


class LogoutPush(HubFault, frozen=True):
    """Push GatewayLogout."""

    name = "logout_push"
    reason: str = "logged in from another location"


class EventFault(Fault, frozen=True, kw_only=True):
    """Strikes events of the user hub, of some kinds or all."""

    kinds: tuple[EventKind, ...] = get_args(EventKind)
    account_id: int | None = None

    def concerns(self, kind: str, account_id: int | None) -> bool:
        """Whether this event is meant."""
        return kind in self.kinds and self.account_id in (None, account_id)


class DuplicateEvents(EventFault, frozen=True):
    """Push each event ``copies`` times in all."""

    name = "duplicate"
    copies: int = 3


class LoseEvents(EventFault, frozen=True):
    """Push nothing of an event, with this probability."""

    name = "lose"
    probability: float = 1.0


class ScatterEvents(EventFault, frozen=True):
    """Shuffle the events of one execution and keep them apart by 0 to ``apart_ms``.

    ``order`` fixes the sequence instead of shuffling.
    """

    name = "scatter"
    apart_ms: float = 500.0
    order: tuple[EventKind, ...] = ()


class HttpStatus(Fault, frozen=True):
    """Answer matching requests with this status instead of handling them."""

    name = "http"
    status: int = 503
    path: str = "*"
    """Pattern such as ``/api/Position/*`` or ``/hubs/*``."""
    retry_after: float | None = None
    user: str | None = None

    def concerns(self, path: str, user: str | None) -> bool:
        """Whether this request is meant."""
        return fnmatchcase(path, self.path) and self.user in (None, user)

    def problem(self) -> str | None:
        """A status that is none is refused."""
        return super().problem() or (
            None if 400 <= self.status <= 599 else "status must be between 400 and 599"
        )


class Slow(Fault, frozen=True):
    """Answer matching requests ``delay_ms`` later; they are handled at once."""

    name = "slow"
    delay_ms: float = 1000.0
    path: str = "*"


class RefuseClose(Fault, frozen=True):
    """Answer 200 with ``success: false``."""

    name = "refuse_close"
    code: int = 5
    message: str = "rejected"
    operation: Operation = "close"
    account_id: int | None = None
    contract_id: str | None = None


class UncertainClose(Fault, frozen=True):
    """Answer 5xx or break the connection; the request was executed, or not."""

    name = "uncertain_close"
    how: Literal["status", "disconnect"] = "status"
    status: int = 502
    executes: bool = True
    operation: Operation = "close"
    account_id: int | None = None
    contract_id: str | None = None


class StaleSnapshot(Fault, frozen=True):
    """Reads answer what was true when this fault was set."""

    name = "stale_snapshot"


class StopFillsDuringClose(Fault, frozen=True):
    """A resting stop trades just before a close is executed, or just after."""

    name = "stop_fills_during_close"
    when: Literal["before", "after"] = "before"


class PayloadShape(Fault, frozen=True):
    """How user events are packed: bare, as ``{"action", "data"}``, or as a list."""

    name = "payload_shape"
    shape: Literal["bare", "wrapped", "list"] = "wrapped"


class PartialQuotes(Fault, frozen=True):
    """Quotes carry only some of their fields; ``zero_last`` sends lastPrice 0."""

    name = "partial_quotes"
    drop: tuple[str, ...] = ("bestBid", "bestAsk")
    alternate: bool = True
    """Drop the fields in turn, one per quote; all of them when false."""
    zero_last: bool = False


class FlatShape(Fault, frozen=True):
    """How a flat position looks: ``size`` 0, or ``type`` 0 with the size it had."""

    name = "flat_shape"
    shape: Literal["size", "type", "both"] = "type"


class RevokeTokens(Fault, frozen=True):
    """End every token of a user, of all for null."""

    name = "revoke_tokens"
    user: str | None = None


class RejectLogin(Fault, frozen=True):
    """loginKey refuses this user, all for null."""

    name = "reject_login"
    user: str | None = None


class OneShotIds(Fault, frozen=True):
    """Whether a negotiated connection id is good for one connection only."""

    name = "one_shot_ids"
    enabled: bool = True


class RateLimit(Fault, frozen=True):
    """Whether, and above how many requests in 60 s, a login gets 429."""

    name = "rate_limit"
    enabled: bool = True
    requests: int = 200


class NoTickValue(Fault, frozen=True):
    """A contract's record comes without its tick value, or with zero."""

    name = "no_tick_value"
    contract_id: str
    how: Literal["missing", "zero"] = "missing"


class MarketClosed(Fault, frozen=True):
    """Orders and closes are refused, prices stand still for them."""

    name = "market_closed"


class SetLotMethod(Fault, frozen=True):
    """Which lots later closing trades close."""

    name = "lot_method"
    method: Literal["fifo", "average"] = "average"


class PartialFills(Fault, frozen=True):
    """An order trades at most this many contracts per quote; null for no limit."""

    name = "partial_fills"
    size: int | None = 1


class Skew(Fault, frozen=True):
    """The Date header is this many seconds ahead of the gateway's clock."""

    name = "skew"
    seconds: Decimal = Decimal(5)


KINDS: dict[str, type[Fault]] = {
    kind.name: kind
    for kind in (
        DropHubs,
        ResetHubs,
        HalfOpen,
        CloseHubs,
        Stall,
        GarbageFrame,
        GarbagePayload,
        LogoutPush,
        DuplicateEvents,
        LoseEvents,
        ScatterEvents,
        HttpStatus,
        Slow,
        RefuseClose,
        UncertainClose,
        StaleSnapshot,
        StopFillsDuringClose,
        PayloadShape,
        PartialQuotes,
        FlatShape,
        RevokeTokens,
        RejectLogin,
        OneShotIds,
        RateLimit,
        NoTickValue,
        MarketClosed,
        SetLotMethod,
        PartialFills,
        Skew,
    )
}
"""Every kind of fault by its name in JSON."""


class BadFault(ValueError):
    """A fault that cannot be understood; the text says why and what is allowed."""


def parse_fault(document: Mapping[str, Any]) -> Fault:
    """A fault from its JSON object; BadFault names the key and what is allowed."""
    name = document.get("fault")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise BadFault(f"no fault {name!r}{_hint(name)}; known are {', '.join(sorted(KINDS))}")
    fields = {_snake(key): value for key, value in document.items() if key != "fault"}
    try:
        fault = msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        allowed = ", ".join(kind.__struct_fields__)
        raise BadFault(f"fault {name}: {error}; its fields are {allowed}") from error
    if problem := fault.problem():
        raise BadFault(f"fault {name}: {problem}")
    return fault


def _snake(key: str) -> str:
    return re.sub("[A-Z]", lambda capital: "_" + capital.group().lower(), str(key))


def _hint(name: object) -> str:
    near = difflib.get_close_matches(str(name), KINDS, n=1)
    return f", did you mean {near[0]!r}?" if near else ""
