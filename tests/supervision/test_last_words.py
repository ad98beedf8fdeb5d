"""What becomes of words that meet an actor, or a ref, at the very edge of its life."""

import pytest
import trio
from attrs import frozen
from trio.testing import MockClock

from supervision import (
    Actor,
    Backoff,
    Cause,
    ChildSpec,
    Overflow,
    Ref,
    Reply,
    SupervisorSpec,
    mailbox_policy,
)
from supervision.supervisor import Supervisor
from supervision.testing import Probe, open_test_system, until
from supervision.wakeup import Wakeup


@mailbox_policy(overflow=Overflow.DROP_OLDEST)
@frozen
class Hint:
    number: int


class Deaf(Actor[Hint]):
    """Needs so long to start that its mailbox runs over."""

    async def started(self) -> None:
        await trio.sleep(1)


async def test_a_message_that_made_room_for_another_is_a_dead_letter(
    autojump_clock: MockClock,
) -> None:
    """Dropping was declared by its class, and is counted all the same."""
    ref: Ref[Hint] = Ref("deaf", capacity=2)
    for number in range(3):
        ref.tell(Hint(number))
    spec = SupervisorSpec("root", (ChildSpec("deaf", ref, Deaf),))
    async with open_test_system(spec, expect={"root/deaf"}) as system:
        await until(lambda: ref.statistics().handled == 2, within=1)
        for number in range(3, 6):
            ref.tell(Hint(number))
        letters = [(letter.message, letter.cause) for letter in system.dead_letters.recent]
    # Before it had a place in a tree there was nobody who counted.
    assert letters == [(Hint(3), Cause.DROPPED)]


class Answering(Actor[Reply[int]]):
    async def handle(self, message: Reply[int]) -> None:
        message.send(42)
        raise RuntimeError("after the answer")


async def test_an_answer_that_was_given_before_the_crash_counts(autojump_clock: MockClock) -> None:
    """Whoever asked is not told that the outcome is unknown: it is known."""
    ref: Ref[Reply[int]] = Ref("answering")
    spec = SupervisorSpec("root", (ChildSpec("answering", ref, Answering),))
    async with open_test_system(spec, expect={"root/answering"}):
        assert await ref.ask(lambda reply: reply, within=1) == 42


async def test_an_answer_given_in_the_instant_of_the_stop_counts() -> None:
    """Whoever asked wakes up only later, and finds the answer there."""
    ref: Ref[Reply[int]] = Ref("by hand")
    answers: list[int] = []

    async def ask() -> None:
        answers.append(await ref.ask(lambda reply: reply, within=1))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        ref._mailbox.pop().send(42)
        ref._seal()
    assert answers == [42]


class Ringing(Actor[str]):
    def __init__(self, log: Ref[str]) -> None:
        self._log = log

    async def started(self) -> None:
        self.context.after(1, "ring")

    async def handle(self, message: str) -> None:
        self._log.tell(message)
        await trio.sleep(2)


async def test_an_actor_that_stops_for_good_hears_no_timer_any_more(
    autojump_clock: MockClock,
) -> None:
    """It works off what others have told it; its own plans end with it, and nobody misses them."""
    ref: Ref[str] = Ref("ringing")
    log: Probe[str] = Probe("log")
    async with open_test_system(
        SupervisorSpec("root", (ChildSpec("ringing", ref, lambda: Ringing(log.ref)),))
    ) as system:
        ref.tell("first")
        ref.tell("second")
        await until(lambda: ref.statistics().depth == 1, within=0.5)
        system.stop()
        await system.wait()
        assert [await log.next(within=1) for _ in range(2)] == ["first", "second"]
        await log.silence(for_seconds=1)
        assert (ref.statistics().accepted, system.dead_letters.total) == (2, 0)


class Brief(Actor[str]):
    async def handle(self, message: str) -> None:
        raise RuntimeError(message)


async def test_who_is_down_for_a_while_cannot_be_crashed(autojump_clock: MockClock) -> None:
    """There is nobody who could fall; its next life begins without a fault."""
    ref: Ref[str] = Ref("brief")
    spec = SupervisorSpec("root", (ChildSpec("brief", ref, Brief),), backoff=Backoff(initial=5.0))
    async with open_test_system(spec, expect={"root/brief"}) as system:
        ref.tell("the end")
        await until(lambda: system.tree().children[0].state == "backoff", within=1)
        with pytest.raises(LookupError, match="no actor is running at root/brief"):
            system.crash("root/brief", "a drill")
        await trio.sleep(6)
        (brief,) = system.tree().children
        assert (brief.state, brief.generation) == ("running", 2)


async def test_only_one_task_sleeps_at_a_wakeup() -> None:
    """The second would take the place of the first, which nobody could wake any more."""
    wakeup = Wakeup()
    woken: list[str] = []

    async def sleeper() -> None:
        await wakeup.sleep()
        woken.append("first")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(sleeper)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(RuntimeError, match="another task already sleeps here"):
            await wakeup.sleep()
        wakeup.wake()
    assert woken == ["first"]


async def test_an_action_that_a_supervisor_does_not_know_is_an_error() -> None:
    """A decision that nobody carries out must not be passed over in silence."""

    @frozen
    class Repaint:
        id: str

    ref: Ref[str] = Ref("brief")
    async with open_test_system(
        SupervisorSpec("root", (ChildSpec("brief", ref, Brief),))
    ) as system:
        supervisor = system._supervisor
        assert isinstance(supervisor, Supervisor)
        with pytest.raises(AssertionError, match="Repaint"):
            supervisor._do(Repaint("brief"))  # type: ignore[arg-type]
