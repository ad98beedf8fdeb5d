"""The state of one account: what it holds, owes and may do, made of parts that merge.

Trades are a set by id, orders merge by status and time, positions are absolute values fenced by
(link, n): events may come late, twice or in any order, and the same set of them gives the same
state. The actor that owns it calls it with wall time (aware UTC) and monotonic seconds.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from attrs import evolve

from risk.contract_state import ContractState
from risk.cover import Cover
from risk.day_summary import DayRolled, summary_of
from risk.domain import BrokerAccount, Contract, Mark, Order, Position, Trade
from risk.ledger import ContractLedger, OpenAtStart, earned, merged_trade
from risk.lockset import LockSet
from risk.marks import MarkBasis
from risk.morning import Morning
from risk.past import Standing
from risk.reading import Difference, Disagreement, Kind, Reading, new_trade
from risk.snapshot import ContractView, Snapshot, totals
from risk.trading_day import TradingCalendar
from risk.waits import await_openings, day_wait_until, pnl_wait_until

_INSTANT = timedelta(microseconds=1)


class AccountState:
    """Everything known of one account; each input answers whether anything changed."""

    account: str
    account_id: int | None
    day: date
    stale: bool
    """True from a lost hub until the next reading."""

    def __init__(
        self,
        account: str,
        calendar: TradingCalendar,
        now: datetime,
        *,
        mark: MarkBasis = "touch",
    ) -> None:
        self.account = account
        self.account_id = None
        self.stale = False
        self.broker_account: BrokerAccount | None = None
        self._calendar = calendar
        self._basis: MarkBasis = mark
        self._contracts: dict[str, ContractState] = {}
        self._records: dict[str, Contract] = {}
        self._fence = (-1, -1)
        """(link, n) of the last settled reading: older position events are dropped."""
        self._older: dict[int, Trade] = {}
        """Trades of earlier days by id, so that none is counted twice."""
        self._early: dict[int, Trade] = {}
        """Trades of a day that has not begun here."""
        self._gone: dict[int, datetime] = {}
        """Orders a reading no longer had: their ``updated`` then."""
        self._start_known = False
        self._was_read = False
        self.locks = LockSet()
        self.standing = Standing()
        """Balances and peaks over days; its owner says how a day began."""
        self.glimpsed: Mapping[str, int] = {}
        """Contracts, signed, of positions in a reading that is not believed yet; its owner sets it."""
        self._orders: tuple[Order, ...] | None = None
        self._begin(calendar.day_of(now))

    def _begin(self, day: date) -> None:
        self.day = day
        self.day_starts = self._calendar.starts(day)
        self.day_ends = self._calendar.ends(day)
        before = self._calendar.day_of(self.day_starts - _INSTANT)
        self._previous_starts = self._calendar.starts(before)
        self.morning = Morning()

    def _contract(self, contract_id: str) -> ContractState:
        state = self._contracts.get(contract_id)
        if state is None:
            ledger = ContractLedger(contract_id, self.day_starts)
            state = ContractState(contract_id, ledger, self._basis)
            state.contract = self._records.get(contract_id)
            self._contracts[contract_id] = state
        return state

    def _require_own(self, account_id: int) -> None:
        if self.account_id not in (None, account_id):
            wrong = f"account {self.account} has id {self.account_id}, got an event of {account_id}"
            raise ValueError(wrong)

    # --- inputs -----------------------------------------------------------------------------

    def apply_trade(self, trade: Trade, now: datetime, mono: float) -> bool:
        """Add one half-turn to the set, in the day its broker timestamp lies in."""
        self._require_own(trade.account_id)
        if trade.at >= self.day_ends:
            return self._keep_early(trade)
        self.morning.heard(trade, of_the_day=trade.at >= self.day_starts)
        if trade.at < self.day_starts:
            return self._add_older(trade, now, mono)
        return self._contract(trade.contract_id).booked(trade, now, mono)

    def _keep_early(self, trade: Trade) -> bool:
        known = self._early.get(trade.id)
        self._early[trade.id] = trade if known is None else merged_trade(known, trade)
        return self._early[trade.id] != known

    def _add_older(self, trade: Trade, now: datetime, mono: float) -> bool:
        """A trade of an earlier day moves only what the present day began with."""
        known = self._older.get(trade.id)
        merged = trade if known is None else merged_trade(known, trade)
        self._older[trade.id] = merged
        counted = known is not None and not known.voided
        if self._start_known and trade.at >= self._previous_starts:
            delta = int(not merged.voided) - int(counted)
            if delta:
                self._shift_start(merged, delta, now, mono)
        return merged != known

    def _shift_start(self, trade: Trade, delta: int, now: datetime, mono: float) -> None:
        state = self._contract(trade.contract_id)
        mark = state.mark_then((now - self.day_starts).total_seconds(), mono)
        start = state.ledger.start or OpenAtStart(0, mark, trade.price)
        net = start.net + delta * trade.side.sign * trade.size
        state.ledger.set_start(evolve(start, net=net) if net else None)
        state.reckon(now, mono, ledger_newer=True)
        await_openings([state], mono)

    def apply_position(
        self, position: Position, link: int, n: int, now: datetime, mono: float
    ) -> bool:
        """Replace one contract's position; an older value, or one of a life that is over, is not news."""
        self._require_own(position.account_id)
        state = self._contract(position.contract_id)
        if (link, n) <= max(state.stamp, self._fence) or state.lives_after(position):
            return False
        if position.net == 0:
            state.ended = position.id, position.opened_at
        return state.positioned(position, (link, n), now, mono)

    def apply_order(self, order: Order, now: datetime) -> bool:
        """Merge one order report."""
        self._require_own(order.account_id)
        gone = self._gone.get(order.id)
        if gone is not None and order.updated <= gone and not order.status.terminal:
            return False
        if not self._contract(order.contract_id).ordered(order, now):
            return False
        self._orders = None
        return True

    def apply_account(self, account: BrokerAccount) -> bool:
        """Take in the broker's record of the account; its id is fixed at first sight."""
        self._require_own(account.id)
        same = self.broker_account == account
        self.account_id, self.broker_account = account.id, account
        return not same

    def apply_mark(self, contract_id: str, mark: Mark) -> bool:
        """Merge a quote into the contract's prices; False when nothing in it was usable."""
        return self._contract(contract_id).quoted(mark)

    def follow_mark(self, contract_id: str, mark: Mark) -> bool:
        """The same, unless nothing is held: it would be old for the next position."""
        state = self._contracts.get(contract_id)
        return state is not None and state.exposed and state.quoted(mark)

    def apply_contract(self, contract: Contract) -> None:
        """Take in the broker's record of a contract."""
        self._records[contract.id] = contract
        self._contract(contract.id).describe(contract)

    def know_contracts(self, contracts: Mapping[str, Contract]) -> None:
        """Have records at hand for contracts that may be traded, by id."""
        self._records = {**contracts, **self._records}

    def set_in_flight(self, contract_id: str, reducing: int) -> None:
        """Say how many contracts are being closed right now; 0 when none."""
        state = self._contract(contract_id)
        if state.reducing != reducing:
            state.reducing = reducing
            state.changed()

    def lost_hub(self) -> None:
        """The stream broke: all this may be out of date until the next reading."""
        self.stale = True

    # --- reconcile --------------------------------------------------------------------------

    def reconciled(self, reading: Reading, now: datetime, mono: float) -> tuple[Difference, ...]:
        """Merge the broker's full answer; says everything that was not known, or otherwise."""
        found = [*self.merge_trades(reading.trades, now, mono)]
        if reading.complete_orders:
            found += self._read_orders(reading, now)
        found += self._read_positions(reading, now, mono)
        if reading.complete_trades and reading.settled and not self._start_known:
            self._derive_starts(now, mono)
        await_openings(self._contracts.values(), mono, anew=self.stale)
        self.stale = False
        return tuple(found)

    def merge_trades(
        self, trades: Iterable[Trade], now: datetime, mono: float
    ) -> tuple[Difference, ...]:
        """Merge half-turns that were read; says which were not known, or otherwise."""
        return tuple(new_trade(it) for it in trades if self.apply_trade(it, now, mono))

    def _read_orders(self, reading: Reading, now: datetime) -> Iterable[Difference]:
        for order in reading.orders:
            if reading.settled:
                self._gone.pop(order.id, None)  # the reading that had lost it was out of date
            known = self._contract(order.contract_id).orders.get(order.id)
            if self.apply_order(order, now):
                before = "" if known is None else known.status.name
                yield Difference(Kind.ORDER, order.contract_id, order.id, before, order.status.name)
        if reading.settled:
            yield from self._drop_orders({order.id for order in reading.orders}, now)

    def _drop_orders(self, listed: set[int], now: datetime) -> Iterable[Difference]:
        for order in self.working_orders():
            if order.id in listed:
                continue
            self._gone[order.id] = order.updated
            state = self._contracts[order.contract_id]
            del state.orders[order.id], state.working[order.id]
            state.protect(now)
            self._orders = None
            yield Difference(Kind.ORDER, order.contract_id, order.id, order.status.name, "gone")

    def _read_positions(self, reading: Reading, now: datetime, mono: float) -> Iterable[Difference]:
        listed = {position.contract_id: position for position in reading.positions}
        stamp = (reading.link, reading.n)
        for contract_id in sorted(listed.keys() | self._contracts.keys()):
            state = self._contract(contract_id)
            state.unsettled = not reading.settled
            if not self._was_read:
                state.disagreement = None  # before the first reading there was nothing to compare
            state.changed()
            position = listed.get(contract_id) or state.closed_position()
            if position is None or state.knows_better(position, stamp):
                continue
            before = state.net
            state.positioned(position, stamp, now, mono)
            if before != position.net:
                yield Difference(
                    Kind.POSITION, contract_id, position.id, str(before), str(position.net)
                )
        self._was_read = True
        if reading.settled:
            self._fence = max(self._fence, stamp)

    def _derive_starts(self, now: datetime, mono: float) -> None:
        """Nobody remembers how the day began: the position less the day's trades must be it."""
        self._start_known = True
        for state in self._contracts.values():
            state.ledger.set_start(state.derived_start())
            state.restarted(now, mono)

    def accept_unexplained(self, now: datetime, mono: float) -> None:
        """No reading of trades explains the positions: they are the truth, the rest is unexplained.

        Call it when the proof was tried often enough; P&L rules then act on the positions.
        """
        for state in self._contracts.values():
            if state.disagreement is not None:
                state.accept_gap(now, mono)

    def disagreements(self) -> Mapping[str, Disagreement]:
        """Contracts whose ledger and position differ, by id."""
        return {
            contract_id: state.disagreement
            for contract_id, state in self._contracts.items()
            if state.disagreement is not None
        }

    def proof_failures(self) -> Mapping[str, Disagreement]:
        """Contracts where open at start plus signed trades is not the position, unaccepted so far."""
        return {key: gap for key, gap in self.disagreements().items() if not gap.reconciled}

    # --- the day ----------------------------------------------------------------------------

    def roll_day(self, now: datetime, mono: float) -> DayRolled | None:
        """Begin the trading day of ``now``; None when it has begun already."""
        if now < self.day_ends:
            return None
        day = self._calendar.day_of(now)
        previous, ended = self.day, self.snapshot(self.day_ends, mono)
        for state in self._contracts.values():
            self._older.update(state.ledger.trades)
        self._begin(day)
        self.standing.begin_day()
        starts, late = self.day_starts, (now - self.day_starts).total_seconds()
        carried = {key: state.roll(starts, late, mono) for key, state in self._contracts.items()}
        self._forget_flat()
        await_openings(self._contracts.values(), mono)
        early, self._early = self._early, {}
        for trade in early.values():
            self.apply_trade(trade, now, mono)
        opened = {key: start for key, start in carried.items() if start is not None}
        return DayRolled(previous, day, opened, summary_of(ended))

    def _forget_flat(self) -> None:
        self._contracts = {key: state for key, state in self._contracts.items() if state.alive}
        self._older = {
            key: trade for key, trade in self._older.items() if trade.at >= self._previous_starts
        }
        self._gone.clear()

    def restore_open_at_start(
        self, day: date, starts: Mapping[str, OpenAtStart], now: datetime, mono: float
    ) -> bool:
        """Take what a journal says the day began with; False when it speaks of another day.

        Give the state all trades of the journal before: they are in these numbers already.
        """
        if day != self.day:
            return False
        for contract_id, start in starts.items():
            self._contract(contract_id).ledger.set_start(start)
        for state in self._contracts.values():
            state.restarted(now, mono)
        self._start_known = True
        return True

    def unpriced_starts(self) -> tuple[str, ...]:
        """Contracts carried into the day whose price at its start nobody knows, by id."""
        return tuple(sorted(key for key, state in self._contracts.items() if state.unpriced))

    def price_start(
        self, contract_id: str, at: datetime, price: Decimal, now: datetime, mono: float
    ) -> bool:
        """Take in what a contract was worth when a day began; False when nobody needs it."""
        state = self._contracts.get(contract_id)
        return state is not None and at == self.day_starts and state.began_at(price, now, mono)

    def open_at_start(self) -> Mapping[str, OpenAtStart]:
        """What the present day began with, for the journal."""
        return {
            contract_id: state.ledger.start
            for contract_id, state in self._contracts.items()
            if state.ledger.start is not None
        }

    def covers(self, now: datetime) -> Mapping[str, Cover]:
        """Uncovered time of each position up to ``now``, for the journal."""
        return {
            contract_id: evolve(state.cover, accumulated=state.cover.uncovered(now))
            for contract_id, state in self._contracts.items()
            if state.cover is not None
        }

    def restore_covers(self, covers: Mapping[str, Cover]) -> None:
        """Continue uncovered times of positions that still live; call it after a reading."""
        for contract_id, cover in covers.items():
            state = self._contracts.get(contract_id)
            if state is not None:
                state.resume_cover(cover.episode, cover)

    # --- questions of the owner -------------------------------------------------------------

    @property
    def balance(self) -> Decimal | None:
        """Dollars the broker last reported; None before the first report."""
        return None if self.broker_account is None else self.broker_account.balance

    def reckon_morning(self) -> None:
        """Reckon with which balance the day began; call it when its trades have been read."""
        self.morning.reckon(self.day_starts, self.trades(), self._older.values())

    def carried(self) -> Decimal:
        """Open P&L, dollars against the entries, of all that was held when the day began."""
        return sum((state.carried_gain() for state in self._contracts.values()), Decimal(0))

    def earned(self) -> Decimal | None:
        """Dollars after fees that the broker says the day's trades earned; None: not all known."""
        return earned(self.trades())

    def trades(self) -> Iterator[Trade]:
        """The day's, voided ones too."""
        return (it for state in self._contracts.values() for it in state.ledger.trades.values())

    def positions(self) -> tuple[Position, ...]:
        """Open positions, the broker's newest values, by contract id."""
        return tuple(
            state.position
            for _, state in sorted(self._contracts.items())
            if state.position is not None and state.net
        )

    def working_orders(self) -> tuple[Order, ...]:
        """Orders that can still trade, suspended ones included, by id."""
        if self._orders is None:
            every = (
                order for state in self._contracts.values() for order in state.working.values()
            )
            self._orders = tuple(sorted(every, key=lambda order: order.id))
        return self._orders

    def held_contracts(self) -> frozenset[str]:
        """Contracts whose prices matter: held according to the broker or to the trades."""
        return frozenset(key for key, state in self._contracts.items() if state.exposed)

    def missing_contracts(self) -> tuple[str, ...]:
        """Contracts the account has to do with whose record is not known, by id."""
        alive = (key for key, state in self._contracts.items() if state.alive)
        return tuple(sorted(key for key in alive if self._contracts[key].contract is None))

    def stale_marks(self, mono: float) -> tuple[str, ...]:
        """Held contracts without a fresh price, by id."""
        stale = (k for k in self.held_contracts() if self._contracts[k].price(mono).stale)
        return tuple(sorted(stale))

    def snapshot(self, now: datetime, mono: float) -> Snapshot:
        """The account as the rules see it; shares everything that did not change."""
        views = self._views(mono)
        day, broker = totals(views), self.broker_account
        news = pnl_wait_until(self._contracts.values(), mono)
        start = day_wait_until(self._contracts.values(), mono)
        if day.priced and not self.stale and news is None and start is None:
            self.standing.look(day.net, day.floating)
        return Snapshot(
            calendar=self._calendar,
            account=self.account,
            account_id=self.account_id,
            day=self.day,
            day_ends=self.day_ends,
            now=now,
            mono=mono,
            contracts=views,
            orders=self.working_orders(),
            totals=day,
            locks=self.locks.full,
            pauses=self.locks.pauses,
            past=self.standing.past,
            peaks=self.standing.peaks,
            glimpsed=self.glimpsed,
            can_trade=None if broker is None else broker.can_trade,
            stale=self.stale,
            pnl_wait_until=news,
            day_wait_until=start,
        )

    def _views(self, mono: float) -> dict[str, ContractView]:
        return {key: state.view(mono) for key, state in self._contracts.items() if state.alive}
