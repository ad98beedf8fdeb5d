"""What supervision reports as it happens, for logs and alerts."""

from attrs import frozen


@frozen
class Started:
    """A child is up."""

    path: str
    generation: int


@frozen
class Crashed:
    """An incarnation ended with an error (or failed to start, or to stop)."""

    path: str
    generation: int
    error: BaseException


@frozen
class Restarting:
    """A child will be started again after ``delay`` seconds, as ``generation``."""

    path: str
    generation: int
    delay: float


@frozen
class Parked:
    """A child failed too often and is set aside; the next try is in ``retry_in`` seconds."""

    path: str
    generation: int
    error: BaseException | None
    retry_in: float


@frozen
class Unparked:
    """A parked child is tried again, as ``generation``."""

    path: str
    generation: int


@frozen
class Stopped:
    """An incarnation ended without an error; ``reason`` tells an orderly end from a cut."""

    path: str
    generation: int
    reason: str


@frozen
class EscalatedEvent:
    """A supervisor went over its budget because of ``child`` and gives up."""

    path: str
    generation: int
    child: str
    error: BaseException | None


@frozen
class Quarantined:
    """Messages of the class called ``kind`` crashed the actor ``kills`` times: it gets no more."""

    path: str
    generation: int
    kind: str
    kills: int


@frozen
class Stuck:
    """A child was cancelled at ``since`` (Trio's clock) and is still alive: it cannot be ended.

    Only the end of the process helps.
    """

    path: str
    generation: int
    since: float


type SupervisionEvent = (
    Started
    | Crashed
    | Restarting
    | Parked
    | Unparked
    | Stopped
    | EscalatedEvent
    | Quarantined
    | Stuck
)
