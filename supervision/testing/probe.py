"""An actor that only listens: it stands in for a neighbour of the actor under test."""

from collections import deque
from collections.abc import Callable
from typing import Any, cast

import trio

from supervision.actor import Actor
from supervision.mailbox import EMPTY
from supervision.reference import Ref
from supervision.specs import ChildSpec
from supervision.wakeup import Wakeup


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

    def child(self, child_id: str | None = None) -> ChildSpec[M]:
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
