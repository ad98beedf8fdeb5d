"""The supervisor: a loop that brings its children into line with what should be.

It keeps a record per child of what is wanted and what is, and after every wake-up (a child came up
or ended, a delay ran out, a wish changed) does the next possible steps: stop, in reverse order, what
must go down; start, in order, what must come up. It never waits for any one of them, so it answers
at once to a second failure in the middle of a restart. What to decide about a failure is in
:mod:`.policy`; this file only carries it out.

Cancelling a supervisor cancels nobody else: its children are shielded from the moment they are up,
and it stops them itself, in order, within a bound.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import Any

import trio

from .child import ActorBody, Child
from .errors import Escalated
from .events import (
    Crashed,
    EscalatedEvent,
    Parked,
    Restarting,
    Started,
    Stopped,
    Unparked,
)
from .house import House
from .policy import Again, Exit, Finish, GiveUp, SetAside, affected, decide, within_period
from .specs import ChildSpec, SupervisorSpec
from .tree import Node
from .wakeup import Wakeup


class Supervisor:
    """One supervisor across its lives. Only its own task and its parent write to it."""

    def __init__(self, spec: SupervisorSpec, path: str, house: House) -> None:
        self._spec = spec
        self._path = path
        self._house = house
        self._children: dict[str, Child] = {}
        self._ended: deque[Child] = deque()
        self._wakeup = Wakeup()
        self._generation = 0
        self._batch = 0
        self._spent: tuple[float, ...] = ()
        self._failure: Escalated | None = None
        self._stopping = False
        self._for_good = False
        self._cut_at = math.inf
        self._up = False
        if spec.dynamic is not None:
            spec.dynamic._changed = self._wakeup.wake
        for child in spec.children:
            self._admit(child)

    # -- as a child of its own supervisor --------------------------------------------------

    def prepare(self, generation: int) -> None:
        """Forget the failures of the last life; the children keep their refs and generations."""
        self._generation = generation
        self._spent, self._failure = (), None
        self._stopping = self._up = False
        self._cut_at = math.inf
        self._batch += 1
        for child in self._children.values():
            child.renew(self._batch)

    async def run(self, on_started: Callable[[], None]) -> None:
        """Start the children and keep them; raises :class:`Escalated` once it has given up."""
        async with trio.open_nursery() as nursery:
            try:
                await self._loop(nursery, on_started)
            finally:
                with trio.CancelScope(shield=True):
                    await self._wind_down(nursery)
        if self._failure is not None:
            raise self._failure

    def stop(self, *, for_good: bool, by: float) -> None:
        """Stop the children, in order, and end; at the time ``by`` cut off those still alive."""
        self._stopping, self._for_good, self._cut_at = True, for_good, by
        self._wakeup.wake()

    def crash(self, path: str, fault: Exception) -> None:
        """Pass it on to the child that is, or has, the actor at this path."""
        for child in self._children.values():
            if f"{path}/".startswith(f"{child.path}/"):
                child.body.crash(path, fault)
                return
        raise LookupError(f"no actor is running at {path}")

    def ended(self, error: BaseException | None, reason: str) -> None:
        """Nothing is left behind: the children have accounted for themselves."""

    def seal(self) -> None:
        """Close the refs of the whole subtree."""
        for child in self._children.values():
            child.body.seal()

    def picture(self, child: Child) -> Node:
        """Show the subtree as it is now."""
        return Node(
            id=self._spec.id,
            path=self._path,
            kind="supervisor",
            state=child.state,
            generation=child.generation,
            restarts=child.restarts,
            last_error=child.last_error,
            children=tuple(each.body.picture(each) for each in self._children.values()),
        )

    # -- the loop ----------------------------------------------------------------------------

    async def _loop(self, nursery: trio.Nursery, on_started: Callable[[], None]) -> None:
        while True:
            now = trio.current_time()
            while self._ended:
                self._settle(self._ended.popleft(), now)
            self._align()
            self._stop_next()
            if self._stopping and not self._alive():
                return
            self._start_next(nursery, now)
            if not self._up and self._complete():
                self._up = True
                on_started()
            if now >= self._cut_at:
                self._cut()
            with trio.move_on_at(min(self._cut_at, self._next_due(now))):
                await self._wakeup.sleep()

    async def _wind_down(self, nursery: trio.Nursery) -> None:
        """Reached with children only when cancelled: stop them in order all the same, in time."""
        if not self._alive():
            return
        if not self._stopping:
            self.stop(for_good=False, by=trio.current_time() + self._spec.stop_within)
        await self._loop(nursery, _nobody_waits)

    def _report(self, child: Child, ended: bool) -> None:
        if ended:
            self._ended.append(child)
        else:
            self._house.tell(Started(child.path, child.generation))
        self._wakeup.wake()

    def _complete(self) -> bool:
        return not self._stopping and not any(c.unsettled for c in self._children.values())

    def _alive(self) -> list[Child]:
        return [child for child in self._children.values() if child.alive]

    def _next_due(self, now: float) -> float:
        return min(
            (c.due for c in self._children.values() if self._waits(c, now)), default=math.inf
        )

    def _waits(self, child: Child, now: float) -> bool:
        return child.wanted and not child.alive and child.due > now and not self._stopping

    # -- towards what is wanted -----------------------------------------------------------------

    def _align(self) -> None:
        """Compare the children there are with those that a dynamic supervisor should have."""
        dynamic = self._spec.dynamic
        if dynamic is None or self._stopping:
            return
        for child in list(self._children.values()):
            if dynamic._specs.get(child.spec.id) is not child.spec:
                child.wanted, child.leaving = False, True
                if not child.alive:
                    self._forget(child)
        for spec in list(dynamic._specs.values()):
            if spec.id not in self._children:
                self._batch += 1
                self._admit(spec).batch = self._batch

    def _admit(self, spec: ChildSpec[Any] | SupervisorSpec) -> Child:
        path = f"{self._path}/{spec.id}"
        if isinstance(spec, ChildSpec):
            child = Child(spec, path, ActorBody(spec, path, self._house))
        else:
            child = Child(spec, path, Supervisor(spec, path, self._house))
        self._children[spec.id] = child
        return child

    def _forget(self, child: Child) -> None:
        """A child has ended for good."""
        child.body.seal()
        if self._spec.dynamic is not None:
            self._spec.dynamic._discard(child.spec)
            del self._children[child.spec.id]

    def _stop_next(self) -> None:
        """Ask those to stop whose turn it is: all of them, or the last in order."""
        for child in reversed(self._children.values()):
            if not (child.going_down or (self._stopping and child.alive)):
                continue
            if not child.stopping:
                child.leaving = child.leaving or (self._stopping and self._for_good)
                child.ask_stop()
            if self._spec.dynamic is None:
                return

    def _start_next(self, nursery: trio.Nursery, now: float) -> None:
        if self._stopping:
            return
        held: set[int] = {child.batch for child in self._children.values() if child.cycling}
        for child in self._children.values():
            if child.wanted and not child.alive and child.due <= now and child.batch not in held:
                if child.parked:
                    self._house.tell(Unparked(child.path, child.generation + 1))
                child.launch(nursery, self._report)
            if child.unsettled and self._spec.dynamic is None:
                held.add(child.batch)

    def _cut(self) -> None:
        self._cut_at = math.inf
        for child in self._alive():
            child.leaving = child.leaving or self._for_good
            child.cut()

    # -- after an end ----------------------------------------------------------------------------

    def _settle(self, child: Child, now: float) -> None:
        self._announce(child)
        asked, child.cycling = child.stopping, False
        if child.leaving:
            child.wanted = False
            self._forget(child)
        elif self._stopping:
            return
        elif not asked:
            self._judge(child, now)
        elif child.wanted:
            self._house.tell(Restarting(child.path, child.generation + 1, child.due - now))

    def _announce(self, child: Child) -> None:
        if child.error is None:
            self._house.tell(Stopped(child.path, child.generation, child.reason))
        elif not isinstance(child.error, Escalated):
            self._house.tell(Crashed(child.path, child.generation, child.error))

    def _judge(self, child: Child, now: float) -> None:
        end = Exit(
            at=now,
            failed=child.error is not None,
            ran_for=0.0 if child.up_at is None else now - child.up_at,
            boot=not child.ever_up,
            gave_up=isinstance(child.error, Escalated),
        )
        draw = self._house.chance.random()
        decision, child.history = decide(
            self._spec, child.restart, child.history, self._spent, end, draw=draw
        )
        match decision:
            case Again(delay):
                self._restart(child, now, delay)
            case SetAside(delay):
                child.parked, child.due = True, now + delay
                self._house.tell(Parked(child.path, child.generation, child.error, delay))
            case Finish():
                child.wanted = False
                self._forget(child)
            case GiveUp():
                self._give_up(child, now)

    def _restart(self, failed: Child, now: float, delay: float) -> None:
        self._spent = (*within_period(self._spent, now, self._spec.intensity), now)
        group = affected(self._spec.strategy, tuple(self._children), failed.spec.id)
        if failed.ever_up or len(group) > 1:
            self._batch += 1
            failed.batch = self._batch
        for child in (self._children[each] for each in group):
            if child is failed or (child.wanted and not child.parked):
                child.join(failed.batch, now + delay)
        self._house.tell(Restarting(failed.path, failed.generation + 1, delay))

    def _give_up(self, child: Child, now: float) -> None:
        self._failure = Escalated(self._path, child.spec.id)
        self._failure.__cause__ = child.error
        self.stop(for_good=False, by=now + self._spec.stop_within)
        self._house.tell(EscalatedEvent(self._path, self._generation, child.spec.id, child.error))


def _nobody_waits() -> None:
    """While winding down nobody is told that the start is complete."""
