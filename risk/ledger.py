"""The ledger: one contract's trades of one trading day, and what they amount to.

Trades are a set keyed by id. The same trade may come any number of times and in any order; a void
flips it for good. Everything said here is a fold over the trades in order of broker time, so the
figures depend on the set alone, never on how it arrived. The fold after each trade is kept, so the
newest trade is one step, and a late one repeats only the steps after it.

Points, not dollars: a fold needs no point value, so a trade in a contract whose record is still on
its way is not lost. Dollars appear in :mod:`risk.valuation`.
"""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from attrs import define, evolve, field, frozen

from risk.domain import Trade

ZERO = Decimal(0)
MICRODOLLAR = Decimal("0.000001")
"""Average prices are quotients: rounding to this makes a limit that is met exactly, met."""


@frozen
class Lot:
    """Contracts bought or sold together; chooses what to close, never what it is worth."""

    contract_id: str
    at: datetime
    """When it was filled; unexplained lots carry the instant they were first seen."""
    size: int
    explained: bool = True
    """False when no trade accounts for it."""
    trade_id: int = 0
    """Of the trade that brought it; 0 when carried in or unexplained."""
    order_id: int = 0
    """Of the order that brought it; 0 when carried in or unexplained."""


@frozen
class OpenAtStart:
    """What a contract held when the trading day began."""

    net: int
    """Contracts, signed."""
    mark: Decimal | None
    """Its price at that moment, points; None when nothing is known of it."""
    entry: Decimal | None = None
    """Average price of the episode it belongs to, points; None when unknown."""


@frozen
class Entry:
    """An order that opened something or added to it; its many fills are one entry."""

    order_id: int
    at: datetime
    """Its first fill that did, broker time."""


@frozen
class Run:
    """What the trades of a round trip, or of its part so far, amount to."""

    points: Decimal = ZERO
    """What they brought: sold minus bought, points x contracts; partial exits included."""
    fees: Decimal = ZERO
    """Dollars the broker has reported, entries included."""
    unpriced_fees: int = 0
    """Contracts traded whose fee the broker has not reported."""
    blind: bool = False
    """It began with contracts whose entry nobody knows: the points say nothing, the broker does."""
    profit: Decimal | None = ZERO
    """Dollars that the broker says its exits earned; None when it does not say so of one."""


@frozen
class Trip:
    """One life of a position from flat to flat or to its reversal, by its trades."""

    closed_at: datetime
    """Broker time of the trade that ended it."""
    trade_id: int
    """That trade's."""
    run: Run


@frozen
class Line:
    """The fold: all that the day's trades of one contract say, in points and contracts."""

    net: int = 0
    """Open at start plus signed trades."""
    cash: Decimal = ZERO
    """Signed cash flow of the trades: sold minus bought, points x contracts."""
    fees: Decimal = ZERO
    """Dollars the broker has reported."""
    unpriced_fees: int = 0
    """Contracts traded whose fee the broker has not reported."""
    cost: Decimal = ZERO
    """Average entry of the present episode x net, points x contracts."""
    day_cost: Decimal = ZERO
    """The same with what was carried in taken at its mark at the start of the day."""
    start_value: Decimal = ZERO
    """What was open at start x its mark then, points x contracts."""
    start_unknown: int = 0
    """Signed contracts carried in, still open, whose mark at the start nobody knows."""
    start_price: Decimal = ZERO
    """What those are taken at, points, until a row that closes them says what it earned."""
    broker_profit: Decimal = ZERO
    """Dollars the broker reported for closing such lots."""
    estimated: bool = False
    """Something in these figures is an estimate."""
    lots: tuple[Lot, ...] = ()
    """Open lots, oldest first; exits take the newest."""
    running: Run = Run()
    """The round trip that is not over; nothing when flat."""
    trips: tuple[Trip, ...] = ()
    """Those that ended today, in that order."""
    entries: tuple[Entry, ...] = ()
    """Orders that opened or added today, by their first such fill."""


