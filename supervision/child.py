"""One child of a supervisor, and the boundary at which its errors become data."""

import math
import traceback
from collections.abc import Callable
from typing import Any, Protocol

import trio

from .actor import Terminated
from .dead_letters import Cause
from .errors import StartTimeout, sole
from .house import House
from .incarnation import Incarnation
from .mailbox import EMPTY
from .policy import History
from .specs import ChildSpec, Restart, SupervisorSpec
from .tree import Node, State


class Body(Protocol):
    """What is supervised: an actor or a whole supervisor."""

    def prepare(self, generation: int) -> None:
        """Make ready for one more life."""

    async def run(self, on_started: Callable[[], None]) -> None:
        """Live; return after an orderly stop, raise after a failure."""

    def stop(self, *, for_good: bool, by: float) -> None:
        """Ask for an orderly end; at the time ``by`` it is cancelled."""

    def crash(self, path: str, fault: Exception) -> None:
        """Crash the running actor at this path; LookupError when there is none."""

    def ended(self, error: BaseException | None, reason: str) -> None:
        """Account for what the life that just ended left behind."""

    def seal(self) -> None:
        """There will be no other life."""

    def picture(self, child: "Child") -> Node:
        """Show it as it is now."""


class ActorBody:
    """An actor between and during its incarnations."""

    def __init__(self, spec: ChildSpec[Any], path: str, house: House) -> None:
        self._spec = spec
        self._house = house
        self._ref = spec.ref
        self._life = Incarnation(spec.ref, spec.start, 0)
        house.admit(spec.ref, path, spec.key)

    def prepare(self, generation: int) -> None:
        """Make ready for one more incarnation."""
        self._life = Incarnation(self._ref, self._spec.start, generation)

    async def run(self, on_started: Callable[[], None]) -> None:
        """Run the incarnation."""

        def started() -> None:
            self._ref._running = True
            on_started()

        await self._life.run(started)

    def stop(self, *, for_good: bool, by: float) -> None:  # noqa: ARG002 - its scope knows
        """Stop; for good means that nothing new is taken and what is queued is handled first."""
        if for_good:
            self._ref._close()
        self._life.stop(drain=for_good)

    def crash(self, path: str, fault: Exception) -> None:
        """Crash the incarnation, if it is up."""
        if path != self._ref.path or not self._ref._running:
            raise LookupError(f"no actor is running at {path}")
        self._life.crash(fault)

    def ended(self, error: BaseException | None, reason: str) -> None:
        """Bury the message in flight, and tell those who watch."""
        self._ref._running = False
        message = self._life.in_flight
        if message is not EMPTY:
            self._life.in_flight = EMPTY
            self._bury(message, error)
        terminated = Terminated(self._ref.path, self._life.generation, reason)
        for watcher in self._ref._watchers:
            watcher(terminated)

    def seal(self) -> None:
        """Close the ref."""
        self._house.dismiss(self._ref, self._spec.key)

    def picture(self, child: "Child") -> Node:
        """Show the actor as it is now."""
        mail = self._ref.statistics()
        return Node(
            id=child.spec.id,
            path=self._ref.path,
            kind="actor",
            state=child.state,
            generation=child.generation,
            restarts=child.restarts,
            depth=mail.depth,
            peak=mail.peak,
            handled=mail.handled,
            last_error=child.last_error,
            busy_for=self._life.busy_for(),
            status=self._life.status(),
        )

    def _bury(self, message: Any, error: BaseException | None) -> None:
        if error is None:
            self._ref._bury(message, Cause.CANCELLED)
        else:
            story = "".join(traceback.format_exception(error))
            self._ref._bury(message, Cause.CRASHED, story)
        self._ref._crashed_on(message)


