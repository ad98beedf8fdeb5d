"""What the actors say to each other. Frozen; lanes and conflation are declared with each message."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from attrs import Factory, evolve, frozen

from actors.clock_messages import ClockJoin, DayTurned
from actors.group_messages import Instructed
from actors.look import Look
from actors.price_messages import Feed, Marked
from broker.port import (
    AccountUpdate,
    ConnectionChange,
    Fill,
    LoggedOut,
    OrderUpdate,
    Outcome,
    PositionUpdate,
    Priority,
    Session,
    Unreadable,
)
from risk.domain import BrokerAccount, Contract, Order, Position, Trade
from risk.evaluate import Trigger
from risk.snapshot import Snapshot
from risk.verdict import Alert, Close, Flatten, Lock, Verdict
from risk.wires import Wire
from supervision import Lane, Overflow, Ref, Terminated, mailbox_policy

# ---- requests to a connection -----------------------------------------------------------------


@frozen
class Join:
    """An account introduces itself to its login's connection, after each start of either."""

    account: str
    reply_to: "Ref[LinkMessage]"
    broker_id: int | None = None
    """As the journal knows it: a renamed account is still the same account."""


@frozen
class CloseContract:
    """Position/closeContract."""

    request: int
    account_id: int
    contract_id: str
    reply_to: "Ref[RequestAnswered]"


@frozen
class PartialCloseContract:
    """Position/partialCloseContract."""

    request: int
    account_id: int
    contract_id: str
    size: int
    reply_to: "Ref[RequestAnswered]"


@frozen
class CancelOrder:
    """Order/cancel."""

    request: int
    account_id: int
    order_id: int
    reply_to: "Ref[RequestAnswered]"


Mutation = CloseContract | PartialCloseContract | CancelOrder


@frozen
class RequestAnswered:
    """The one answer to a mutation."""

    request: int
    outcome: Outcome


@frozen
class MutationAnswered:
    """The connection's own note of an answer that is to be passed on."""

    request: int
    outcome: Outcome
    reply_to: "Ref[RequestAnswered]"


@frozen
class ReadWanted:
    """Which parts of an account's state to read from the broker; its positions always."""

    purpose: str
    """Comes back with the answer, so that the asker knows what it was for."""
    account_id: int
    reply_to: "Ref[ReadDone | ReadFailed]"
    priority: Priority
    orders: bool = True
    trades_since: datetime | None = None
    """None: no trades are wanted."""


@frozen
class ReadDone:
    """The broker's answers; a part that was not wanted is None."""

    purpose: str
    link: int
    n0: int
    """Receive counter of the session before the reads, ``n1`` after them."""
    n1: int
    positions: tuple[Position, ...] | None
    orders: tuple[Order, ...] | None
    trades: tuple[Trade, ...] | None


@frozen
class ReadFailed:
    """A read failed; for people ``problem`` says how."""

    purpose: str
    problem: str


@frozen
class ContractWanted:
    """The broker's record of a contract is needed."""

    contract_id: str
    reply_to: "Ref[ContractFound | ContractMissing]"


@frozen
class ContractFound:
    """The broker's record of a contract."""

    contract: Contract


@frozen
class ContractsListed:
    """Records of the contracts on offer; empty when they could not be read."""

    contracts: tuple[Contract, ...]


@frozen
class ContractMissing:
    """The broker's record of a contract could not be had."""

    contract_id: str
    problem: str


@frozen
class ListingWanted:
    """Look at the account list now: for the broker's clock, or the balance with which a day began."""


@frozen
class PriceWanted:
    """Marks are stale: what does the newest one-minute bar say?"""

    contract_id: str
    reply_to: "Ref[Marked]"


@frozen
class OpeningPriceWanted:
    """Nobody watched when the trading day began: what was this contract worth then?"""

    contract_id: str
    at: datetime
    reply_to: "Ref[OpeningPrice]"


@frozen
class OpeningPrice:
    """Close of the one-minute bar that ended at an instant, or of the newest before it; points."""

    contract_id: str
    at: datetime
    price: Decimal


# ---- from a connection to its accounts ---------------------------------------------------------


@frozen
class LinkUp:
    """The user hub is up and this account is subscribed on it."""

    look: Look
    link: int
    proven: bool
    contracts: Mapping[str, Contract]
    """Records of the contracts on offer, by id; shared by all accounts of the login."""
    fresh: bool
    """The hub has just said so; false when this is only the regular look at the account list."""


@frozen
class LinkDown:
    """The user hub is down: nothing is heard about this account."""

    reason: str


@frozen
class Listed:
    """The regular look at the account list."""

    look: Look


@mailbox_policy(lane=Lane.CONTROL, overflow=Overflow.DROP_OLDEST)
@frozen
class Missed:
    """Something about this login was received that could not be read: look for yourself."""

    reason: str


