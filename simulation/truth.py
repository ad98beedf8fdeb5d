"""What an account holds, owes and risks, from the exchange's own words; nothing of risk/ is used.

The same book is kept twice: once of what is *true*, fed by the exchange, and once of what the daemon
was *told*, fed by what passed its broker port. Where both agree, ignorance is no excuse.

Money is in floats: sums of a few hundred products of prices with at most eight digits are exact to
far less than the tenth of a cent at which figures are compared.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from attrs import define, field, frozen

from simulation.allowances import PerRoot
from simulation.hours import Hours

type Key = tuple[str, str]
"""A rule and a contract; the contract is empty where the whole account is meant."""

TENTH_OF_A_CENT = 0.001
STOPS = frozenset({3, 4, 5})
"""Order types that protect: stop-limit, stop, trailing stop."""
SUSPENDED, PENDING_CANCELLATION = 8, 7
WORKING = frozenset({1, 6, 7, 8})
LAST_CHANCE = 10.0
"""Seconds that an increase or a lost stop always leaves (RULES, no_stop_loss)."""
MICROS = frozenset(
    {"MES", "MNQ", "M2K", "MYM", "MCL", "MNG", "MGC", "SIL", "MHG", "M6E", "M6A", "M6B"}
    | {"MBT", "MET"}
)
"""Contracts that count a tenth of a mini (GATEWAY, section 5)."""


@frozen
class Instrument:
    """What the exchange lists of a contract."""

    id: str
    root: str
    point_value: float
    tick: float


class Prices(Protocol):
    """The newest touch per contract: (bid, ask)."""

    def get(self, contract: str, /) -> tuple[float, float] | None:
        """Bid and ask, None while there is none."""


@frozen
class DayLimit:
    """A result of the day at which the account is to be flat and locked."""

    rule: str
    at: float
    """Dollars: negative for a loss, positive for a profit."""

    def reached(self, result: float, slack: float) -> bool:
        """Whether a result is there, or nearly: by ``slack`` dollars."""
        beyond = result - self.at if self.at > 0 else self.at - result
        return beyond >= -slack - TENTH_OF_A_CENT


@frozen
class Terms:
    """The limits of one account's rules, as numbers."""

    max_contracts: float | None = None
    mini_equivalent: bool = False
    per_root: PerRoot | None = None
    daily_loss: float | None = None
    """Dollars at which to act, positive: the limit less the buffer."""
    realised: bool = False
    """The day's loss counts closed trades and fees only."""
    day_limits: tuple[DayLimit, ...] = ()
    """Of other rules that end the day, by its net."""
    unrealized_loss: float | None = None
    total_unrealized: bool = False
    unrealized_profit: float | None = None
    blocked: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    grace: float | None = None
    """Seconds without a full stop."""
    uncovered_only: bool = False
    """Only what no stop covers is closed."""
    tiers: tuple[tuple[float, float], ...] = ()
    """Dollars that a round trip has lost, positive, and seconds of pause after it."""
    streaks: tuple[tuple[int, float], ...] = ()
    """Losing round trips in a row, and seconds of pause after them."""
    watches_link: bool = False
    """A lost link to the broker is to be said aloud."""
    give_back: tuple[float, float] | None = None
    """Dollars of the day's best from which on it counts, and the part of it that must stay."""
    max_risk: float | None = None
    """Dollars that one position may lose at its stops."""
    entries: tuple[tuple[int, float], ...] = ()
    """Entry orders that are allowed in so many seconds; in an infinity: in the trading day."""
    steps: tuple[tuple[float, float], ...] = ()
    """Dollars of balance at the beginning of the day, and how much may be held from them on."""
    steps_in_minis: bool = False
    hours: tuple[Hours, ...] = ()
    """Rules by which nothing may be open at times."""

    def forbids(self, root: str) -> bool:
        """Whether nothing of this root may be held."""
        return root in self.blocked or bool(self.only and root not in self.only)


@frozen
class Trade:
    """A half-turn."""

    id: int
    contract: str
    signed: int
    price: float
    fees: float
    at: datetime
    voided: bool = False
    order: int = 0


@frozen
class Order:
    """A working order."""

    id: int
    contract: str
    sign: int
    remaining: int
    type: int
    status: int
    parent: int | None
    stop: float | None = None
    """Points at which it becomes a market order."""


