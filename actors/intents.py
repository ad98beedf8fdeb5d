"""The effects of enforcement: what a pursuit of an intent asks its actor to do, or reports."""

from attrs import frozen

from broker.port import Outcome
from risk.verdict import Action
from store.records import Intent


@frozen
class SendClose:
    """Close a whole position."""

    request: int
    contract_id: str


@frozen
class SendPartialClose:
    """Close ``size`` contracts of a position."""

    request: int
    contract_id: str
    size: int


@frozen
class SendCancel:
    """Cancel an order."""

    request: int
    order_id: int


Request = SendClose | SendPartialClose | SendCancel


@frozen
class ReadExposure:
    """Read positions and working orders afresh."""


@frozen
class InFlight:
    """So many contracts are being closed now; 0 when none is any more."""

    contract_id: str
    reducing: int


@frozen
class Began:
    """An intent was taken up."""

    intent: Intent


@frozen
class Answered:
    """A request of an intent was answered."""

    intent: Intent
    aim: Action
    """What this one request asked for."""
    request: int
    sent: float
    """Monotonic seconds; ``answered`` likewise."""
    answered: float
    outcome: Outcome
    tries: int


@frozen
class Fulfilled:
    """An intent has come true, as the broker's state shows."""

    intent: Intent
    how: str
    """``flat``, ``reduced``, ``another episode`` or ``gone``."""


@frozen
class Stubborn:
    """An intent is still open after all quick tries: the trader must know."""

    intent: Intent
    tries: int
    problem: str


Effect = (
    SendClose
    | SendPartialClose
    | SendCancel
    | ReadExposure
    | InFlight
    | Began
    | Answered
    | Fulfilled
    | Stubborn
)
