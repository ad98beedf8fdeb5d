"""Telling and asking, and what comes back when nobody can answer."""

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from attrs import frozen
from trio.testing import MockClock

from supervision import (
    Actor,
    ActorRestarting,
    ActorStopped,
    AskTimeout,
    Backoff,
    Cause,
    ChildSpec,
    Ref,
    Reply,
    Restart,
    SupervisorSpec,
    System,
)
from supervision.testing import Probe, until
from supervision.testing import open_test_system as opened


@frozen
class Question:
    reply: Reply[int]
    mood: str = "answer"


def put(mood: str) -> Callable[[Reply[int]], Question]:
    return lambda reply: Question(reply, mood)


class Oracle(Actor[Question]):
    """Answers, keeps silent, crashes, or answers late or twice, as it is asked to."""

    async def handle(self, message: Question) -> None:
        if message.mood == "crash":
            raise RuntimeError("crash")
        if message.mood == "late":
            await trio.sleep(4)
        if message.mood != "silent":
            message.reply.send(42)
        if message.mood == "twice":
            message.reply.send(43)


@asynccontextmanager
async def oracle(
    ref: Ref[Question], backoff: Backoff | None = None, *, fails: bool = False
) -> AsyncIterator[System]:
    spec = SupervisorSpec("root", (ChildSpec("oracle", ref, Oracle),), backoff=backoff or Backoff())
    async with opened(spec, expect={"root/oracle"} if fails else ()) as system:
        yield system


async def test_an_answer_comes_back() -> None:
    """The reply that the handler sends is what ask returns."""
    ref: Ref[Question] = Ref("oracle")
    async with oracle(ref):
        assert await ref.ask(Question, within=1) == 42


async def test_no_answer_in_time_leaves_the_outcome_unknown(autojump_clock: MockClock) -> None:
    """Silence ends in AskTimeout at the deadline, not earlier."""
    ref: Ref[Question] = Ref("oracle")
    async with oracle(ref):
        before = trio.current_time()
        with pytest.raises(AskTimeout):
            await ref.ask(put("silent"), within=3)
        assert trio.current_time() - before == pytest.approx(3)


async def test_a_late_answer_changes_nothing_and_is_counted(autojump_clock: MockClock) -> None:
    """The actor that answers too late does not crash on it."""
    ref: Ref[Question] = Ref("oracle")
    async with oracle(ref, fails=True) as system:
        with pytest.raises(AskTimeout):
            await ref.ask(put("late"), within=3)
        assert await ref.ask(Question, within=20) == 42
        assert dict(system.dead_letters.counts) == {("root/oracle", "int", Cause.LATE_REPLY): 1}
        assert system.tree().children[0].generation == 1


async def test_a_second_answer_changes_nothing_and_is_counted() -> None:
    """The first answer stands."""
    ref: Ref[Question] = Ref("oracle")
    async with oracle(ref, fails=True) as system:
        assert await ref.ask(put("twice"), within=1) == 42
        assert dict(system.dead_letters.counts) == {("root/oracle", "int", Cause.LATE_REPLY): 1}


async def test_a_question_that_crashes_the_actor_is_answered_at_once(
    autojump_clock: MockClock,
) -> None:
    """Whoever asked need not wait for the deadline to learn that the outcome is unknown."""
    ref: Ref[Question] = Ref("oracle")
    async with oracle(ref, fails=True):
        before = trio.current_time()
        with pytest.raises(AskTimeout, match="crashed"):
            await ref.ask(put("crash"), within=60)
        assert trio.current_time() == before


async def test_a_question_survives_a_restart_that_ends_in_time(autojump_clock: MockClock) -> None:
    """It waits in the mailbox, which outlives the incarnation, and the successor answers."""
    ref: Ref[Question] = Ref("oracle")
    async with oracle(ref, Backoff(initial=2.0), fails=True):
        with pytest.raises(AskTimeout):
            await ref.ask(put("crash"), within=60)
        assert await ref.ask(Question, within=5) == 42


