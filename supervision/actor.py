"""What an actor is, and what the runtime gives it: tasks, requests, timers, death watch.

Everything obtained from a :class:`Context` belongs to the incarnation and ends with it.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import trio
from attrs import frozen

from .reference import Ref
from .timers import Timer, Timers


@frozen
class Terminated:
    """One incarnation of a watched actor has ended, for good or until its restart."""

    path: str
    generation: int
    reason: str


class TaskHandle:
    """A task of one incarnation."""

    __slots__ = ("_scope",)

    def __init__(self, scope: trio.CancelScope) -> None:
        self._scope = scope

    def cancel(self) -> None:
        """End it; nothing happens when it has ended already."""
        self._scope.cancel(reason="cancelled by its actor")


class Context[M]:
    """The runtime as one incarnation of an actor sees it."""

    def __init__(self, ref: Ref[M], generation: int, nursery: trio.Nursery) -> None:
        self.self = ref
        self.generation = generation
        self._nursery = nursery
        self._stop_asked = False
        self._timers = Timers(ref._put_own)
        nursery.start_soon(self._timers.run, name=f"{ref.path}: timers")

    def stop(self) -> None:
        """End this incarnation in order after the current message, without an error.

        A permanent actor is started again; a transient or temporary one has stopped for good.
        """
        self._stop_asked = True
        self.self._mailbox.wakeup.wake()

    def start_task(
        self, fn: Callable[..., Awaitable[None]], *args: Any, name: str | None = None
    ) -> TaskHandle:
        """Run ``fn(*args)`` beside the actor; an exception in it crashes the actor."""
        handle = TaskHandle(trio.CancelScope())
        label = name or f"{self.self.path}: {getattr(fn, '__name__', fn)}"
        self._nursery.start_soon(partial(_in_scope, handle._scope, fn, *args), name=label)
        return handle

    def request[R](
        self, fn: Callable[[], Awaitable[R]], then: Callable[[R], M], *, lost: M | None = None
    ) -> None:
        """Run ``fn`` in a task and tell this actor ``then(result)``.

        When the incarnation dies before that, its mailbox, which survives, gets ``lost`` instead:
        whoever restarts from it learns that the outcome is unknown. An exception in ``fn`` crashes
        the actor, so ``fn`` turns the failures it expects into results.
        """
        self._nursery.start_soon(
            partial(_carry, self.self, fn, then, lost), name=f"{self.self.path}: request"
        )

    def after(self, seconds: float, message: M) -> Timer:
        """Tell this actor ``message`` once, ``seconds`` from now (at once when not positive)."""
        if math.isnan(seconds):
            raise ValueError("a timer needs a number of seconds")
        return self._timers.add(trio.current_time() + max(seconds, 0.0), math.inf, message)

    def every(self, seconds: float, message: M) -> Timer:
        """Tell this actor ``message`` every ``seconds``; beats that were missed are left out."""
        if not 0 < seconds < math.inf:
            raise ValueError(f"a period must be positive and finite, not {seconds}")
        return self._timers.add(trio.current_time() + seconds, seconds, message)

    def watch(self, ref: Ref[Any], then: Callable[[Terminated], M]) -> None:
        """Tell this actor ``then(terminated)`` at every end of an incarnation of ``ref``.

        One that has stopped for good already is reported at once, as generation 0.
        """
        send, receive = trio.open_memory_channel[Terminated](math.inf)
        if ref._closed:
            send.send_nowait(Terminated(ref.path, 0, "stopped"))
        ref._watchers.append(send.send_nowait)
        self._nursery.start_soon(
            partial(_mourn, self.self, ref, send.send_nowait, receive, then),
            name=f"{self.self.path}: watch {ref.path}",
        )


class Actor[M]:
    """Base of all actors; a fresh instance for every incarnation.

    Handlers run one at a time. They never wait for the outside world or for a sibling: that is what
    ``context.request`` is for.
    """

    context: Context[M]

    async def started(self) -> None:
        """Prepare; the mailbox is read only after this has returned."""

    async def handle(self, message: M) -> None:
        """React to one message."""

    async def turn_ended(self) -> None:
        """Everything that was queued has been handled, or as much as goes into one turn.

        What follows from several messages together is done once here instead of at each of them.
        """

    async def stopping(self) -> None:
        """Clean up on an orderly stop; never called after a crash."""

    def status(self) -> Mapping[str, object]:
        """What ``System.tree`` shows of this actor."""
        return {}


async def _in_scope(
    scope: trio.CancelScope, fn: Callable[..., Awaitable[None]], *args: Any
) -> None:
    with scope:
        await fn(*args)


async def _carry[R, M](
    ref: Ref[M], fn: Callable[[], Awaitable[R]], then: Callable[[R], M], lost: M | None
) -> None:
    arrived = False
    try:
        answer = then(await fn())
        arrived = True
        ref._put_own(answer)
    finally:
        if not arrived and lost is not None:
            ref._put_own(lost)


async def _mourn[M](
    ref: Ref[M],
    watched: Ref[Any],
    watcher: Callable[[Terminated], None],
    endings: trio.MemoryReceiveChannel[Terminated],
    then: Callable[[Terminated], M],
) -> None:
    try:
        async for terminated in endings:
            ref._put_own(then(terminated))
    finally:
        watched._watchers.remove(watcher)
