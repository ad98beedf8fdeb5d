"""When orders trade, at what price, and what they take with them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from simulator import (
    Account,
    Bracket,
    Exchange,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    front_contracts,
)
from simulator.events import Event, Kind
from tests.simulator.world import Floor

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
NQ = "CON.F.US.ENQ.Z26"


def test_market_orders_trade_at_the_touch(floor: Floor) -> None:
    """A buy pays the ask, a sell gets the bid."""
    floor.place(Side.BUY)
    floor.place(Side.SELL)
    prices = [trade["price"] for trade in floor.told(Kind.TRADE)]
    assert prices == [Decimal("25000.25"), Decimal(25000)]


def test_a_resting_limit_trades_at_its_limit(floor: Floor) -> None:
    """A limit below the market waits, and gets its own price when the market comes to it."""
    bid = floor.place(Side.BUY, kind=OrderType.LIMIT, limit_price=Decimal(24990))
    assert floor.order(bid).status is OrderStatus.OPEN
    floor.quote("24980")
    assert floor.order(bid).status is OrderStatus.FILLED
    assert floor.told(Kind.TRADE)[-1]["price"] == Decimal(24990)


def test_a_marketable_limit_trades_at_the_touch(floor: Floor) -> None:
    """A limit above the ask does not pay more than the ask."""
    floor.place(Side.BUY, kind=OrderType.LIMIT, limit_price=Decimal(25010))
    assert floor.told(Kind.TRADE)[-1]["price"] == Decimal("25000.25")


def test_a_stop_waits_for_its_price_and_slips(floor: Floor) -> None:
    """A sell stop trades at the bid that reached it, also when that is worse."""
    stop = floor.place(Side.SELL, kind=OrderType.STOP, stop_price=Decimal(24990))
    floor.quote("24995")
    assert floor.order(stop).status is OrderStatus.OPEN
    floor.quote("24980")
    assert floor.told(Kind.TRADE)[-1]["price"] == Decimal(24980)


def test_a_stop_limit_does_not_trade_beyond_its_limit(floor: Floor) -> None:
    """Once triggered it is a limit order: a gap leaves it resting until the price is back."""
    prices: dict[str, Any] = {"stop_price": Decimal(24990), "limit_price": Decimal(24988)}
    order = floor.place(Side.SELL, kind=OrderType.STOP_LIMIT, **prices)
    floor.quote("24980")
    assert floor.order(order).status is OrderStatus.OPEN
    floor.quote("24989")
    assert floor.told(Kind.TRADE)[-1]["price"] == Decimal(24988)


def test_a_trailing_stop_follows_only_upwards(floor: Floor) -> None:
    """A sell trail rises with the bid, stays when it falls, and trades when it is reached."""
    trail = floor.place(Side.SELL, kind=OrderType.TRAILING_STOP, trail=Decimal(10))
    floor.quote("25020")
    assert floor.order(trail).stop_price == Decimal(25010)
    floor.quote("25012")
    assert floor.order(trail).stop_price == Decimal(25010)
    floor.quote("25009")
    assert floor.order(trail).status is OrderStatus.FILLED


def test_joining_orders_rest_at_the_touch(floor: Floor) -> None:
    """Join bid and join ask take their price from the market."""
    bid = floor.place(Side.BUY, kind=OrderType.JOIN_BID)
    ask = floor.place(Side.SELL, kind=OrderType.JOIN_ASK)
    assert floor.order(bid).limit_price == Decimal(25000)
    assert floor.order(ask).limit_price == Decimal("25000.25")


def test_bracket_children_sleep_until_the_parent_fills(floor: Floor) -> None:
    """Suspended children wake with prices relative to the parent's fill."""
    parent = floor.place(
        Side.BUY,
        2,
        OrderType.LIMIT,
        limit_price=Decimal(24990),
        stop_loss=Bracket(40, OrderType.STOP),
        take_profit=Bracket(80, OrderType.LIMIT),
    )
    stop, target = floor.exchange.orders_of(1001)[1:]
    assert {stop.status, target.status} == {OrderStatus.SUSPENDED}
    floor.quote("24989")
    assert (stop.status, stop.stop_price, stop.size) == (OrderStatus.OPEN, Decimal(24980), 2)
    assert (target.limit_price, target.parent_id) == (Decimal(25010), floor.order(parent).id)


def test_only_one_bracket_child_fills(floor: Floor) -> None:
    """When the target fills, the stop is cancelled, and the position is flat."""
    floor.place(
        Side.BUY,
        stop_loss=Bracket(40, OrderType.STOP),
        take_profit=Bracket(40, OrderType.LIMIT),
    )
    floor.quote("25020")
    statuses = [order.status for order in floor.exchange.orders_of(1001)]
    assert statuses == [OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.FILLED]
    assert floor.net() == 0


def test_cancelling_a_target_cancels_its_stop(floor: Floor) -> None:
    """Linked orders go together, unless the exchange is told otherwise."""
    floor.place(
        Side.BUY, stop_loss=Bracket(40, OrderType.STOP), take_profit=Bracket(40, OrderType.LIMIT)
    )
    _, stop, target = floor.exchange.orders_of(1001)
    assert floor.exchange.cancel(1001, target.id, NOW).accepted
    assert stop.status is OrderStatus.CANCELLED
    assert floor.net() == 1


