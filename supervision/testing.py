"""For tests of actors: a probe that stands in for a neighbour, and a system that must lose nothing.

Works under a virtual clock: every wait here is on Trio's clock.
"""

import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import trio

from .actor import Actor
from .dead_letters import Cause, DeadLetters
from .events import SupervisionEvent
from .mailbox import EMPTY
from .reference import Ref
from .specs import ChildSpec, SupervisorSpec
from .system import System, open_system
from .wakeup import Wakeup


class Probe[M]:
    """A reference that records what it is told.

    Give ``probe.ref`` to the actor under test and read with :meth:`next`. It needs no tree; with
    :meth:`child` it takes a place in one, as an actor with a path, death watch and an ordered stop.
    """

    def __init__(self, name: str = "probe", *, capacity: int = 10_000) -> None:
        self.name = name
        self.ref: Ref[M] = Ref(name, capacity=capacity)
        self._recorded: deque[M] = deque()
        self._news = Wakeup()

    def child(self, child_id: str | None = None) -> ChildSpec[Any]:
        """The spec by which the probe joins a tree, under its own name unless told otherwise."""
        return ChildSpec(child_id or self.name, self.ref, lambda: _Recorder(self._record))

    async def next(self, *, within: float) -> M:
        """The next message, in the order of the lanes; AssertionError after ``within`` seconds."""
        with trio.move_on_after(within):
            while (message := self._take()) is EMPTY:
                await self._arrival()
            return cast(M, message)
        raise AssertionError(f"{self.ref.path} was told nothing within {within} s")

    async def next_of[T](self, kind: type[T], *, within: float) -> T:
        """The next message of a class; those of other classes before it are skipped."""
        deadline = trio.current_time() + within
        while True:
            message: object = await self.next(within=max(0.0, deadline - trio.current_time()))
            if isinstance(message, kind):
                return message

    async def silence(self, *, for_seconds: float) -> None:
        """Wait; AssertionError when anything arrives."""
        with trio.move_on_after(for_seconds):
            while (message := self._take()) is EMPTY:
                await self._arrival()
            raise AssertionError(f"{self.ref.path} was told {message!r}")

    def drain(self) -> list[M]:
        """Everything told and not yet read, without waiting."""
        return [cast(M, message) for message in iter(self._take, EMPTY)]

    def _take(self) -> Any:
        if self._recorded:
            return self._recorded.popleft()
        return EMPTY if self.ref._running else self.ref._mailbox.pop()

    async def _arrival(self) -> None:
        if self.ref._claimed:
            await self._news.sleep()
        else:
            await self.ref._mailbox.wakeup.sleep()

    def _record(self, message: M) -> None:
        self._recorded.append(message)
        self._news.wake()


class _Recorder[M](Actor[M]):
    def __init__(self, record: Callable[[M], None]) -> None:
        self._record = record

    async def handle(self, message: M) -> None:
        self._record(message)


def assert_no_dead_letters(letters: DeadLetters) -> None:
    """AssertionError naming every unhandled message.

    What was told to a stopped actor in the course of an ordered shutdown is not counted.
    """
    lost = {key: count for key, count in letters.counts.items() if key[2] is not Cause.SHUTDOWN}
    if lost:
        named = "\n".join(
            f"  {count} x {kind} to {path}: {cause}" for (path, kind, cause), count in lost.items()
        )
        stories = "\n".join(each.traceback for each in letters.recent if each.traceback)
        raise AssertionError(f"messages that nobody handled:\n{named}\n{stories}")


@asynccontextmanager
async def open_test_system(
    root: SupervisorSpec,
    *,
    seed: int = 0,
    observe: Callable[[SupervisionEvent], None] | None = None,
) -> AsyncIterator[System]:
    """Like ``open_system``, with seeded chance; fails on dead letters when the test has passed."""
    chance = random.Random(seed)  # noqa: S311 - backoff, not secrets
    async with open_system(root, chance=chance, observe=observe) as system:
        yield system
    assert_no_dead_letters(system.dead_letters)


async def until(condition: Callable[[], bool], *, within: float) -> None:
    """Let the others run until something holds; AssertionError after ``within`` seconds."""
    deadline = trio.current_time() + within
    while not condition():
        if trio.current_time() >= deadline:
            raise AssertionError(f"it did not come true within {within} s")
        await trio.sleep(0.001)
