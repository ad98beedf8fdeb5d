"""What goes into the journal comes out of it, exactly."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given

from risk.day_summary import summary_of
from risk.domain import BrokerAccount, Trade
from risk.verdict import Alert, Lock, Violation
from store import records
from store.entry import from_line, seal
from store.port import BadRecordError, Record
from store.records import DayStart, Intent
from tests.risk.world import World
from tests.store import strategies as some

NOW = datetime(2026, 11, 20, 16, tzinfo=UTC)


def through_the_disk(record: Record) -> Record:
    """The record as a later process reads it."""
    return from_line(seal(7, record).line()).record()


@given(some.locks)
def test_a_lock_comes_back(lock: Lock) -> None:
    """Rule, instants and reason survive."""
    assert records.lock_of(through_the_disk(records.lock("A", NOW, lock)).body) == lock


@given(some.intents)
def test_an_intent_comes_back(intent: Intent) -> None:
    """Action, episode and the whole violation survive, so that it can be driven on and explained."""
    assert records.intent_of(through_the_disk(records.intent("A", NOW, intent)).body) == intent


@given(some.violations)
def test_a_decision_comes_back(violation: Violation) -> None:
    """The violation survives, latencies beside it do not disturb."""
    record = records.decision("A", NOW, violation, latency_ms=1.25)
    assert records.violation_of(through_the_disk(record).body) == violation


@given(some.trades)
def test_a_trade_comes_back(trade: Trade) -> None:
    """Money stays exact, digits and all; what the broker did not say stays unsaid."""
    back = records.trade_of(through_the_disk(records.fill("A", NOW, trade)).body)
    assert back == trade
    assert str(back.price) == str(trade.price)


@given(some.day_starts)
def test_a_reset_comes_back(start: DayStart) -> None:
    """Day, start and what was open survive, figures for people beside them."""
    ended = evolve(summary_of(World().snapshot()), net=Decimal("-12.50"))
    record = records.reset("A", NOW, start, ended)
    assert records.day_start_of(through_the_disk(record).body) == start


@given(some.broker_accounts)
def test_a_listed_account_comes_back(account: BrokerAccount) -> None:
    """The broker's number and name survive."""
    record = through_the_disk(records.account_seen(NOW, account))
    assert record.account == account.name
    assert records.broker_account_of(record.body) == account


@given(some.alerts)
def test_an_alert_comes_back(alert: Alert) -> None:
    """Code, sentence and urgency survive."""
    assert records.alert_of(through_the_disk(records.alert(None, NOW, alert)).body) == alert


def test_instants_are_kept_in_utc() -> None:
    """A record made with another zone's clock reads the same instant."""
    chicago = datetime(2026, 11, 20, 10, tzinfo=timezone(timedelta(hours=-6)))
    assert seal(1, records.lock("A", chicago, some.example_lock())).at.startswith(
        "2026-11-20T16:00"
    )


def test_a_naive_instant_is_refused() -> None:
    """Which instant it meant would be a guess."""
    with pytest.raises(BadRecordError, match="no zone"):
        seal(1, Record("alert", None, datetime(2026, 11, 20, 16), {}))  # noqa: DTZ001


def test_a_body_that_is_not_json_is_refused() -> None:
    """The mistake shows at the one who made it, not at the next start."""
    with pytest.raises(BadRecordError, match="difference"):
        seal(1, records.difference("A", NOW, {"what": object()}))  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "body", [{}, {"id": "x"}, {"rule": 1, "until": "yesterday", "set_at": "", "reason": ""}]
)
def test_a_body_of_another_shape_is_refused(body: dict[str, str]) -> None:
    """Every reader answers with one error, whatever is wrong."""
    for read in (records.lock_of, records.intent_of, records.trade_of, records.day_start_of):
        with pytest.raises(BadRecordError):
            read(body)


def test_a_torn_price_is_refused() -> None:
    """Half a number is no number."""
    body = dict(records.fill("A", NOW, some.example_trade()).body)
    with pytest.raises(BadRecordError):
        records.trade_of({**body, "price": "25.0.0"})
    assert records.trade_of({**body, "price": "25.00"}).price == Decimal("25.00")
