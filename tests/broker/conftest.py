"""A simulated gateway on real sockets inside the test's own Trio run, in virtual time.

The clock jumps only when nobody has had anything to do for a moment, so that bytes in flight always
arrive first; a minute of silence then costs nothing.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
import trio
import trio.testing
from attrs import define, field

from broker.clock import SimulatedClock
from broker.port import BrokerEvent, ConnectionChange, Hub, Login, Numbering, Session
from broker.projectx import ProjectXBroker
from simulator.build import build_gateway
from simulator.faults import parse_fault
from simulator.gateway import Gateway
from simulator.orders import OrderRequest
from simulator.server import Addresses, serve
from simulator.words import OrderType, Side

START = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
MNQ = "CON.F.US.MNQ.Z26"
ACCOUNTS = (1001, 1002, 1003, 1004, 1005)


@define
class Rig:
    """A served gateway, a broker to reach it, and what its sessions told."""

    gateway: Gateway
    addresses: Addresses
    broker: ProjectXBroker
    events: list[BrokerEvent] = field(factory=list)
    numbering: Numbering = field(factory=Numbering)
    _news: trio.Event = field(init=False, factory=trio.Event)

    def sink(self, event: BrokerEvent) -> None:
        self.events.append(event)
        self._news.set()

    def login(self, **changes: str) -> Login:
        parts = {
            "name": "main",
            "username": "trader",
            "api_key": "key-0123456789",
            "api_url": self.addresses.api_url,
            "user_hub_url": self.addresses.user_hub_url,
            "market_hub_url": self.addresses.market_hub_url,
        }
        return Login(**(parts | changes))

    def open(self, **changes: str) -> AbstractAsyncContextManager[Session]:
        return self.broker.session(self.login(**changes), self.sink, self.numbering)

    @asynccontextmanager
    async def up(
        self, accounts: tuple[int, ...] = ACCOUNTS, contracts: tuple[str, ...] = (MNQ,)
    ) -> AsyncIterator[Session]:
        """A session with both hubs up."""
        async with self.open() as session:
            session.watch(accounts, contracts)
            await self.until(lambda: self.last(Hub.USER).up and self.last(Hub.MARKET).up)
            yield session

    def fault(self, name: str, **fields: Any) -> None:
        self.gateway.inject(parse_fault({"fault": name, **fields}))

    def trade(self, side: Side = Side.BUY, size: int = 1, account_id: int = 1001) -> None:
        self.order(OrderRequest(account_id, MNQ, OrderType.MARKET, side, size))

    def order(self, request: OrderRequest) -> int:
        answer = self.gateway.desk.place(request, self.gateway.time.now()).answer
        assert answer.order_id is not None, answer
        return answer.order_id

    def of[E: BrokerEvent](self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def changes(self, hub: Hub) -> list[ConnectionChange]:
        return [change for change in self.of(ConnectionChange) if change.hub is hub]

    def last(self, hub: Hub) -> ConnectionChange:
        down = ConnectionChange(hub, up=False, link=0, proven=False, reason="never up")
        return self.changes(hub)[-1] if self.changes(hub) else down

    def served(self, ending: str) -> list[int]:
        """Statuses answered to requests whose path ends like this."""
        return [it.status for it in self.gateway.record.served if it.path.endswith(ending)]

    async def until(self, true: Callable[[], object], within: float = 10) -> None:
        with trio.move_on_after(within):
            while not true():
                self._news = trio.Event()
                with trio.move_on_after(max(within / 100, 0.05)):
                    await self._news.wait()
        assert true(), f"not within {within} s; events: {self.events[-5:]}"


@pytest.fixture
def patient_clock() -> trio.testing.MockClock:
    """Virtual time for tests with sockets; a test has to ask for it by name itself."""
    return trio.testing.MockClock(autojump_threshold=0.01)


@pytest.fixture
async def rig(patient_clock: trio.testing.MockClock, nursery: trio.Nursery) -> AsyncIterator[Rig]:
    """A gateway with five accounts and a broker."""
    gateway = build_gateway(START, token_lifetime=timedelta(hours=24))
    addresses = await nursery.start(serve, gateway)
    clock = SimulatedClock(START, trio.current_time())
    yield Rig(gateway, addresses, ProjectXBroker(clock, Random(7), loopback_only=True))
    nursery.cancel_scope.cancel()
