"""Mistakes of earlier systems that are made in reading a payload; the list is in the risk tests."""

from collections.abc import Callable
from typing import Any

import pytest

from broker.port import BadPayload
from broker.wire import decode_order, decode_position, decode_trade
from risk.domain import Order, Position, Trade

Decode = Callable[[object], Trade | Order | Position]

COMMON: dict[str, Any] = {
    "id": 7,
    "accountId": 536,
    "contractId": "CON.F.US.MNQ.Z26",
    "creationTimestamp": "2026-11-18T18:00:00Z",
}
TRADE = {**COMMON, "price": 25000.25, "profitAndLoss": None, "side": 0, "size": 1, "orderId": 8}
ORDER = {**COMMON, "status": 1, "type": 4, "side": 1, "size": 1, "stopPrice": 24990}
POSITION = {**COMMON, "type": 1, "size": 1, "averagePrice": 25000.25}
FLAT = {**POSITION, "type": 0, "size": 0}


@pytest.mark.parametrize("account", [None, "", "SIM-50K-1", {}, "absent"])
@pytest.mark.parametrize(
    ("decode", "payload"),
    [
        (decode_trade, TRADE),
        (decode_order, ORDER),
        (decode_position, POSITION),
        (decode_position, FLAT),
    ],
)
def test_what_names_no_account_is_refused_and_not_passed_over(
    decode: Decode, payload: dict[str, Any], account: object
) -> None:
    """Mistake of earlier systems: a missing account id passed silently, and no rule was asked.

    Refused, it is told, and every account of the login is read anew.
    """
    assert decode(payload).account_id == 536
    spoiled = {**payload, "accountId": account}
    if account == "absent":
        del spoiled["accountId"]
    with pytest.raises(BadPayload, match="^accountId: "):
        decode(spoiled)


@pytest.mark.parametrize("spelt", [{"profitAndLoss": None}, {}])
def test_a_profit_that_is_null_is_not_zero(spelt: dict[str, object]) -> None:
    """Mistake of earlier systems: the P&L of an opening half-turn, null, counted as zero."""
    payload = {key: value for key, value in TRADE.items() if key != "profitAndLoss"}
    assert decode_trade({**payload, **spelt}).profit_and_loss is None
    assert decode_trade({**payload, "profitAndLoss": 0}).profit_and_loss == 0


@pytest.mark.parametrize("size", [0, 1, None])
@pytest.mark.parametrize("lacks", [(), ("averagePrice", "creationTimestamp", "id")])
def test_a_position_of_type_0_is_flat_and_nothing_to_crash_on(
    size: int | None, lacks: tuple[str, ...]
) -> None:
    """Mistake of earlier systems: a position of type 0, as a close brings it, ended the program."""
    payload = {key: value for key, value in FLAT.items() if key not in lacks}
    position = decode_position({**payload, "size": size})
    assert (position.net, position.episode) == (0, None)