@define
class Line:
    """One contract's day: net contracts, dollars moved, and the average cost of what is open."""

    net: int = 0
    cash: float = 0.0
    """Dollars, fees in it; with ``net`` at the touch it is the day's result."""
    cost: float = 0.0
    """Net x average entry, points."""
    day_cost: float = 0.0
    """The same with what was carried in taken at its price at the start of the day."""

    def trade(self, signed: int, price: float, fees: float, value: float) -> None:
        """Book a half-turn."""
        self.cash -= signed * price * value + fees
        if self.net * signed >= 0:
            self.cost += signed * price
            self.day_cost += signed * price
        else:
            left = abs(self.net) - abs(signed)
            kept, turned = max(left, 0) / abs(self.net), max(-left, 0) * price
            turned = turned if signed > 0 else -turned
            self.cost = self.cost * kept + turned
            self.day_cost = self.day_cost * kept + turned
        self.net += signed


@define
class Held:
    """An open position: one life of it."""

    id: int
    net: int
    since: float
    average: float = 0.0
    """Points, as the broker says."""
    covered: int = 0
    uncovered_since: float | None = None
    uncovered: float = 0.0
    """Seconds before ``uncovered_since``."""
    disturbed: float = 0.0

    def bare_for(self, at: float) -> float:
        """Seconds without a full stop."""
        now = 0.0 if self.uncovered_since is None else at - self.uncovered_since
        return self.uncovered + now

    def due(self, grace: float) -> float | None:
        """When it must be covered or closed; None while it is covered."""
        if self.uncovered_since is None:
            return None
        spent = self.uncovered_since + grace - self.uncovered
        return max(spent, self.disturbed + min(grace, LAST_CHANCE))


