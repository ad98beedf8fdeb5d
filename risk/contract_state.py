"""One contract of one account: its ledger, position, orders, prices, and where these differ."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from attrs import define, evolve, field

from risk.cover import Cover, covered_size, next_cover
from risk.domain import Contract, Episode, Mark, Order, Position, Trade
from risk.instruments import roots_of, usual_fee
from risk.ledger import ContractLedger, Line, Lot, OpenAtStart, entry_at_start, without_newest
from risk.marks import MarkBasis, Marks, Price
from risk.orders import is_working, merged_order
from risk.reading import Disagreement
from risk.snapshot import ContractView, Holding
from risk.valuation import Evidence, Worth, figures, worth

SAME_MOMENT_S = 0.25
"""Seconds by which a mark may be newer than an instant and still be taken for the mark then."""
STILL_WATCHED_S = 0.005
"""Seconds for which the price of what was closed is still followed: the account looks only then."""
_TICK_UNKNOWN = Decimal(0)


@define
class ContractState:
    """Everything known of one contract; a part of one account state, which alone changes it."""

    contract_id: str
    ledger: ContractLedger
    basis: MarkBasis = "touch"
    contract: Contract | None = None
    position: Position | None = None
    stamp: tuple[int, int] = (-1, -1)
    """(link, n) of the newest position value; older ones are dropped."""
    ended: tuple[int, datetime] | None = None
    """Id and beginning of the life whose end an event has told of last; no reading is so sure."""
    orders: dict[int, Order] = field(factory=dict)
    working: dict[int, Order] = field(factory=dict)
    """Those of ``orders`` that can still trade."""
    marks: Marks = field(factory=Marks)
    cover: Cover | None = None
    reducing: int = 0
    unsettled: bool = False
    unpriced_since: float | None = None
    """Monotonic seconds since when the price at the day's start is waited for."""
    exposed_since: float | None = None
    """Monotonic seconds since when something is held; its first price is on its way then."""
    disagreement: Disagreement | None = None
    _accepted_gap: int = 0
    """Contracts by which the position exceeds the ledger after the broker was asked."""
    _agreed: Line = field(factory=Line)
    _flat_since: float | None = None
    """Monotonic seconds at which ledger and position last agreed on being flat."""
    _parted_at: datetime | None = None
    """Wall time at which the position first held lots that no trade explains."""
    _holding: Holding | None = None
    _view: ContractView | None = None

    @property
    def net(self) -> int:
        """Contracts the broker says are held, signed."""
        return 0 if self.position is None else self.position.net

    @property
    def day_net(self) -> int:
        """Signed contracts of the day's trades alone."""
        start = self.ledger.start
        return self.ledger.line.net - (0 if start is None else start.net)

    @property
    def alive(self) -> bool:
        """True while this contract has anything to do with the day."""
        return bool(self.net or self.ledger.trades or self.ledger.start or self.working)

    @property
    def exposed(self) -> bool:
        """True while something is held, by the broker's word or the ledger's."""
        return bool(self.net or self.ledger.line.net)

    def carried_gain(self) -> Decimal:
        """Open P&L, dollars against the entries, of what was held when the day began."""
        start, contract = self.ledger.start, self.contract
        if start is None or contract is None or start.mark is None or start.entry is None:
            return Decimal(0)
        return (start.mark - start.entry) * start.net * contract.point_value

    def lives_after(self, position: Position) -> bool:
        """True when this is late word of a life that is over: it has ended, or another has begun."""
        known, life = self.position, (position.id, position.opened_at)
        if position.net and life == self.ended:
            return True
        return known is not None and known.id != position.id and life[1] < known.opened_at

    def knows_better(self, position: Position, stamp: tuple[int, int]) -> bool:
        """True when a reading is out of date: older than an event, or against all that was told since.

        An event may err about the end of a life, and so may trades. Where both say that it is over, an
        answer that still has it is a snapshot of before.
        """
        over = position.net != 0 and (position.id, position.opened_at) == self.ended
        return stamp < self.stamp or (over and self.net == 0 and self.ledger.line.net == 0)

    def closed_position(self) -> Position | None:
        """The newest position as if it were closed; None when there never was one."""
        return None if self.position is None else evolve(self.position, net=0)

    @property
    def unpriced(self) -> bool:
        """True while nobody knows what the day's start was worth."""
        return self.ledger.start is not None and self.ledger.start.mark is None

    def changed(self) -> None:
        """Forget what was computed: something other than a price changed."""
        self._holding = self._view = None

    def describe(self, contract: Contract) -> None:
        """Take in the broker's record."""
        self.contract = contract
        self.changed()

    def quoted(self, mark: Mark) -> bool:
        """Merge a quote; False when nothing in it was usable."""
        tick = _TICK_UNKNOWN if self.contract is None else self.contract.tick_size
        self._view = None
        return self.marks.apply(mark, tick)

    def _forget_old_marks(self, mono: float) -> None:
        """Nobody watches the price of what is flat: a later position must not meet the old one.

        What is opened again in the same moment, as by a reversal, was watched all the time: nobody
        would send it a price before the next quote.
        """
        flat_since = None if self.exposed else self._flat_since
        if flat_since is not None and mono - flat_since >= STILL_WATCHED_S:
            self.marks = Marks()

    def booked(self, trade: Trade, now: datetime, mono: float) -> bool:
        """Add a half-turn of the day; False when it said nothing new."""
        self._forget_old_marks(mono)
        if not self.ledger.add(trade):
            return False
        if not trade.voided:
            age = max((now - trade.at).total_seconds(), 0.0)
            self.marks.traded(trade.price, mono - age)
        self.reckon(now, mono, ledger_newer=True)
        return True

    def positioned(
        self, position: Position, stamp: tuple[int, int], now: datetime, mono: float
    ) -> bool:
        """Replace the position; False when it said nothing new."""
        self.stamp = stamp
        self._forget_old_marks(mono)
        same = self.position == position
        self._consume_reduction(position.net)
        self.position = position
        self.protect(now)
        self.reckon(now, mono, ledger_newer=False)
        return not same

    def _consume_reduction(self, net: int) -> None:
        """What has left is no longer on its way: else a new fill would hide behind it."""
        shrunk = abs(self.net) - (abs(net) if net * self.net > 0 else 0)
        if shrunk > 0:
            self.reducing = max(self.reducing - shrunk, 0)

    def ordered(self, order: Order, now: datetime) -> bool:
        """Merge one order report; False when it said nothing new."""
        merged = merged_order(self.orders.get(order.id), order)
        if merged == self.orders.get(order.id):
            return False
        self.orders[order.id] = merged
        if is_working(merged):
            self.working[order.id] = merged
        else:
            self.working.pop(order.id, None)
        self.protect(now)
        return True

    def protect(self, now: datetime) -> None:
        """Reckon anew how far working stops cover the position."""
        episode = None if self.position is None else self.position.episode
        covered = covered_size(self.net, self.working, self.orders)
        self.cover = next_cover(self.cover, episode, self.net, covered, now)
        self.changed()

    def resume_cover(self, episode: Episode, cover: Cover) -> None:
        """Continue the uncovered time of an episode from before a restart."""
        if self.cover is not None and self.cover.episode == episode:
            self.cover = evolve(self.cover, accumulated=cover.accumulated)
            self.changed()

    def reckon(self, now: datetime, mono: float, *, ledger_newer: bool) -> None:
        """Compare ledger and position after either changed."""
        self.changed()
        since = mono if self.exposed_since is None else self.exposed_since
        self.exposed_since = since if self.exposed else None
        gap = self.net - self.ledger.line.net
        if gap == 0:
            self.disagreement, self._accepted_gap, self._parted_at = None, 0, None
            self._agreed = self.ledger.line
            since = mono if self._flat_since is None else self._flat_since
            self._flat_since = None if self.net else since
            return
        self._flat_since = None
        self._parted_at = self._parted_at or now
        before = self.disagreement
        accepted = gap == self._accepted_gap
        waiting = before is not None and not before.reconciled
        since = before.since if before is not None and (waiting or accepted) else mono
        self.disagreement = Disagreement(
            self.ledger.line.net,
            self.net,
            since,
            self._exit_price(before, mono),
            reconciled=accepted,
            ledger_newer=ledger_newer,
        )

    def accept_gap(self, now: datetime, mono: float) -> None:
        """The broker was asked: the position is true, and what differs is unexplained."""
        self._accepted_gap = self.net - self.ledger.line.net
        self.reckon(now, mono, ledger_newer=False)

    def _exit_price(self, before: Disagreement | None, mono: float) -> Decimal | None:
        if before is not None and before.exit_price is not None:
            return before.exit_price
        return self.price(mono).value

    def roll(self, starts: datetime, late: float, mono: float) -> OpenAtStart | None:
        """Begin a new day, ``late`` seconds after it started: what is held is carried in."""
        start = self._carried(self.mark_then(late, mono))
        self.ledger = ContractLedger(self.contract_id, starts, fee=self.ledger.fee)
        self.ledger.set_start(start)
        self.orders = dict(self.working)
        self.unpriced_since = None
        self.restarted(starts, mono)
        return start

    def derived_start(self) -> OpenAtStart | None:
        """What it must have begun the day with, by the position and the day's trades."""
        net, average = self.net - self.day_net, self._average()
        if net == 0:
            return None
        trades = self.ledger.trades.values()
        entry = None if average is None else entry_at_start(net, trades, average)
        return OpenAtStart(net, None, entry)

    def began_at(self, price: Decimal, now: datetime, mono: float) -> bool:
        """Take in the price at the start of the day; False when it is known, or nothing was held."""
        start, gap = self.ledger.start, self.disagreement
        if start is None or start.mark is not None:
            return False
        self.ledger.set_start(evolve(start, mark=price))
        self.reckon(now, mono, ledger_newer=gap is not None and gap.ledger_newer)
        return True

    def mark_then(self, late: float, mono: float) -> Decimal | None:
        """The last mark of ``late`` seconds ago; None when only a newer one is known."""
        price = self.price(mono)
        return price.value if price.at <= mono - late + SAME_MOMENT_S else None

    def restarted(self, now: datetime, mono: float) -> None:
        """The day's start was replaced: confirm what agrees, and compare the rest."""
        self._agreed = self.ledger.line
        self._accepted_gap = 0
        self.reckon(now, mono, ledger_newer=False)

    def _carried(self, mark: Decimal | None) -> OpenAtStart | None:
        line, gap = self.ledger.line, self.disagreement
        net = self.net if gap is not None and gap.reconciled else line.net
        if net == 0:
            return None
        entry = line.cost / line.net if line.net * net > 0 else self._average()
        return OpenAtStart(net, mark, entry)

    def _average(self) -> Decimal | None:
        return self.position.average_price if self.position is not None and self.net else None

    def price(self, mono: float) -> Price:
        """What is open is valued at: the price of the side that counts, else the side held."""
        worth = None if self._holding is None else self._holding.worth
        counts = 0 if worth is None else worth.net
        return self.marks.price(counts or self.net or self.ledger.line.net, self.basis, mono)

    def view(self, mono: float) -> ContractView:
        """This contract for a snapshot; the same object until something changes."""
        view = self._view
        if view is not None and mono < view.price.valid_until:
            return view
        if self._holding is None:
            self._holding = self._held()
        price = self.price(mono)
        worth = self._holding.worth
        self._view = ContractView(
            self._holding, price, None if worth is None else figures(worth, price)
        )
        return self._view

    def _held(self) -> Holding:
        roots = roots_of(self.contract_id, self.contract)
        return Holding(
            contract_id=self.contract_id,
            contract=self.contract,
            roots=roots,
            position=self.position,
            ledger_net=self.ledger.line.net,
            lots=self._lots(),
            cover=self.cover,
            worth=None if self.contract is None else self._worth(self.contract, roots),
            reducing=self.reducing,
            disagreement=self.disagreement,
            unsettled=self.unsettled,
            entries=self.ledger.line.entries,
            trips=self.ledger.line.trips,
            fee=self._fee(roots),
            newest_trade=self.ledger.newest,
        )

    def _fee(self, roots: tuple[str, ...]) -> Decimal:
        return usual_fee(roots) if self.ledger.fee is None else self.ledger.fee

    def _worth(self, contract: Contract, roots: tuple[str, ...]) -> Worth:
        return worth(
            Evidence(
                line=self.ledger.line,
                agreed=self._agreed,
                position=self.position,
                disagreement=self.disagreement,
                point_value=contract.point_value,
                fee=self._fee(roots),
            )
        )

    def _lots(self) -> tuple[Lot, ...]:
        """The ledger's lots made to sum to the broker's position."""
        net, line = self.net, self.ledger.line
        if net == line.net:
            return line.lots
        if net * line.net > 0 and abs(net) < abs(line.net):
            return without_newest(line.lots, abs(line.net) - abs(net))
        explained = line.lots if net * line.net > 0 else ()
        return (*explained, *self._unexplained(abs(net) - sum(lot.size for lot in explained)))

    def _unexplained(self, size: int) -> Iterable[Lot]:
        if self.position is None or size == 0:
            return
        at = self._parted_at or self.position.opened_at
        yield Lot(self.contract_id, max(at, self.position.opened_at), size, explained=False)
