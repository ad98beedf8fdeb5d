"""Messages that no actor handled: the newest ones, and how many of each kind there ever were."""

import enum
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

from attrs import frozen


class Cause(enum.StrEnum):
    """Why a message was not handled."""

    CRASHED = "crashed"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    SHUTDOWN = "shutdown"
    """Told to a stopped actor in the course of an ordered stop of everything: to be expected."""
    DROPPED = "dropped"
    QUARANTINED = "quarantined"
    LATE_REPLY = "late reply"
    OBSERVER_FAILED = "observer failed"


@frozen
class DeadLetter:
    """One message that reached nobody; ``traceback`` is filled when it crashed its actor."""

    path: str
    message: Any
    cause: Cause
    traceback: str = ""


class DeadLetters:
    """A ring of the newest dead letters and counters by (path, message type, cause)."""

    def __init__(self, keep: int = 256) -> None:
        self._ring: deque[DeadLetter] = deque(maxlen=keep)
        self._counts: Counter[tuple[str, str, Cause]] = Counter()
        self.shutting_down = False
        """True once the whole system stops in order."""

    @property
    def recent(self) -> tuple[DeadLetter, ...]:
        """The newest dead letters, oldest first."""
        return tuple(self._ring)

    @property
    def counts(self) -> Mapping[tuple[str, str, Cause], int]:
        """How many there were, by (path, name of the message type, cause)."""
        return dict(self._counts)

    @property
    def total(self) -> int:
        """How many there were in all."""
        return self._counts.total()

    def record(self, path: str, message: Any, cause: Cause, traceback: str = "") -> None:
        """Bury one message."""
        self._ring.append(DeadLetter(path, message, cause, traceback))
        self._counts[path, type(message).__name__, cause] += 1
