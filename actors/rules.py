"""The rules actor: judges one state at a time. It remembers nothing, so a restart loses nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import trio

from actors.guests import Guest, ask_all
from actors.messages import Decided, EnforcementMessage, Evaluate, Judged, Wake
from actors.older import Older
from broker.clock import Clock
from risk.evaluate import after, concerns, evaluate, together
from risk.rules import Rule, Trigger, is_own
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
        self._own = tuple(rule for rule in rules if is_own(rule))
        self._older = older
        self._with_older = (*self._own, *(it for it in older.rules if is_own(it))) if older else ()
        self._guests = tuple(Guest(rule) for rule in rules if not is_own(rule))
        before = older.rules if older else ()
        self._with_older_guests = (
            *self._guests,
            *(Guest(rule) for rule in before if not is_own(rule)),
        )
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
        verdict = evaluate(in_force, snapshot, message.trigger, now, mono)
        self._evaluations += 1
        if verdict.violations:
            self._enforcement.tell(Decided(verdict, message.holdings, message.origin, mono))
        guests = Verdict()
        others = self._guests_in_force(now)
        if others:
            guests = await self._ask_guests(others, message, verdict, now, mono)
        calm = not verdict.violations and not guests.violations
        self._account.tell(
            Judged(
                min(self._wake_in(verdict, now), self._wake_in(guests, now)),
                (*verdict.alerts, *guests.alerts),
                wires(in_force, snapshot) if calm and not _answer_to_quotes(others) else None,
                snapshot.mono,
            )
        )

    async def _ask_guests(
        self,
        guests: Sequence[Guest],
        message: Evaluate,
        own: Verdict,
        now: datetime,
        mono: float,
    ) -> Verdict:
        """What others' rules say once ours have been acted on, of what these leave."""
        left = after(own, message.snapshot.at(now, mono))
        asked = [it for it in guests if concerns(it.rule, message.trigger)]
        verdict = together(await ask_all(asked, left, message.trigger))
        if verdict.violations:
            decided = trio.current_time()
            self._enforcement.tell(Decided(verdict, message.holdings, message.origin, decided))
        return verdict

    def _in_force(self, now: datetime) -> tuple[Rule, ...]:
        """What was accepted earlier today holds beside what is configured now, until the reset."""
        return self._with_older if self._older_holds(now) else self._own

    def _guests_in_force(self, now: datetime) -> tuple[Guest, ...]:
        """The same of others' rules."""
        return self._with_older_guests if self._older_holds(now) else self._guests

    def _older_holds(self, now: datetime) -> bool:
        return self._older is not None and now < self._older.until

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


def _answer_to_quotes(guests: Sequence[Guest]) -> bool:
    return any(Trigger.MARK in guest.rule.triggers for guest in guests)
