"""What a restart needs, folded out of the journal record by record.

Pure: no clock, no files. A lock stays here after its time has passed, until the next reset of its
account: only the account decides that a lock has ended.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from attrs import define, field, frozen

from risk.cover import Cover
from risk.domain import Trade
from risk.past import PastDay, Peaks
from risk.verdict import Lock
from store import records
from store.port import Json, Record
from store.records import DayStart, Intent, Kind, Opening

KEPT_BEFORE_DAY = timedelta(hours=1)
"""Trades shortly before a day are read again with it: they must be known to belong to the day before."""


@frozen
class AccountImage:
    """What the journal knows of one account."""

    account: str
    broker_id: int | None = None
    """The broker's number for the account; None when it was never seen."""
    locks: tuple[Lock, ...] = ()
    """In the order in which they were set; those already past may be among them."""
    open_intents: tuple[Intent, ...] = ()
    """Taken up and not done, oldest first."""
    day_start: DayStart | None = None
    """The newest reset: trading day, its start, and what was open then."""
    trades: Mapping[int, Trade] = field(factory=dict)
    """Trades of that day and of the hour before it by id, voided ones included; all before the first
    reset."""
    covers: Mapping[str, Cover] = field(factory=dict)
    """Newest uncovered time by contract; of positions that may be gone."""
    days: tuple[PastDay, ...] = ()
    """Every trading day of which anything is known, oldest first, the present one among them."""
    opening: Opening | None = None
    """With which balance the newest of them began that is known."""
    peaks: Peaks | None = None
    peaks_day: date | None = None
    """The day that the day's own peak is of."""

    @property
    def reset_day(self) -> date | None:
        """The trading day that was last begun."""
        return None if self.day_start is None else self.day_start.day

    @property
    def open_at_start(self) -> Mapping[str, tuple[int, Decimal | None]]:
        """Net and mark by contract when that day began."""
        if self.day_start is None:
            return {}
        return {contract: (lot.net, lot.mark) for contract, lot in self.day_start.open.items()}


@frozen
class AcceptedConfiguration:
    """A configuration that was in force from ``at`` on."""

    fingerprint: str
    at: datetime
    document: Mapping[str, Json]


@define
class _Account:
    name: str
    broker_id: int | None = None
    locks: dict[Lock, None] = field(factory=dict)
    intents: dict[str, Intent] = field(factory=dict)
    day_start: DayStart | None = None
    trades: dict[int, Trade] = field(factory=dict)
    covers: dict[str, Cover] = field(factory=dict)
    openings: dict[date, Opening] = field(factory=dict)
    nets: dict[date, Decimal] = field(factory=dict)
    peaks: Peaks | None = None
    peaks_day: date | None = None

    def add_trade(self, trade: Trade) -> None:
        if self.day_start is None or trade.at >= self.day_start.starts - KEPT_BEFORE_DAY:
            self.trades[trade.id] = trade

    def begin_day(self, start: DayStart, at: datetime) -> None:
        if self.day_start is not None and start.day <= self.day_start.day:
            return
        self.day_start = start
        since = start.starts - KEPT_BEFORE_DAY
        self.trades = {i: trade for i, trade in self.trades.items() if trade.at >= since}
        self.locks = {lock: None for lock in self.locks if lock.until > at}

    def _past(self, day: date) -> PastDay:
        opening = self.openings.get(day)
        return PastDay(day, None if opening is None else opening.balance, self.nets.get(day))

    def image(self) -> AccountImage:
        return AccountImage(
            account=self.name,
            broker_id=self.broker_id,
            locks=tuple(self.locks),
            open_intents=tuple(self.intents.values()),
            day_start=self.day_start,
            trades=dict(self.trades),
            covers=dict(self.covers),
            days=tuple(self._past(day) for day in sorted(self.openings.keys() | self.nets.keys())),
            opening=self.openings[max(self.openings)] if self.openings else None,
            peaks=self.peaks,
            peaks_day=self.peaks_day,
        )


class Projection:
    """The fold itself; owned by the journal, read by everyone."""

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}
        self._configurations: dict[str, AcceptedConfiguration] = {}

    def account(self, name: str) -> AccountImage:
        """Return what is known of an account; an empty image when nothing is."""
        known = self._accounts.get(name)
        return AccountImage(name) if known is None else known.image()

    @property
    def accounts(self) -> tuple[str, ...]:
        """Names of all accounts ever mentioned, in that order."""
        return tuple(self._accounts)

    @property
    def configurations(self) -> tuple[AcceptedConfiguration, ...]:
        """Every accepted configuration once, the newest acceptance last."""
        return tuple(self._configurations.values())

    def apply(self, record: Record) -> None:
        """Take in the next record; BadRecordError, and nothing changed, when it is malformed."""
        if record.kind == Kind.CONFIG:
            self._accept(record)
        elif record.account is not None and (apply := _APPLY.get(record.kind)):
            account = self._accounts.get(record.account) or _Account(record.account)
            apply(account, record)
            self._accounts[record.account] = account

    def _accept(self, record: Record) -> None:
        fingerprint = records.text_of(record.body, "fingerprint")
        document = record.body.get("document")
        self._configurations.pop(fingerprint, None)
        self._configurations[fingerprint] = AcceptedConfiguration(
            fingerprint, record.at, document if isinstance(document, Mapping) else {}
        )


def _lock(account: _Account, record: Record) -> None:
    account.locks[records.lock_of(record.body)] = None


def _intent(account: _Account, record: Record) -> None:
    intent = records.intent_of(record.body)
    account.intents[intent.id] = intent
    if intent.violation.lock is not None:
        account.locks[intent.violation.lock] = None


def _intent_done(account: _Account, record: Record) -> None:
    account.intents.pop(records.text_of(record.body, "id"), None)


def _fill(account: _Account, record: Record) -> None:
    account.add_trade(records.trade_of(record.body))


def _reset(account: _Account, record: Record) -> None:
    ended, net = account.day_start, record.body.get("net_of_old_day")
    if ended is not None and net is not None:
        account.nets[ended.day] = records.amount_of(record.body, "net_of_old_day")
    account.begin_day(records.day_start_of(record.body), record.at)


def _account_seen(account: _Account, record: Record) -> None:
    account.broker_id = records.broker_account_of(record.body).id


def _opening(account: _Account, record: Record) -> None:
    opening = records.opening_of(record.body)
    account.openings[opening.day] = opening


def _peaks(account: _Account, record: Record) -> None:
    account.peaks_day, account.peaks = records.peaks_of(record.body)


def _cover(account: _Account, record: Record) -> None:
    account.covers[records.text_of(record.body, "contract")] = records.cover_of(record.body)


_APPLY: Mapping[str, Callable[[_Account, Record], None]] = {
    Kind.LOCK: _lock,
    Kind.INTENT: _intent,
    Kind.INTENT_DONE: _intent_done,
    Kind.FILL: _fill,
    Kind.RESET: _reset,
    Kind.ACCOUNT_SEEN: _account_seen,
    Kind.COVER: _cover,
    Kind.OPENING: _opening,
    Kind.PEAKS: _peaks,
}
KINDS = frozenset({Kind.CONFIG, *_APPLY})
"""Kinds that it is made of: all that a start has to read back."""
