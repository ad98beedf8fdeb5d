"""Seeded campaigns: traders and faults at random, judged by the exchange's truth after they have healed.

``SEAWALL_CAMPAIGN=200`` runs that many seeds instead of a few; ``SEAWALL_SEED=17`` one.
"""

import os
import random
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
import trio
from attrs import define, field

from risk.rules import Rule
from risk.rules.daily_loss import DailyLoss
from risk.rules.max_contracts import MaxContracts
from risk.rules.no_stop_loss import NoStopLoss
from risk.rules.symbol_block import SymbolBlock
from risk.rules.unrealized_loss import UnrealizedLoss
from simulator.faults import (
    DropHubs,
    DuplicateEvents,
    Fault,
    GarbagePayload,
    HalfOpen,
    HttpStatus,
    LogoutPush,
    LoseEvents,
    RefuseClose,
    ScatterEvents,
    Slow,
    StaleSnapshot,
    StopFillsDuringClose,
    UncertainClose,
)
from tests.actors.world import GC, MNQ, World, nodes, run

ES = "CON.F.US.EP.Z26"
ACCOUNTS = {1001: "SIM-50K-1", 1002: "SIM-50K-2", 1003: "SIM-50K-3"}
DISCIPLINED = 1001
LIMIT = 5
LOSS = Decimal(500)
ROUNDS = 12
HEALED_WITHIN = 75.0
"""Seconds from the end of all faults: a try every 30 s, an audit every 60 s, and what follows."""
ONE, MANY = os.environ.get("SEAWALL_SEED"), int(os.environ.get("SEAWALL_CAMPAIGN", "24"))
SEEDS = [int(ONE)] if ONE else list(range(MANY))


def rules() -> tuple[Rule, ...]:
    """Each kind of action; the position limit of loss lies below the day's."""
    return (
        MaxContracts(limit=LIMIT),
        DailyLoss(limit=LOSS),
        UnrealizedLoss(limit=Decimal(300)),
        SymbolBlock(symbols=("GC",)),
        NoStopLoss(),
    )


