"""The rules actor: judges one state at a time. It remembers nothing, so a restart loses nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import trio
from attrs import field, frozen

from actors.guests import Guest, ask_all
from actors.messages import Decided, EnforcementMessage, Evaluate, Judged, Wake
from actors.older import Older
from broker.clock import Clock
from risk.evaluate import after, concerns, evaluate, together
from risk.rules import Rule, Trigger, is_own
from risk.snapshot import Snapshot
from risk.verdict import Verdict
from risk.wires import wires
from supervision import Actor, Ref

NEVER = float("inf")
JUST_AFTER = 0.001
"""Seconds past an instant at which it has certainly come."""


class Rules(Actor[Evaluate]):
    """Pure evaluation between the account and enforcement."""

    def __init__(
        self,
        rules: Sequence[Rule],
        clock: Clock,
        account: Ref[Judged | Wake],
        enforcement: Ref[EnforcementMessage],
        older: Older | None = None,
    ) -> None:
        self._older = older
        self._present = _Book.of(rules)
        self._with_older = self._present.beside(_Book.of(older.rules if older else ()))
        self._every = tuple(rules)
        self._clock = clock
        self._account = account
        self._enforcement = enforcement
        self._evaluations = 0
        self._begun = 0.0

    async def started(self) -> None:
        """What was asked of an earlier life is not answered, it is asked anew."""
        self._begun = trio.current_time()

    async def handle(self, message: Evaluate) -> None:
        """Judge; a breach goes straight to enforcement."""
        mono = trio.current_time()
        snapshot = message.snapshot
        if snapshot.mono < self._begun:
            # It may have waited for long: an account that is set aside keeps its mail.
            self._account.tell(Wake("judgement"))
            return
        now = snapshot.now + timedelta(seconds=(mono - snapshot.mono) * self._clock.speed)
        in_force = self._in_force(now)
        verdict = evaluate(in_force.own, snapshot, message.trigger, now, mono)
        self._evaluations += 1
        if verdict.violations:
            self._enforcement.tell(Decided(verdict, message.holdings, message.origin, mono))
        guests = Verdict()
        if in_force.guests:
            left = after(verdict, snapshot.at(now, mono))
            guests = await self._ask_guests(in_force.guests, message, left)
        calm = not verdict.violations and not guests.violations
        self._account.tell(
            Judged(
                min(self._wake_in(verdict, now), self._wake_in(guests, now)),
                (*verdict.alerts, *guests.alerts),
                wires(in_force.own, snapshot) if calm and not in_force.every_quote else None,
                snapshot.mono,
            )
        )

    async def _ask_guests(
        self, guests: Sequence[Guest], message: Evaluate, left: Snapshot
    ) -> Verdict:
        """What others' rules say once ours have been acted on, of what these leave."""
        asked = [it for it in guests if concerns(it.rule, message.trigger)]
        verdict = together(await ask_all(asked, left, message.trigger))
        if verdict.violations:
            decided = trio.current_time()
            self._enforcement.tell(Decided(verdict, message.holdings, message.origin, decided))
        return verdict

    def _in_force(self, now: datetime) -> "_Book":
        """What was accepted earlier today holds beside what is configured now, until the reset."""
        over = self._older is None or now >= self._older.until
        return self._present if over else self._with_older

    def _wake_in(self, verdict: Verdict, now: datetime) -> float:
        """Wall time and real time in one: a simulated wall clock may run faster."""
        waits = [NEVER if verdict.wake_in is None else verdict.wake_in]
        if verdict.wake_at is not None:
            left = (verdict.wake_at - now).total_seconds() / self._clock.speed
            waits.append(max(left, 0.0) + JUST_AFTER)
        return min(waits)

    def status(self) -> Mapping[str, Any]:
        """How much was judged."""
        return {"rules": [rule.name for rule in self._every], "evaluations": self._evaluations}


@frozen
class _Book:
    """Rules that are in force together."""

    own: tuple[Rule, ...]
    guests: tuple[Guest, ...]
    every_quote: bool = field(init=False)
    """Some guest answers to prices, and nobody knows from which on."""

    @every_quote.default
    def _every_quote(self) -> bool:
        return any(Trigger.MARK in guest.rule.triggers for guest in self.guests)

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> "_Book":
        """Ours, and those of others."""
        own = tuple(rule for rule in rules if is_own(rule))
        return cls(own, tuple(Guest(rule) for rule in rules if not is_own(rule)))

    def beside(self, other: "_Book") -> "_Book":
        """Both together."""
        return _Book((*self.own, *other.own), (*self.guests, *other.guests))