def test_cancelling_a_parent_ends_its_children(floor: Floor) -> None:
    """Children of an order that never filled do not stay behind."""
    parent = floor.place(
        Side.BUY,
        kind=OrderType.LIMIT,
        limit_price=Decimal(24000),
        stop_loss=Bracket(40, OrderType.STOP),
    )
    floor.exchange.cancel(1001, floor.order(parent).id, NOW)
    assert not any(order.working for order in floor.exchange.orders_of(1001))


def test_partial_fills_take_one_step_per_quote() -> None:
    """With a limit on what trades at once, an order fills piece by piece and its stop grows along."""
    exchange = Exchange(
        front_contracts(["NQ"]), [Account(1001, "A", Decimal(50_000))], NOW, fills_at_once=2
    )
    request = OrderRequest(
        1001, NQ, OrderType.MARKET, Side.BUY, 5, stop_loss=Bracket(400, OrderType.STOP)
    )
    answer = exchange.place(request, NOW)
    order, stop = exchange.orders_of(1001)
    assert (order.filled, stop.size) == (2, 2)
    exchange.set_quote(NQ, Decimal(25000), Decimal("25000.25"), NOW)
    assert (order.filled, stop.size) == (4, 4)
    exchange.set_quote(NQ, Decimal(25000), Decimal("25000.25"), NOW)
    assert order.status is OrderStatus.FILLED
    assert (exchange.ledger.net(1001, NQ), stop.size, answer.code) == (5, 5, 0)


def test_linked_orders_cancel_each_other(floor: Floor) -> None:
    """linkedOrderId makes a pair of which only one fills."""
    low = floor.place(Side.BUY, kind=OrderType.LIMIT, limit_price=Decimal(24990))
    high = floor.place(
        Side.SELL, kind=OrderType.LIMIT, limit_price=Decimal(25010), linked_order_id=low.order_id
    )
    floor.quote("25020")
    assert floor.order(high).status is OrderStatus.FILLED
    assert floor.order(low).status is OrderStatus.CANCELLED


def test_modify_moves_a_working_order(floor: Floor) -> None:
    """A new limit that the market already offers trades at once."""
    bid = floor.place(Side.BUY, kind=OrderType.LIMIT, limit_price=Decimal(24990))
    answer = floor.exchange.modify(
        1001, floor.order(bid).id, NOW, limit_price=Decimal(25010), size=3
    )
    assert answer.accepted
    assert floor.net() == 3


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"account_id": 7}, 1),
        ({"contract_id": "CON.F.US.XX.Z26"}, 8),
        ({"size": 0}, 2),
        ({"size": -3}, 2),
        ({"size": 100_000}, 2),
        ({"type": OrderType.LIMIT}, 2),
        ({"type": OrderType.STOP, "stop_price": Decimal(24999)}, 2),
        ({"type": OrderType.STOP, "stop_price": Decimal("NaN")}, 2),
        ({"type": OrderType.LIMIT, "limit_price": Decimal("24990.1")}, 2),
        ({"type": OrderType.LIMIT, "limit_price": Decimal("Infinity")}, 2),
        ({"type": OrderType.TRAILING_STOP}, 2),
        ({"linked_order_id": 1}, 2),
    ],
)
def test_senseless_orders_are_refused_with_the_gateways_codes(
    floor: Floor, change: dict[str, Any], code: int
) -> None:
    """A refusal has a code and a text, and changes nothing."""
    whole: dict[str, Any] = {
        "account_id": 1001,
        "contract_id": NQ,
        "type": OrderType.MARKET,
    } | change
    request = OrderRequest(side=Side.BUY, **({"size": 1} | whole))
    answer = floor.exchange.place(request, NOW)
    assert answer.code == code
    assert answer.message
    assert floor.events == []


def test_an_account_that_may_not_trade_is_refused(floor: Floor) -> None:
    """canTrade false, an order the account always refuses, and no funds have their own codes."""
    floor.exchange.set_account(1001, can_trade=False)
    assert floor.place(Side.BUY).code == 10
    floor.exchange.set_account(1001, can_trade=True, refuses=frozenset({"place"}))
    assert floor.place(Side.BUY).code == 10
    floor.exchange.set_account(1001, refuses=frozenset(), adjust=Decimal(-50_000))
    assert floor.place(Side.BUY).code == 3


def test_a_closed_market_takes_nothing(floor: Floor) -> None:
    """Outside hours orders and closes are refused, and resting orders stay where they are."""
    floor.place(Side.BUY)
    resting = floor.place(Side.BUY, kind=OrderType.LIMIT, limit_price=Decimal(24990))
    floor.exchange.open = False
    floor.quote("24900")
    assert floor.place(Side.BUY).code == 5
    assert floor.exchange.close(1001, NQ, NOW).code == 5
    assert floor.order(resting).status is OrderStatus.OPEN


def test_events_of_an_execution_share_a_cause_and_come_in_order(floor: Floor) -> None:
    """Order, trade, position, account: the last four events of a market order."""
    floor.place(Side.BUY)
    last: list[Event] = floor.events[-4:]
    assert [it.kind for it in last] == [Kind.ORDER, Kind.TRADE, Kind.POSITION, Kind.ACCOUNT]
    assert len({it.cause for it in last}) == 1
