"""References: the names by which actors are told things, and the mailboxes behind them.

The mailbox belongs to the reference, not to the incarnation that reads it: what is queued when an
actor crashes is there for its successor, and nobody has to look the successor up.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import trio
from attrs import frozen

from .dead_letters import Cause, DeadLetters
from .errors import ActorRestarting, ActorStopped, AskTimeout, MailboxFull
from .mailbox import EMPTY, Mailbox


@frozen
class MailboxStatistics:
    """Counts of messages over the life of a reference, incarnations together.

    What was accepted and is neither handled, conflated nor queued was taken back by an ``ask`` that
    ran out of time, is being handled right now, or is a dead letter.
    """

    accepted: int
    handled: int
    conflated: int
    """Replaced in the queue by a newer one of the same key."""
    depth: int
    peak: int
    """The deepest the queue has been found."""


class Reply[R]:
    """The one-shot slot into which the answer to an ``ask`` is put."""

    __slots__ = ("_answered", "_bury", "_open", "_outcome")

    def __init__(self, bury: Callable[[Any, Cause], None]) -> None:
        self._bury = bury
        self._answered = trio.Event()
        self._outcome: Any = EMPTY
        self._open = True

    def send(self, answer: R) -> None:
        """Answer once; a late or second answer changes nothing and is counted as a dead letter."""
        if self._open:
            self._settle(answer)
        else:
            self._bury(answer, Cause.LATE_REPLY)

    def _settle(self, outcome: Any) -> None:
        self._open = False
        self._outcome = outcome
        self._answered.set()

    def _fail(self, error: Exception) -> None:
        if self._open:
            self._settle(_Failure(error))


class _Failure:
    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


class Ref[M]:
    """Where to send messages of type ``M``; valid before the actor runs and across its restarts.

    ``capacity`` is the number of messages each lane of the mailbox holds.
    """

    def __init__(self, name: str, *, capacity: int = 10_000) -> None:
        self.path = name
        self._mailbox = Mailbox(capacity, self._on_drop)
        self._put = self._mailbox.put
        self._closed = False
        self._claimed = False
        self._running = False
        self._dead_letters: DeadLetters | None = None
        self._handled = 0
        self._asks: dict[Reply[Any], Any] = {}
        self._inquiries: list[Reply[Any]] = []
        self._watchers: list[Callable[[Any], None]] = []

    def __repr__(self) -> str:
        return f"<Ref {self.path}>"

    def statistics(self) -> MailboxStatistics:
        """What has passed through the mailbox so far."""
        mailbox = self._mailbox
        return MailboxStatistics(
            accepted=mailbox.accepted,
            handled=self._handled,
            conflated=mailbox.conflated,
            depth=len(mailbox),
            peak=max(mailbox.peak, len(mailbox)),
        )

    def tell(self, message: M) -> None:
        """Queue a message; never blocks.

        Raises :class:`MailboxFull` when the lane is full and the class asks for REJECT. To an actor
        that stopped for good the message becomes a dead letter, without an error.
        """
        if self._closed:
            self._refuse(message)
        elif not self._put(message):
            raise MailboxFull(self.path, message)

    async def ask[R](self, make: Callable[[Reply[R]], M], *, within: float) -> R:
        """Tell ``make(reply)`` and wait at most ``within`` seconds for ``reply.send(answer)``.

        Raises :class:`AskTimeout` (outcome unknown), :class:`ActorRestarting` (it was down all the
        time and never saw the question), :class:`ActorStopped`, or :class:`MailboxFull`.
        """
        if not 0 < within < math.inf:
            raise ValueError(f"ask needs a deadline in seconds, not {within}")
        reply: Reply[R] = self._slot()
        message = make(reply)
        self.tell(message)
        self._asks[reply] = message
        try:
            await _answered(reply, within)
        finally:
            del self._asks[reply]
        return self._read(reply, within, lambda: self._mailbox.withdraw(message))

    async def _inquire(self, within: float) -> Mapping[str, object]:
        """What the actor says of its status, asked ahead of everything queued; fails like ask."""
        reply: Reply[Mapping[str, object]] = self._slot()
        self._inquiries.append(reply)
        self._mailbox.wakeup.wake()
        try:
            await _answered(reply, within)
        finally:
            waiting = reply in self._inquiries
            if waiting:
                self._inquiries.remove(reply)
        return self._read(reply, within, lambda: waiting)

    def _slot[R](self) -> Reply[R]:
        if self._closed:
            raise ActorStopped(f"{self.path} has stopped")
        return Reply(self._bury)

    def _read[R](self, reply: Reply[R], within: float, taken_back: Callable[[], bool]) -> R:
        outcome = reply._outcome
        if isinstance(outcome, _Failure):
            raise outcome.error
        if outcome is not EMPTY:
            return cast(R, outcome)
        if taken_back() and not self._running:
            raise ActorRestarting(f"{self.path} was down for {within} s")
        raise AskTimeout(f"{self.path} did not answer within {within} s")

    def _refuse(self, message: Any) -> None:
        letters = self._dead_letters
        expected = letters is not None and letters.shutting_down
        self._bury(message, Cause.SHUTDOWN if expected else Cause.STOPPED)

    def _bury(self, message: Any, cause: Cause, error: BaseException | None = None) -> None:
        if self._dead_letters is not None:
            self._dead_letters.record(self.path, message, cause, error)

    def _on_drop(self, message: Any) -> None:
        self._bury(message, Cause.DROPPED)
        self._fail_asks(message, MailboxFull(self.path, message))

    def _put_own(self, message: Any) -> None:
        """Queue a message of the actor to itself, unless it has stopped for good."""
        if not self._closed:
            self._mailbox.force(message)

    def _close(self) -> None:
        """Refuse new messages for good; what is queued may still be handled."""
        self._closed = True

    def _seal(self) -> None:
        """Close, bury what is still queued and tell everyone who still waits for an answer."""
        self._close()
        while (message := self._mailbox.pop()) is not EMPTY:
            self._bury(message, Cause.STOPPED)
        for reply in (*self._asks, *self._inquiries):
            reply._fail(ActorStopped(f"{self.path} stopped before it answered"))

    def _give_up_on(self, message: Any, why: str) -> None:
        """Wake whoever asked this question: it will never be answered."""
        self._fail_asks(message, AskTimeout(f"{self.path}: {why}; outcome unknown"))

    def _fail_asks(self, message: Any, error: Exception) -> None:
        for reply, asked in self._asks.items():
            if asked is message:
                reply._fail(error)


async def _answered(reply: Reply[Any], within: float) -> None:
    """Wait for the answer; afterwards it comes too late."""
    try:
        with trio.move_on_after(within):
            await reply._answered.wait()
    finally:
        reply._open = False
