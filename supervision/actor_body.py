"""An actor as something supervised: what lasts from one incarnation to the next."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import trio

from . import policy
from .actor import Terminated
from .child import Child
from .dead_letters import Cause
from .errors import HandlerStuck
from .events import Quarantined, Stuck
from .house import House
from .incarnation import Incarnation
from .mailbox import EMPTY
from .specs import ChildSpec
from .state import ChildState
from .tree import Node

STUCK_AFTER = 10.0
"""Seconds that a cancelled actor may take to end: shielded, bounded clean-up is not stuck."""


class ActorBody:
    """An actor between and during its incarnations."""

    def __init__(self, spec: ChildSpec[Any], path: str, house: House) -> None:
        self._spec = spec
        self._path = path
        self._house = house
        self._ref = spec.ref
        self._kills: dict[type, tuple[float, ...]] = {}
        self._shut_out: set[type] = set()
        self._stuck_told = False
        self._life = self._incarnation(0)
        house.admit(spec.ref, path, spec.key)

    def _incarnation(self, generation: int) -> Incarnation:
        create = partial(self._house.create, self._path, self._spec.start)
        return Incarnation(self._ref, create, generation, self._shut_out)

    def prepare(self, generation: int) -> None:
        """Make ready for one more incarnation."""
        self._stuck_told = False
        self._life = self._incarnation(generation)

    async def run(self, on_started: Callable[[], None], on_ending: Callable[[], None]) -> None:
        """Run the incarnation."""

        def started() -> None:
            self._ref._running = True
            on_started()

        def ending() -> None:
            self._ref._running = False
            on_ending()

        await self._life.run(started, ending)

    def stop(self, *, for_good: bool, by: float) -> None:  # noqa: ARG002 - its scope knows
        """Stop; for good means that nothing new is taken and what is queued is handled first."""
        if for_good:
            self._ref._close()
        self._life.stop(drain=for_good)

    def crash(self, fault: Exception) -> None:
        """Crash the incarnation between two messages; LookupError when it is not up."""
        if not self._ref._running:
            raise LookupError(f"no actor is running at {self._ref.path}")
        self._life.crash(fault)

    async def ask_status(self, within: float) -> Mapping[str, object]:
        """What the incarnation itself says of its state, between two messages."""
        return await self._ref._inquire(within)

    def ended(self, error: BaseException | None, reason: str) -> None:
        """Bury the message in flight, and tell those who watch."""
        self._life.busy_since = math.inf
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

    def picture(self, known: ChildState, last_error: str) -> Node:
        """Show the actor as it is now."""
        mail = self._ref.statistics()
        return Node(
            id=self._spec.id,
            path=self._ref.path,
            kind="actor",
            state=known.word,
            generation=known.generation,
            restarts=max(0, known.generation - 1),
            depth=mail.depth,
            peak=mail.peak,
            handled=mail.handled,
            last_error=last_error,
            busy_for=self._life.busy_for(),
            status=self._life.status(),
        )

    def oversee(self, child: Child, now: float, since: float) -> None:
        """Fail it when its handler takes too long; report it when it cannot even be cancelled."""
        cancelled_at = max(child.cancelled_at, since)
        busy_for = now - max(self._life.busy_since, since)
        if now >= cancelled_at + STUCK_AFTER and not self._stuck_told:
            self._stuck_told = True
            self._house.tell(Stuck(self._ref.path, self._life.generation, child.cancelled_at))
        elif busy_for > self._spec.handle_within and now < child.cancelled_at:
            child.fail(HandlerStuck(f"{self._ref.path} handled one message for {busy_for:.1f} s"))

    def _bury(self, message: Any, error: BaseException | None) -> None:
        if error is None:
            self._ref._bury(message, Cause.CANCELLED)
        else:
            self._ref._bury(message, Cause.CRASHED, error)
            if self._life.handler_failed or isinstance(error, HandlerStuck):
                self._blame(type(message))
        self._ref._give_up_on(message, "it crashed on the question")

    def _blame(self, kind: type) -> None:
        """Remember which class of message killed, and shut out the one that keeps doing so."""
        quarantine, now = self._spec.quarantine, trio.current_time()
        if quarantine is None:
            return
        kills = (*policy.within(quarantine.within, self._kills.get(kind, ()), now), now)
        self._kills[kind] = kills
        if policy.poisoned(quarantine, kills, now):
            self._shut_out.add(kind)
            told = Quarantined(self._ref.path, self._life.generation, kind.__name__, len(kills))
            self._house.tell(told)
