"""The whole daemon without a gateway: raw hub payloads are handed to its adapter's inbox directly.

What a Python gateway can send is less than what is asked of the daemon, so these loads never see a
socket. Everything from the inbox on is real: connection, price cache, accounts, rules, journal.
"""

import logging
import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog
import trio
from attrs import define, field, frozen

from actors.daemon import Daemon, GuardedAccount, Plan, Ports
from benchmarks.gateway import ACCOUNTS, BLOCKED, HELD
from broker.clock import SystemClock
from broker.inbox import Inbox
from broker.memory import MemoryBroker
from broker.port import Login, Numbering, Session, Sink
from risk.rules import DailyLoss, MaxContracts, NoStopLoss, Rule, SymbolBlock, UnrealizedLoss
from simulator.exchange import Exchange
from simulator.orders import OrderRequest
from simulator.scenario import parse_scenario
from simulator.words import OrderType, Side
from store.journal import open_journal
from supervision import Node, System, open_system

FEE = 2.5
"""Dollars per half-turn; a number that JSON and Decimal agree on."""


def rules() -> tuple[Rule, ...]:
    """All five, with limits that nothing here reaches."""
    return (
        MaxContracts(limit=100),
        DailyLoss(limit=Decimal(10**6)),
        UnrealizedLoss(limit=Decimal(10**6)),
        NoStopLoss(grace=timedelta(minutes=5)),
        SymbolBlock(symbols=(BLOCKED,)),
    )


@frozen
class _Tapped:
    """A broker whose sessions also say where their events go."""

    broker: MemoryBroker
    taps: list[Inbox] = field(factory=list)
    opened: trio.Event = field(factory=trio.Event)

    def session(
        self, login: Login, sink: Sink, numbering: Numbering
    ) -> AbstractAsyncContextManager[Session]:
        self.taps.append(Inbox(sink, numbering))
        self.opened.set()
        return self.broker.session(login, sink, numbering)


@define
class Feed:
    """A running daemon of twenty accounts, and the way in for what a hub would have received."""

    inbox: Inbox
    system: System
    contracts: tuple[str, ...]
    """Ids of the held contracts."""
    _ids: int = 1_000_000

    def fill(self, account_id: int, net: int) -> int:
        """A one-lot fill and the position it leaves, 1 or 0, as the gateway tells it; how many events."""
        self._ids += 1
        contract = self.contracts[account_id % len(self.contracts)]
        common = {
            "id": self._ids,
            "accountId": account_id,
            "contractId": contract,
            "creationTimestamp": datetime.now(UTC).isoformat(),
            "size": 1,
            "side": 1 - net,
        }
        order = {"updateTimestamp": common["creationTimestamp"], "status": 2, "type": 2}
        self.inbox.order([common | order])
        money = {"price": 5000.0, "profitAndLoss": None if net else 0.0, "fees": FEE}
        self.inbox.trade([common | money | {"voided": False, "orderId": self._ids}])
        position = {"type": net, "size": net, "averagePrice": 5000.0}
        self.inbox.position([common | position])
        return 3

    def quote(self, n: int) -> None:
        """The ``n``-th quote, of each held contract in turn."""
        bid = 5000.0 + n % 7
        record = {"bestBid": bid, "bestAsk": bid + 0.25, "lastPrice": bid}
        self.inbox.quote([self.contracts[n % len(self.contracts)], record])

    def nodes(self) -> list[Node]:
        """Every actor and supervisor."""
        return list(_below(self.system.tree()))

    async def drained(self) -> None:
        """Wait until no message is queued anywhere."""
        while any(node.depth for node in self.nodes()):  # noqa: ASYNC110  only looking tells
            await trio.sleep(0.002)

    def accounts(self) -> dict[str, dict[str, Any]]:
        """What each account says of itself, by name."""
        return {
            str(node.status["account"]): dict(node.status)
            for node in self.nodes()
            if node.id == "account" and "fees" in node.status
        }


def _below(node: Node) -> list[Node]:
    return [node, *(deeper for child in node.children for deeper in _below(child))]


@asynccontextmanager
async def open_feed(*, holding: bool = True) -> AsyncIterator[Feed]:
    """The daemon, live; ``holding``: each account has two contracts, else none."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    clock = SystemClock()
    chance = random.Random(1)
    exchange = _exchange(clock.now(), holding=holding)
    tapped = _Tapped(MemoryBroker(exchange, clock, chance))
    login = Login("bench", "seawall", "any", *["http://127.0.0.1"] * 3)
    guarded = tuple(GuardedAccount(name, "bench", rules()) for name in ACCOUNTS.values())
    with TemporaryDirectory() as folder:
        journal = await open_journal(Path(folder), clock.now())
        daemon = Daemon(Plan((login,), guarded), Ports(tapped, clock, journal, chance))
        async with open_system(daemon.spec, chance=chance) as system:
            held = [it.id for it in exchange.listings.values() if it.root in HELD]
            await tapped.opened.wait()
            feed = Feed(tapped.taps[0], system, tuple(held))
            await _live(feed)
            yield feed
        await journal.aclose()


async def _live(feed: Feed) -> None:
    with trio.fail_after(20):
        while {it["phase"] for it in feed.accounts().values()} != {"live"}:  # noqa: ASYNC110  as above
            await trio.sleep(0.05)


def _exchange(now: datetime, *, holding: bool) -> Exchange:
    accounts = [{"id": id_, "name": name} for id_, name in ACCOUNTS.items()]
    scenario = parse_scenario({"accounts": accounts, "contracts": [*HELD, BLOCKED]})
    exchange = Exchange(scenario.listings(), scenario.opening_accounts(), now)
    held = [it.id for it in exchange.listings.values() if it.root in HELD]
    for n, account_id in enumerate(ACCOUNTS if holding else ()):
        for offset in (0, 1 + n // len(held)):
            contract = held[(n + offset) % len(held)]
            exchange.place(OrderRequest(account_id, contract, OrderType.MARKET, Side.BUY, 1), now)
    return exchange
