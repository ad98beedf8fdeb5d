"""Rules of others cost nobody but themselves, whatever they do."""

import threading
from datetime import datetime
from decimal import Decimal

import pytest
import trio
from attrs import field, frozen

from actors.guests import Guest, ask_all
from risk.rules import Rule, Trigger
from risk.snapshot import Snapshot
from risk.verdict import Close, Reduce, RuleAnswer, Violation
from tests.guest_rules import Babbles, NoShorts, Raises, Waits
from tests.risk.world import MNQ, World


@frozen
class Says(NoShorts):
    """Whatever it was given to say."""

    answer: RuleAnswer = field(factory=RuleAnswer, kw_only=True)

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:  # noqa: ARG002
        return self.answer


@frozen
class Meets(NoShorts):
    """Answers once the others are asked as well."""

    met: threading.Barrier = field(kw_only=True)

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        self.met.wait()
        return super().evaluate(snapshot, trigger)


def reducing(keep: int) -> Violation:
    action = Reduce(MNQ.id, keep)
    one = Decimal(1)
    return Violation("shorts", "A", MNQ.id, one, one, "fill", "because", (action,))


def short() -> World:
    world = World()
    world.fill(-1, "20000")
    return world


async def test_a_good_one_is_heard() -> None:
    """Its violation is as good as one of ours."""
    answer = await Guest(NoShorts()).ask(short().snapshot(), Trigger.FILL)
    assert [found.actions for found in answer.violations] == [(Close(MNQ.id),)]


@pytest.mark.parametrize(
    ("rule", "how"), [(Raises(), "a table that is not there"), (Babbles(), "it answered str")]
)
async def test_one_that_fails_is_told_and_nothing_else(rule: Rule, how: str) -> None:
    """An alert in its name, no violation, no exception."""
    answer = await Guest(rule).ask(short().snapshot(), Trigger.FILL)
    assert answer.violations == ()
    (alert,) = answer.alerts
    assert (alert.code, alert.critical) == ("rule_failed", True)
    assert how in alert.message


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (RuleAnswer((None,)), "something else than violations"),  # type: ignore[arg-type]
        (RuleAnswer(None), "'NoneType' object is not iterable"),  # type: ignore[arg-type]
        (RuleAnswer(alerts=("no",)), "something else than alerts"),  # type: ignore[arg-type]
        (RuleAnswer(wake_at=datetime(2026, 11, 18, 15, 30)), "without a time zone"),  # noqa: DTZ001
        (RuleAnswer((reducing(-1),)), "less than one contract"),
    ],
)
async def test_an_answer_that_nobody_could_act_on_is_told_and_not_used(
    answer: RuleAnswer, how: str
) -> None:
    """It would fell all rules of the account, or take the place of one of ours."""
    told = await Guest(Says(answer=answer)).ask(short().snapshot(), Trigger.FILL)
    assert (told.violations, told.wake_at) == ((), None)
    assert how in told.alerts[0].message


async def test_one_that_is_slow_is_not_waited_for_nor_asked_twice_at_once() -> None:
    """Its answer comes too late; while it is busy the next question is told as well."""
    rule = Waits()
    guest, snapshot = Guest(rule), short().snapshot()
    first = await guest.ask(snapshot, Trigger.FILL)
    second = await guest.ask(snapshot, Trigger.FILL)
    assert "took longer than 50 ms" in first.alerts[0].message
    assert "still busy" in second.alerts[0].message
    assert first.alerts[0].about != second.alerts[0].about
    await come_to_its_end(guest, rule)
    rule.let.clear()
    third = await guest.ask(snapshot, Trigger.FILL)
    assert "took longer" in third.alerts[0].message
    await come_to_its_end(guest, rule)
    fourth = await guest.ask(snapshot, Trigger.FILL)
    assert [found.actions for found in fourth.violations] == [(Close(MNQ.id),)]


async def test_those_that_never_answer_take_no_thread_from_anybody_else() -> None:
    """The journal writes in threads of the common pool, and it has only so many."""
    pool = trio.to_thread.current_default_thread_limiter()
    rule = Waits()
    guests = [Guest(rule) for _ in range(3)]
    free = pool.available_tokens
    for guest in guests:
        await guest.ask(short().snapshot(), Trigger.FILL)
    assert pool.available_tokens == free
    for guest in guests:
        await come_to_its_end(guest, rule)


async def come_to_its_end(guest: Guest, rule: Waits) -> None:
    rule.let.set()
    while guest.busy:
        await trio.lowlevel.checkpoint()


async def test_several_are_asked_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, each would use up a moment of the next decision's."""
    monkeypatch.setattr("actors.guests.ANSWER_WITHIN", 5.0)
    met = threading.Barrier(3, timeout=2.0)
    guests = [Guest(Meets(met=met)) for _ in range(3)]
    answers = await ask_all(guests, short().snapshot(), Trigger.FILL)
    assert [len(it.violations) for it in answers] == [1, 1, 1]
