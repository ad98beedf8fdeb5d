"""Messages that no actor handled: the newest ones, and how many of each kind there ever were."""

import enum
from collections import Counter, deque
from collections.abc import Mapping
from traceback import StackSummary, TracebackException, walk_tb
from typing import Any

from attrs import field, frozen


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
    """One message that reached nobody."""

    path: str
    message: Any
    cause: Cause
    _crash: TracebackException | None = field(default=None, repr=False, eq=False)

    @property
    def traceback(self) -> str:
        """What was raised, and where, when it crashed its actor or the observer; else empty."""
        return "" if self._crash is None else "".join(self._crash.format())


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

    def record(
        self, path: str, message: Any, cause: Cause, error: BaseException | None = None
    ) -> None:
        """Bury one message, with the error that it led to."""
        crash = None if error is None else _places(error)
        self._ring.append(DeadLetter(path, message, cause, crash))
        self._counts[path, type(message).__name__, cause] += 1


def _places(error: BaseException) -> TracebackException:
    """What to tell of an error: files and lines, to be made text when somebody reads it.

    Not the error itself, whose frames would keep a dead actor and all it knew. Not the text, which
    takes as long as half a restart; nor the columns within the lines, which take longer still.
    """
    told = TracebackException(type(error), error, None, lookup_lines=False)
    told.stack = StackSummary.extract(walk_tb(error.__traceback__), lookup_lines=False)
    return told
