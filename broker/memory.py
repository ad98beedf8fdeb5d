"""The broker port straight on the exchange model: for simulation, in virtual time, without sockets.

Shipped beside the real adapter and held to the same protocol. It only uses ``trio.sleep`` and
``trio.current_time``, so a day runs in seconds under ``trio.testing.MockClock``. Each session hands
out its events from one place in the order (due time, number), so a run depends on the seed alone.
The faults are the simulated gateway's own (``simulator.faults``), and mean the same here.
"""

import math
import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import groupby

import trio
from attrs import define, field

from broker.clock import Clock
from broker.memory_stream import MemoryStream
from broker.port import (
    BadPayload,
    Done,
    Hub,
    Login,
    LoginRejected,
    NotExecuted,
    Numbering,
    Outcome,
    Priority,
    RateLimited,
    Refused,
    RequestRefused,
    Session,
    SessionStatistics,
    Sink,
    Unknown,
    Unreachable,
)
from broker.wire import (
    decode_account,
    decode_contract,
    decode_order,
    decode_position,
    decode_trade,
)
from risk.domain import BrokerAccount, Contract, Order, Position, Trade
from simulator.bars import Bars
from simulator.board import FaultBoard
from simulator.delivery import Delayed, plan, quote_as_sent
from simulator.desk import Desk, Handled
from simulator.events import Event, Kind
from simulator.exchange import Exchange
from simulator.faults import (
    Fault,
    HttpStatus,
    HubFault,
    RateLimit,
    RejectLogin,
    RevokeTokens,
    Skew,
    Slow,
    StaleSnapshot,
)
from simulator.sessions import Traffic, User

Arrange = Callable[[Sequence[Event]], Iterable[Delayed]]
"""Decides when each event of one execution arrives: seconds from now, and the event."""


class MemoryBroker:
    """Opens sessions on one exchange; several logins share it."""

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        chance: random.Random,
        *,
        users: dict[str, User] | None = None,
        read_latency: float = 0.0,
        request_latency: float = 0.0,
        reconnect_after: float = 0.05,
        arrange: Arrange | None = None,
        local: Clock | None = None,
    ) -> None:
        """``users`` None lets anybody in; latencies are seconds there and back.

        ``reconnect_after``: seconds from a lost hub to the next link. ``arrange`` replaces the
        event faults (lose, duplicate, scatter) by a choice of the caller. ``local`` is the clock of
        the client's machine, when that is not the exchange's.
        """
        self.exchange = exchange
        self.clock = clock
        self.chance = chance
        self.users = users
        self.read_latency = read_latency
        self.request_latency = request_latency
        self.reconnect_after = reconnect_after
        self.arrange = arrange
        self.local = local
        self.severed = False
        """Nothing passes between the client and the broker, and the client is not told."""
        self.board = FaultBoard(trio.current_time)
        self.desk = Desk(exchange, self.board)
        self.traffic: dict[str, Traffic] = {}
        self._sessions: list[_MemorySession] = []
        exchange.listeners.append(self._publish)

    @asynccontextmanager
    async def _session(
        self, login: Login, sink: Sink, numbering: Numbering
    ) -> AsyncIterator[Session]:
        await self.pass_through()
        user = await self._log_in(login)
        async with trio.open_nursery() as nursery:
            stream = MemoryStream(
                user.name,
                sink,
                self.exchange,
                self.board,
                self.clock,
                self.reconnect_after,
                numbering,
            )
            session = _MemorySession(self, user, login.name, stream)
            self._sessions.append(session)
            nursery.start_soon(stream.deliver)
            stream.come_up(Hub.USER)
            stream.come_up(Hub.MARKET)
            try:
                yield session
            finally:
                self._sessions.remove(session)
                nursery.cancel_scope.cancel()

    def session(
        self, login: Login, sink: Sink, numbering: Numbering
    ) -> AbstractAsyncContextManager[Session]:
        """Log in; both hubs come up as soon as the session is entered."""
        return self._session(login, sink, numbering)

    async def _log_in(self, login: Login) -> User:
        await trio.sleep(self.read_latency)
        self.raise_for("/api/Auth/loginKey", login.username)
        user = User(login.username) if self.users is None else self.users.get(login.username)
        rejected = self.board.take(RejectLogin, lambda it: it.user in (None, login.username))
        if user is None or rejected is not None or user.api_key not in (None, login.api_key):
            raise LoginRejected(f"login {login.name}: the broker refuses this user or key")
        return user

    # --- what a simulation does to it

    def quote(
        self, contract_id: str, bid: Decimal, ask: Decimal, last: Decimal | None = None
    ) -> None:
        """A new price, now."""
        self.desk.refresh()
        self.exchange.set_quote(contract_id, bid, ask, self.clock.now(), last)

    def inject(self, fault: Fault) -> None:
        """Let a fault of the simulated gateway strike now, or stand."""
        if isinstance(fault, HubFault):
            for session in list(self._sessions):
                session.stream.strike(fault)
        elif isinstance(fault, RevokeTokens):
            for session in self._sessions:
                if fault.user in (None, session.user.name):
                    session.revoke()
        else:
            if isinstance(fault, StaleSnapshot):
                self.desk.freeze_reads()
            self.board.add(fault)
            self.desk.refresh()

    def sever(self) -> None:
        """The client's process has died: it hears and asks nothing; what had left it goes on.

        It lasts until :meth:`mend`, and the sessions that are open now never come back.
        """
        self.severed = True
        for session in self._sessions:
            session.stream.sever()

    def mend(self) -> None:
        """The client's machine runs again; whoever opens a session now is another process."""
        self.severed = False

    def heal(self, kind: type[Fault] | None = None) -> None:
        """End the standing faults, or those of one kind."""
        self.board.clear(kind)
        self.desk.refresh()

    # --- shared by the sessions

    async def pass_through(self) -> None:
        """Leave the client's machine; never returns when its process is dead."""
        if self.severed:
            await trio.sleep_forever()

    def ahead(self) -> float:
        """Seconds by which the broker's answers say that its clock is ahead of the client's."""
        fault = self.board.standing(Skew)
        told = float(fault.seconds) if fault else 0.0
        if self.local is None:
            return told
        return told + (self.clock.now() - self.local.now()).total_seconds()

    def status_for(self, path: str, user: str) -> HttpStatus | None:
        """The status with which a request fails, None when it may go on; counts the request."""
        traffic = self.traffic.setdefault(user, Traffic())
        requests = traffic.note(trio.current_time())
        limit = self.board.standing(RateLimit)
        if limit is not None and limit.enabled and requests > limit.requests:
            return HttpStatus(status=429, retry_after=5.0)
        return self.board.take(HttpStatus, lambda it: it.concerns(path, user))

    def raise_for(self, path: str, user: str) -> None:
        """Raise the port's error when a read of this path is to fail."""
        fault = self.status_for(path, user)
        if fault is None:
            return
        text = f"{path}: HTTP {fault.status}"
        if fault.status in (401, 403):
            raise LoginRejected(text)
        if fault.status == 429:
            raise RateLimited(text, fault.retry_after)
        raise Unreachable(text)

    def delay_of(self, path: str, latency: float) -> float:
        """Seconds a request of this path takes."""
        slow = self.board.take(Slow, lambda it: HttpStatus(path=it.path).concerns(path, None))
        return latency + (slow.delay_ms / 1000 if slow else 0.0)

    def _publish(self, events: tuple[Event, ...]) -> None:
        users = tuple(it for it in events if it.kind is not Kind.QUOTE)
        for event in events:
            if event.kind is Kind.QUOTE:
                payload = quote_as_sent(event.payload, self.board)
                for session in self._sessions:
                    session.stream.show_quote(event.contract_id, payload)
        for delay, event in self._planned(users):
            for session in self._sessions:
                session.stream.take(delay, event)

    def _planned(self, events: tuple[Event, ...]) -> Iterable[Delayed]:
        if self.arrange is None:
            return plan(events, self.board, self.chance)
        groups = groupby(events, key=lambda event: event.cause)
        return [it for _, group in groups for it in self.arrange(list(group))]


