"""The words of the market: contracts, orders, trades, positions, marks.

Frozen values in exact units: money and prices are ``Decimal`` (dollars, points), sizes are whole
contracts, instants are aware UTC datetimes, receive times are monotonic seconds. Enumerations carry
the numbers of the ProjectX Gateway, so that a payload maps without a table.
"""

import enum
from datetime import datetime
from decimal import Decimal

from attrs import frozen


class Side(enum.IntEnum):
    """Direction of an order or trade."""

    BUY = 0
    SELL = 1

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1


class OrderType(enum.IntEnum):
    """Kind of an order."""

    UNKNOWN = 0
    LIMIT = 1
    MARKET = 2
    STOP_LIMIT = 3
    STOP = 4
    TRAILING_STOP = 5
    JOIN_BID = 6
    JOIN_ASK = 7


class OrderStatus(enum.IntEnum):
    """Where an order stands; a terminal status never changes again."""

    NONE = 0
    OPEN = 1
    FILLED = 2
    CANCELLED = 3
    EXPIRED = 4
    REJECTED = 5
    PENDING = 6
    PENDING_CANCELLATION = 7
    SUSPENDED = 8

    @property
    def terminal(self) -> bool:
        """True once the order can no longer trade."""
        return self in _TERMINAL


_TERMINAL = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED}
)


@frozen
class Contract:
    """An instrument as the broker describes it; the broker's record is the authority."""

    id: str
    """Such as ``CON.F.US.MNQ.Z26``."""
    root: str
    """Such as ``MNQ``: the name without month code and year."""
    name: str
    """Such as ``MNQZ6``."""
    tick_size: Decimal
    """Points per tick."""
    tick_value: Decimal
    """Dollars per tick and contract."""

    @property
    def point_value(self) -> Decimal:
        """Dollars per point and contract."""
        return self.tick_value / self.tick_size


@frozen
class Trade:
    """One half-turn: an execution on one account."""

    id: int
    account_id: int
    contract_id: str
    order_id: int
    at: datetime
    side: Side
    size: int
    price: Decimal
    profit_and_loss: Decimal | None
    """The broker's figure for a closing half-turn, a cross-check only; None when it opened."""
    fees: Decimal | None
    """Dollars for this half-turn; None when the broker has not said yet."""
    voided: bool = False


@frozen
class Order:
    """An order as the broker last described it."""

    id: int
    account_id: int
    contract_id: str
    status: OrderStatus
    type: OrderType
    side: Side
    size: int
    filled: int
    created: datetime
    updated: datetime
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    parent_id: int | None = None
    """The order whose fill wakes this bracket child; None when it stands alone or is unknown."""

    @property
    def remaining(self) -> int:
        """Contracts still able to trade."""
        return max(self.size - self.filled, 0)


@frozen
class Episode:
    """One life of a position, from flat to flat or to its reversal: names what a close was aimed at."""

    position_id: int
    opened_at: datetime
    side: Side


@frozen
class Position:
    """What one account holds in one contract; ``net`` 0 means flat."""

    id: int
    account_id: int
    contract_id: str
    opened_at: datetime
    net: int
    """Contracts, signed: positive long, negative short."""
    average_price: Decimal

    @property
    def episode(self) -> Episode | None:
        """The life this position is in, None when flat."""
        if self.net == 0:
            return None
        return Episode(self.id, self.opened_at, Side.BUY if self.net > 0 else Side.SELL)


@frozen
class BrokerAccount:
    """An account as the broker lists it."""

    id: int
    name: str
    balance: Decimal
    can_trade: bool


@frozen
class Mark:
    """The latest usable prices of a contract, field by field, with local receive times."""

    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    bid_at: float = float("-inf")
    """Monotonic seconds at which ``bid`` was received; the others likewise."""
    ask_at: float = float("-inf")
    last_at: float = float("-inf")

    def merged(self, newer: "Mark") -> "Mark":
        """This mark with every field that ``newer`` has; a missing field keeps its value and age."""
        if newer.bid is not None and newer.ask is not None and newer.last is not None:
            return newer
        return Mark(
            bid=self.bid if newer.bid is None else newer.bid,
            ask=self.ask if newer.ask is None else newer.ask,
            last=self.last if newer.last is None else newer.last,
            bid_at=self.bid_at if newer.bid is None else newer.bid_at,
            ask_at=self.ask_at if newer.ask is None else newer.ask_at,
            last_at=self.last_at if newer.last is None else newer.last_at,
        )