@define
class Campaign:
    """One seed: a world, its chance, and what its traders did."""

    world: World
    chance: random.Random
    orders: int = 0
    placed: set[int] = field(factory=set)
    """Every order a trader placed."""

    # ---- traders ------------------------------------------------------------------------------

    def disciplined(self) -> None:
        """Two micros with a stop at most, or nothing: never in breach of anything."""
        world, held = self.world, self.world.held(DISCIPLINED)
        if held == 0 and not world.working(DISCIPLINED):
            bid = world.broker.exchange.quotes[MNQ].bid
            self.order(DISCIPLINED, 2)
            self.order(DISCIPLINED, -2, stop=bid - 20)
        elif held and self.chance.random() < 0.4:
            self.order(DISCIPLINED, -held)
            for order in world.working(DISCIPLINED):
                world.broker.exchange.cancel(DISCIPLINED, order, world.clock.now())

    def wild(self, account: int) -> None:
        """Too many, in blocked markets, without stops, both ways."""
        contract = self.chance.choice((MNQ, MNQ, MNQ, ES, GC))
        size = self.chance.choice((1, 2, 3, 7, 9, -1, -2, -6))
        self.order(account, size if contract == MNQ else (1 if size > 0 else -1), contract)
        if self.chance.random() < 0.3:
            bid = self.world.broker.exchange.quotes[MNQ].bid
            self.order(account, -abs(size), stop=bid - 40)

    def order(
        self, account: int, size: int, contract: str = MNQ, stop: Decimal | None = None
    ) -> None:
        """Place an order and remember it as the trader's."""
        self.placed.add(self.world.trade(account, size, contract, stop=stop))

    def move(self) -> None:
        """Prices go some way, seldom far; the disciplined trader's stop may trade, no rule of his."""
        bid = self.world.broker.exchange.quotes[MNQ].bid
        step = self.chance.choice((-12, -5, -2, 0, 2, 5, 12))
        self.world.price(str(bid + step))

    # ---- faults -------------------------------------------------------------------------------

    def fault(self) -> None:
        """Something goes wrong, for a while."""
        chance, seconds = self.chance, self.chance.uniform(0.5, 8)
        kinds: tuple[Callable[[], Fault], ...] = (
            partial(DropHubs, hub=chance.choice(("user", "market", "both"))),
            partial(HalfOpen, hub="user"),
            partial(GarbagePayload, hub="user"),
            LogoutPush,
            partial(LoseEvents, probability=0.5, duration=seconds),
            partial(DuplicateEvents, duration=seconds),
            partial(ScatterEvents, apart_ms=400.0, duration=seconds),
            partial(RefuseClose, operation="close", duration=seconds),
            partial(RefuseClose, operation="partial_close", duration=seconds),
            partial(RefuseClose, operation="cancel", duration=seconds),
            partial(UncertainClose, executes=chance.random() < 0.5, duration=seconds),
            partial(
                UncertainClose,
                operation="partial_close",
                executes=chance.random() < 0.5,
                duration=seconds,
            ),
            partial(Slow, delay_ms=chance.uniform(100, 3000), duration=seconds),
            partial(HttpStatus, status=chance.choice((429, 500, 503)), duration=seconds),
            partial(StaleSnapshot, duration=min(seconds, 2.0)),
            partial(StopFillsDuringClose, times=1),
        )
        self.world.broker.inject(chance.choice(kinds)())

    def crash(self) -> None:
        """One actor dies."""
        name = self.chance.choice(list(ACCOUNTS.values()))
        account = f"seawall/logins/sim/accounts/{name}/"
        victim = self.chance.choice(
            (
                account + "account",
                account + "rules",
                account + "enforcement",
                "seawall/logins/sim/connection",
                "seawall/price cache",
                "seawall/session clock",
                "seawall/store",
            )
        )
        self.world.system.crash(victim, "planned")

    # ---- the course of things -----------------------------------------------------------------

    async def some_rounds(self, rounds: int, crashes: list[float]) -> None:
        """Trade, trouble and time, mixed."""
        for _ in range(rounds):
            self.disciplined()
            if self.chance.random() < 0.7:
                self.wild(self.chance.choice((1002, 1003)))
            if self.chance.random() < 0.6:
                self.fault()
            if self.chance.random() < 0.2 and len(crashes) < 4:
                crashes.append(trio.current_time())
                self.crash()
            await trio.sleep(self.chance.choice((0.003, 0.05, 0.4, 1.5, 6)))
            self.move()
            await trio.sleep(self.chance.choice((0.01, 0.1, 0.7, 3)))

    async def heal(self) -> None:
        """All faults end, and time passes."""
        self.world.broker.heal()
        await trio.sleep(HEALED_WITHIN)

    # ---- the truth ----------------------------------------------------------------------------

    def day(self, account: int) -> Decimal:
        """Dollars of the account's day as the exchange has it, open positions at the touch."""
        truth, exchange = self.world.broker.desk.truth(account), self.world.broker.exchange
        closed = sum(
            (
                Decimal(str(t["profitAndLoss"] or 0)) - Decimal(str(t["fees"] or 0))
                for t in truth["trades"]
            ),
            Decimal(0),
        )
        opened = Decimal(0)
        for position in truth["positions"]:
            listing = exchange.listings[position["contractId"]]
            quote = exchange.quotes[listing.id]
            long = position["type"] == 1
            points = (quote.bid if long else quote.ask) - Decimal(str(position["averagePrice"]))
            value = points / listing.tick_size * listing.tick_value * position["size"]
            opened += value if long else -value
        return closed + opened

    def check(self) -> None:
        """What must be so when the dust has settled."""
        world = self.world
        for account, name in ACCOUNTS.items():
            held = [world.held(account, contract) for contract in (MNQ, ES, GC)]
            locked = "daily_loss" in world.locks(name)
            assert held[2] == 0, f"{name} still holds a blocked symbol"
            assert sum(map(abs, held)) <= LIMIT, f"{name} holds {held}"
            if locked:
                assert held == [0, 0, 0], f"{name} is locked and holds {held}"
                assert world.working(account) == [], f"{name} is locked and has orders"
            else:
                assert self.day(account) > -LOSS, f"{name} lost {self.day(account)} unlocked"
            believed = world.account(name)["positions"]
            assert isinstance(believed, list)
            assert {p["contract"]: p["net"] for p in believed} == {
                contract: net for contract, net in zip((MNQ, ES, GC), held, strict=True) if net
            }, f"{name} believes otherwise"
        self.check_disciplined()
        states = {node.path: node.state for node in nodes(world.system.tree())}
        assert set(states.values()) == {"running"}, states

    def check_disciplined(self) -> None:
        """Whoever breaks no rule is not touched: every trade of his came from his own order."""
        assert self.world.locks(ACCOUNTS[DISCIPLINED]) == []
        trades = self.world.broker.desk.truth(DISCIPLINED)["trades"]
        assert {trade["orderId"] for trade in trades} <= self.placed
        touched = [it.rule for name, it in self.world.enforced if name == ACCOUNTS[DISCIPLINED]]
        assert touched == []


async def the_campaign(seed: int) -> None:
    """Twice some rounds with a kill in between, healing after each."""
    chance = random.Random(seed)
    world = World(accounts=tuple(ACCOUNTS.values()), rules=rules, seed=seed)
    world.begin()
    campaign = Campaign(world, chance)
    world.price("25000")
    with trio.CancelScope() as kill:
        async with world.daemon():
            await campaign.some_rounds(ROUNDS, [])
            kill.cancel()
    world.broker.heal()
    locks_before = {name: locked(world, name) for name in ACCOUNTS.values()}
    async with world.daemon():
        for name in ACCOUNTS.values():
            assert locks_before[name] <= set(world.locks(name))
        await campaign.some_rounds(ROUNDS, [])
        await campaign.heal()
        campaign.check()


def locked(world: World, name: str) -> set[str]:
    """Rules by which the disk says an account is locked."""
    now = world.clock.now()
    entries = [*world.disk.durable, *world.disk.cached]
    bodies = [e.record().body for e in entries if e.kind == "lock" and e.account == name]
    return {str(body["rule"]) for body in bodies if str(body["until"]) > now.isoformat()}


@pytest.mark.parametrize("seed", SEEDS)
def test_after_every_trouble_what_is_left_obeys_the_rules(seed: int) -> None:
    """Faults, crashes and a kill: afterwards no breach stands, and the disciplined is untouched."""
    run(partial(the_campaign, seed))
