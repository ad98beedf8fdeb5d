"""A running tree and the way in and out of it."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import trio

from .child import Child
from .dead_letters import DeadLetters
from .dynamic import claim
from .errors import FaultInjected, sole
from .events import Started, Stopped, SupervisionEvent
from .house import House
from .reference import Ref
from .registry import Key
from .specs import SupervisorSpec
from .supervisor import Supervisor
from .tree import Node


class System:
    """A tree that has started."""

    def __init__(self, root: Child, house: House) -> None:
        self._root = root
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
        """The whole house as it is now."""
        return self._root.body.picture(self._root)

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
        self._root.body.crash(path, FaultInjected(reason))

    def stop(self) -> None:
        """Begin an ordered stop; a second call changes nothing."""
        if self._root.alive and not self._root.stopping:
            self._house.dead_letters.shutting_down = True
            self._root.leaving = True
            self._root.ask_stop()

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
            child.body.seal()
            if child.error is None:
                self._house.tell(Stopped(child.path, child.generation, child.reason))
            self._ended.set()
        else:
            self._house.tell(Started(child.path, child.generation))
        self._up.set()


@asynccontextmanager
async def open_system(
    root: SupervisorSpec,
    *,
    chance: random.Random,
    observe: Callable[[SupervisionEvent], None] | None = None,
) -> AsyncIterator[System]:
    """Run a tree: entered once it has started, stopped in reverse order on the way out.

    Leaving waits for the ordered stop even when cancelled from outside; the stop is bounded by the
    root's ``stop_within``. ``chance`` is the only source of randomness (backoff). Raises
    :class:`Escalated` when the root goes over its budget, also while it starts, and ``ValueError``
    for a tree that uses a ref twice.
    """
    claim(root)
    house = House(chance, observe)
    top = Child(root, root.id, Supervisor(root, root.id, house))
    system = System(top, house)
    try:
        async with trio.open_nursery() as nursery:
            top.launch(nursery, system._report)
            try:
                await system._up.wait()
                system._raise_failure()
                nursery.start_soon(_abandon_when_over, system, nursery)
                yield system
            finally:
                # The nursery waits for the rest: shielded, the root stops in order and in time.
                system.stop()
    except BaseExceptionGroup as group:
        _raise_bare(sole(group))
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
    if system._root.error is not None and not system._waiters:
        nursery.cancel_scope.cancel(reason="the root gave up")
