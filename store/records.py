"""The kinds of records and their bodies: risk's values to JSON and back, exactly.

Every constructor answers a :class:`store.port.Record`; every ``..._of`` reads a body back and raises
:class:`store.port.BadRecordError` when it does not fit.
"""

import enum
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import cast

import cattrs
from attrs import field, frozen
from cattrs.strategies import configure_tagged_union

from risk.cover import Cover
from risk.day_summary import DaySummary
from risk.domain import BrokerAccount, Episode, Trade
from risk.morning import Listing
from risk.past import Peaks
from risk.verdict import Action, Alert, Lock, Violation
from store.port import BadRecordError, Json, Record


class Kind(enum.StrEnum):
    """What a record says."""

    LOCK = "lock"
    """The account stays flat until an instant."""
    INTENT = "intent"
    """Enforcement took something up; its violation's lock, if any, holds from here on."""
    INTENT_DONE = "intent_done"
    """An intent came true or was overtaken."""
    OUTCOME = "outcome"
    """The broker's answer to one request."""
    FILL = "fill"
    """A trade as last reported, voids included."""
    RESET = "reset"
    """A trading day began for an account."""
    DIFFERENCE = "difference"
    """What a reconcile found to differ from what was believed."""
    DECISION = "decision"
    """A violation with its whole explanation."""
    CONFIG = "config"
    """A configuration was accepted."""
    ACCOUNT_SEEN = "account_seen"
    """The broker lists this account under this id."""
    OPENING = "opening"
    """With which balance a trading day began."""
    PEAKS = "peaks"
    """The highest result, equity and balance so far."""
    COVER = "cover"
    """How long a position has been without a full stop."""
    ALERT = "alert"
    """The trader was told something."""


@frozen
class Opening:
    """With which balance a trading day began, closed, in dollars."""

    day: date
    balance: Decimal
    listing: Listing | None = None
    """The broker's word that it was reckoned from."""


@frozen
class Intent:
    """What enforcement wants, why, and the life of the position it was aimed at."""

    id: str
    action: Action
    violation: Violation
    episode: Episode | None = None


@frozen
class OpenLot:
    """What one contract held when the trading day began."""

    net: int
    """Contracts, signed."""
    mark: Decimal | None
    """Points, the last mark of the old day; None when it was not known."""
    entry: Decimal | None = None
    """Points, average price of the episode it belongs to; None when it was not known."""


@frozen
class DayStart:
    """The beginning of a trading day for one account."""

    day: date
    starts: datetime
    """Aware; trades before it belong to earlier days."""
    open: Mapping[str, OpenLot] = field(factory=dict)
    """By contract id."""


_converter = cattrs.Converter(detailed_validation=False)
_converter.register_unstructure_hook(Decimal, str)
_converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
_converter.register_unstructure_hook(date, date.isoformat)
_converter.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
_converter.register_unstructure_hook(datetime, lambda at: at.astimezone(UTC).isoformat())
_converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
_converter.register_unstructure_hook(timedelta, lambda span: str(span.total_seconds()))
_converter.register_structure_hook(timedelta, lambda text, _: timedelta(seconds=float(text)))
configure_tagged_union(
    Action, _converter, tag_name="type", tag_generator=lambda action: action.__name__.lower()
)


def _body(value: object) -> Mapping[str, Json]:
    return cast("Mapping[str, Json]", _converter.unstructure(value))


def _read[T](body: Json, shape: type[T]) -> T:
    try:
        return _converter.structure(body, shape)
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as problem:
        raise BadRecordError(f"not a {shape.__name__}: {problem!r}") from problem


def lock(account: str, at: datetime, lock: Lock) -> Record:
    """Record a lock that no intent carries."""
    return Record(Kind.LOCK, account, at, _body(lock))


def lock_of(body: Mapping[str, Json]) -> Lock:
    """Read a lock back."""
    return _read(body, Lock)


def intent(account: str, at: datetime, intent: Intent) -> Record:
    """Record an intent before its request leaves; the lock of its violation goes with it."""
    return Record(Kind.INTENT, account, at, _body(intent))


def intent_of(body: Mapping[str, Json]) -> Intent:
    """Read an intent back."""
    return _read(body, Intent)


