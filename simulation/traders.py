"""Traders: what people do to accounts, well and badly; they act on the exchange alone.

When a trader acts, and the dice for it, are drawn before the run from his own generator; what he
then does depends on these dice and on what the account holds at that moment. So a fault less, or a
step less, leaves every other step as it was.
"""

import random
from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from attrs import define, field, frozen

from broker.port import BrokerEvent, ConnectionChange
from simulation.machine import Machine
from simulation.scenario import AccountPlan, Scenario
from simulation.watcher import Asked, Watcher
from simulator.events import Event, Kind
from simulator.orders import Bracket, OrderRequest
from simulator.words import OrderType, Side

STEPS_AN_HOUR = 14
"""At pace 1; about one of them is one fill."""
INDEX, HEAVY, BLOCKED = ("MNQ", "MES"), ("NQ", "ES", "CL"), ("GC", "SI", "MGC")
TWICE = 0.15
"""Chance that a step is followed by another at once."""
COPIED_AFTER = 0.3
"""Seconds from the leader's fill to the copy."""

DURING_A_READING = 0.25
"""Chance that who looks for gaps trades during a reading."""
A_READING_TAKES = 0.04
"""Seconds: somewhat longer than a usual one."""
HURRIES, RESTS_FOR = 20, 20.0
"""Steps in a row of who hurries, some tenths of a second apart, and seconds until he does so again."""


@frozen
class Step:
    """One moment in which a trader does something, and his dice for it, each from 0 to 1."""

    name: str
    """Such as ``1002:17``."""
    at: float
    what: float
    which: float
    size: float
    side: float


@define(eq=False)
class Trader:
    """One account's trader; kinds differ in :meth:`act`."""

    machine: Machine
    plan: AccountPlan

    def act(self, step: Step) -> None:
        """Do what one does in such a moment."""
        raise NotImplementedError

    def told(self, event: Event) -> None:
        """Something happened on the exchange."""

    # ---- the account ---------------------------------------------------------------------------

    def held(self) -> dict[str, int]:
        """Contracts held, signed, by contract."""
        found = self.machine.exchange.ledger.holdings(self.plan.id)
        return {it.contract_id: it.sign * it.size for it in found}

    def loses(self, contract: str) -> bool:
        """Whether what is held of a contract stands worse than where it was entered."""
        held = self.machine.exchange.ledger.holding(self.plan.id, contract)
        quote = self.machine.exchange.quotes[contract]
        if held is None:
            return False
        price = quote.bid if held.sign > 0 else quote.ask
        return (price - held.average_price) * held.sign < 0

    def working(self, contract: str | None = None) -> list[int]:
        """Orders that may still trade."""
        orders = self.machine.exchange.orders_of(self.plan.id)
        return [it.id for it in orders if it.working and contract in (None, it.contract_id)]

    # ---- orders --------------------------------------------------------------------------------

    def trade(
        self,
        root: str,
        size: int,
        *,
        stop_ticks: int | None = None,
        target_ticks: int | None = None,
    ) -> None:
        """At the market, signed, with a stop and a target around the fill if wanted."""
        bracket = Bracket(stop_ticks, OrderType.STOP) if stop_ticks else None
        target = Bracket(target_ticks, OrderType.LIMIT) if target_ticks else None
        self._order(
            self.contract(root), OrderType.MARKET, size, stop_loss=bracket, take_profit=target
        )

    def leave(self, contract: str) -> None:
        """Close a position by hand and take back its orders."""
        size = self.held().get(contract, 0)
        for order in self.working(contract):
            self.cancel(order)
        if size:
            self._order(contract, OrderType.MARKET, -size)

    def stop(self, contract: str, size: int, price: Decimal) -> None:
        """A stop order that rests."""
        self._order(contract, OrderType.STOP, size, stop_price=price)

    def rest(self, root: str, size: int, ticks_away: int) -> None:
        """A limit order so many ticks on the passive side of the market."""
        contract = self.contract(root)
        quote, tick = self.machine.exchange.quotes[contract], self._tick(contract)
        away = ticks_away * tick
        price = quote.bid - away if size > 0 else quote.ask + away
        self._order(contract, OrderType.LIMIT, size, limit_price=price)

    def cancel(self, order: int) -> None:
        """Take an order back."""
        self.machine.exchange.cancel(self.plan.id, order, self.machine.truth.now())

    def contract(self, root: str) -> str:
        """The contract of a root."""
        return self.machine.contracts[root]

    def _tick(self, contract: str) -> Decimal:
        return self.machine.exchange.listings[contract].tick_size

    def _order(
        self,
        contract: str,
        kind: OrderType,
        size: int,
        *,
        limit_price: Decimal | None = None,
        stop_price: Decimal | None = None,
        stop_loss: Bracket | None = None,
        take_profit: Bracket | None = None,
    ) -> None:
        side = Side.BUY if size > 0 else Side.SELL
        request = OrderRequest(
            self.plan.id,
            contract,
            kind,
            side,
            abs(size),
            limit_price=limit_price,
            stop_price=stop_price,
            stop_loss=stop_loss,
            take_profit=take_profit,
        )
        self.machine.exchange.place(request, self.machine.truth.now())


