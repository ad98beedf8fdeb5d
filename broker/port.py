"""The broker as Seawall sees it: events in, reads and reducing requests out.

Two implementations: ``broker.projectx`` (the real SDK over sockets) and ``broker.memory`` (straight
on the exchange model, for simulation). There is deliberately no way to place or modify an order.

Reads raise a :class:`BrokerError`. Mutations never raise: they answer one of four outcomes, because
the one question after a request is whether it may be repeated.
"""

import enum
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from attrs import define, field, frozen

from risk.domain import BrokerAccount, Contract, Mark, Order, Position, Trade


@frozen
class Stamp:
    """Where in the stream of a login an event was received."""

    link: int
    """Number of the user-hub connection; a value of an older link is out of date."""
    n: int
    """The adapter's receive counter, rising over the whole session, never reset by a reconnect."""
    received: float
    """Monotonic seconds (``trio.current_time``)."""


@define
class Numbering:
    """The counters of one login. They outlive sessions, so that what is newer is always higher."""

    link: int = 0
    """Number of the newest user-hub connection."""
    received: int = 0
    """Number of the newest event."""


@frozen
class Fill:
    """A trade was reported (or voided)."""

    stamp: Stamp
    trade: Trade


@frozen
class PositionUpdate:
    """A position's absolute value; ``net`` 0 when flat."""

    stamp: Stamp
    position: Position


@frozen
class OrderUpdate:
    """An order's latest state."""

    stamp: Stamp
    order: Order


@frozen
class AccountUpdate:
    """An account's balance or permissions."""

    stamp: Stamp
    account: BrokerAccount


@frozen
class QuoteUpdate:
    """Prices of one contract; fields that did not come or were unusable are None."""

    contract_id: str
    mark: Mark


class Hub(enum.Enum):
    """Which of the two streams."""

    USER = "user"
    MARKET = "market"


@frozen
class ConnectionChange:
    """A hub came up or went down.

    A hub that is up reports again, with the same link, when further accounts were subscribed on it
    or when ``proven`` changed.
    """

    hub: Hub
    up: bool
    link: int
    """For the user hub the number of this connection; 0 for the market hub."""
    proven: bool
    """Every subscription was confirmed within a second; an unproven link must be read again."""
    reason: str = ""


@frozen
class LoggedOut:
    """The gateway ended this session (GatewayLogout): the user logged in somewhere else, perhaps."""

    reason: str


@frozen
class Unreadable:
    """A payload that could not be understood: what it may have said must be read from the broker."""

    hub: Hub
    problem: str


BrokerEvent = (
    Fill
    | PositionUpdate
    | OrderUpdate
    | AccountUpdate
    | QuoteUpdate
    | ConnectionChange
    | LoggedOut
    | Unreadable
)

Sink = Callable[[BrokerEvent], None]
"""Called synchronously for each event, in the order of receipt; must not block and must not raise."""


@frozen
class Done:
    """The broker accepted the request."""


@frozen
class Refused:
    """The broker answered and said no."""

    code: int
    message: str


@frozen
class NotExecuted:
    """The request certainly did nothing: 401, 429, no connection. It may be repeated."""

    reason: str
    retry_after: float | None = None
    """Seconds the broker asked to wait, when it did."""
    busy: bool = False
    """Kept back on this side, for another that was under way: it says nothing of the broker."""


@frozen
class Unknown:
    """The request may have been executed: read the broker's state before anything else."""

    reason: str


Outcome = Done | Refused | NotExecuted | Unknown


class BrokerError(Exception):
    """A read or a login that failed."""


class Unreachable(BrokerError, ConnectionError):
    """No answer, a server error or a broken connection."""


class LoginRejected(BrokerError, PermissionError):
    """The broker knows neither this user nor this key, or the session's token is not accepted."""


class RateLimited(BrokerError):
    """429: too many requests."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RequestRefused(BrokerError):
    """HTTP 200 with ``success: false``."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class BadPayload(BrokerError, ValueError):
    """An answer that does not have the promised shape."""


class Priority(enum.IntEnum):
    """Who may use the login's request budget first."""

    ENFORCEMENT = 0
    RECONCILE = 1
    HOUSEKEEPING = 2


@frozen
class Login:
    """One user of the gateway."""

    name: str
    username: str
    api_key: str = field(repr=False)
    api_url: str
    user_hub_url: str
    market_hub_url: str


@frozen
class SessionStatistics:
    """Figures of one session since it opened."""

    link: int
    received: int
    """Value of the receive counter: the ``n`` of the newest event."""
    requests_last_minute: int
    logins: int
    skew: float | None
    """Broker clock minus ours in seconds, from the Date header; None before the first answer."""
    skew_at: float
    """Monotonic seconds of that measurement."""


class Session(Protocol):
    """A login that is authenticated and keeps its hubs up by itself until it is closed."""

    def watch(self, accounts: Iterable[int], contracts: Iterable[str]) -> None:
        """Replace what is subscribed: account ids on the user hub, contract ids' quotes on the market hub."""

    def statistics(self) -> SessionStatistics:
        """A frozen picture of the session's figures; cheap."""

    async def wait_failed(self) -> None:
        """Return only by raising: BrokerError when the session cannot go on by itself (key revoked)."""

    async def accounts(self, priority: Priority) -> tuple[BrokerAccount, ...]:
        """Every account of the login, also inactive ones."""

    async def positions(self, account_id: int, priority: Priority) -> tuple[Position, ...]:
        """Open positions of one account."""

    async def orders(self, account_id: int, priority: Priority) -> tuple[Order, ...]:
        """Working orders of one account: open, pending, pending cancellation and suspended."""

    async def trades(
        self, account_id: int, since: datetime, priority: Priority
    ) -> tuple[Trade, ...]:
        """All half-turns since an instant, voided ones included; never cut short."""

    async def contracts(self, priority: Priority) -> tuple[Contract, ...]:
        """Records of every contract on offer; those that cannot be read are left out."""

    async def contract(self, contract_id: str, priority: Priority) -> Contract:
        """The broker's record of a contract; BadPayload when tick size or value is missing or zero."""

    async def last_price(self, contract_id: str, priority: Priority) -> Decimal | None:
        """Close of the newest one-minute bar, the running one included; None when there is none."""

    async def price_at(
        self, contract_id: str, instant: datetime, priority: Priority
    ) -> Decimal | None:
        """Close of the newest one-minute bar that ended by an instant; None when there is none."""

    async def close(self, account_id: int, contract_id: str) -> Outcome:
        """Position/closeContract."""

    async def partial_close(self, account_id: int, contract_id: str, size: int) -> Outcome:
        """Position/partialCloseContract; ``size`` contracts, at least 1."""

    async def cancel(self, account_id: int, order_id: int) -> Outcome:
        """Order/cancel."""


class Broker(Protocol):
    """Opens sessions."""

    def session(
        self, login: Login, sink: Sink, numbering: Numbering
    ) -> AbstractAsyncContextManager[Session]:
        """Log in and start the hubs; entering raises LoginRejected, Unreachable or RateLimited.

        Events are numbered on from ``numbering``, which the session alone changes while it lives.
        """