def opening_line(contract_id: str, start: OpenAtStart | None, at: datetime) -> Line:
    """The fold before the first trade of a day that begins at ``at``."""
    if start is None or start.net == 0:
        return Line()
    entry = start.entry if start.entry is not None else start.mark or ZERO
    mark = start.mark if start.mark is not None else entry
    return Line(
        net=start.net,
        cost=entry * start.net,
        day_cost=mark * start.net,
        start_value=mark * start.net,
        start_unknown=start.net if start.mark is None else 0,
        start_price=mark,
        estimated=start.mark is None,
        lots=(Lot(contract_id, at, abs(start.net)),),
        running=Run(points=-entry * start.net, blind=start.entry is None),
    )


def after(line: Line, trade: Trade) -> Line:
    """The fold one trade later; a trade through zero closes and opens the rest."""
    signed = trade.side.sign * trade.size
    closing = min(trade.size, abs(line.net)) if line.net * signed < 0 else 0
    opening = trade.size - closing
    line = evolve(
        line,
        cash=line.cash - signed * trade.price,
        fees=line.fees + (trade.fees or ZERO),
        unpriced_fees=line.unpriced_fees + (trade.size if trade.fees is None else 0),
    )
    if closing:
        line = _closed(line, trade, closing)
    if opening:
        line = _opened(line, trade, opening)
    return line


def _opened(line: Line, trade: Trade, size: int) -> Line:
    added = trade.side.sign * size * trade.price
    lot = Lot(trade.contract_id, trade.at, size, trade_id=trade.id, order_id=trade.order_id)
    known = any(entry.order_id == trade.order_id for entry in reversed(line.entries))
    return evolve(
        line,
        net=line.net + trade.side.sign * size,
        cost=line.cost + added,
        day_cost=line.day_cost + added,
        lots=(*line.lots, lot),
        running=_ran_on(line.running, trade, size, line.running.profit),
        entries=line.entries if known else (*line.entries, Entry(trade.order_id, trade.at)),
    )


def _closed(line: Line, trade: Trade, size: int) -> Line:
    line = _start_closed(line, trade, size)
    held = abs(line.net)
    left = held - size
    running = _ran_on(line.running, trade, size, _and_earned(line.running, trade))
    trips = line.trips
    if left == 0:
        running, trips = Run(), (*trips, Trip(trade.at, trade.id, running))
    return evolve(
        line,
        net=line.net + trade.side.sign * size,
        cost=_share(line.cost, left, held),
        day_cost=_share(line.day_cost, left, held),
        lots=without_newest(line.lots, size),
        running=running,
        trips=trips,
    )


def _ran_on(running: Run, trade: Trade, size: int, profit: Decimal | None) -> Run:
    """A round trip ``size`` contracts of a trade later; of a reversal's fee each side has its part."""
    fees = ZERO if trade.fees is None else trade.fees * size / trade.size
    return Run(
        running.points - trade.side.sign * size * trade.price,
        running.fees + fees,
        running.unpriced_fees + (size if trade.fees is None else 0),
        running.blind,
        profit,
    )


def _and_earned(running: Run, exit_: Trade) -> Decimal | None:
    if running.profit is None or exit_.profit_and_loss is None:
        return None
    return running.profit + exit_.profit_and_loss


def _start_closed(line: Line, trade: Trade, size: int) -> Line:
    """Lots of unknown worth leave first, at what the broker says closing them earned."""
    if line.start_unknown == 0:
        return line
    gone = min(size, abs(line.start_unknown))
    signed = gone if line.start_unknown > 0 else -gone
    earned = ((trade.profit_and_loss or ZERO) * gone / size).quantize(MICRODOLLAR)
    return evolve(
        line,
        start_unknown=line.start_unknown - signed,
        start_value=line.start_value + signed * (trade.price - line.start_price),
        broker_profit=line.broker_profit + earned,
    )


def _share(cost: Decimal, left: int, held: int) -> Decimal:
    return cost * left / held if left else ZERO


