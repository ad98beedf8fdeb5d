"""Decoding of gateway payloads."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker import wire
from broker.port import BadPayload
from risk.domain import OrderStatus, OrderType, Position, Side

TRADE: dict[str, Any] = {
    "id": 8604,
    "accountId": 203,
    "contractId": "CON.F.US.EP.H26",
    "creationTimestamp": "2026-01-21T16:13:52.523293+00:00",
    "price": 6065.25,
    "profitAndLoss": None,
    "fees": 1.4,
    "side": 1,
    "size": 2,
    "voided": False,
    "orderId": 14328,
}
ORDER: dict[str, Any] = {
    "id": 26974,
    "accountId": 212,
    "contractId": "CON.F.US.EP.H26",
    "creationTimestamp": "2026-01-21T10:00:00Z",
    "updateTimestamp": "2026-01-21T11:00:00Z",
    "status": 1,
    "type": 4,
    "side": 1,
    "size": 3,
    "fillVolume": 1,
    "limitPrice": None,
    "stopPrice": "6000.50",
}
POSITION: dict[str, Any] = {
    "id": 6124,
    "accountId": 536,
    "contractId": "CON.F.US.GMET.J26",
    "creationTimestamp": "2026-01-21T19:52:32.175721+00:00",
    "type": 2,
    "size": 2,
    "averagePrice": 1575.75,
}
ACCOUNT: dict[str, Any] = {"id": 1, "name": "50K", "balance": 50000.1, "canTrade": True}
CONTRACT: dict[str, Any] = {
    "id": "CON.F.US.ENQ.Z26",
    "name": "NQZ6",
    "tickSize": 0.25,
    "tickValue": 5,
}

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.decimals()
    | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1e999999", "1e5"])
)
KEYS = st.sampled_from(
    sorted({*TRADE, *ORDER, *POSITION, *ACCOUNT, *CONTRACT, "data", "action", "bestBid", "t", "c"})
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=12,
)
DECODERS = (
    wire.decode_trade,
    wire.decode_order,
    wire.decode_position,
    wire.decode_account,
    wire.decode_contract,
    wire.decode_newest_close,
    wire.decode_contract_id,
    wire.unwrap,
    lambda payload: wire.decode_quote(payload, 0.0),
)


@given(payload=JSON, decode=st.sampled_from(DECODERS))
def test_arbitrary_json_is_decoded_or_a_bad_payload(payload: object, decode: Any) -> None:
    """Nothing but ``BadPayload`` ever leaves a decoder."""
    with suppress(BadPayload):
        decode(payload)


@given(
    case=st.sampled_from(
        [
            (TRADE, wire.decode_trade),
            (ORDER, wire.decode_order),
            (POSITION, wire.decode_position),
            (ACCOUNT, wire.decode_account),
            (CONTRACT, wire.decode_contract),
        ]
    ),
    data=st.data(),
)
def test_one_spoiled_field_is_decoded_or_a_bad_payload(case: Any, data: Any) -> None:
    """A valid record with one arbitrary field is still decoded, or refused by ``BadPayload``."""
    record, decode = case
    key = data.draw(st.sampled_from(sorted(record)))
    with suppress(BadPayload):
        decode({**record, key: data.draw(JSON)})


@given(value=st.decimals(min_value=-(10**9), max_value=10**9, places=4), as_text=st.booleans())
def test_numbers_are_exact(value: Decimal, as_text: bool) -> None:
    """A number is the same Decimal whether it came as a float's shortest text or as a string."""
    sent: object = str(value) if as_text else value
    assert wire.decode_trade({**TRADE, "price": sent}).price == value


def test_floats_keep_their_shortest_text() -> None:
    """0.1 is a tenth, not its binary neighbour."""
    assert wire.decode_trade({**TRADE, "price": 0.1}).price == Decimal("0.1")


def test_trade_is_decoded() -> None:
    """Ids may be texts; a null profit means an opening half-turn."""
    trade = wire.decode_trade({**TRADE, "id": "8604", "fees": None})
    assert trade.id == 8604
    assert trade.side is Side.SELL
    assert trade.profit_and_loss is None
    assert trade.fees is None
    assert trade.at == datetime(2026, 1, 21, 16, 13, 52, 523293, tzinfo=UTC)


def test_instants_become_utc() -> None:
    """An offset is applied; no offset means UTC."""
    shifted = wire.decode_trade({**TRADE, "creationTimestamp": "2026-01-21T10:00:00-06:00"})
    naive = wire.decode_trade({**TRADE, "creationTimestamp": "2026-01-21T16:00:00"})
    assert shifted.at == naive.at == datetime(2026, 1, 21, 16, tzinfo=UTC)
    assert shifted.at.tzinfo is UTC


def test_order_is_decoded() -> None:
    """Statuses and types map by number, the rest is exact."""
    order = wire.decode_order({**ORDER, "parentOrderId": 7})
    assert (order.status, order.type) == (OrderStatus.OPEN, OrderType.STOP)
    assert (order.remaining, order.stop_price, order.parent_id) == (2, Decimal("6000.50"), 7)


