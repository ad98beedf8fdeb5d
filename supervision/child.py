"""One child of a supervisor, and the boundary at which its errors become data."""

import math
from collections.abc import Callable
from typing import Any, Protocol

import trio

from .errors import StartTimeout, in_words, sole
from .specs import ChildSpec, SupervisorSpec
from .state import ChildState
from .tree import Node


class Body(Protocol):
    """What is supervised: an actor or a whole supervisor."""

    def prepare(self, generation: int) -> None:
        """Make ready for one more life."""

    async def run(self, on_started: Callable[[], None], on_ending: Callable[[], None]) -> None:
        """Live; return after an orderly stop, raise after a failure.

        ``on_ending`` tells that the life has ended but for what it leaves behind.
        """

    def stop(self, *, for_good: bool, by: float) -> None:
        """Ask for an orderly end; at the time ``by`` it is cancelled."""

    def ended(self, error: BaseException | None, reason: str) -> None:
        """Account for what the life that just ended left behind."""

    def seal(self) -> None:
        """There will be no other life."""

    def picture(self, known: ChildState, last_error: str) -> Node:
        """Show it as it is now."""

    def oversee(self, child: "Child", now: float, since: float) -> None:
        """Look for handlers and children that take too long; time before ``since`` is no time."""


type Spec = ChildSpec[Any] | SupervisorSpec


class Child:
    """The task of one child, life after life. Only its supervisor and that task write to it."""

    def __init__(self, spec: Spec, path: str, body: Body) -> None:
        self.spec = spec
        self.path = path
        self.body = body
        self.generation = 0
        self.last_error = ""
        self.alive = False
        self.error: BaseException | None = None
        """What ended the latest life, if it was an error."""
        self.reason = ""
        self._stopping = False
        self._orderly = False
        self._verdict: Exception | None = None
        self._scope = trio.CancelScope()

    @property
    def cancelled_at(self) -> float:
        """When it was, or will be, cancelled; infinite while nobody means to."""
        return self._scope.deadline if self.alive else math.inf

    def picture(self, known: ChildState) -> Node:
        """Show it, and all that is below it, as it is now."""
        return self.body.picture(known, self.last_error)

    def launch(
        self, nursery: trio.Nursery, generation: int, report: Callable[["Child", bool], None]
    ) -> None:
        """Begin the next life; ``report(child, ended)`` is called when it is up and when it ends."""
        self.generation = generation
        self.alive, self._stopping = True, False
        self.error = self._verdict = None
        self._orderly = False
        self._scope = trio.CancelScope(deadline=trio.current_time() + self.spec.start_within)
        self.body.prepare(generation)
        nursery.start_soon(self._run, report, name=self.path)

    def ask_stop(self, *, for_good: bool) -> None:
        """Ask for an orderly end, which becomes a cancellation ``stop_within`` seconds from now."""
        self._stop_by(trio.current_time() + self.spec.stop_within, for_good)

    def cut(self, *, for_good: bool) -> None:
        """End it now."""
        self._stop_by(trio.current_time(), for_good)

    def fail(self, error: Exception) -> None:
        """Cancel it now; its life ends with this error."""
        self._verdict = error
        self._scope.deadline = trio.current_time()

    def _stop_by(self, deadline: float, for_good: bool) -> None:
        # Asked again, or leaving by itself already, it has no more time than before.
        if self._verdict is None:
            self._scope.deadline = min(
                deadline, self._scope.deadline if self._stopping else deadline
            )
        self._stopping = True
        self.body.stop(for_good=for_good, by=deadline)

    async def _run(self, report: Callable[["Child", bool], None]) -> None:
        try:
            with self._scope:
                await self._survive(report)
        finally:
            try:
                self._finish()
            finally:
                report(self, True)

    async def _survive(self, report: Callable[["Child", bool], None]) -> None:
        """The one boundary that catches what an actor raises.

        An error during a cancellation arrives as a group of both; ``except*`` takes the error and
        lets the cancellation go on to its scope.
        """

        def started() -> None:
            self._rise()
            report(self, False)

        try:
            await self.body.run(started, self._wind_up)
            self._orderly = True
        except* Exception as group:  # noqa: BLE001 - the boundary
            self.error = sole(group)

    def _rise(self) -> None:
        # From here on only the supervisor ends it, in its turn, whatever is cancelled outside.
        self._scope.shield = True
        if not self._stopping:
            self._scope.deadline = math.inf

    def _wind_up(self) -> None:
        """Nobody asked it to end, so nobody set a limit to its clean-up either."""
        if self._scope.deadline == math.inf and not self._scope.cancel_called:
            self._stopping = True
            self._scope.deadline = trio.current_time() + self.spec.stop_within

    def _finish(self) -> None:
        if self.error is None and self._scope.cancelled_caught:
            self.error = self._verdict or self._overdue_start()
        if self.error is not None:
            self.last_error = self.reason = in_words(self.error)
        elif self._scope.cancelled_caught:
            self.reason = f"cancelled: did not stop in {self.spec.stop_within} s"
        elif not self._orderly:
            self.reason = "cancelled from outside while it started"
        else:
            self.reason = "stopped"
        self.alive = False
        self.body.ended(self.error, self.reason)

    def _overdue_start(self) -> Exception | None:
        if self._stopping:
            return None
        return StartTimeout(f"{self.path} did not start in {self.spec.start_within} s")
