"""A running tree and the way in and out of it."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import trio
from attrs import evolve

from .child import Child
from .dead_letters import DeadLetters
from .dynamic import claim
from .errors import Escalated, FaultInjected
from .events import Crashed, Started, Stopped, SupervisionEvent
from .house import Haunt, House
from .overseer import oversee
from .reference import Ref
from .registry import Key
from .specs import SupervisorSpec
from .state import ChildState, Phase
from .supervisor import Supervisor
from .tree import Node


class System:
    """A tree that has started."""

    def __init__(self, spec: SupervisorSpec, house: House) -> None:
        self._supervisor = Supervisor(spec, spec.id, house)
        self._root = Child(spec, spec.id, self._supervisor)
        self._known = ChildState(spec.id, phase=Phase.STARTING, generation=1)
        self._house = house
        self._up = trio.Event()
        self._ended = trio.Event()
        self._waiters = 0
        self._told = False

    @property
    def dead_letters(self) -> DeadLetters:
        """What nobody handled."""
        return self._house.dead_letters

    def tree(self) -> Node:
        """The whole house as it is now, also of actors that are too busy to be asked."""
        return self._root.picture(self._known)

    def look_at(self, path: str) -> Node:
        """One actor as it is now, as in :meth:`tree`; LookupError when there is none at the path."""
        return self._supervisor.locate(path)[1]

    async def status(self, path: str, *, within: float) -> Node:
        """One actor, by its own account: it answers between two messages, before all that waits.

        Raises LookupError when there is no actor at the path, and what ``Ref.ask`` raises.
        """
        actor, _ = self._supervisor.locate(path)
        answer = await actor.ask_status(within)
        _, picture = self._supervisor.locate(path)
        return evolve(picture, status=answer)

    def find[M](self, key: Key[M]) -> Ref[M] | None:
        """The ref with this key, while its actor has not stopped for good."""
        ref = self._house.keys.get(key)
        return None if ref is None else key._of(ref)

    def at(self, path: str) -> Ref[Any] | None:
        """The ref at a path, while its actor has not stopped for good."""
        return self._house.refs.get(path)

    def crash(self, path: str, reason: str) -> None:
        """Fault injection, for tests, drills and demonstrations: the actor at a path crashes.

        It raises :class:`FaultInjected` as if a handler had, but between two messages, so that
        what is queued stays queued and nothing becomes a dead letter. LookupError when no actor is
        running there.
        """
        actor, _ = self._supervisor.locate(path)
        actor.crash(FaultInjected(reason))

    def stop(self) -> None:
        """Begin an ordered stop; a second call changes nothing."""
        if self._known.alive and not self._known.stopping:
            self._house.dead_letters.shutting_down = True
            self._known = evolve(self._known, stopping=True)
            self._root.ask_stop(for_good=True)

    async def wait(self) -> None:
        """Return when the tree has stopped; raise :class:`Escalated` when its root gave up."""
        self._waiters += 1
        try:
            await self._ended.wait()
        finally:
            self._waiters -= 1
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._root.error is not None:
            self._told = True
            raise self._root.error

    def _report(self, child: Child, ended: bool) -> None:
        if ended:
            self._known = evolve(self._known, phase=Phase.DOWN, wanted=False)
            child.body.seal()
            if child.error is None:
                self._house.tell(Stopped(child.path, child.generation, child.reason))
            elif not isinstance(child.error, Escalated):
                self._house.tell(Crashed(child.path, child.generation, child.error))
            self._ended.set()
        else:
            self._known = evolve(self._known, phase=Phase.UP)
            self._house.tell(Started(child.path, child.generation))
        self._up.set()


@asynccontextmanager
async def open_system(
    root: SupervisorSpec,
    *,
    chance: random.Random,
    observe: Callable[[SupervisionEvent], None] | None = None,
    haunt: Haunt | None = None,
) -> AsyncIterator[System]:
    """Run a tree: entered once it has started, stopped in reverse order on the way out.

    Leaving waits for the ordered stop even when cancelled from outside; the stop is bounded by the
    root's ``stop_within``. ``chance`` is the only source of randomness (backoff). ``haunt`` is for
    fault injection: it gets the path and each fresh instance of every actor, and answers what is to
    live in its place, such as a wrapper that is slow or fails. Raises :class:`Escalated` when the
    root goes over its budget, also while it starts, :class:`StartTimeout` when it is not up within
    its ``start_within``, and ``ValueError`` for a tree that uses a ref twice.
    """
    claim(root)
    system = System(root, House(chance, observe, haunt))
    try:
        async with trio.open_nursery() as nursery:
            system._root.launch(nursery, 1, system._report)
            nursery.start_soon(oversee, system._root, system._ended)
            try:
                await system._up.wait()
                system._raise_failure()
                nursery.start_soon(_abandon_when_over, system, nursery)
                yield system
            finally:
                # The nursery waits for the rest: shielded, the root stops in order and in time.
                system.stop()
    except BaseExceptionGroup as group:
        _raise_bare(group.exceptions[0] if len(group.exceptions) == 1 else group)
    if not system._told:
        system._raise_failure()


def _raise_bare(error: BaseException) -> NoReturn:
    """The caller's own error must not arrive wrapped in a nursery that the caller never saw."""
    context = error.__context__
    try:
        raise error
    finally:
        error.__context__ = context


async def _abandon_when_over(system: System, nursery: trio.Nursery) -> None:
    """A root that gave up ends what runs on top of it, unless somebody waits for just that."""
    await system._ended.wait()
    if system._root.error is not None and not (system._waiters or system._told):
        nursery.cancel_scope.cancel(reason="the root gave up")