def test_unknown_order_numbers_count_as_working() -> None:
    """A status and type nobody knows do not hide an order."""
    order = wire.decode_order({**ORDER, "status": 77, "type": 78})
    assert order.status is OrderStatus.NONE
    assert order.type is OrderType.UNKNOWN
    assert not order.status.terminal


@pytest.mark.parametrize("flat", [{"size": 0}, {"type": 0}, {"size": 0, "type": None}])
def test_size_or_type_zero_is_flat(flat: dict[str, object]) -> None:
    """A flat position may arrive either way."""
    assert wire.decode_position({**POSITION, **flat}).net == 0


def test_flat_position_needs_only_its_ids() -> None:
    """A closing push without price, time and id is still understood."""
    flat: Position = wire.decode_position({"accountId": 1, "contractId": "X", "size": 0})
    assert flat.episode is None


def test_position_is_signed() -> None:
    """The gateway's unsigned size takes its sign from the type."""
    assert wire.decode_position(POSITION).net == -2
    assert wire.decode_position({**POSITION, "type": 1}).net == 2


@pytest.mark.parametrize("spoiled", [{"type": 3}, {"size": -1}, {"size": None}, {"size": 1.5}])
def test_position_of_unknown_direction_is_refused(spoiled: dict[str, object]) -> None:
    """A position is never guessed."""
    with pytest.raises(BadPayload, match="type|size"):
        wire.decode_position({**POSITION, **spoiled})


def test_error_names_the_field() -> None:
    """The message starts with the field that was wrong."""
    with pytest.raises(BadPayload, match="^price: "):
        wire.decode_trade({**TRADE, "price": "much"})
    with pytest.raises(BadPayload, match="^orderId: missing"):
        wire.decode_trade({key: value for key, value in TRADE.items() if key != "orderId"})


@pytest.mark.parametrize("spoiled", [{"tickSize": 0}, {"tickValue": None}, {"tickValue": "-5"}])
def test_contract_without_ticks_is_refused(spoiled: dict[str, object]) -> None:
    """Dollars per point would be nonsense."""
    with pytest.raises(BadPayload, match="tick"):
        wire.decode_contract({**CONTRACT, **spoiled})


def test_contract_root_comes_from_its_name() -> None:
    """NQZ6 is NQ though its id says ENQ; a short id alone is enough too."""
    assert wire.decode_contract(CONTRACT).root == "NQ"
    short = {"id": "F.US.ENQ", "tickSize": 0.25, "tickValue": 5}
    assert wire.decode_contract(short).root == "NQ"


@pytest.mark.parametrize(
    "wrapped",
    [
        POSITION,
        {"action": 1, "data": POSITION},
        [POSITION],
        [{"action": 1, "data": [POSITION]}],
        {"data": POSITION},
    ],
)
def test_wrappings_are_removed(wrapped: object) -> None:
    """Bare, wrapped and listed payloads are the same record."""
    assert wire.unwrap(wrapped) == [POSITION]


def test_endless_nesting_is_refused() -> None:
    """A payload of nothing but wrappings is an error, not a recursion."""
    payload: object = POSITION
    for _ in range(5000):
        payload = [payload]
    with pytest.raises(BadPayload, match="nested"):
        wire.unwrap(payload)


def test_partial_quote_keeps_what_came() -> None:
    """Only the fields that came have a value and a time."""
    mark = wire.decode_quote({"bestBid": 100.25}, 7.0)
    assert (mark.bid, mark.bid_at) == (Decimal("100.25"), 7.0)
    assert (mark.ask, mark.last, mark.last_at) == (None, None, float("-inf"))


@pytest.mark.parametrize("price", [0, -1, float("nan"), float("inf"), "NaN", None])
def test_unusable_last_price_is_none(price: object) -> None:
    """The gateway sends 0 before the first trade."""
    assert wire.decode_quote({"lastPrice": price}, 0.0).last is None


def test_crossed_quote_is_ignored_but_its_last_price_is_not() -> None:
    """A bid above the ask says nothing about either."""
    mark = wire.decode_quote({"bestBid": 5, "bestAsk": 4, "lastPrice": 4}, 0.0)
    assert (mark.bid, mark.ask, mark.last) == (None, None, Decimal(4))


def test_newest_close_ignores_the_order_of_bars() -> None:
    """Bars may come newest first or last."""
    bars = [{"t": "2026-01-21T10:01:00Z", "c": 5}, {"t": "2026-01-21T10:00:00Z", "c": 4}]
    assert wire.decode_newest_close(bars) == wire.decode_newest_close(bars[::-1]) == Decimal(5)
    assert wire.decode_newest_close([]) is None


def test_the_close_at_an_instant_passes_over_the_bar_that_begins_there() -> None:
    """What was paid in the minute after an instant is no price of that instant."""
    bars = [{"t": "2026-01-21T10:01:00Z", "c": 5}, {"t": "2026-01-21T10:00:00Z", "c": 4}]
    begun_by = datetime(2026, 1, 21, 10, 0, tzinfo=UTC)
    assert wire.decode_newest_close(bars, begun_by) == Decimal(4)
    assert wire.decode_newest_close(bars, begun_by - timedelta(minutes=1)) is None
