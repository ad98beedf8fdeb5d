"""The rules actor: judges one state at a time. It remembers nothing, so a restart loses nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import trio

from actors.messages import Decided, EnforcementMessage, Evaluate, Judged, Wake
from broker.clock import Clock
from risk.evaluate import evaluate
from risk.rules import Rule
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
    ) -> None:
        self._rules = tuple(rules)
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
        verdict = evaluate(self._rules, snapshot, message.trigger, now, mono)
        self._evaluations += 1
        if verdict.violations:
            self._enforcement.tell(Decided(verdict, message.holdings, message.origin, mono))
        self._account.tell(
            Judged(
                self._wake_in(verdict, now),
                verdict.alerts,
                None if verdict.violations else wires(self._rules, snapshot),
                snapshot.mono,
            )
        )

    def _wake_in(self, verdict: Verdict, now: datetime) -> float:
        """Wall time and real time in one: a simulated wall clock may run faster."""
        waits = [NEVER if verdict.wake_in is None else verdict.wake_in]
        if verdict.wake_at is not None:
            left = (verdict.wake_at - now).total_seconds() / self._clock.speed
            waits.append(max(left, 0.0) + JUST_AFTER)
        return min(waits)

    def status(self) -> Mapping[str, Any]:
        """How much was judged."""
        return {"rules": [rule.name for rule in self._rules], "evaluations": self._evaluations}
