"""The border of the daemon as it is watched: what it hears, asks, is answered, and writes down.

Each object stands before a real one of the same protocol and tells the audience what passes; none
of them changes anything.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from decimal import Decimal
from itertools import count

from attrs import define

from broker.memory import MemoryBroker
from broker.port import (
    BrokerError,
    BrokerEvent,
    Login,
    Numbering,
    Outcome,
    Priority,
    Session,
    SessionStatistics,
    Sink,
)
from risk.domain import BrokerAccount, Contract, Order, Position, Trade
from simulation.watcher import Asked, Audience, Nobody, Question
from simulator.board import FaultBoard
from simulator.desk import Desk, Handled
from simulator.exchange import Exchange
from store.buffered import BufferedJournal
from store.port import JournalState, JournalStatistics, Record
from store.projection import Projection


class WatchedDesk(Desk):
    """The exchange's desk; only the daemon's requests come this way, traders trade directly."""

    def __init__(self, exchange: Exchange, board: FaultBoard, audience: Audience) -> None:
        super().__init__(exchange, board)
        self._audience = audience

    def close(self, account_id: int, contract_id: str, now: datetime) -> Handled:
        """Position/closeContract."""
        self._audience.executing("close", account_id, contract_id, None, None)
        handled = super().close(account_id, contract_id, now)
        self._audience.executed("close", account_id, contract_id, None, None, handled)
        return handled

    def partial_close(self, account_id: int, contract_id: str, size: int, now: datetime) -> Handled:
        """Position/partialCloseContract."""
        self._audience.executing("partial_close", account_id, contract_id, None, size)
        handled = super().partial_close(account_id, contract_id, size, now)
        self._audience.executed("partial_close", account_id, contract_id, None, size, handled)
        return handled

    def cancel(self, account_id: int, order_id: int, now: datetime) -> Handled:
        """Order/cancel."""
        order = self.exchange.orders.get(order_id)
        contract = "" if order is None else order.contract_id
        self._audience.executing("cancel", account_id, contract, order_id, None)
        handled = super().cancel(account_id, order_id, now)
        self._audience.executed("cancel", account_id, contract, order_id, None, handled)
        return handled


class WatchedBroker:
    """The broker port of one life of the daemon."""

    def __init__(
        self, broker: MemoryBroker, audience: Audience, life: int, numbers: "count[int]"
    ) -> None:
        self._broker = broker
        self._audience = audience
        self._life = life
        self._numbers = numbers
        self._dead = False

    def die(self) -> None:
        """The process that asks and hears here is gone; nothing more is told of it."""
        self._dead = True

    def session(
        self, login: Login, sink: Sink, numbering: Numbering
    ) -> AbstractAsyncContextManager[Session]:
        """As the broker's."""
        return self._session(login, sink, numbering)

    @asynccontextmanager
    async def _session(
        self, login: Login, sink: Sink, numbering: Numbering
    ) -> AsyncIterator[Session]:
        heard, name = self._audience.heard, login.name

        def hear(event: BrokerEvent) -> None:
            heard(name, event)
            sink(event)

        asked = self.about(name, "login")
        self._told_asked(asked)
        answer: object = Nobody.LISTENS
        try:
            async with self._broker.session(login, hear, numbering) as inner:
                answer = None
                self._told_answered(asked, inner)
                yield _WatchedSession(inner, self, name)
        except BrokerError as error:
            answer = error if answer is Nobody.LISTENS else answer
            raise
        finally:
            if answer is not None:
                self._told_answered(asked, answer)

    async def ask[T](self, asked: Asked, call: Awaitable[T]) -> T:
        """Wait for an answer, and tell what was asked and answered."""
        self._told_asked(asked)
        answer: object = Nobody.LISTENS
        try:
            answer = given = await call
        except BrokerError as error:
            answer = error
            raise
        finally:
            self._told_answered(asked, answer)
        return given

    def about(
        self,
        login: str,
        what: Question,
        account: int | None = None,
        *,
        contract: str = "",
        order: int | None = None,
        size: int | None = None,
    ) -> Asked:
        """A question with its number."""
        number = next(self._numbers)
        return Asked(number, self._life, login, what, account, contract, order, size)

    def _told_asked(self, asked: Asked) -> None:
        if not self._dead:
            self._audience.asked(asked)

    def _told_answered(self, asked: Asked, answer: object) -> None:
        if not self._dead:
            self._audience.answered(asked, answer)


