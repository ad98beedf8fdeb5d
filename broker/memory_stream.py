"""What a session of the in-memory broker shows of the exchange: its two hubs and its event queue.

Events are shown from one place, in the order (due time, number); those still on their way when their
link goes down are lost, as on a socket.
"""

import math
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count
from typing import Any

import trio
from attrs import define, field

from broker.clock import Clock
from broker.port import (
    AccountUpdate,
    BadPayload,
    BrokerEvent,
    ConnectionChange,
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
from broker.wire import (
    decode_account,
    decode_order,
    decode_position,
    decode_quote,
    decode_trade,
    unwrap,
)
from simulator.board import FaultBoard
from simulator.delivery import packed
from simulator.events import Event, Kind
from simulator.exchange import Exchange
from simulator.faults import (
    CloseHubs,
    DropHubs,
    GarbageFrame,
    GarbagePayload,
    HalfOpen,
    HttpStatus,
    HubFault,
    LogoutPush,
    ResetHubs,
    Stall,
)

HALF_OPEN_FOUND_AFTER = 20.0
"""Seconds until the silence of a half-open hub is noticed."""
REFUSED_HUB_AGAIN = 1.0
"""Seconds until a hub that refused the connection is tried again."""


@define(eq=False)
class _Link:
    """One hub of a session."""

    hub: Hub
    number: int = 0
    up: bool = False
    silent: bool = False
    stalled_until: float = -math.inf


@define(eq=False)
class MemoryStream:
    """The hubs of one session; changed by its own task, the exchange's events and faults."""

    user_name: str
    _sink: Sink
    _exchange: Exchange
    _board: FaultBoard
    _clock: Clock
    _reconnect_after: float
    numbering: Numbering
    _user_link: _Link = field(factory=lambda: _Link(Hub.USER))
    _market_link: _Link = field(factory=lambda: _Link(Hub.MARKET))
    _accounts: frozenset[int] = frozenset()
    _contracts: frozenset[str] = frozenset()
    _queue: list[tuple[float, int, Callable[[], None]]] = field(factory=list)
    _numbers: "count[int]" = field(factory=count)
    _wake: trio.Event = field(factory=trio.Event)

    @property
    def link(self) -> int:
        """Number of the user hub's connection."""
        return self.numbering.link

    @property
    def received(self) -> int:
        """The receive counter: user events shown so far."""
        return self.numbering.received

    def watch(self, accounts: frozenset[int], contracts: frozenset[str]) -> None:
        """Replace what is shown; a newly watched contract shows its price at once."""
        added = contracts - self._contracts
        self._accounts, self._contracts = accounts, contracts
        self._show_current(added)

    def sever(self) -> None:
        """Whoever listened is dead."""
        self._sink = _nobody

    # --- events

    async def deliver(self) -> None:
        """Run what is due, in order, for as long as the session lasts."""
        while True:
            now = trio.current_time()
            while self._queue and self._queue[0][0] <= now:
                heappop(self._queue)[2]()
            self._wake = trio.Event()
            wait = self._queue[0][0] - now if self._queue else math.inf
            with trio.move_on_after(wait):
                await self._wake.wait()

    def _at(self, due: float, action: Callable[[], None]) -> None:
        heappush(self._queue, (due, next(self._numbers), action))
        self._wake.set()

    def _later(self, delay: float, action: Callable[[], None]) -> None:
        self._at(trio.current_time() + delay, action)

    def take(self, delay: float, event: Event) -> None:
        """A user event of the exchange, to be shown after some seconds on the present link."""
        link = self._user_link
        if event.account_id not in self._accounts or not link.up:
            return
        now, number = trio.current_time(), link.number
        due = max(now + delay, link.stalled_until)
        if due > now:
            self._at(due, lambda: self._show_if(number, event))
        else:
            self._show_if(number, event)

    def _show_if(self, number: int, event: Event) -> None:
        link = self._user_link
        if link.up and not link.silent and link.number == number:
            self._show(event.kind, packed(event.payload, self._board))

    def _show(self, kind: Kind, payload: object) -> None:
        try:
            for record in unwrap(payload):
                self.numbering.received += 1
                stamp = Stamp(self.link, self.received, trio.current_time())
                self._sink(_decoded(kind, record, stamp))
        except BadPayload as error:
            self._sink(Unreadable(Hub.USER, f"{kind.value}: {error}"))

    def show_quote(self, contract_id: str, payload: dict[str, Any]) -> None:
        """A quote, if it is watched."""
        link = self._market_link
        if not link.up or link.silent or contract_id not in self._contracts:
            return
        if link.stalled_until > trio.current_time():
            self._at(link.stalled_until, lambda: self.show_quote(contract_id, payload))
            return
        self._sink(QuoteUpdate(contract_id, decode_quote(payload, trio.current_time())))

    def _show_current(self, contracts: Iterable[str]) -> None:
        for contract_id in sorted(contracts):
            if contract_id in self._exchange.listings:
                now = self._clock.now()
                self.show_quote(contract_id, self._exchange.quote_payload(contract_id, now))

    # --- links

    def come_up(self, hub: Hub) -> None:
        """The hub is connected and everything is subscribed, or refuses and is tried again."""
        path = f"/hubs/{hub.value}"
        if self._board.take(HttpStatus, lambda it: it.concerns(path, self.user_name)):
            self._later(max(self._reconnect_after, REFUSED_HUB_AGAIN), lambda: self.come_up(hub))
            return
        link = self._link(hub)
        link.up, link.silent = True, False
        if hub is Hub.USER:
            self.numbering.link += 1
            link.number = self.numbering.link
        self._tell_change(link, reason="")
        if hub is Hub.MARKET:
            self._show_current(self._contracts)

    def _go_down(self, hub: Hub, reason: str) -> None:
        link = self._link(hub)
        if not link.up:
            return
        link.up = False
        self._tell_change(link, reason)
        self._later(self._reconnect_after, lambda: self.come_up(hub))

    def _tell_change(self, link: _Link, reason: str) -> None:
        self._sink(ConnectionChange(link.hub, link.up, link.number, proven=link.up, reason=reason))

    def _link(self, hub: Hub) -> _Link:
        return self._user_link if hub is Hub.USER else self._market_link

    def strike(self, fault: HubFault) -> None:
        """Let a fault hit the hubs it is meant for."""
        for hub in Hub:
            if not fault.concerns(hub.value, self.user_name):
                continue
            match fault:
                case DropHubs() | ResetHubs() | CloseHubs() | GarbageFrame():
                    self._go_down(hub, fault.name)
                case HalfOpen():
                    self._fall_silent(hub)
                case Stall():
                    seconds = fault.duration or 5.0
                    self._link(hub).stalled_until = trio.current_time() + seconds
                case GarbagePayload():
                    self._sink(Unreadable(hub, f"{fault.event}: {fault.payload!r}"))
                case LogoutPush():
                    self._sink(LoggedOut(fault.reason))
                case _:
                    raise TypeError(f"{fault.name} does nothing to a stream")

    def _fall_silent(self, hub: Hub) -> None:
        link = self._link(hub)
        number = link.number
        link.silent = True

        def found() -> None:
            if link.number == number and link.silent:
                self._go_down(hub, "half_open")

        self._later(HALF_OPEN_FOUND_AFTER, found)


def _nobody(event: BrokerEvent) -> None:
    """Hears nothing."""


def _decoded(kind: Kind, record: object, stamp: Stamp) -> BrokerEvent:
    match kind:
        case Kind.TRADE:
            return Fill(stamp, decode_trade(record))
        case Kind.POSITION:
            return PositionUpdate(stamp, decode_position(record))
        case Kind.ORDER:
            return OrderUpdate(stamp, decode_order(record))
        case _:
            return AccountUpdate(stamp, decode_account(record))