@define(eq=False)
class Book:
    """One account as somebody sees it; times are seconds since the start of the run."""

    instruments: dict[str, Instrument]
    held: dict[str, Held] = field(factory=dict)
    orders: dict[int, Order] = field(factory=dict)
    """Those that work."""
    ended: set[int] = field(factory=set)
    """Those that do no more: that is final, whatever is told later."""
    trades: dict[int, Trade] = field(factory=dict)
    """Of the present trading day."""
    lines: dict[str, Line] = field(factory=dict)
    begun: dict[str, tuple[int, float, float]] = field(factory=dict)
    """Net, price and cost carried into the day, by contract."""
    carried: dict[str, tuple[int, float]] = field(factory=dict)
    """Uncovered seconds of a life that somebody who forgot everything must still remember."""
    version: int = 0
    """How often its half-turns, or what was carried in, have changed."""

    # ---- what comes in ------------------------------------------------------------------------

    def position(self, contract: str, id_: int, net: int, average: float, at: float) -> None:
        """A position's absolute value; 0 when flat."""
        known = self.held.get(contract)
        if net == 0:
            if known is not None:
                del self.held[contract]
            return
        if known is None or known.id != id_:
            known = self.held[contract] = Held(id_, 0, at)
            life, seconds = self.carried.pop(contract, (0, 0.0))
            known.uncovered = seconds if life == id_ else 0.0
        if abs(net) > abs(known.net):
            known.disturbed = at
        known.net, known.average = net, average
        self.protect(contract, at)

    def order(self, order: Order, at: float) -> None:
        """An order's newest state."""
        if order.status not in WORKING:
            self.orders.pop(order.id, None)
            self.ended.add(order.id)
        elif order.id not in self.ended:
            self.orders[order.id] = order
        self.protect(order.contract, at)

    def trade(self, trade: Trade) -> None:
        """A half-turn of the present day, new, known or struck."""
        known = self.trades.get(trade.id)
        if known == trade:
            return
        newest = next(reversed(self.trades.values()), None)
        self.trades[trade.id] = trade
        self.version += 1
        late = newest is not None and (trade.at, trade.id) < (newest.at, newest.id)
        if known is not None or late:
            self.fold()
        elif not trade.voided:
            self._book(trade)

    def fold(self) -> None:
        """Book the whole day again."""
        self.version += 1
        self.trades = dict(sorted(self.trades.items(), key=lambda it: (it[1].at, it[0])))
        self.lines = {
            contract: Line(
                net, -net * price * self.instruments[contract].point_value, cost, net * price
            )
            for contract, (net, price, cost) in self.begun.items()
        }
        for trade in self.trades.values():
            if not trade.voided:
                self._book(trade)

    def _book(self, trade: Trade) -> None:
        line = self.lines.setdefault(trade.contract, Line())
        value = self.instruments[trade.contract].point_value
        line.trade(trade.signed, trade.price, trade.fees, value)

    def new_day(self, prices: Prices) -> None:
        """What is open now is carried into a new day at its price."""
        begun = {}
        for contract, line in self.lines.items():
            if line.net and (price := touch(prices.get(contract), line.net)) is not None:
                begun[contract] = (line.net, price, line.cost)
        self.begun, self.trades = begun, {}
        self.fold()

    def forget(self, forgiven: float) -> None:
        """Whoever held this book is dead; of uncovered time all but ``forgiven`` seconds stays."""
        self.carried = {
            contract: (held.id, max(held.uncovered - forgiven, 0.0))
            for contract, held in self.held.items()
        }
        self.held, self.orders, self.ended, self.trades = {}, {}, set(), {}
        self.fold()

    def settle_covers(self, at: float) -> None:
        """Add running uncovered time up, as before it is forgotten."""
        for held in self.held.values():
            if held.uncovered_since is not None:
                held.uncovered, held.uncovered_since = held.bare_for(at), at

    def learnt_only(self, at: float) -> None:
        """What this book says has reached its reader only now: time without a stop begins."""
        for held in self.held.values():
            held.disturbed = at
            if held.uncovered_since is not None:
                held.uncovered_since = at

    def protect(self, contract: str, at: float) -> None:
        """Reckon anew how far working stops cover a position."""
        held = self.held.get(contract)
        if held is None:
            return
        covered = sum(order.remaining for order in self.protecting(contract, held.net))
        size = abs(held.net)
        if covered < min(held.covered, size):
            held.disturbed = at
        held.covered = covered
        if covered >= size and held.uncovered_since is not None:
            held.uncovered, held.uncovered_since = held.bare_for(at), None
        elif covered < size and held.uncovered_since is None:
            held.uncovered_since = at

    def protecting(self, contract: str, net: int) -> Iterator[Order]:
        """Working stops that would get out of such a position."""
        for order in self.orders.values():
            if order.contract == contract and order.sign * net < 0 and self._protects(order):
                yield order

    def _protects(self, order: Order) -> bool:
        if order.type not in STOPS:
            return False
        # A child sleeps until its parent fills, and is gone when that is cancelled unfilled.
        return order.status != SUSPENDED or order.parent not in self.orders

    # ---- what it amounts to -------------------------------------------------------------------

    def day(self, prices: Prices) -> float:
        """Dollars of the day: realised - fees + open at the touch."""
        total = 0.0
        for contract, line in self.lines.items():
            total += line.cash
            if line.net:
                price = touch(prices.get(contract), line.net)
                entry = line.cost / line.net
                value = self.instruments[contract].point_value
                total += line.net * (entry if price is None else price) * value
        return total

    def closed(self) -> float:
        """Dollars of the day without all that is open, also what of it belongs to earlier days."""
        value_of = self.instruments
        return sum(
            line.cash + line.cost * value_of[contract].point_value
            for contract, line in self.lines.items()
        )

    def realised(self) -> float:
        """Realised - fees of this day: a profit that was carried in is no loss of the new day."""
        value_of = self.instruments
        return sum(
            line.cash + line.day_cost * value_of[contract].point_value
            for contract, line in self.lines.items()
        )

    def open(self, contract: str, prices: Prices) -> float:
        """Dollars of an open position at the touch."""
        held, line = self.held[contract], self.lines.get(contract)
        price = touch(prices.get(contract), held.net)
        if price is None:
            return 0.0
        agreed = line is not None and line.net == held.net
        entry = line.cost / line.net if agreed and line is not None else held.average
        return held.net * (price - entry) * self.instruments[contract].point_value

    def agrees(self) -> bool:
        """Trades and positions tell the same."""
        left = len(self.held)
        for contract, line in self.lines.items():
            if line.net:
                held = self.held.get(contract)
                if held is None or held.net != line.net:
                    return False
                left -= 1
        return not left

    def adding(self) -> Iterator[Order]:
        """Working orders that could open or add."""
        for order in self.orders.values():
            if order.parent is not None or order.status in (SUSPENDED, PENDING_CANCELLATION):
                continue
            held = self.held.get(order.contract)
            if held is None or order.sign * held.net > 0:
                yield order


def touch(quote: tuple[float, float] | None, net: int) -> float | None:
    """What a position of this side is worth per contract, points."""
    if quote is None:
        return None
    return quote[0] if net > 0 else quote[1]
