"""The gateway's enumerations, by its own numbers (ProjectX Gateway API documentation).

Kept apart from the daemon's: the simulated gateway is the other side of the wire and must not share
a mistake with the code it tests.
"""

import enum


class Side(enum.IntEnum):
    """Direction of an order or trade."""

    BUY = 0
    SELL = 1

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(enum.IntEnum):
    """Kind of an order."""

    LIMIT = 1
    MARKET = 2
    STOP_LIMIT = 3
    STOP = 4
    TRAILING_STOP = 5
    JOIN_BID = 6
    JOIN_ASK = 7


class OrderStatus(enum.IntEnum):
    """Where an order stands."""

    OPEN = 1
    FILLED = 2
    CANCELLED = 3
    EXPIRED = 4
    REJECTED = 5
    PENDING = 6
    PENDING_CANCELLATION = 7
    SUSPENDED = 8


WORKING = frozenset(
    {
        OrderStatus.OPEN,
        OrderStatus.PENDING,
        OrderStatus.PENDING_CANCELLATION,
        OrderStatus.SUSPENDED,
    }
)
"""Statuses of an order that may still trade."""


class PositionType(enum.IntEnum):
    """Direction of a position."""

    UNDEFINED = 0
    LONG = 1
    SHORT = 2


class PlaceError(enum.IntEnum):
    """Refusals of Order/place."""

    ACCOUNT_NOT_FOUND = 1
    REJECTED = 2
    INSUFFICIENT_FUNDS = 3
    ACCOUNT_VIOLATION = 4
    OUTSIDE_HOURS = 5
    CONTRACT_NOT_FOUND = 8
    CONTRACT_NOT_ACTIVE = 9
    ACCOUNT_REJECTED = 10


class ChangeError(enum.IntEnum):
    """Refusals of Order/cancel and Order/modify."""

    ACCOUNT_NOT_FOUND = 1
    ORDER_NOT_FOUND = 2
    REJECTED = 3
    ACCOUNT_REJECTED = 6


class CloseError(enum.IntEnum):
    """Refusals of Position/closeContract."""

    ACCOUNT_NOT_FOUND = 1
    POSITION_NOT_FOUND = 2
    CONTRACT_NOT_FOUND = 3
    REJECTED = 5
    PENDING = 6
    ACCOUNT_REJECTED = 8


class PartialCloseError(enum.IntEnum):
    """Refusals of Position/partialCloseContract."""

    ACCOUNT_NOT_FOUND = 1
    POSITION_NOT_FOUND = 2
    CONTRACT_NOT_FOUND = 3
    INVALID_SIZE = 5
    REJECTED = 6
    PENDING = 7
    ACCOUNT_REJECTED = 9