class Child:
    """A supervisor's record of one child. Only that supervisor and the child's task write to it."""

    def __init__(self, spec: ChildSpec[Any] | SupervisorSpec, path: str, body: Body) -> None:
        self.spec = spec
        self.path = path
        self.body = body
        self.restart = spec.restart if isinstance(spec, ChildSpec) else Restart.PERMANENT
        self.history = History()
        self.generation = 0
        self.last_error = ""
        self.batch = 0
        """Children of one batch start one after the other."""
        self.wanted = True
        self.cycling = False
        """It must go down once before it is started again."""
        self.leaving = False
        """Its coming end is for good."""
        self.parked = False
        self.due = -math.inf
        """Earliest time of the next start."""
        self.alive = False
        self.stopping = False
        self.up_at: float | None = None
        self.ever_up = False
        self.error: BaseException | None = None
        """What ended the latest life, if it was an error."""
        self.reason = ""
        self._scope = trio.CancelScope()

    @property
    def restarts(self) -> int:
        """How often it was started after the first time."""
        return max(0, self.generation - 1)

    @property
    def up(self) -> bool:
        """Alive and done with starting."""
        return self.alive and self.up_at is not None

    @property
    def going_down(self) -> bool:
        """Alive, and not meant to stay so."""
        return self.alive and (self.cycling or not self.wanted)

    @property
    def unsettled(self) -> bool:
        """It should be up, is not, and is not set aside either."""
        return self.wanted and not self.parked and not self.up

    @property
    def state(self) -> State:
        """The word for it in the tree."""
        if self.alive:
            return "stopping" if self.stopping else "running" if self.up else "starting"
        if not self.wanted:
            return "stopped"
        if self.parked:
            return "parked"
        return "backoff" if self.generation else "starting"

    def renew(self, batch: int) -> None:
        """Its supervisor begins a new life: want it again, with an empty record of failures."""
        self.wanted = self.wanted or self.restart is Restart.PERMANENT
        self.history, self.batch, self.due = History(), batch, -math.inf
        self.cycling = self.parked = self.ever_up = False

    def join(self, batch: int, due: float) -> None:
        """Be restarted together with others, in order, not before ``due``."""
        self.batch, self.due = batch, due
        self.cycling = self.alive
        if self.restart is Restart.TEMPORARY:
            self.wanted, self.leaving = False, True

    def launch(self, nursery: trio.Nursery, report: Callable[["Child", bool], None]) -> None:
        """Begin the next life; ``report(child, ended)`` is called when it is up and when it ends."""
        self.generation += 1
        self.alive, self.stopping, self.parked = True, False, False
        self.up_at = self.error = None
        self._scope = trio.CancelScope(deadline=trio.current_time() + self.spec.start_within)
        self.body.prepare(self.generation)
        nursery.start_soon(self._run, report, name=self.path)

    def ask_stop(self) -> None:
        """Ask for an orderly end, which becomes a cancellation ``stop_within`` seconds from now."""
        self._stop_by(trio.current_time() + self.spec.stop_within)

    def cut(self) -> None:
        """End it now."""
        self._stop_by(trio.current_time())

    def _stop_by(self, deadline: float) -> None:
        self.stopping = True
        self._scope.deadline = deadline
        self.body.stop(for_good=self.leaving, by=deadline)

    async def _run(self, report: Callable[["Child", bool], None]) -> None:
        try:
            with self._scope:
                await self._survive(report)
        finally:
            self._finish()
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
            await self.body.run(started)
        except* Exception as group:  # noqa: BLE001 - the boundary
            self.error = sole(group)

    def _rise(self) -> None:
        self.up_at = trio.current_time()
        self.ever_up = True
        # From here on only the supervisor ends it, in its turn, whatever is cancelled outside.
        self._scope.shield = True
        if not self.stopping:
            self._scope.deadline = math.inf

    def _finish(self) -> None:
        if self._scope.cancelled_caught and not self.stopping and self.error is None:
            self.error = StartTimeout(f"{self.path} did not start in {self.spec.start_within} s")
        if self.error is not None:
            self.last_error = self.reason = f"{type(self.error).__name__}: {self.error}"
        elif self._scope.cancelled_caught:
            self.reason = f"cancelled: did not stop in {self.spec.stop_within} s"
        else:
            self.reason = "stopped"
        self.alive = False
        self.body.ended(self.error, self.reason)
