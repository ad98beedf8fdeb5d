"""The actor loop: one incarnation of one actor, from its start to its orderly stop or crash.

The loop drains up to 64 messages, or 1 ms of work, per checkpoint: a checkpoint costs more than
handling a message, and a reader that never yields would starve its neighbours. The millisecond is
measured on Trio's clock, so that virtual time stays reproducible. A message is recorded as in flight
before its handler sees it; whatever ends the handler, the message is accounted for.
"""

import math
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import trio
from structlog.contextvars import bind_contextvars

from .actor import Actor, Context
from .dead_letters import Cause
from .errors import in_words
from .mailbox import EMPTY
from .reference import Ref

BATCH_MESSAGES = 64
BATCH_SECONDS = 0.001


class Incarnation:
    """The life of one actor instance. Only its own task and its supervisor touch the state."""

    __slots__ = (
        "_actor",
        "_context",
        "_create",
        "_draining",
        "_fault",
        "_shut_out",
        "_stop_asked",
        "_up",
        "busy_since",
        "generation",
        "handler_failed",
        "in_flight",
        "ref",
    )

    def __init__(
        self,
        ref: Ref[Any],
        create: Callable[[], Actor[Any]],
        generation: int,
        shut_out: Collection[type] = (),
    ) -> None:
        self.ref = ref
        self.generation = generation
        self.in_flight: Any = EMPTY
        self.handler_failed = False
        """The message in flight is to blame, and not something that happened beside it."""
        self.busy_since = math.inf
        """When the current handler began; infinite while none is at work."""
        self._create = create
        self._actor: Actor[Any] | None = None
        self._context: Context[Any] | None = None
        self._draining = False
        self._fault: Exception | None = None
        self._shut_out = shut_out
        self._stop_asked = False
        self._up = False

    async def run(self, on_started: Callable[[], None], on_ending: Callable[[], None]) -> None:
        """Live until stopped; returns after an orderly stop, raises what crashed the actor."""
        bind_contextvars(actor=self.ref.path, generation=self.generation)
        async with trio.open_nursery() as nursery:
            try:
                await self._live(nursery, on_started, on_ending)
            finally:
                on_ending()
                # Left to the nursery, a crash would cancel the tasks from a frame that holds the
                # error: a cycle, which keeps the dead actor until the garbage collector comes by.
                nursery.cancel_scope.cancel(reason="the actor has ended")

    async def _live(
        self,
        nursery: trio.Nursery,
        on_started: Callable[[], None],
        on_ending: Callable[[], None],
    ) -> None:
        actor = self._actor = self._create()
        self._context = actor.context = Context(self.ref, self.generation, nursery)
        await actor.started()
        self._up = True
        on_started()
        await self._read(actor, self._context, nursery.cancel_scope)
        on_ending()
        await actor.stopping()

    def stop(self, *, drain: bool) -> None:
        """Ask for an orderly stop: at once, or after everything queued has been handled."""
        self._draining = drain
        self._stop_asked = not drain
        self.ref._mailbox.wakeup.wake()

    def crash(self, fault: Exception) -> None:
        """Raise ``fault`` between two messages, so that none is in flight."""
        self._fault = fault
        self.ref._mailbox.wakeup.wake()

    def status(self) -> dict[str, object]:
        """What the actor says of itself, once it is up.

        It is asked from outside, by pictures of the whole house too, at any moment between its own
        steps. If it cannot answer, that is its answer: the picture is worth more than the actor.
        """
        if self._actor is None or not self._up:
            return {}
        try:
            return dict(self._actor.status())
        except Exception as error:  # noqa: BLE001 - see above
            return {"error": in_words(error)}

    def busy_for(self) -> float:
        """Seconds since the current handler began; 0 when there is none."""
        return max(0.0, trio.current_time() - self.busy_since)

    async def _read(self, actor: Actor[Any], context: Context[Any], life: trio.CancelScope) -> None:
        mailbox = self.ref._mailbox
        while not (self._stop_asked or context._stop_asked):
            # What wakes the reader may be the last word of a task that dies and takes this
            # incarnation with it; that word is for the successor.
            if life.cancel_called:
                await trio.lowlevel.checkpoint()
            if self._fault is not None:
                raise self._fault
            while self.ref._inquiries:
                self.ref._inquiries.pop(0).send(self.status())
            depth = len(mailbox)
            if depth:
                mailbox.peak = max(mailbox.peak, depth)
                await self._handle_batch(actor, context)
                await actor.turn_ended()
                self.busy_since = math.inf
                if len(mailbox):
                    # Who falls asleep next lets the others run anyway.
                    await trio.lowlevel.checkpoint()
            elif self._draining:
                return
            else:
                await mailbox.wakeup.sleep()

    async def _handle_batch(self, actor: Actor[Any], context: Context[Any]) -> None:
        ref, pop = self.ref, self.ref._mailbox.pop
        handle = partial(self._handle_allowed, actor) if self._shut_out else actor.handle
        now = trio.lowlevel.current_clock().current_time
        self.busy_since = now()
        enough = self.busy_since + BATCH_SECONDS
        for _ in range(BATCH_MESSAGES):
            message = pop()
            if message is EMPTY:
                return
            self.in_flight = message
            try:
                await handle(message)
            except Exception:
                self.handler_failed = True
                raise
            self.in_flight = EMPTY
            ref._handled += 1
            self.busy_since = now()
            if self.busy_since >= enough or self._stop_asked or context._stop_asked:
                return

    async def _handle_allowed(self, actor: Actor[Any], message: Any) -> None:
        """Handle it, unless its class has been shut out."""
        if type(message) in self._shut_out:
            self.ref._handled -= 1  # it is counted as buried
            self.ref._bury(message, Cause.QUARANTINED)
            self.ref._give_up_on(message, "its class of messages is in quarantine")
        else:
            await actor.handle(message)
