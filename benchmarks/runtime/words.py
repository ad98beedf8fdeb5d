"""The messages that every side carries, and the work that every side does with one."""

from collections.abc import Callable
from time import perf_counter

from attrs import frozen

from supervision import Lane, Reply, mailbox_policy

HOPS = 4
"""Mailboxes on the way through the chain."""
WITHIN = 5.0
"""Seconds: the deadline of every question; none comes near it."""


@frozen
class Step:
    """A message without a policy of its own."""

    number: int


@frozen
class Question:
    """A number to be returned."""

    reply: Reply[int]
    number: int


@mailbox_policy(lane=Lane.CONFLATED, key=lambda quote: quote.number)
@frozen
class Quote:
    """Of two for one number only the newer is handled."""

    number: int


@mailbox_policy(lane=Lane.CONTROL)
@frozen
class Alarm:
    """Goes before all quotes."""

    number: int = 0


class Tally:
    """Counts what was handled, and calls ``full`` at the last one of a burst."""

    def __init__(self, burst: int, full: Callable[[], object]) -> None:
        self._left = burst
        self._full = full

    def take(self, _: object) -> None:
        """The whole work of a handler."""
        self._left -= 1
        if not self._left:
            self._full()


class Finish:
    """Where a single message arrives: notes the time, and calls what was expected of it."""

    def __init__(
        self, seen: Callable[[], object] | None = None, clock: Callable[[], float] = perf_counter
    ) -> None:
        self._seen = seen
        self._clock = clock
        self.at = 0.0

    def expect(self, seen: Callable[[], object]) -> None:
        """Call this at the next arrival."""
        self._seen = seen

    def arrive(self) -> None:
        """The whole work of the last handler."""
        self.at = self._clock()
        if self._seen is not None:
            self._seen()
