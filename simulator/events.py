"""What the exchange tells."""

import enum
from typing import Any

from attrs import frozen


class Kind(enum.Enum):
    """Which stream an event belongs to; the value is the push's name on the hub."""

    ACCOUNT = "GatewayUserAccount"
    ORDER = "GatewayUserOrder"
    POSITION = "GatewayUserPosition"
    TRADE = "GatewayUserTrade"
    QUOTE = "GatewayQuote"


@frozen
class Event:
    """Something happened on the exchange."""

    kind: Kind
    account_id: int | None
    """None for a quote."""
    contract_id: str
    """Empty for an account."""
    payload: dict[str, Any]
    """Never changed after the event was made: several readers share it."""
    cause: int
    """Events of one execution (or one request) share this number."""
