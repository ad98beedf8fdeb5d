"""The supervisor: a loop that takes note of events and carries out what is decided about them.

It keeps no opinion of its own. What happened goes through :func:`.decide.decide`, which is pure; the
actions that come back are done here, on Trio.

Cancelling a supervisor cancels nobody else: its children are shielded from the moment they are up,
and it stops them itself, in order, within a bound.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, assert_never

import trio

from .actor_body import ActorBody
from .child import Child
from .decide import decide, next_due
from .errors import Escalated
from .events import Crashed, EscalatedEvent, Parked, Restarting, Started, Stopped, Unparked
from .house import House
from .specs import ChildSpec, SupervisorSpec
from .state import (
    Action,
    Admitted,
    AskStop,
    Began,
    ChildState,
    Cut,
    Dismissed,
    Ended,
    Event,
    Forget,
    Launch,
    Rose,
    StopAsked,
    TellEscalated,
    TellParked,
    TellRestart,
    TellUp,
    TimePassed,
    TreeState,
    restart_kind,
)
from .tree import Node
from .wakeup import Wakeup


class Supervisor:
    """One supervisor across its lives. Only its own task and its parent write to it."""

    def __init__(self, spec: SupervisorSpec, path: str, house: House) -> None:
        self._spec = spec
        self._path = path
        self._house = house
        self._children: dict[str, Child] = {}
        self._news: deque[tuple[Child, bool] | StopAsked] = deque()
        self._wakeup = Wakeup()
        self._stirred = False
        self._generation = 0
        self._failure: Escalated | None = None
        self._nursery: trio.Nursery | None = None
        self._on_started: Callable[[], None] = _nobody_waits
        if spec.dynamic is not None:
            spec.dynamic._changed = self._stir
        known = {each.id: ChildState(each.id, restart_kind(each)) for each in spec.children}
        self._state = TreeState(spec, known)
        for child in spec.children:
            self._admit(child)

    # -- as a child of its own supervisor --------------------------------------------------

    def prepare(self, generation: int) -> None:
        """Forget the last life; the children keep their refs and generations."""
        self._generation = generation
        self._failure = None
        self._news.clear()

    async def run(
        self,
        on_started: Callable[[], None],
        on_ending: Callable[[], None],  # noqa: ARG002 - its children have limits of their own
    ) -> None:
        """Start the children and keep them; raises :class:`Escalated` once it has given up."""
        async with trio.open_nursery() as self._nursery:
            self._on_started = on_started
            try:
                self._take(Began())
                await self._loop()
            finally:
                with trio.CancelScope(shield=True):
                    await self._wind_down()
                if self._failure is not None:
                    # Also when it was cancelled meanwhile: that it has given up is not lost.
                    raise self._failure

    def stop(self, *, for_good: bool, by: float) -> None:
        """Stop the children, in order, and end; at the time ``by`` cut off those still alive."""
        self._news.append(StopAsked(for_good, by))
        self._stir()

    def ended(self, error: BaseException | None, reason: str) -> None:
        """Nothing is left behind: the children have accounted for themselves."""

    def seal(self) -> None:
        """Close the refs and handles of the whole subtree."""
        if self._spec.dynamic is not None:
            self._spec.dynamic._closed = True
        for child in self._children.values():
            child.body.seal()

    def picture(self, known: ChildState, last_error: str) -> Node:
        """Show the subtree as it is now."""
        return Node(
            id=self._spec.id,
            path=self._path,
            kind="supervisor",
            state=known.word,
            generation=known.generation,
            restarts=max(0, known.generation - 1),
            last_error=last_error,
            children=tuple(
                each.picture(self._state.children[id_]) for id_, each in self._children.items()
            ),
        )

    def oversee(self, child: Child, now: float, since: float) -> None:  # noqa: ARG002 - they tell
        """Look after each child that is alive."""
        for each in list(self._children.values()):
            if each.alive:
                each.body.oversee(each, now, since)

    def locate(self, path: str) -> tuple[ActorBody, Node]:
        """The actor at a path and its picture; LookupError when there is none."""
        for id_, child in self._children.items():
            if isinstance(child.body, ActorBody) and child.path == path:
                return child.body, child.picture(self._state.children[id_])
            if isinstance(child.body, Supervisor) and path.startswith(f"{child.path}/"):
                return child.body.locate(path)
        raise LookupError(f"no actor is running at {path}")

    # -- the loop ----------------------------------------------------------------------------

    async def _loop(self) -> None:
        while not self._state.over:
            self._stirred = False
            while self._news:
                self._note(self._news.popleft())
            self._align()
            # One look at the clock for both: a delay that ends between two looks would be missed.
            now = trio.current_time()
            self._take(TimePassed(), now)
            # An observer that was told just now may have asked for something.
            if not (self._stirred or self._state.over):
                with trio.move_on_at(next_due(self._state, now)):
                    await self._wakeup.sleep()

    def _stir(self) -> None:
        self._stirred = True
        self._wakeup.wake()

    async def _wind_down(self) -> None:
        """Reached with children only when cancelled: stop them in order all the same, in time."""
        if not self._state.alive:
            return
        self._on_started = _nobody_waits
        if not self._state.stopping:
            self._take(StopAsked(False, trio.current_time() + self._spec.stop_within))
        await self._loop()

    def _report(self, child: Child, ended: bool) -> None:
        if not ended:
            self._house.tell(Started(child.path, child.generation))
        self._news.append((child, ended))
        self._stir()

    def _align(self) -> None:
        """Compare the children there are with those that a dynamic supervisor should have."""
        dynamic = self._spec.dynamic
        if dynamic is None or self._state.stopping:
            return
        for id_, child in list(self._children.items()):
            if dynamic._specs.get(id_) is not child.spec and self._state.children[id_].wanted:
                self._take(Dismissed(id_))
        for spec in list(dynamic._specs.values()):
            if spec.id not in self._children:
                self._admit(spec)
                self._take(Admitted(spec.id, restart_kind(spec)))

    def _admit(self, spec: ChildSpec[Any] | SupervisorSpec) -> None:
        path = f"{self._path}/{spec.id}"
        if isinstance(spec, ChildSpec):
            child = Child(spec, path, ActorBody(spec, path, self._house))
        else:
            child = Child(spec, path, Supervisor(spec, path, self._house))
        self._children[spec.id] = child

    # -- events in, actions out --------------------------------------------------------------

    def _note(self, news: tuple[Child, bool] | StopAsked) -> None:
        if isinstance(news, StopAsked):
            self._take(news)
            return
        child, ended = news
        if not ended:
            self._take(Rose(child.spec.id))
            return
        self._announce(child)
        # Chance is asked only where it decides: a run is repeated from its seed.
        judged = self._state.children[child.spec.id].judged and not self._state.stopping
        self._take(
            Ended(
                child.spec.id,
                failed=child.error is not None,
                gave_up=_escalated(child),
                draw=self._house.chance.random() if judged else 0.0,
            )
        )

    def _announce(self, child: Child) -> None:
        if child.error is None:
            self._house.tell(Stopped(child.path, child.generation, child.reason))
        elif not _escalated(child):
            self._house.tell(Crashed(child.path, child.generation, child.error))

    def _take(self, event: Event, now: float | None = None) -> None:
        at = trio.current_time() if now is None else now
        self._state, actions = decide(self._state, event, at)
        for action in actions:
            self._do(action)

    def _do(self, action: Action) -> None:
        if isinstance(action, TellUp):
            self._on_started()
            return
        child = self._children[action.id]
        match action:
            case Launch(_, generation, unparked):
                if unparked:
                    self._house.tell(Unparked(child.path, generation))
                assert self._nursery is not None
                child.launch(self._nursery, generation, self._report)
            case AskStop(_, for_good):
                child.ask_stop(for_good=for_good)
            case Cut(_, for_good):
                child.cut(for_good=for_good)
            case Forget():
                self._forget(child)
            case TellRestart(_, generation, delay):
                self._house.tell(Restarting(child.path, generation, delay))
            case TellParked(_, delay):
                self._house.tell(Parked(child.path, child.generation, child.error, delay))
            case TellEscalated():
                self._give_up(child)
            case _:
                assert_never(action)

    def _forget(self, child: Child) -> None:
        """It has ended for good."""
        child.body.seal()
        if self._spec.dynamic is not None:
            self._spec.dynamic._discard(child.spec)
            del self._children[child.spec.id]

    def _give_up(self, child: Child) -> None:
        self._failure = Escalated(self._path, child.spec.id)
        self._failure.__cause__ = child.error
        told = EscalatedEvent(self._path, self._generation, child.spec.id, child.error)
        self._house.tell(told)


def _nobody_waits() -> None:
    """While winding down nobody is told that the start is complete."""


def _escalated(child: Child) -> bool:
    """Whether it is a supervisor that gave up; an actor that hosts one and fails has crashed."""
    return isinstance(child.spec, SupervisorSpec) and isinstance(child.error, Escalated)
