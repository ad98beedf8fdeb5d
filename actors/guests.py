"""A rule that is not Seawall's own, kept where it can hurt nobody but itself.

It is asked in a thread and answers in time or not at all: what it raises, or an answer that comes too
late, is an alert in its own name. While an old question keeps it busy it is not asked again.
"""

import trio
from attrs import define, field

from risk.rules import Rule, Trigger
from risk.snapshot import Snapshot
from risk.verdict import Alert, RuleAnswer

ANSWER_WITHIN = 0.05
"""Seconds; Seawall's own rules have been asked and acted on before."""


@define(eq=False)
class Guest:
    """One rule of others on one account."""

    rule: Rule
    _busy: bool = field(default=False, init=False)

    async def ask(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Its answer, or an alert in its place; never raises what the rule does."""
        if self._busy:
            return self._failed(snapshot, "is still busy with an earlier question", "busy")
        answers: list[RuleAnswer | Exception] = []
        with trio.move_on_after(ANSWER_WITHIN):
            await trio.to_thread.run_sync(
                self._answer, snapshot, trigger, answers, abandon_on_cancel=True
            )
        if not answers:
            return self._failed(snapshot, f"took longer than {ANSWER_WITHIN * 1000:.0f} ms", "slow")
        answer = answers[0]
        if isinstance(answer, Exception):
            return self._failed(snapshot, f"failed: {answer!r}", "failed")
        return answer

    def _answer(
        self, snapshot: Snapshot, trigger: Trigger, answers: list[RuleAnswer | Exception]
    ) -> None:
        self._busy = True
        try:
            answer = self.rule.evaluate(snapshot, trigger)
            if not isinstance(answer, RuleAnswer):
                raise TypeError(f"it answered {type(answer).__name__}")
            answers.append(answer)
        except Exception as error:  # noqa: BLE001 - the named boundary of what others wrote
            answers.append(error)
        finally:
            self._busy = False

    def _failed(self, snapshot: Snapshot, how: str, about: str) -> RuleAnswer:
        said = (
            f"{snapshot.account}: the rule {self.rule.name}, which is not Seawall's own, {how}: what "
            "it should watch is not guarded. All other rules are"
        )
        alert = Alert("rule_failed", said, critical=True, about=f"{self.rule.name} {about}")
        return RuleAnswer(alerts=(alert,))
