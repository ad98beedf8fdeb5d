"""Positions, profits and balances: examples, and the laws every history obeys."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import Account, Exchange, LotMethod, OrderRequest, OrderType, Side, front_contracts
from simulator.events import Kind
from simulator.ledger import Booking
from tests.simulator.world import Floor

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
NQ = "CON.F.US.ENQ.Z26"
FEE = Decimal("1.40")


def test_a_round_trip_pays_points_and_fees(floor: Floor) -> None:
    """Four ticks against one NQ contract cost 20 dollars and two fees."""
    floor.place(Side.BUY)
    floor.quote("24999.25")
    floor.place(Side.SELL)
    opening, closing = floor.told(Kind.TRADE)
    assert opening["profitAndLoss"] is None
    assert closing["profitAndLoss"] == Decimal("-20.00")
    assert floor.balance == Decimal(50_000) - 20 - 2 * FEE


@pytest.mark.parametrize(
    ("method", "expected"), [(LotMethod.FIFO, Decimal(-5)), (LotMethod.AVERAGE, Decimal(-105))]
)
def test_the_lot_method_decides_what_a_partial_close_earned(
    floor: Floor, method: LotMethod, expected: Decimal
) -> None:
    """Bought at 25000.25 and 25010.25: first-in-first-out sells the cheap lot, average half of each."""
    floor.exchange.ledger.lot_method = method
    floor.place(Side.BUY)
    floor.quote("25010")
    floor.place(Side.BUY)
    floor.quote("25000")
    floor.place(Side.SELL)
    assert floor.told(Kind.TRADE)[-1]["profitAndLoss"] == expected


def test_a_reversal_is_a_close_and_an_opening(floor: Floor) -> None:
    """Selling three against one long books two half-turns and begins a new position."""
    floor.place(Side.BUY)
    floor.place(Side.SELL, 3)
    _, closing, opening = floor.told(Kind.TRADE)
    assert (closing["size"], opening["size"]) == (1, 2)
    assert opening["profitAndLoss"] is None
    _, ended, begun = floor.told(Kind.POSITION)
    assert (ended["size"], begun["size"], begun["type"]) == (0, 2, 2)
    assert ended["id"] != begun["id"]


def test_closing_leaves_resting_orders_alone(floor: Floor) -> None:
    """closeContract flattens, and cancels nothing."""
    floor.place(Side.BUY, 2)
    stop = floor.place(Side.SELL, 2, OrderType.STOP, stop_price=Decimal(24990))
    assert floor.exchange.close(1001, NQ, NOW).accepted
    assert floor.net() == 0
    assert floor.order(stop).working


def test_close_and_partial_close_have_their_own_codes(floor: Floor) -> None:
    """Account, position, contract, size and follower refusals as the gateway numbers them."""
    exchange = floor.exchange
    assert exchange.close(7, NQ, NOW).code == 1
    assert exchange.close(1001, NQ, NOW).code == 2
    assert exchange.close(1001, "nonsense", NOW).code == 3
    assert exchange.partial_close(1001, NQ, 1, NOW).code == 2
    floor.place(Side.BUY, 2)
    assert exchange.partial_close(1001, NQ, 0, NOW).code == 5
    assert exchange.partial_close(1001, NQ, 3, NOW).code == 5
    exchange.set_account(1001, refuses=frozenset({"close", "partial_close"}))
    assert exchange.close(1001, NQ, NOW).code == 8
    assert exchange.partial_close(1001, NQ, 1, NOW).code == 9
    assert floor.net() == 2


def test_voiding_a_trade_books_the_contract_without_it(floor: Floor) -> None:
    """Striking the first of two buys leaves one lot, one fee, and a trade marked voided."""
    floor.place(Side.BUY)
    floor.quote("25010")
    floor.place(Side.BUY)
    first = floor.told(Kind.TRADE)[0]["id"]
    assert floor.exchange.void(first)
    held = floor.exchange.ledger.holding(1001, NQ)
    assert held is not None
    assert (held.size, held.average_price) == (1, Decimal("25010.25"))
    assert floor.balance == Decimal(50_000) - FEE
    assert floor.told(Kind.TRADE)[-1]["voided"] is True
    assert not floor.exchange.void(first)


def test_voiding_an_opening_turns_its_close_into_an_opening(floor: Floor) -> None:
    """Without the buy, the later sale has nothing to close: it is short, and earned nothing."""
    floor.place(Side.BUY)
    floor.place(Side.SELL)
    opening = floor.told(Kind.TRADE)[0]["id"]
    floor.exchange.void(opening)
    assert floor.net() == -1
    assert floor.balance == Decimal(50_000) - FEE


Script = list[tuple[str, int, int]]

actions = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "close", "partial", "quote", "void"]),
        st.integers(1, 4),
        st.integers(-40, 40),
    ),
    max_size=40,
)


def play(method: LotMethod, script: Script) -> Exchange:
    accounts = [Account(1001, "A", Decimal(500_000))]
    exchange = Exchange(front_contracts(["NQ"]), accounts, NOW, lot_method=method)
    for action, size, ticks in script:
        if action in ("buy", "sell"):
            side = Side.BUY if action == "buy" else Side.SELL
            exchange.place(OrderRequest(1001, NQ, OrderType.MARKET, side, size), NOW)
        elif action == "close":
            exchange.close(1001, NQ, NOW)
        elif action == "partial":
            exchange.partial_close(1001, NQ, size, NOW)
        elif action == "void":
            trades = exchange.ledger.trades.get(1001, [])
            if len(trades) >= size:
                exchange.void(trades[-size].id)
        else:
            bid = Decimal(25000) + ticks * Decimal("0.25")
            exchange.set_quote(NQ, bid, bid + Decimal("0.25"), NOW)
    return exchange


def kept(exchange: Exchange) -> list[Booking]:
    return [it for it in exchange.ledger.trades.get(1001, []) if not it.voided]


@given(script=actions, method=st.sampled_from(LotMethod))
def test_the_balance_is_the_sum_of_the_trades(script: Script, method: LotMethod) -> None:
    """Whatever happened: balance = start + profits - fees of the trades that stand."""
    exchange = play(method, script)
    cash = sum((it.profit_and_loss or Decimal(0)) - it.fees for it in kept(exchange))
    assert exchange.accounts[1001].balance == 500_000 + cash


@given(script=actions, method=st.sampled_from(LotMethod))
def test_the_position_is_the_sum_of_the_trades(script: Script, method: LotMethod) -> None:
    """Whatever happened: the net position = signed sizes of the trades that stand."""
    exchange = play(method, script)
    assert exchange.ledger.net(1001, NQ) == sum(it.side.sign * it.size for it in kept(exchange))


@given(script=actions)
def test_once_flat_the_lot_method_makes_no_difference(script: Script) -> None:
    """Realised profits of a flat account are its cash flow, by either method, to the cent."""
    end = [*[it for it in script if it[0] != "void"], ("close", 1, 0)]
    balances = [play(method, end).accounts[1001].balance for method in LotMethod]
    assert abs(balances[0] - balances[1]) < Decimal("0.50")


@given(script=actions, method=st.sampled_from(LotMethod))
def test_every_contract_an_order_filled_is_booked_once(script: Script, method: LotMethod) -> None:
    """Half-turns of an order add up to what it filled, reversals included."""
    exchange = play(method, script)
    booked: dict[int, int] = {}
    for trade in exchange.ledger.trades.get(1001, []):
        booked[trade.order_id] = booked.get(trade.order_id, 0) + trade.size
    assert booked == {it.id: it.filled for it in exchange.orders_of(1001)}
