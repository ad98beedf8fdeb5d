"""A whole daemon in virtual time: real actors and rules on the in-memory broker and a simulated disk."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import trio
from attrs import define, field

from actors.daemon import Daemon, GuardedAccount, GuardedGroup, Plan, Ports
from actors.enforced import Enforced
from broker.clock import SimulatedClock
from broker.memory import Arrange, MemoryBroker
from broker.port import Login
from risk.rules import Rule
from risk.rules.daily_loss import DailyLoss
from risk.rules.max_contracts import MaxContracts
from risk.rules.no_stop_loss import NoStopLoss
from risk.rules.symbol_block import SymbolBlock
from risk.rules.unrealized_loss import UnrealizedLoss
from simulator.exchange import Exchange
from simulator.orders import OrderRequest
from simulator.scenario import Scenario
from simulator.words import OrderType, Side
from store.memory import MemoryDisk
from supervision import Node, System
from supervision.testing import assert_no_dead_letters, open_test_system, run_virtual

MNQ = "CON.F.US.MNQ.Z26"
GC = "CON.F.US.GCE.Z26"
ES = "CON.F.US.EP.Z26"
MORNING = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
"""9:00 in Chicago on a Wednesday."""


def usual_rules() -> tuple[Rule, ...]:
    """One of each kind of action."""
    return (
        MaxContracts(limit=5),
        DailyLoss(limit=Decimal(500)),
        UnrealizedLoss(limit=Decimal(200)),
        SymbolBlock(symbols=("GC",)),
        NoStopLoss(),
    )


@define
class World:
    """One machine, one broker, and what was seen of both."""

    start: datetime = MORNING
    accounts: tuple[str, ...] = ("SIM-50K-1", "SIM-50K-2")
    rules: Callable[[], tuple[Rule, ...]] = usual_rules
    groups: tuple[GuardedGroup, ...] = ()
    leaders: Mapping[str, str] = field(factory=dict)
    """Followers of a copier, and whom each of them follows."""
    arrange: Arrange | None = None
    seed: int = 1
    armed: bool = True
    read_latency: float = 0.01
    request_latency: float = 0.02
    falls: tuple[str, ...] = ()
    """Paths of actors that a test lets die over a message."""
    disk: MemoryDisk = field(factory=MemoryDisk)
    enforced: list[tuple[str, Enforced]] = field(factory=list)
    broker: MemoryBroker = field(init=False)
    clock: SimulatedClock = field(init=False)
    system: System = field(init=False)

    def begin(self) -> None:
        """Open the exchange; call it inside the virtual run, once."""
        self.clock = SimulatedClock(self.start, trio.current_time())
        scenario = Scenario()
        exchange = Exchange(scenario.listings(), scenario.opening_accounts(), self.clock.now())
        self.broker = MemoryBroker(
            exchange,
            self.clock,
            random.Random(self.seed),
            read_latency=self.read_latency,
            request_latency=self.request_latency,
            arrange=self.arrange,
        )

    @asynccontextmanager
    async def daemon(self) -> AsyncIterator[System]:
        """The daemon on this machine's disk, up and live."""
        login = Login(
            "sim", "trader", "key", "http://127.0.0.1", "http://127.0.0.1", "http://127.0.0.1"
        )
        accounts = tuple(
            GuardedAccount(name, "sim", self.rules(), self.armed, leader=self.leaders.get(name))
            for name in self.accounts
        )
        journal = self.disk.open(self.clock.now())
        daemon = Daemon(
            Plan((login,), accounts, self.groups),
            Ports(self.broker, self.clock, journal, random.Random(self.seed)),
            report=lambda account, enforced: self.enforced.append((account, enforced)),
        )
        async with open_test_system(daemon.spec, expect=self.falls, seed=self.seed) as self.system:
            await self.until_live()
            yield self.system
            await trio.sleep(1)
            assert_no_dead_letters(self.system.dead_letters, expect=self.falls)
        await journal.aclose()

    # ---- the trader ---------------------------------------------------------------------------

    def trade(
        self,
        account_id: int,
        size: int,
        contract_id: str = MNQ,
        *,
        stop: Decimal | None = None,
        limit: Decimal | None = None,
    ) -> int:
        """Order ``size`` contracts, signed, at the market or as a stop or limit; its order id."""
        kind = OrderType.STOP if stop else OrderType.LIMIT if limit else OrderType.MARKET
        side = Side.BUY if size > 0 else Side.SELL
        request = OrderRequest(
            account_id, contract_id, kind, side, abs(size), limit_price=limit, stop_price=stop
        )
        answer = self.broker.exchange.place(request, self.clock.now())
        assert answer.order_id is not None, answer
        return answer.order_id

    def price(self, bid: str, contract_id: str = MNQ) -> None:
        """Quote a contract one tick wide."""
        tick = self.broker.exchange.listings[contract_id].tick_size
        self.broker.quote(contract_id, Decimal(bid), Decimal(bid) + tick)

    # ---- the truth ----------------------------------------------------------------------------

    def held(self, account_id: int, contract_id: str = MNQ) -> int:
        """Contracts the exchange says the account holds, signed."""
        for position in self.broker.desk.truth(account_id)["positions"]:
            if position["contractId"] == contract_id:
                return int(position["size"]) * (1 if position["type"] == 1 else -1)
        return 0

    def working(self, account_id: int) -> list[int]:
        """Ids of orders that can still trade."""
        orders = self.broker.desk.truth(account_id)["orders"]
        return [order["id"] for order in orders if order["status"] in (1, 6, 7, 8)]

    def account(self, name: str) -> dict[str, object]:
        """The account actor's own picture."""
        path = f"seawall/logins/sim/accounts/{name}/account"
        found = [n for n in nodes(self.system.tree()) if n.path == path]
        return dict(found[0].status)

    def locks(self, name: str) -> Sequence[str]:
        """Rules by which an account is locked."""
        locks = self.account(name)["locks"]
        assert isinstance(locks, list)
        return [lock["rule"] for lock in locks]

    def written(self, key: str, kind: str | None = None, account: str | None = None) -> list[Any]:
        """One value of each durable record that has it, oldest first."""
        records = [it.record() for it in self.disk.durable]
        return [
            it.body[key]
            for it in records
            if key in it.body and kind in (None, it.kind) and account in (None, it.account)
        ]

    async def until_live(self) -> None:
        """Every account has been reconciled."""
        with trio.fail_after(30):
            while any(self.account(name).get("phase") != "live" for name in self.accounts):
                await trio.sleep(0.05)


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Run an async story on a virtual clock that jumps when everybody sleeps."""
    run_virtual(story, within=7 * 86_400)
