"""What a restart finds, as a fold over the records."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from risk.domain import BrokerAccount
from store import records
from store.port import BadRecordError, Record
from store.projection import Projection
from store.records import DayStart, OpenLot
from tests.store.strategies import example_intent, example_lock, example_trade

NOW = datetime(2026, 11, 20, 16, tzinfo=UTC)
MONDAY = DayStart(
    day=date(2026, 11, 23),
    starts=datetime(2026, 11, 20, 23, tzinfo=UTC),
    open={"CON.F.US.MNQ.Z26": OpenLot(2, Decimal("25010.50"))},
)


def fold(*given: Record) -> Projection:
    """Everything applied in order."""
    projection = Projection()
    for record in given:
        projection.apply(record)
    return projection


def test_an_unknown_account_is_an_empty_image() -> None:
    """Nothing is known, nothing is invented."""
    image = fold().account("A")
    assert (image.broker_id, image.locks, image.open_intents, image.reset_day) == (
        None,
        (),
        (),
        None,
    )
    assert (image.trades, image.open_at_start) == ({}, {})


def test_a_lock_holds_until_the_reset_after_its_end() -> None:
    """An image never ends a lock by itself; the reset forgets those that are over."""
    over, lasting = example_lock(hour=22), evolve(example_lock("floor"), until=NOW.replace(day=29))
    locked = [records.lock("A", NOW, over), records.lock("A", NOW, lasting)]
    reset = records.reset("A", NOW.replace(hour=23), MONDAY)
    assert fold(*locked).account("A").locks == (over, lasting)
    assert fold(*locked, reset).account("A").locks == (lasting,)


def test_an_intent_carries_its_lock() -> None:
    """One append is enough for both, so no crash can come between."""
    lock = example_lock()
    image = fold(records.intent("A", NOW, example_intent(lock=lock))).account("A")
    assert image.locks == (lock,)
    assert image.open_intents == (example_intent(lock=lock),)


def test_a_done_intent_is_not_open_but_its_lock_stays() -> None:
    """Flat is not free."""
    image = fold(
        records.intent("A", NOW, example_intent("1", example_lock())),
        records.intent("A", NOW, example_intent("2")),
        records.intent_done("A", NOW, "1", "flat"),
    ).account("A")
    assert [intent.id for intent in image.open_intents] == ["2"]
    assert image.locks == (example_lock(),)


def test_accounts_do_not_share_anything() -> None:
    """A lock of one is none of another."""
    projection = fold(
        records.lock("A", NOW, example_lock()), records.fill("B", NOW, example_trade())
    )
    assert projection.accounts == ("A", "B")
    assert projection.account("A").trades == {}
    assert projection.account("B").locks == ()


def test_trades_are_a_set_by_id_and_the_last_word_counts() -> None:
    """A trade reported again is one trade; a void is kept as such."""
    trade = example_trade()
    void = evolve(trade, voided=True)
    image = fold(*(records.fill("A", NOW, t) for t in (trade, trade, void))).account("A")
    assert image.trades == {trade.id: void}


@given(st.permutations(range(6)), st.integers(0, 6))
def test_the_days_trades_do_not_depend_on_when_the_reset_came(
    order: list[int], before: int
) -> None:
    """The day's own and those of the hour before, which are read again with it; nothing older."""
    times = [MONDAY.starts + timedelta(seconds=s) for s in (-7200, -1, 0, 1, 60, 3600)]
    fills = [records.fill("A", NOW, example_trade(i, times[i])) for i in order]
    reset = records.reset("A", NOW, MONDAY)
    image = fold(*fills[:before], reset, *fills[before:]).account("A")
    assert set(image.trades) == {1, 2, 3, 4, 5}


def test_a_reset_happens_once() -> None:
    """The same day again, or an earlier one, changes nothing."""
    earlier = evolve(MONDAY, day=date(2026, 11, 20), open={})
    again = evolve(MONDAY, open={})
    image = fold(*(records.reset("A", NOW, day) for day in (MONDAY, again, earlier))).account("A")
    assert image.reset_day == date(2026, 11, 23)
    assert image.open_at_start == {"CON.F.US.MNQ.Z26": (2, Decimal("25010.50"))}


def test_the_brokers_number_is_remembered() -> None:
    """Accounts are matched by it after first sight."""
    seen = BrokerAccount(1001, "50KTC-A", Decimal(50000), can_trade=True)
    assert fold(records.account_seen(NOW, seen)).account("50KTC-A").broker_id == 1001


def test_accepted_configurations_are_kept_once_each_newest_last() -> None:
    """The one in force is the last; those before it may still bind until the reset."""
    projection = fold(
        records.config(NOW, "one", {"limit": "1000"}),
        records.config(NOW, "two", {}),
        records.config(NOW, "one", {"limit": "1000"}),
    )
    assert [c.fingerprint for c in projection.configurations] == ["two", "one"]
    assert projection.configurations[-1].document == {"limit": "1000"}


def test_an_image_is_a_picture() -> None:
    """What was handed out does not change with what comes later."""
    projection = fold(records.fill("A", NOW, example_trade(1)))
    image = projection.account("A")
    projection.apply(records.fill("A", NOW, example_trade(2)))
    assert set(image.trades) == {1}


@pytest.mark.parametrize("kind", ["lock", "intent", "intent_done", "fill", "reset", "account_seen"])
def test_a_malformed_record_changes_nothing(kind: str) -> None:
    """It is refused whole; not even its account appears."""
    projection = Projection()
    with pytest.raises(BadRecordError):
        projection.apply(Record(kind, "A", NOW, {"nonsense": True}))
    assert projection.accounts == ()


def test_other_kinds_pass_by() -> None:
    """Decisions and alerts are for people; recovery does not need them."""
    assert fold(Record("decision", "A", NOW, {}), Record("alert", "A", NOW, {})).accounts == ()
