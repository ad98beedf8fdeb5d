"""What the exchange refuses, with the gateway's codes; and what a bracket's children look like."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from attrs import frozen

from simulator.contracts import Listing
from simulator.ledger import Account
from simulator.lots import Holding
from simulator.orders import Bracket, OrderRequest, Quote, WorkingOrder
from simulator.words import (
    ChangeError,
    CloseError,
    OrderStatus,
    OrderType,
    PartialCloseError,
    PlaceError,
    Side,
)

_NEEDS_LIMIT = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_NEEDS_STOP = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
MAX_SIZE = 1_000
"""Contracts in one order."""
MAX_PRICE = Decimal(10) ** 9


@frozen
class Answer:
    """How the exchange answered a request; ``code`` 0 means accepted."""

    code: int
    message: str | None
    order_id: int | None = None

    @property
    def accepted(self) -> bool:
        """It was done."""
        return self.code == 0


ACCEPTED = Answer(0, None)


def place_refusal(
    request: OrderRequest, account: Account | None, listing: Listing | None, is_open: bool
) -> Answer | None:
    """Why an order cannot be taken at all, None when it can."""
    if account is None:
        return Answer(PlaceError.ACCOUNT_NOT_FOUND, "account not found")
    if listing is None:
        return Answer(PlaceError.CONTRACT_NOT_FOUND, f"no contract {request.contract_id}")
    if not listing.active:
        return Answer(PlaceError.CONTRACT_NOT_ACTIVE, f"{listing.name} is not active")
    if "place" in account.refuses or not account.can_trade:
        return Answer(PlaceError.ACCOUNT_REJECTED, f"account {account.name} may not trade")
    if account.balance <= 0:
        return Answer(PlaceError.INSUFFICIENT_FUNDS, "insufficient funds")
    if not is_open:
        return Answer(PlaceError.OUTSIDE_HOURS, "outside trading hours")
    if not 1 <= request.size <= MAX_SIZE:
        return Answer(PlaceError.REJECTED, f"size must be between 1 and {MAX_SIZE}")
    return None


def price_problem(tick_size: Decimal, *prices: Decimal | None) -> str | None:
    """What is wrong with prices or distances, None when each is a positive number of ticks."""
    for price in prices:
        if price is None:
            continue
        if not price.is_finite() or not 0 < price < MAX_PRICE:
            return f"a price must be above 0 and below {MAX_PRICE}"
        if price % tick_size:
            return f"{price} is not a multiple of the tick size {tick_size}"
    return None


def price_refusal(request: OrderRequest, quote: Quote, tick_size: Decimal) -> Answer | None:
    """Why an order's prices make no sense against the market, None when they do."""
    given = (request.limit_price, request.stop_price, request.trail)
    if problem := price_problem(tick_size, *given):
        return Answer(PlaceError.REJECTED, problem)
    if request.type in _NEEDS_LIMIT and request.limit_price is None:
        return Answer(PlaceError.REJECTED, "limitPrice is missing")
    if request.type in _NEEDS_STOP and request.stop_price is None:
        return Answer(PlaceError.REJECTED, "stopPrice is missing")
    if request.type is OrderType.TRAILING_STOP and request.trail is None:
        return Answer(PlaceError.REJECTED, "trailPrice is missing")
    if request.type not in _NEEDS_STOP or request.stop_price is None:
        return None
    if request.side.sign * (quote.touch(request.side) - request.stop_price) >= 0:
        return Answer(PlaceError.REJECTED, "stopPrice is on the wrong side of the market")
    return None


def change_refusal(
    account: Account | None, order: WorkingOrder | None, operation: str
) -> Answer | None:
    """Why a working order cannot be cancelled or modified, None when it can."""
    if account is None:
        return Answer(ChangeError.ACCOUNT_NOT_FOUND, "account not found")
    if order is None or order.account_id != account.id or not order.working:
        return Answer(ChangeError.ORDER_NOT_FOUND, "order not found")
    if operation in account.refuses:
        return Answer(
            ChangeError.ACCOUNT_REJECTED, f"account {account.name} refuses to {operation}"
        )
    return None


def close_refusal(
    account: Account | None, listing: Listing | None, held: Holding | None, is_open: bool
) -> Answer | None:
    """Why a position cannot be closed, None when it can."""
    if account is None:
        return Answer(CloseError.ACCOUNT_NOT_FOUND, "account not found")
    if listing is None:
        return Answer(CloseError.CONTRACT_NOT_FOUND, "contract not found")
    if held is None:
        return Answer(CloseError.POSITION_NOT_FOUND, "position not found")
    if "close" in account.refuses:
        return Answer(CloseError.ACCOUNT_REJECTED, f"account {account.name} refuses to close")
    if not is_open:
        return Answer(CloseError.REJECTED, "outside trading hours")
    return None


def partial_close_refusal(
    account: Account | None,
    listing: Listing | None,
    held: Holding | None,
    size: int,
    is_open: bool,
) -> Answer | None:
    """Why a part of a position cannot be closed, None when it can."""
    if account is None:
        return Answer(PartialCloseError.ACCOUNT_NOT_FOUND, "account not found")
    if listing is None:
        return Answer(PartialCloseError.CONTRACT_NOT_FOUND, "contract not found")
    if held is None:
        return Answer(PartialCloseError.POSITION_NOT_FOUND, "position not found")
    if "partial_close" in account.refuses:
        return Answer(
            PartialCloseError.ACCOUNT_REJECTED, f"account {account.name} refuses partial closes"
        )
    if not 1 <= size <= held.size:
        return Answer(PartialCloseError.INVALID_SIZE, f"size must be between 1 and {held.size}")
    if not is_open:
        return Answer(PartialCloseError.REJECTED, "outside trading hours")
    return None


def bracket_children(
    parent: WorkingOrder, request: OrderRequest, ids: Iterator[int], now: datetime
) -> list[WorkingOrder]:
    """Suspended stop and target of an order that asked for them."""
    brackets = [it for it in (request.stop_loss, request.take_profit) if it is not None]
    return [_child(parent, bracket, next(ids), now) for bracket in brackets]


def _child(parent: WorkingOrder, bracket: Bracket, order_id: int, now: datetime) -> WorkingOrder:
    return WorkingOrder(
        id=order_id,
        account_id=parent.account_id,
        contract_id=parent.contract_id,
        type=bracket.type,
        side=parent.side.opposite,
        size=parent.size,
        created=now,
        updated=now,
        status=OrderStatus.SUSPENDED,
        parent_id=parent.id,
        bracket=bracket,
    )


def bracket_price(child: WorkingOrder, filled_price: Decimal, tick_size: Decimal) -> Decimal:
    """Where a child goes: a target beyond the parent's fill, a stop behind it, on the tick grid."""
    assert child.bracket is not None
    away = child.bracket.ticks * tick_size
    with_the_trade = child.type is OrderType.LIMIT
    up = (child.side is Side.SELL) == with_the_trade
    base = (filled_price / tick_size).to_integral_value() * tick_size
    return base + away if up else base - away
