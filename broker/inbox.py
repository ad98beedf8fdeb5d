"""From a hub's raw arguments to stamped events in the sink: synchronous, in order, never raising.

Everything here runs inside the callback of the hub that received it, so that nothing is reordered
and nothing is queued twice. A record that cannot be decoded becomes an ``Unreadable`` event; the
records beside it still count.
"""

from collections.abc import Callable

import trio

from broker.port import (
    AccountUpdate,
    BadPayload,
    BrokerEvent,
    Fill,
    Hub,
    LoggedOut,
    Numbering,
    OrderUpdate,
    PositionUpdate,
    QuoteUpdate,
    Sink,
    Stamp,
    Unreadable,
)
from broker.redaction import redact
from broker.wire import (
    Record,
    decode_account,
    decode_contract_id,
    decode_order,
    decode_position,
    decode_quote,
    decode_trade,
    unwrap,
)

SAME_LOGOUT = 1.0
"""Seconds within which both hubs report one and the same logout."""


class Inbox:
    """Numbers and forwards what the hubs of one session receive."""

    def __init__(self, sink: Sink, numbering: Numbering) -> None:
        self._sink = sink
        self.numbering = numbering
        self._logged_out_at = float("-inf")

    def account(self, *arguments: object) -> None:
        """GatewayUserAccount."""
        self._user(arguments, lambda stamp, of: AccountUpdate(stamp, decode_account(of)))

    def position(self, *arguments: object) -> None:
        """GatewayUserPosition."""
        self._user(arguments, lambda stamp, of: PositionUpdate(stamp, decode_position(of)))

    def order(self, *arguments: object) -> None:
        """GatewayUserOrder."""
        self._user(arguments, lambda stamp, of: OrderUpdate(stamp, decode_order(of)))

    def trade(self, *arguments: object) -> None:
        """GatewayUserTrade."""
        self._user(arguments, lambda stamp, of: Fill(stamp, decode_trade(of)))

    def quote(self, *arguments: object) -> None:
        """GatewayQuote: ``(contract_id, record)``, both in one list, or a record with a symbol."""
        given = arguments[0] if len(arguments) == 1 else arguments
        received = trio.current_time()
        try:
            contract_id, records = _split_quote(given)
            for record in records:
                named = contract_id or decode_contract_id(record.get("symbol"))
                self._sink(QuoteUpdate(named, decode_quote(record, received)))
        except BadPayload as problem:
            self._sink(Unreadable(Hub.MARKET, f"quote: {problem}"))

    def logout(self, *arguments: object) -> bool:
        """GatewayLogout, from either hub; False when the other hub has just said so."""
        now = trio.current_time()
        if now - self._logged_out_at < SAME_LOGOUT:
            return False
        self._logged_out_at = now
        said = " ".join(str(argument) for argument in arguments if argument)
        self._sink(LoggedOut(redact(said)[:200] or "the gateway ended this session"))
        return True

    def tell(self, event: BrokerEvent) -> None:
        """Pass on an event about the connection itself."""
        self._sink(event)

    def _user(self, payload: object, decode: Callable[[Stamp, Record], BrokerEvent]) -> None:
        try:
            records = unwrap(payload)
        except BadPayload as problem:
            self._sink(Unreadable(Hub.USER, str(problem)))
            return
        for record in records:
            self.numbering.received += 1
            stamp = Stamp(self.numbering.link, self.numbering.received, trio.current_time())
            try:
                event = decode(stamp, record)
            except BadPayload as problem:
                event = Unreadable(Hub.USER, str(problem))
            self._sink(event)


def _split_quote(given: object) -> tuple[str | None, list[Record]]:
    if isinstance(given, list | tuple) and given and not isinstance(given[0], dict | list | tuple):
        return decode_contract_id(given[0]), unwrap(given[1:])
    return None, unwrap(given)
