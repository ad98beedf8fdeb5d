"""What the rules read: one account at one instant, frozen.

Views of contracts that did not change since the last snapshot are shared with it.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from attrs import Factory, evolve, field, frozen

from risk.cover import Cover
from risk.domain import Contract, Episode, Order, Position
from risk.instruments import mini_weight
from risk.ledger import ZERO, Entry, Lot, Trip, without_newest
from risk.marks import Price
from risk.past import Past, Peaks
from risk.reading import Disagreement
from risk.trading_day import TradingCalendar
from risk.valuation import Figures, Worth
from risk.verdict import Instruction, Lock

PNL_WAIT_S = 0.25
"""Seconds that P&L rules wait for ledger and position to agree before the broker is asked."""
PNL_LATEST_S = 2.0
"""Seconds after which P&L rules act on the newest positions even if nobody could be asked."""


@frozen
class Holding:
    """One contract of the account, but for what quotes change."""

    contract_id: str
    contract: Contract | None
    """None until the broker's record is known: then nothing can be valued."""
    roots: tuple[str, ...]
    position: Position | None
    """The broker's newest, also when flat; None when it never reported one."""
    ledger_net: int
    """Contracts according to the day's trades."""
    lots: tuple[Lot, ...]
    """What the position consists of, oldest first."""
    cover: Cover | None
    worth: Worth | None
    reducing: int
    """Contracts being closed right now."""
    disagreement: Disagreement | None
    unsettled: bool
    """The last reading never came to rest: close in full, never in part."""
    entries: tuple[Entry, ...] = ()
    """Orders that opened or added today, by their first such fill."""
    trips: tuple[Trip, ...] = ()
    """Round trips that ended today, in that order."""
    fee: Decimal = ZERO
    """Dollars per contract and half-turn to assume where the broker reported none."""
    newest_trade: tuple[datetime, int] | None = None
    """Broker time and id of the day's last half-turn; None without one."""
    # Every rule asks for these at every look, so they are computed once.
    net: int = field(init=False)
    """Contracts the broker says are held, signed."""
    size: int = field(init=False)
    """Contracts held, unsigned, without those being closed."""
    mini_weight: Decimal = field(init=False)
    """Minis one contract counts as."""

    @net.default
    def _net(self) -> int:
        return 0 if self.position is None else self.position.net

    @size.default
    def _size(self) -> int:
        return max(abs(self.net) - self.reducing, 0)

    @mini_weight.default
    def _mini_weight(self) -> Decimal:
        return mini_weight(self.roots)

    @property
    def unseen(self) -> int:
        """Contracts, signed, of a position that only its trades have told of so far."""
        return 0 if self.disagreement is None else self.disagreement.unseen

    @property
    def left(self) -> int:
        """Contracts that by the newest trades have left, of which no position has told yet.

        Those that we are closing may be the same ones, so they are not counted twice.
        """
        gap = self.disagreement
        if gap is None or gap.reconciled or not gap.ledger_newer:
            return 0
        stay = abs(self.ledger_net) if self.ledger_net * self.net > 0 else 0
        return max(self.size - stay, 0)

    @property
    def staying(self) -> tuple[Lot, ...]:
        """The lots that are not leaving, oldest first: the newest leave first."""
        return without_newest(self.lots, self.reducing)

    def earned(self, trip: Trip) -> Decimal | None:
        """Dollars of one of its round trips after fees; None while they are not known."""
        fees = trip.run.fees + trip.run.unpriced_fees * self.fee
        if trip.run.blind:
            return None if trip.run.profit is None else trip.run.profit - fees
        if self.contract is None:
            return None
        return trip.run.points * self.contract.point_value - fees

    @property
    def episode(self) -> Episode | None:
        """The life the position is in."""
        return None if self.position is None else self.position.episode

    @property
    def name(self) -> str:
        """What people call it: the root, else the id."""
        return self.roots[0] if self.roots else self.contract_id


@frozen
class ContractView:
    """A holding at a price."""

    holding: Holding
    price: Price
    figures: Figures | None
    """None while the contract's record is missing."""

    @property
    def open(self) -> Decimal | None:
        """Open P&L in dollars against the average entry; None when it cannot be known."""
        return None if self.figures is None else self.figures.open

    @property
    def priced(self) -> bool:
        """True when open P&L rests on a price that is there and fresh, or nothing is open."""
        worth = self.holding.worth
        if worth is None:
            return self.holding.net == 0
        return worth.net == 0 or not self.price.stale


