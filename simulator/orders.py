"""Working orders: when they trade, and at what price."""

from datetime import datetime
from decimal import Decimal

from attrs import Factory, define, frozen

from simulator.words import WORKING, OrderStatus, OrderType, Side


@frozen
class Quote:
    """Best prices of a contract, in points."""

    bid: Decimal
    ask: Decimal
    last: Decimal

    def touch(self, side: Side) -> Decimal:
        """What a market order of this side pays or gets."""
        return self.ask if side is Side.BUY else self.bid


@frozen
class Bracket:
    """A child to be placed this many ticks away from its parent's fill."""

    ticks: int
    """Unsigned distance."""
    type: OrderType


@frozen
class OrderRequest:
    """What a trader asks for."""

    account_id: int
    contract_id: str
    type: OrderType
    side: Side
    size: int
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None
    """Distance of a trailing stop in points."""
    custom_tag: str | None = None
    linked_order_id: int | None = None
    """An order that is cancelled when this one fills, and the other way round."""
    stop_loss: Bracket | None = None
    take_profit: Bracket | None = None


@define(eq=False)
class WorkingOrder:
    """An order from acceptance to its end; the exchange alone changes it."""

    id: int
    account_id: int
    contract_id: str
    type: OrderType
    side: Side
    size: int
    created: datetime
    updated: datetime
    status: OrderStatus = OrderStatus.OPEN
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None
    custom_tag: str | None = None
    parent_id: int | None = None
    bracket: Bracket | None = None
    """Where a suspended child goes once its parent has filled."""
    filled: int = 0
    filled_price: Decimal | None = None
    resting: bool = False
    """It has stood in the book since before the present quote."""
    triggered: bool = False
    """A stop-limit whose stop was reached."""
    siblings: set[int] = Factory(set)
    """Orders of which only one may fill."""

    @property
    def working(self) -> bool:
        """It may still trade."""
        return self.status in WORKING

    @property
    def remaining(self) -> int:
        """Contracts still to trade."""
        return self.size - self.filled

    def follow(self, quote: Quote) -> bool:
        """Move a trailing stop after the market; whether it moved."""
        if self.type is not OrderType.TRAILING_STOP or self.trail is None:
            return False
        sign = self.side.sign
        wanted = quote.touch(self.side) + sign * self.trail
        if self.stop_price is not None and sign * (wanted - self.stop_price) >= 0:
            return False
        self.stop_price = wanted
        return True

    def execution_price(self, quote: Quote) -> Decimal | None:
        """The price at which this order trades now, None while it does not.

        A resting limit trades at its limit, an arriving one at the touch; stops trade at the touch.
        """
        if self.status is not OrderStatus.OPEN:
            return None
        touch = quote.touch(self.side)
        if self.type in (OrderType.STOP, OrderType.TRAILING_STOP):
            return touch if self._stop_reached(touch) else None
        if self.type is OrderType.STOP_LIMIT:
            self.triggered = self.triggered or self._stop_reached(touch)
            if not self.triggered:
                return None
        if self.limit_price is None:
            return touch
        if self.side.sign * (touch - self.limit_price) > 0:
            return None
        return self.limit_price if self.resting else touch

    def _stop_reached(self, touch: Decimal) -> bool:
        return self.stop_price is not None and self.side.sign * (touch - self.stop_price) >= 0