class Disciplined(Trader):
    """One or two micros with a stop from the start, in or out: never in breach of anything."""

    def act(self, step: Step) -> None:
        """In, or out."""
        held = self.held()
        for contract in held:
            self.leave(contract)
        if not held and not self.working():
            size = 1 + round(step.size)
            self.trade(
                one_of(step.which, INDEX), signed(size, step.side), stop_ticks=60, target_ticks=90
            )


class Oversized(Trader):
    """Too many, in blocked markets, with no stop or one that is too small, both ways."""

    def act(self, step: Step) -> None:
        """Something of everything."""
        held = self.held()
        if step.what < 0.4 and held:
            self.leave(one_of(step.which, sorted(held)))
        elif step.what < 0.5:
            self.trade(one_of(step.which, BLOCKED), signed(1, step.side), stop_ticks=80)
        elif step.what < 0.62:
            self.rest(one_of(step.which, INDEX), signed(pick(step.size, 2, 8), step.side), 12)
        elif step.what < 0.75:
            self.trade(one_of(step.which, HEAVY), signed(pick(step.size, 1, 2), step.side))
        elif step.what < 0.87:
            size = signed(pick(step.size, 2, 9), step.side)
            self.trade(one_of(step.which, INDEX), size, stop_ticks=120)
        else:
            size = signed(pick(step.size, 1, 7), step.side)
            self.trade(one_of(step.which, INDEX), size)


@define(eq=False)
class Tilted(Trader):
    """Careful until he loses; then he doubles, without a stop, and loses stops he had."""

    lost: int = field(default=0, init=False)
    """Losses in a row."""

    def act(self, step: Step) -> None:
        """In, or out, or after a loss at once again and larger."""
        held = self.held()
        if held and step.what < 0.55:
            self.leave(one_of(step.which, sorted(held)))
        elif held and step.what < 0.75:
            for order in self.working():
                self.cancel(order)
        else:
            size = signed(min(2**self.lost, 8), step.side)
            stop_ticks = 50 if self.lost == 0 else None
            self.trade(one_of(step.which, ("MNQ", "NQ")), size, stop_ticks=stop_ticks)

    def told(self, event: Event) -> None:
        """Losses make him angrier, a win calms him."""
        gain = event.payload.get("profitAndLoss") if event.kind is Kind.TRADE else None
        if gain is not None:
            self.lost = min(self.lost + 1, 4) if gain < 0 else 0


class Cutter(Trader):
    """Cuts losses and lets profits run: what is open makes up for what he has lost today.

    No seed has him by itself; who looks for one thing puts him there.
    """

    def act(self, step: Step) -> None:
        """Out of what loses, and into what he does not hold."""
        held = self.held()
        for contract in held:
            if self.loses(contract):
                self.leave(contract)
        free = [it for it in INDEX if self.contract(it) not in held]
        if free:
            self.trade(one_of(step.which, free), signed(pick(step.size, 2, 6), step.side))


class Copier(Trader):
    """Every fill of a leader's account once more here, a moment later; no stops of its own."""

    def act(self, step: Step) -> None:
        """He sleeps."""

    def copy(self, contract: str, size: int) -> None:
        """What the leader did."""
        self._order(contract, OrderType.MARKET, size)


class Blind(Oversized):
    """As oversized, and above all while the daemon cannot see it, or is just looking elsewhere."""


@define(eq=False)
class Hopper(Trader):
    """Out of one contract and into another, never too much: so fast at times that no reading settles.

    No seed has him by itself either.
    """

    rests_until: float = field(default=0.0, init=False)
    """When he may hurry again."""

    def act(self, step: Step) -> None:
        """Out, or in."""
        held = self.held()
        for contract in held:
            self.leave(contract)
        if not held:
            self.trade(one_of(step.which, INDEX), signed(3, step.side))


KINDS: dict[str, type[Trader]] = {
    "disciplined": Disciplined,
    "oversized": Oversized,
    "tilted": Tilted,
    "cutter": Cutter,
    "copier": Copier,
    "blind": Blind,
    "hopper": Hopper,
}