LinkMessage = (
    LinkUp
    | LinkDown
    | Listed
    | Missed
    | Fill
    | PositionUpdate
    | OrderUpdate
    | AccountUpdate
    | ReadDone
    | ReadFailed
    | ContractFound
    | ContractMissing
)


# ---- account, rules, enforcement ---------------------------------------------------------------


@frozen
class Origin:
    """Which input an evaluation answers: what it was, and when it was received (monotonic s)."""

    what: str
    received: float


@mailbox_policy(lane=Lane.CONFLATED, key=lambda m: None)
@frozen
class Holdings:
    """The account's positions and working orders at one instant."""

    account_id: int
    positions: tuple[Position, ...]
    orders: tuple[Order, ...]
    locked: bool
    exact: bool
    """Settled with the broker; false allows full closes only."""
    as_of: float
    """Monotonic seconds; an older picture never replaces a newer one."""
    unseen: Mapping[str, int] = Factory(dict)
    """Contracts, signed, of positions that only their trades have told of, by contract id."""
    barred: bool = False
    """It may not trade, the broker says."""


def _merged(old: "Evaluate", new: "Evaluate") -> "Evaluate":
    # The newest state with every reason to look at it; the oldest input is the one kept waiting.
    trigger = new.trigger if new.trigger is old.trigger else Trigger.FULL
    return evolve(new, trigger=trigger, origin=old.origin)


@mailbox_policy(lane=Lane.CONFLATED, key=lambda m: None, merge=_merged)
@frozen
class Evaluate:
    """Judge this state. Merging keeps the newest state, so an old one is never judged after it."""

    snapshot: Snapshot
    holdings: Holdings
    trigger: Trigger
    origin: Origin


@frozen
class Decided:
    """What the rules say about a state that breaks them."""

    verdict: Verdict
    holdings: Holdings
    origin: Origin
    decided: float
    """Monotonic seconds."""


@frozen
class Judged:
    """What the account must do about a judgement: look again at an instant, tell the trader."""

    wake_in: float
    """Seconds; infinite when time alone changes nothing."""
    alerts: tuple[Alert, ...]
    wires: Mapping[str, Wire] | None
    """By contract: marks that do not trip them change no answer; None: every mark must be judged."""
    as_of: float
    """Monotonic seconds of the state that was judged; the wires hold for no later one."""


@frozen
class BrokerBack:
    """The link is back and the state believable: what waits for its next try may try now."""


@frozen
class CloseFirst:
    """A follower is to be closed: its leader goes first, or the copier would open it again."""

    follower: str
    rule: str
    action: Close | Flatten
    reason: str


@frozen
class LockSet:
    """Enforcement has set a lock; it is in the journal already."""

    lock: Lock
    again: bool = False
    """Found in the journal: it may have ended since."""


@frozen
class Reducing:
    """So many contracts are being closed by us; 0 when none is any more."""

    contract_id: str
    contracts: int


@frozen
class EnforcementDone:
    """An intent came true: look at the account again."""

    rule: str
    how: str


@frozen
class Reread:
    """What enforcement read from the broker, for the account's own state."""

    reading: ReadDone


# ---- small things actors say to themselves ------------------------------------------------------


type Peer = Literal["connection", "prices", "clock", "rules", "enforcement", "group"]


@frozen
class PeerEnded:
    """An actor this one depends on ended an incarnation; it will be back."""

    peer: Peer
    terminated: Terminated


@frozen
class Wake:
    """Look at something: a timer of the actor itself, or a peer that must know anew."""

    what: str


@frozen
class SessionOpened:
    """The connection's session is there."""

    session: Session


@frozen
class SessionEnded:
    """The connection's session is gone, or could not be opened."""

    problem: str


@frozen
class AccountsListed:
    """Answer to the regular look at the account list; None when it failed."""

    accounts: tuple[BrokerAccount, ...] | None
    asked: datetime
    """By our clock, as the next; aware UTC."""
    answered: datetime
    problem: str = ""


ConnectionMessage = (
    Join
    | Feed
    | Mutation
    | MutationAnswered
    | ReadWanted
    | ContractWanted
    | PriceWanted
    | OpeningPriceWanted
    | ListingWanted
    | ConnectionChange
    | LoggedOut
    | Unreadable
    | SessionOpened
    | SessionEnded
    | AccountsListed
    | ContractsListed
    | PeerEnded
    | Wake
)
AccountMessage = (
    LinkMessage
    | Marked
    | OpeningPrice
    | LockSet
    | Reducing
    | EnforcementDone
    | Reread
    | Judged
    | Instructed
    | CloseFirst
    | DayTurned
    | PeerEnded
    | Wake
)
EnforcementMessage = (
    Decided | BrokerBack | Holdings | RequestAnswered | ReadDone | ReadFailed | PeerEnded | Wake
)
ClockMessage = ClockJoin | Wake