async def test_a_question_to_an_actor_that_stays_down_is_taken_back(
    autojump_clock: MockClock,
) -> None:
    """ActorRestarting promises that it was never handled and never will be."""
    ref: Ref[Question] = Ref("oracle")
    async with oracle(ref, Backoff(initial=30.0), fails=True) as system:
        with pytest.raises(AskTimeout):
            await ref.ask(put("crash"), within=60)
        with pytest.raises(ActorRestarting):
            await ref.ask(Question, within=1)
        assert ref.statistics().depth == 0
        await trio.sleep(60)
        assert ref.statistics().handled == 0
        assert system.dead_letters.total == 1


async def test_asking_a_stopped_actor_fails_at_once() -> None:
    """There is nobody left to wait for."""
    ref: Ref[Question] = Ref("oracle")
    async with oracle(ref):
        pass
    with pytest.raises(ActorStopped):
        await ref.ask(Question, within=1)


async def test_an_actor_that_stops_for_good_fails_the_open_questions(
    autojump_clock: MockClock,
) -> None:
    """A question that was put but never answered ends with the actor, not with its deadline."""
    ref: Ref[Question] = Ref("oracle")
    caught: list[type[Exception]] = []

    async def wait() -> None:
        try:
            await ref.ask(put("silent"), within=60)
        except ActorStopped as error:
            caught.append(type(error))

    async with trio.open_nursery() as nursery:
        async with oracle(ref):
            nursery.start_soon(wait)
            await until(lambda: ref.statistics().handled == 1, within=1)
        before = trio.current_time()
    assert caught == [ActorStopped]
    assert trio.current_time() == before


@pytest.mark.parametrize("within", [0.0, -1.0, math.inf, math.nan])
async def test_a_deadline_is_mandatory(within: float) -> None:
    """Nobody waits for ever."""
    with pytest.raises(ValueError, match="deadline"):
        await Ref[Question]("oracle").ask(Question, within=within)


async def test_what_was_told_before_the_actor_runs_is_handled_when_it_does() -> None:
    """A reference works before its actor does."""
    probe: Probe[int] = Probe()
    for number in (1, 2):
        probe.ref.tell(number)
    async with opened(SupervisorSpec("root", (probe.child(),))):
        assert [await probe.next(within=1) for _ in range(2)] == [1, 2]


class Mortal(Actor[int]):
    async def handle(self, message: int) -> None:
        if message == 0:
            raise RuntimeError("mortal")


async def test_telling_an_actor_that_stopped_for_good_is_a_dead_letter() -> None:
    """The sender is not punished; the message is counted, with its cause."""
    ref: Ref[int] = Ref("mortal")
    spec = ChildSpec("mortal", ref, Mortal, restart=Restart.TEMPORARY)
    async with opened(SupervisorSpec("root", (spec,)), expect={"root/mortal"}) as system:
        for number in (0, 1):
            ref.tell(number)
        await until(lambda: system.tree().children[0].state == "stopped", within=1)
        ref.tell(2)
        found = [(each.message, each.cause) for each in system.dead_letters.recent]
        assert found == [(0, Cause.CRASHED), (1, Cause.STOPPED), (2, Cause.STOPPED)]
        assert "RuntimeError: mortal" in system.dead_letters.recent[0].traceback
        assert "in handle" in system.dead_letters.recent[0].traceback


async def test_a_path_leads_to_a_ref_while_its_actor_lives() -> None:
    """References are found by path, and no longer once they are closed."""
    probe: Probe[int] = Probe("ear")
    inner = SupervisorSpec("inner", (probe.child("left"),))
    async with opened(SupervisorSpec("root", (inner,))) as system:
        assert probe.ref.path == "root/inner/left"
        assert system.at("root/inner/left") is probe.ref
        assert system.at("root/inner") is None
    assert system.at("root/inner/left") is None


async def test_a_ref_belongs_to_one_child_only() -> None:
    """Two readers of one mailbox, or a second life of a closed one, are refused."""
    probe: Probe[int] = Probe()
    twice = SupervisorSpec("root", (probe.child("a"), probe.child("b")))
    with pytest.raises(ValueError, match="only once"):
        async with opened(twice):
            pass
    async with opened(SupervisorSpec("root", (probe.child(),))):
        pass
    with pytest.raises(ValueError, match="only once"):
        async with opened(SupervisorSpec("root", (probe.child(),))):
            pass
