"""The rules for one actor: how it begins, reads its messages, and ends."""

import math
from collections.abc import Iterator

from attrs import define, field

from .plan import ActorPlan, Life
from .semantics import Child, Letter, Move


@define(eq=False)
class Player(Child):
    """A child that is an actor."""

    phase: str = "launched"
    """launched, starting, reading, busy, stopping."""
    until: float = math.inf
    fate_at: float = math.inf
    quits: bool = False
    broken: bool = False
    injected: float = math.inf
    cancelled: bool = False
    queue: list[Letter] = field(factory=list)
    in_hand: Letter | None = None
    closed: bool = False

    @property
    def life(self) -> Life:
        assert isinstance(self.plan, ActorPlan)
        return self.plan.life(self.generation)

    def born(self) -> None:
        super().born()
        self.phase, self.until, self.fate_at = "launched", math.inf, math.inf
        self.quits = self.broken = self.cancelled = False
        self.injected = math.inf

    def ask(self, leaving: bool, by: float) -> None:
        ending = self.asked or self.phase == "stopping"
        self.asked, self.kill_at = True, min(by, self.kill_at) if ending else by
        self.leaving = self.leaving or leaving
        self.closed = self.closed or self.leaving

    def cancel(self) -> None:
        self.cancelled = True

    def seal(self) -> None:
        self.closed = True
        for letter in self.queue:
            letter.cause = "stopped"
        self.queue = []

    def times(self) -> Iterator[float]:
        if self.state == "alive":
            yield from (self.until, self.fate_at, self.kill_at)

    def moves(self) -> Iterator[Move]:
        now = self.world.now
        if self.state == "ended" and self.asked and self.phase == "reading":
            # Asked and cut off in one instant: it may have come as far as this, to no effect.
            yield Move((self.item("stops"),), self._stop_too_late, may_be_missing=True)
        if self.state != "alive":
            return
        if self.phase == "launched":
            yield Move((self.item("begins"),), self._begin)
            return
        yield from self._bad_ends(now)
        if self.phase == "starting" and now >= self.until:
            if self.life.start_fails:
                yield self._end("Boom")
            else:
                yield Move((self.item("Started"),), self._rise)
        elif self.phase == "reading":
            yield from self._next_step()
        elif self.phase == "busy" and now >= self.until:
            yield from self._handled()
        elif self.phase == "stopping" and now >= self.until:
            yield self._end("Boom" if self.life.stop_fails else "")

    def _bad_ends(self, now: float) -> Iterator[Move]:
        torn = self.life.torn and self.phase in {"starting", "stopping"} and self.until > now
        if self.broken or (self.fate_at <= now and self.life.fate == "crash"):
            yield self._end("Boom")
        if self.cancelled:
            yield self._end("Boom" if torn else "", cut_off=True)
        elif self.kill_at <= now:
            late = "" if self.asked or self.phase == "stopping" else "StartTimeout"
            yield self._end("Boom" if torn else late, cut_off=True)
        if self.fate_at <= now and self.life.fate == "leave" and not self.quits:
            yield Move((), self._quit)

    def _next_step(self) -> Iterator[Move]:
        drains = self.asked and self.leaving
        if self.quits or (self.asked and not drains) or (drains and not self.queue):
            yield Move((self.item("stops"),), self._stop)
        if self.injected <= self.world.now and not self.quits and (not self.asked or drains):
            yield self._end("FaultInjected")
        may_take = self.injected >= self.world.now and (not self.asked or drains)
        if self.queue and may_take and not self.quits:
            letter = self.queue[0]
            yield Move((self.item("takes", str(letter.tell.number)),), self._take)

    def _handled(self) -> Iterator[Move]:
        assert self.in_hand is not None
        if self.in_hand.tell.ends == "crash":
            yield self._end("Boom")
        else:
            yield Move((self.item("handled", str(self.in_hand.tell.number)),), self._put_down)

    def _end(self, error: str, *, cut_off: bool = False) -> Move:
        def end() -> None:
            self.state, self.error, self.cut_off = "ended", error, cut_off
            if self.in_hand is not None:
                self.in_hand.cause = "crashed" if error else "cancelled"
                self.in_hand = None

        told = self.item("Crashed", error) if error else None
        return Move((self.item("ends"),), end, told)

    def _begin(self) -> None:
        self.phase, self.until = "starting", self.world.now + self.life.start

    def _rise(self) -> None:
        self.risen()
        self.cancelled = False  # shielded from here on
        self.phase = "reading"
        if self.life.fate != "none":
            self.fate_at = self.world.now + self.life.fate_after

    def _quit(self) -> None:
        self.quits = True

    def _stop(self) -> None:
        assert isinstance(self.plan, ActorPlan)
        self.phase, self.until = "stopping", self.world.now + self.life.stop
        if not self.asked:
            # Who leaves by itself has as much time for it as who is asked.
            self.kill_at = min(self.kill_at, self.world.now + self.plan.stop_within)

    def _stop_too_late(self) -> None:
        self._stop()
        if self.life.torn if self.life.stop else self.life.stop_fails:
            self.error = "Boom"

    def _take(self) -> None:
        self.in_hand = self.queue.pop(0)
        self.phase, self.until = "busy", self.world.now + self.in_hand.tell.takes

    def _put_down(self) -> None:
        assert self.in_hand is not None
        self.quits = self.quits or self.in_hand.tell.ends == "leave"
        self.in_hand, self.phase = None, "reading"