class Crowd(Watcher):
    """All traders of a scenario, and when they act."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._traders: dict[int, Trader] = {}
        self._followers: dict[Copier, int] = {}
        """Each with the account of his leader."""
        self._omitted = frozenset(scenario.omitted)
        self._open = True
        self._done: list[str] = []
        self._machine: Machine

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the steps that were done."""
        return tuple(self._done)

    def opened(self, machine: Machine) -> None:
        """Everybody makes his plans."""
        self._machine = machine
        for plan in self._scenario.accounts:
            kind, _, leader = plan.trader.partition(":")
            trader = self._traders[plan.id] = KINDS[kind](machine, plan)
            if isinstance(trader, Copier):
                self._followers[trader] = int(leader)
            for step in planned_steps(self._scenario, plan.id):
                self._plan(trader, step)

    def close(self) -> None:
        """Nobody trades any more."""
        self._open = False

    def life_ended(self, life: int, why: str) -> None:  # noqa: ARG002 - a callback
        """Some wait for just that."""
        self._outage()

    def heard(self, login: str, event: BrokerEvent) -> None:  # noqa: ARG002 - a callback
        """Some wait for a hub to go down."""
        if isinstance(event, ConnectionChange) and not event.up:
            self._outage()

    def suspended(self, seconds: float) -> None:  # noqa: ARG002 - a callback
        """Some wait for just that."""
        self._outage()

    def asked(self, asked: Asked) -> None:
        """Some trade just while a reading of their positions is on its way back."""
        trader = self._traders.get(asked.account or 0)
        if asked.what == "positions" and isinstance(trader, Blind):
            name, now = f"{asked.account}:read", self._machine.elapsed
            chance = self._scenario.chance(f"trader:{name}:{now:.3f}")
            if chance.random() < DURING_A_READING:
                at = now + chance.uniform(0.0, A_READING_TAKES)
                self._plan(trader, _step(f"{name} {now:.3f}", at, chance))
        elif asked.what == "positions" and isinstance(trader, Hopper):
            self._hurry(trader)

    def _hurry(self, hopper: Hopper) -> None:
        """Some trade on and on, so that the next reading and the one after it fail too."""
        now = self._machine.elapsed
        if now < hopper.rests_until:
            return
        hopper.rests_until = now + RESTS_FOR
        name = f"{hopper.plan.id}:hurry {now:.3f}"
        chance, at = self._scenario.chance(f"trader:{name}"), now
        for number in range(HURRIES):
            at += chance.uniform(0.01, 0.2)
            self._plan(hopper, _step(f"{name} {number}", at, chance))

    def _outage(self) -> None:
        now = self._machine.elapsed
        for trader in self._traders.values():
            if isinstance(trader, Blind):
                # Its own dice for each moment: an outage less leaves those of the others alone.
                account = trader.plan.id
                chance = self._scenario.chance(f"trader:{account}:outage:{now:.3f}")
                at = now + chance.uniform(0.01, 3.0)
                self._plan(trader, _step(f"{account}:at {now:.3f}", at, chance))

    def _plan(self, trader: Trader, step: Step) -> None:
        if step.name not in self._omitted:
            due = self._machine.origin + step.at
            self._machine.agenda.at(due, partial(self._act, trader, step))

    def _act(self, trader: Trader, step: Step) -> None:
        if self._open:
            self._done.append(step.name)
            trader.act(step)

    def exchanged(self, events: tuple[Event, ...]) -> None:
        """Traders see their fills, and copiers those of their leaders."""
        for event in events:
            if event.kind is Kind.TRADE and event.account_id is not None:
                self._traders[event.account_id].told(event)
                self._copy(event)

    def _copy(self, event: Event) -> None:
        for follower, leader in self._followers.items():
            if event.account_id == leader:
                size = event.payload["size"] * (1 if event.payload["side"] == 0 else -1)
                due = self._machine.origin + self._machine.elapsed + COPIED_AFTER
                copy = partial(self._repeat, follower, event.contract_id, size)
                self._machine.agenda.at(due, copy)

    def _repeat(self, follower: Copier, contract: str, size: int) -> None:
        if self._open:
            follower.copy(contract, size)


def planned_steps(scenario: Scenario, account: int) -> Iterator[Step]:
    """The steps of one account's trader; now and then two within a moment."""
    chance = scenario.chance(f"trader:{account}")
    mean = 3600 / (STEPS_AN_HOUR * scenario.pace)
    at = 2.0 + chance.uniform(0, mean)
    number = 0
    while at < scenario.seconds:
        yield _step(f"{account}:{number}", at, chance)
        number += 1
        at += chance.uniform(0.01, 0.4) if chance.random() < TWICE else chance.expovariate(1 / mean)


def _step(name: str, at: float, chance: random.Random) -> Step:
    return Step(name, round(at, 6), *(chance.random() for _ in range(4)))


def one_of(die: float, choices: tuple[str, ...] | list[str]) -> str:
    """One of them."""
    return choices[int(die * len(choices))]


def pick(die: float, least: int, most: int) -> int:
    """A whole number in this range."""
    return least + int(die * (most - least + 1))


def signed(size: int, side: float) -> int:
    """Long or short."""
    return size if side < 0.5 else -size
