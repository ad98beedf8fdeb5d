"""A rule that is not Seawall's own, kept where it can hurt nobody but itself.

It is asked in a thread and answers in time or not at all: what it raises, or an answer that comes too
late, is an alert in its own name. While an old question keeps it busy it is not asked again.
"""

from collections.abc import Sequence
from functools import partial

import trio
from attrs import define, field

from risk.rules import Rule, Trigger
from risk.snapshot import Snapshot
from risk.verdict import Alert, Reduce, RuleAnswer, Violation

ANSWER_WITHIN = 0.05
"""Seconds; Seawall's own rules have been asked and acted on before."""


@define(eq=False)
class Guest:
    """One rule of others on one account."""

    rule: Rule
    _thread: trio.CapacityLimiter = field(factory=partial(trio.CapacityLimiter, 1), init=False)
    """Its own one: a question that never ends holds its thread, and takes none from anybody else."""

    @property
    def busy(self) -> bool:
        """An earlier question has not come to its end."""
        return self._thread.available_tokens == 0

    async def ask(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Its answer, or an alert in its place; never raises what the rule does."""
        if self.busy:
            return self._failed(snapshot, "is still busy with an earlier question", "busy")
        answer: RuleAnswer | Exception | None = None
        with trio.move_on_after(ANSWER_WITHIN):
            answer = await trio.to_thread.run_sync(
                self._answer, snapshot, trigger, abandon_on_cancel=True, limiter=self._thread
            )
        if answer is None:
            return self._failed(snapshot, f"took longer than {ANSWER_WITHIN * 1000:.0f} ms", "slow")
        if isinstance(answer, Exception):
            return self._failed(snapshot, f"failed: {answer!r}", "failed")
        return answer

    def _answer(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer | Exception:
        try:
            return _checked(self.rule.evaluate(snapshot, trigger))
        except Exception as error:  # noqa: BLE001 - the named boundary of what others wrote
            return error

    def _failed(self, snapshot: Snapshot, how: str, about: str) -> RuleAnswer:
        said = (
            f"{snapshot.account}: the rule {self.rule.name}, which is not Seawall's own, {how}: what "
            "it should watch is not guarded. All other rules are"
        )
        alert = Alert("rule_failed", said, critical=True, about=f"{self.rule.name} {about}")
        return RuleAnswer(alerts=(alert,))


async def ask_all(
    guests: Sequence[Guest], snapshot: Snapshot, trigger: Trigger
) -> tuple[RuleAnswer, ...]:
    """What each of them says, in their order; together they take no longer than one may."""
    answers: dict[int, RuleAnswer] = {}

    async def ask(place: int, guest: Guest) -> None:
        answers[place] = await guest.ask(snapshot, trigger)

    async with trio.open_nursery() as nursery:
        for place, guest in enumerate(guests):
            nursery.start_soon(ask, place, guest)
    return tuple(answers[place] for place in range(len(guests)))


def _checked(answer: object) -> RuleAnswer:
    """The answer; TypeError or ValueError for what nobody could act on, or not as it is meant."""
    if not isinstance(answer, RuleAnswer):
        raise TypeError(f"it answered {type(answer).__name__}")
    if not all(isinstance(found, Violation) for found in answer.violations):
        raise TypeError("it answered something else than violations")
    if not all(isinstance(alert, Alert) for alert in answer.alerts):
        raise TypeError("it answered something else than alerts")
    if answer.wake_at is not None and answer.wake_at.tzinfo is None:
        raise ValueError("it answered an instant without a time zone")
    actions = [action for found in answer.violations for action in found.actions]
    if any(isinstance(action, Reduce) and action.keep < 1 for action in actions):
        raise ValueError("it answered a reduction to less than one contract")
    return answer