@define(eq=False)
class _WatchedSession:
    """A session of the daemon."""

    _inner: Session
    _broker: WatchedBroker
    _login: str

    def watch(self, accounts: Iterable[int], contracts: Iterable[str]) -> None:
        """As the session's."""
        self._inner.watch(accounts, contracts)

    def statistics(self) -> SessionStatistics:
        """As the session's."""
        return self._inner.statistics()

    async def wait_failed(self) -> None:
        """As the session's."""
        await self._inner.wait_failed()

    async def accounts(self, priority: Priority) -> tuple[BrokerAccount, ...]:
        """Account/search."""
        asked = self._broker.about(self._login, "accounts")
        return await self._broker.ask(asked, self._inner.accounts(priority))

    async def positions(self, account_id: int, priority: Priority) -> tuple[Position, ...]:
        """Position/searchOpen."""
        asked = self._broker.about(self._login, "positions", account_id)
        return await self._broker.ask(asked, self._inner.positions(account_id, priority))

    async def orders(self, account_id: int, priority: Priority) -> tuple[Order, ...]:
        """Order/v2/query."""
        asked = self._broker.about(self._login, "orders", account_id)
        return await self._broker.ask(asked, self._inner.orders(account_id, priority))

    async def trades(
        self, account_id: int, since: datetime, priority: Priority
    ) -> tuple[Trade, ...]:
        """Trade/search."""
        asked = self._broker.about(self._login, "trades", account_id)
        return await self._broker.ask(asked, self._inner.trades(account_id, since, priority))

    async def contracts(self, priority: Priority) -> tuple[Contract, ...]:
        """Contract/available."""
        asked = self._broker.about(self._login, "contracts")
        return await self._broker.ask(asked, self._inner.contracts(priority))

    async def contract(self, contract_id: str, priority: Priority) -> Contract:
        """Contract/searchById."""
        asked = self._broker.about(self._login, "contract", contract=contract_id)
        return await self._broker.ask(asked, self._inner.contract(contract_id, priority))

    async def last_price(self, contract_id: str, priority: Priority) -> Decimal | None:
        """History/retrieveBars."""
        asked = self._broker.about(self._login, "last_price", contract=contract_id)
        return await self._broker.ask(asked, self._inner.last_price(contract_id, priority))

    async def price_at(
        self, contract_id: str, instant: datetime, priority: Priority
    ) -> Decimal | None:
        """History/retrieveBars."""
        asked = self._broker.about(self._login, "price_at", contract=contract_id)
        return await self._broker.ask(asked, self._inner.price_at(contract_id, instant, priority))

    async def close(self, account_id: int, contract_id: str) -> Outcome:
        """Position/closeContract."""
        asked = self._broker.about(self._login, "close", account_id, contract=contract_id)
        return await self._broker.ask(asked, self._inner.close(account_id, contract_id))

    async def partial_close(self, account_id: int, contract_id: str, size: int) -> Outcome:
        """Position/partialCloseContract."""
        asked = self._broker.about(
            self._login, "partial_close", account_id, contract=contract_id, size=size
        )
        call = self._inner.partial_close(account_id, contract_id, size)
        return await self._broker.ask(asked, call)

    async def cancel(self, account_id: int, order_id: int) -> Outcome:
        """Order/cancel."""
        asked = self._broker.about(self._login, "cancel", account_id, order=order_id)
        return await self._broker.ask(asked, self._inner.cancel(account_id, order_id))


@define(eq=False)
class WatchedJournal:
    """A journal whose records are seen; once its process is dead, nothing it does reaches the disk."""

    _inner: BufferedJournal
    _audience: Audience
    _is_alive: Callable[[], bool] = lambda: True

    @property
    def state(self) -> JournalState:
        """Present health."""
        return self._inner.state

    @property
    def projection(self) -> Projection:
        """What recovery needs."""
        return self._inner.projection

    @property
    def findings(self) -> tuple[str, ...]:
        """What opening found wrong."""
        return self._inner.findings

    def statistics(self) -> JournalStatistics:
        """Figures since it was opened."""
        return self._inner.statistics()

    def spool(self, record: Record) -> None:
        """Told even when the writer crashes right behind it: the record is written."""
        if not self._is_alive():
            return
        try:
            self._inner.spool(record)
        finally:
            self._audience.recorded(record, True)

    def append(self, records: Iterable[Record]) -> None:
        """Each is told."""
        if not self._is_alive():
            return
        given = list(records)
        self._inner.append(given)
        for record in given:
            self._audience.recorded(record, False)

    async def commit(self) -> int:
        """As the journal's."""
        return await self._inner.commit()

    async def aclose(self) -> None:
        """As the journal's."""
        await self._inner.aclose()