@define(eq=False)
class _MemorySession:
    """A login of the in-memory broker."""

    _broker: MemoryBroker
    user: User
    _name: str
    stream: MemoryStream
    _failed: trio.Event = field(factory=trio.Event)
    _answered_at: float = -math.inf
    _skew: float | None = None

    def revoke(self) -> None:
        """The session ends: its token is no longer accepted, and no new one is given."""
        self._failed.set()

    # --- Session

    def watch(self, accounts: Iterable[int], contracts: Iterable[str]) -> None:
        """Replace what is subscribed; a newly watched contract shows its price at once."""
        seen = frozenset(it for it in accounts if self._may_see(it))
        self.stream.watch(seen, frozenset(contracts))

    def statistics(self) -> SessionStatistics:
        """Figures of this session."""
        traffic = self._broker.traffic.setdefault(self.user.name, Traffic())
        return SessionStatistics(
            link=self.stream.link,
            received=self.stream.received,
            requests_last_minute=traffic.count(trio.current_time()),
            logins=1,
            skew=self._skew,
            skew_at=self._answered_at,
        )

    async def wait_failed(self) -> None:
        """Raise LoginRejected once the token was revoked."""
        await self._failed.wait()
        raise LoginRejected(f"login {self._name}: the broker revoked this session")

    async def accounts(self, priority: Priority) -> tuple[BrokerAccount, ...]:
        """Account/search."""
        del priority
        records = await self._read("/api/Account/search", self._broker.desk.accounts)
        return tuple(decode_account(it) for it in records if self._may_see(it["id"]))

    async def positions(self, account_id: int, priority: Priority) -> tuple[Position, ...]:
        """Position/searchOpen."""
        del priority
        read = self._of(account_id, self._broker.desk.positions)
        return tuple(map(decode_position, await self._read("/api/Position/searchOpen", read)))

    async def orders(self, account_id: int, priority: Priority) -> tuple[Order, ...]:
        """Order/v2/query for everything that may still trade."""
        del priority
        read = self._of(account_id, self._broker.desk.working_orders)
        return tuple(map(decode_order, await self._read("/api/Order/v2/query", read)))

    async def trades(
        self, account_id: int, since: datetime, priority: Priority
    ) -> tuple[Trade, ...]:
        """Trade/search."""
        del priority
        read = self._of(account_id, self._broker.desk.trades)
        records = await self._read("/api/Trade/search", read)
        newer = [it for it in records if datetime.fromisoformat(it["creationTimestamp"]) >= since]
        return tuple(map(decode_trade, newer))

    async def contracts(self, priority: Priority) -> tuple[Contract, ...]:
        """Contract/available."""
        del priority
        desk = self._broker.desk
        read = partial(map, desk.contract, self._broker.exchange.listings)
        records = await self._read("/api/Contract/available", read)
        found = []
        for record in records:
            with suppress(BadPayload):
                found.append(decode_contract(record))
        return tuple(found)

    async def contract(self, contract_id: str, priority: Priority) -> Contract:
        """Contract/searchById."""
        del priority
        desk = self._broker.desk
        record = await self._read("/api/Contract/searchById", lambda: desk.contract(contract_id))
        if record is None:
            raise RequestRefused(f"no contract {contract_id}", 1)
        return decode_contract(record)

    async def last_price(self, contract_id: str, priority: Priority) -> Decimal | None:
        """History/retrieveBars, the newest one-minute bar."""
        del priority
        return await self._read("/api/History/retrieveBars", self._bars(contract_id).newest)

    async def price_at(
        self, contract_id: str, instant: datetime, priority: Priority
    ) -> Decimal | None:
        """History/retrieveBars, the newest one-minute bar that ended by then."""
        del priority
        ended_by = self._bars(contract_id).ended_by
        return await self._read("/api/History/retrieveBars", lambda: ended_by(instant))

    def _bars(self, contract_id: str) -> Bars:
        bars = self._broker.exchange.bars.get(contract_id)
        if bars is None:
            raise RequestRefused(f"no contract {contract_id}", 1)
        return bars

    async def close(self, account_id: int, contract_id: str) -> Outcome:
        """Position/closeContract."""
        desk, clock = self._broker.desk, self._broker.clock
        return await self._request(
            "/api/Position/closeContract",
            account_id,
            lambda: desk.close(account_id, contract_id, clock.now()),
        )

    async def partial_close(self, account_id: int, contract_id: str, size: int) -> Outcome:
        """Position/partialCloseContract."""
        desk, clock = self._broker.desk, self._broker.clock
        return await self._request(
            "/api/Position/partialCloseContract",
            account_id,
            lambda: desk.partial_close(account_id, contract_id, size, clock.now()),
        )

    async def cancel(self, account_id: int, order_id: int) -> Outcome:
        """Order/cancel."""
        desk, clock = self._broker.desk, self._broker.clock
        return await self._request(
            "/api/Order/cancel",
            account_id,
            lambda: desk.cancel(account_id, order_id, clock.now()),
        )

    # --- the way to the exchange and back

    def _may_see(self, account_id: int) -> bool:
        return self.user.account_ids is None or account_id in self.user.account_ids

    def _of[T](self, account_id: int, read: Callable[[int], T]) -> Callable[[], T]:
        if account_id not in self._broker.exchange.accounts or not self._may_see(account_id):
            raise RequestRefused(f"account {account_id} not found", 1)
        return lambda: read(account_id)

    def _answered(self) -> None:
        self._answered_at, self._skew = trio.current_time(), self._broker.ahead()

    async def _read[T](self, path: str, read: Callable[[], T]) -> T:
        await self._broker.pass_through()
        half = self._broker.delay_of(path, self._broker.read_latency) / 2
        await trio.sleep(half)
        self._broker.raise_for(path, self.user.name)
        self._broker.desk.refresh()
        answer = read()
        await trio.sleep(half)
        self._answered()
        return answer

    async def _request(self, path: str, account_id: int, execute: Callable[[], Handled]) -> Outcome:
        await self._broker.pass_through()
        half = self._broker.delay_of(path, self._broker.request_latency) / 2
        # Once on its way, a request goes on whether or not anybody still waits for it.
        with trio.CancelScope(shield=True):
            await trio.sleep(half)
            outcome = self._outcome(path, account_id, execute)
            await trio.sleep(half)
        self._answered()
        return outcome

    def _outcome(self, path: str, account_id: int, execute: Callable[[], Handled]) -> Outcome:
        if fault := self._broker.status_for(path, self.user.name):
            if fault.status in (401, 429):
                return NotExecuted(f"HTTP {fault.status}", fault.retry_after)
            return Unknown(f"HTTP {fault.status}")
        if not self._may_see(account_id):
            return Refused(1, "account not found")
        handled = execute()
        if handled.uncertain is not None:
            how = handled.uncertain
            return Unknown(f"HTTP {how.status}" if how.how == "status" else "connection broken")
        if handled.answer.accepted:
            return Done()
        return Refused(handled.answer.code, handled.answer.message or "")