def without_newest(lots: tuple[Lot, ...], size: int) -> tuple[Lot, ...]:
    """Take ``size`` contracts off the newest end; fewer lots than that leave nothing."""
    kept = list(lots)
    while size > 0 and kept:
        newest = kept.pop()
        if newest.size > size:
            kept.append(evolve(newest, size=newest.size - size))
        size -= newest.size
    return tuple(kept)


def _order(trade: Trade) -> tuple[datetime, int]:
    return (trade.at, trade.id)


@define
class ContractLedger:
    """The day's trades of one contract with their fold; owned by one account state."""

    contract_id: str
    starts: datetime
    start: OpenAtStart | None = None
    trades: dict[int, Trade] = field(factory=dict)
    line: Line = field(factory=Line)
    fee: Decimal | None = None
    """Dollars per contract of the last half-turn whose fee is known."""
    _ordered: list[tuple[datetime, int]] = field(factory=list)
    """Time and id of every trade, ascending."""
    _lines: list[Line] = field(factory=list)
    """The fold after each of them: a late trade folds again only what comes after it."""

    def set_start(self, start: OpenAtStart | None) -> None:
        """Replace what was open at the start of the day."""
        self.start = start
        self._fold_from(0)

    def add(self, trade: Trade) -> bool:
        """Merge one trade into the set; False when it said nothing new."""
        known = self.trades.get(trade.id)
        merged = trade if known is None else merged_trade(known, trade)
        if merged == known:
            return False
        self.trades[trade.id] = merged
        if merged.fees is not None and merged.size:
            self.fee = merged.fees / merged.size
        if known is not None:
            place = bisect_left(self._ordered, _order(known))
            del self._ordered[place], self._lines[place]
            self._fold_from(place)
        place = bisect_left(self._ordered, _order(merged))
        self._ordered.insert(place, _order(merged))
        self._fold_from(place)
        return True

    @property
    def newest(self) -> tuple[datetime, int] | None:
        """Time and id of the last trade; None without one."""
        return self._ordered[-1] if self._ordered else None

    def _fold_from(self, place: int) -> None:
        del self._lines[place:]
        if self._lines:
            line = self._lines[-1]
        else:
            line = opening_line(self.contract_id, self.start, self.starts)
        for _, trade_id in self._ordered[place:]:
            trade = self.trades[trade_id]
            line = line if trade.voided else after(line, trade)
            self._lines.append(line)
        self.line = line


def entry_at_start(net: int, trades: Iterable[Trade], average: Decimal) -> Decimal | None:
    """What carried contracts were opened at, if the position of today is the one they belong to.

    ``net``: contracts carried in; ``average``: the position's average price now, after those trades.
    None when the trades have closed it in between: what is held now began later.
    """
    carried, added, held = Decimal(net), ZERO, net
    for trade in sorted((it for it in trades if not it.voided), key=_order):
        signed = trade.side.sign * trade.size
        if held * signed > 0:
            added += signed * trade.price
        elif trade.size < abs(held):
            left = abs(held) - trade.size
            carried, added = _share(carried, left, abs(held)), _share(added, left, abs(held))
        else:
            return None
        held += signed
    return ((average * held - added) / carried).quantize(MICRODOLLAR)


def earned(trades: Iterable[Trade]) -> Decimal | None:
    """What the broker says that trades earned, dollars after fees; None while a fee is unknown."""
    total = ZERO
    for trade in trades:
        if trade.voided:
            continue
        if trade.fees is None:
            return None
        total += (trade.profit_and_loss or ZERO) - trade.fees
    return total


def merged_trade(known: Trade, newer: Trade) -> Trade:
    """What two reports of one trade say together: a void is final, a known figure stays known."""
    profit = newer.profit_and_loss
    return evolve(
        newer,
        voided=known.voided or newer.voided,
        fees=known.fees if newer.fees is None else newer.fees,
        profit_and_loss=known.profit_and_loss if profit is None else profit,
    )
