"""What the gateway says about its accounts, orders, positions, trades and prices, as JSON objects.

Field names and shapes are those of the ProjectX Gateway documentation; prices and money are
``Decimal`` and are written as JSON numbers.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from simulator.contracts import Listing
from simulator.ledger import Account, Booking
from simulator.lots import Holding
from simulator.orders import Quote, WorkingOrder

Payload = dict[str, Any]

encode = msgspec.json.Encoder(decimal_format="number").encode


def account_payload(account: Account) -> Payload:
    """An account as Account/search and GatewayUserAccount show it."""
    return {
        "id": account.id,
        "name": account.name,
        "balance": account.balance,
        "canTrade": account.can_trade,
        "isVisible": account.visible,
        "simulated": True,
    }


def contract_payload(listing: Listing) -> Payload:
    """A contract as Contract/search shows it."""
    return {
        "id": listing.id,
        "name": listing.name,
        "description": listing.description,
        "tickSize": listing.tick_size,
        "tickValue": listing.tick_value,
        "activeContract": listing.active,
        "symbolId": listing.symbol_id,
    }


def order_payload(order: WorkingOrder, symbol_id: str) -> Payload:
    """An order as Order/search and GatewayUserOrder show it."""
    return {
        "id": order.id,
        "accountId": order.account_id,
        "contractId": order.contract_id,
        "symbolId": symbol_id,
        "creationTimestamp": order.created.isoformat(),
        "updateTimestamp": order.updated.isoformat(),
        "status": int(order.status),
        "type": int(order.type),
        "side": int(order.side),
        "size": order.size,
        "limitPrice": order.limit_price,
        "stopPrice": order.stop_price,
        "trailPrice": order.trail,
        "fillVolume": order.filled,
        "filledPrice": order.filled_price,
        "customTag": order.custom_tag,
        "parentOrderId": order.parent_id,
    }


def position_payload(holding: Holding, name: str) -> Payload:
    """A position as Position/searchOpen and GatewayUserPosition show it; size 0 when flat."""
    return {
        "id": holding.id,
        "accountId": holding.account_id,
        "contractId": holding.contract_id,
        "contractDisplayName": name,
        "creationTimestamp": holding.opened_at.isoformat(),
        "type": int(holding.type),
        "size": holding.size,
        "averagePrice": holding.average_price,
    }


def trade_payload(trade: Booking) -> Payload:
    """A half-turn as Trade/search and GatewayUserTrade show it."""
    return {
        "id": trade.id,
        "accountId": trade.account_id,
        "contractId": trade.contract_id,
        "creationTimestamp": trade.at.isoformat(),
        "price": trade.price,
        "profitAndLoss": trade.profit_and_loss,
        "fees": trade.fees,
        "side": int(trade.side),
        "size": trade.size,
        "voided": trade.voided,
        "orderId": trade.order_id,
    }


def quote_payload(
    listing: Listing, quote: Quote, day: tuple[Decimal, Decimal, Decimal, int], now: datetime
) -> Payload:
    """A quote as GatewayQuote shows it; ``day`` is open, high, low and volume since the start."""
    opened, high, low, volume = day
    stamp = now.isoformat()
    return {
        "symbol": listing.symbol_id,
        "symbolName": listing.name,
        "lastPrice": quote.last,
        "bestBid": quote.bid,
        "bestAsk": quote.ask,
        "change": quote.last - opened,
        "open": opened,
        "high": high,
        "low": low,
        "volume": volume,
        "lastUpdated": stamp,
        "timestamp": stamp,
    }