def intent_done(account: str, at: datetime, intent_id: str, how: str) -> Record:
    """Record that an intent needs nothing more; ``how`` as in ``flat`` or ``another episode``."""
    return Record(Kind.INTENT_DONE, account, at, {"id": intent_id, "how": how})


def outcome(account: str, at: datetime, intent_id: str, body: Mapping[str, Json]) -> Record:
    """Record one request of an intent and what the broker answered."""
    return Record(Kind.OUTCOME, account, at, {"intent": intent_id, **body})


def fill(account: str, at: datetime, trade: Trade) -> Record:
    """Record a trade as last reported."""
    return Record(Kind.FILL, account, at, _body(trade))


def trade_of(body: Mapping[str, Json]) -> Trade:
    """Read a trade back."""
    return _read(body, Trade)


def reset(account: str, at: datetime, start: DayStart, ended: DaySummary | None = None) -> Record:
    """Record that a trading day began, with the one that is over, if anybody watched its end."""
    net = None if ended is None else str(ended.net)
    over = None if ended is None else cast("Json", _body(ended))
    return Record(Kind.RESET, account, at, {**_body(start), "net_of_old_day": net, "old_day": over})


def day_start_of(body: Mapping[str, Json]) -> DayStart:
    """Read the beginning of a day back."""
    return _read(body, DayStart)


def difference(account: str, at: datetime, body: Mapping[str, Json]) -> Record:
    """Record one difference that a reconcile found."""
    return Record(Kind.DIFFERENCE, account, at, body)


def decision(account: str, at: datetime, violation: Violation, **timing: Json) -> Record:
    """Record a violation and, as ``timing``, the latencies that belong to it."""
    return Record(Kind.DECISION, account, at, {**_body(violation), **timing})


def violation_of(body: Mapping[str, Json]) -> Violation:
    """Read a decision's violation back."""
    return _read(body, Violation)


def config(at: datetime, fingerprint: str, document: Mapping[str, Json]) -> Record:
    """Record an accepted configuration; ``document`` must hold no secrets."""
    return Record(Kind.CONFIG, None, at, {"fingerprint": fingerprint, "document": document})


def account_seen(at: datetime, account: BrokerAccount) -> Record:
    """Record under which id the broker lists an account."""
    return Record(Kind.ACCOUNT_SEEN, account.name, at, _body(account))


def broker_account_of(body: Mapping[str, Json]) -> BrokerAccount:
    """Read a listed account back."""
    return _read(body, BrokerAccount)


def opening(account: str, at: datetime, opening: Opening) -> Record:
    """Record with which balance a trading day began; a later one replaces it."""
    return Record(Kind.OPENING, account, at, _body(opening))


def opening_of(body: Mapping[str, Json]) -> Opening:
    """Read the balance at the beginning of a day back."""
    return _read(body, Opening)


def peaks(account: str, at: datetime, day: date, peaks: Peaks) -> Record:
    """Record how high the figures have been, and of which day the day's own peak is."""
    return Record(Kind.PEAKS, account, at, {"day": day.isoformat(), **_body(peaks)})


def peaks_of(body: Mapping[str, Json]) -> tuple[date, Peaks]:
    """Read peaks back, with the day that the day's own is of."""
    return _read(text_of(body, "day"), date), _read(body, Peaks)


def amount_of(body: Mapping[str, Json], key: str) -> Decimal:
    """Read one amount in dollars of a body."""
    return _read(text_of(body, key), Decimal)


def cover(account: str, at: datetime, contract_id: str, cover: Cover) -> Record:
    """Record the uncovered time of a position so far, so that a restart does not forgive it."""
    return Record(Kind.COVER, account, at, {"contract": contract_id, **_body(cover)})


def cover_of(body: Mapping[str, Json]) -> Cover:
    """Read an uncovered time back."""
    return _read(body, Cover)


def alert(account: str | None, at: datetime, alert: Alert) -> Record:
    """Record what the trader was told."""
    return Record(Kind.ALERT, account, at, _body(alert))


def alert_of(body: Mapping[str, Json]) -> Alert:
    """Read an alert back."""
    return _read(body, Alert)


def text_of(body: Mapping[str, Json], key: str) -> str:
    """Read one text of a body."""
    value = body.get(key)
    if not isinstance(value, str):
        raise BadRecordError(f"{key} is not a text: {value!r}")
    return value