@frozen
class Totals:
    """Dollars of the account's day."""

    realised: Decimal = ZERO
    """Before fees."""
    open: Decimal = ZERO
    """The part of open P&L that belongs to this day."""
    fees: Decimal = ZERO
    net: Decimal = ZERO
    """realised + open - fees."""
    sure: Decimal = ZERO
    """Realised after fees that news still on its way cannot take back."""
    estimated: bool = False
    """Some figure in here is an estimate."""
    priced: bool = True
    """False when some open part rests on a stale or missing price."""
    floating: Decimal = ZERO
    """Open P&L against the entries, also of what earlier days opened."""


def totals(views: Mapping[str, ContractView]) -> Totals:
    """The sum over all contracts; one whose record is missing adds nothing, and flags the sum."""
    opened = fees = net = sure = floating = ZERO
    estimated, priced = False, True
    for view in views.values():
        worth, at_price = view.holding.worth, view.figures
        priced = priced and view.priced
        if worth is None or at_price is None:
            estimated = True
            continue
        opened += at_price.day_open
        floating += at_price.open
        fees += worth.fees
        net += at_price.net
        sure += worth.sure
        estimated = estimated or worth.estimated
    return Totals(net - opened + fees, opened, fees, net, sure, estimated, priced, floating)


@frozen
class Snapshot:
    """One account at one instant."""

    calendar: TradingCalendar
    account: str
    """The broker's account name."""
    account_id: int | None
    day: date
    day_ends: datetime
    now: datetime
    mono: float
    contracts: Mapping[str, ContractView]
    """By id: held, traded today or just closed."""
    orders: tuple[Order, ...]
    """Every working order, suspended ones included, by id."""
    totals: Totals
    locks: tuple[Lock, ...]
    """Under which nothing may be held."""
    can_trade: bool | None
    """None until the broker said so."""
    stale: bool
    """The hub is down: this may be out of date."""
    pnl_wait_until: float | None
    """Monotonic seconds until which P&L rules wait for late news; None when they may act."""
    day_wait_until: float | None = None
    """Monotonic seconds until which the day's loss waits for the price at the day's start."""
    glimpsed: Mapping[str, int] = Factory(dict)
    """Contracts, signed, of positions in a reading that is not believed yet."""
    past: Past = Factory(Past)
    """What earlier days left behind."""
    peaks: Peaks = Factory(Peaks)
    """The highest so far, this very instant included where its figures are certain."""
    pauses: tuple[Lock, ...] = ()
    """Under which nothing may be opened or added."""
    instructions: tuple[Instruction, ...] = ()
    """What groups of accounts ask of this one."""
    report_at: Decimal | None = None
    """Dollars of the day at which a group must hear of this account; None: it is in none."""

    def protectable(self, contract_id: str) -> int:
        """What a stop may protect: the position, or one that only trades or a reading have told of."""
        holding = self.contracts[contract_id].holding
        return holding.net or holding.unseen or self.glimpsed.get(contract_id, 0)

    @property
    def net(self) -> Decimal:
        """Dollars of the day, fees deducted, open P&L included."""
        return self.totals.net

    def equity(self, result: Decimal) -> Decimal | None:
        """Balance and open P&L together at a result of the day; None before a balance is known."""
        return self.past.equity(result)

    @property
    def pnl_waits(self) -> bool:
        """True while ledger and position disagree and the broker has not been asked."""
        return self.pnl_wait_until is not None

    @property
    def day_waits(self) -> bool:
        """True while the day's result would count what was lost or won on the day before."""
        return self.day_wait_until is not None

    @property
    def active_locks(self) -> tuple[Lock, ...]:
        """Locks that have not ended: their owner ends them, by the broker's clock, not by ours."""
        return self.locks

    def at(self, now: datetime, mono: float) -> "Snapshot":
        """The same account at a later instant, if nothing else has happened."""
        if now == self.now and mono == self.mono:
            return self
        news, day = self.pnl_wait_until, self.day_wait_until
        return evolve(
            self,
            now=now,
            mono=mono,
            pnl_wait_until=news if news is not None and mono < news else None,
            day_wait_until=day if day is not None and mono < day else None,
        )

    def orders_in(self, contract_id: str) -> tuple[Order, ...]:
        """Working orders of one contract."""
        return tuple(order for order in self.orders if order.contract_id == contract_id)

    def reducing(self, planned: Mapping[str, int]) -> "Snapshot":
        """This account with so many more contracts of each id on their way out."""
        contracts = dict(self.contracts)
        for contract_id, size in planned.items():
            view = contracts[contract_id]
            holding = evolve(view.holding, reducing=view.holding.reducing + size)
            contracts[contract_id] = evolve(view, holding=holding)
        return evolve(self, contracts=contracts)

    def uncovered(self, contract_id: str) -> timedelta:
        """Time this position has spent without a full stop; zero for no position."""
        view = self.contracts.get(contract_id)
        if view is None or view.holding.cover is None:
            return timedelta(0)
        return view.holding.cover.uncovered(self.now)
