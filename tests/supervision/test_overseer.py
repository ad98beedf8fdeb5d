"""Handlers that do not come back, messages that kill again and again, and asking for a status."""

from collections.abc import Mapping

import pytest
import trio
from trio.testing import MockClock

from supervision import (
    Actor,
    ActorRestarting,
    ActorStopped,
    AskTimeout,
    Backoff,
    Cause,
    ChildSpec,
    Crashed,
    HandlerStuck,
    Key,
    Quarantine,
    Quarantined,
    Ref,
    Reply,
    Restart,
    Stuck,
    SupervisionEvent,
    SupervisorSpec,
    mailbox_policy,
)
from supervision.testing import open_test_system, until

PATH = "root/actor"
type Message = str | int | Reply[str]


class Moody(Actor[Message]):
    """A number is slept for; words are obeyed; a question is answered."""

    def __init__(self) -> None:
        self.seen = 0

    async def handle(self, message: Message) -> None:
        self.seen += 1
        match message:
            case int():
                await trio.sleep(message)
            case "deaf":
                with trio.CancelScope(shield=True):
                    await trio.sleep(30)
            case "crash":
                raise RuntimeError("crash")
            case "finish":
                await trio.sleep(0.1)
                self.context.stop()
            case Reply():
                message.send("well")
            case str():
                pass

    def status(self) -> Mapping[str, object]:
        return {"seen": self.seen}


def tree(spec: ChildSpec[Message], backoff: float = 0.0) -> SupervisorSpec:
    return SupervisorSpec("root", (spec,), backoff=Backoff(initial=backoff))


async def test_a_handler_that_takes_too_long_is_a_crash(autojump_clock: MockClock) -> None:
    """The next incarnation goes on with the queue; the message is buried."""
    events: list[SupervisionEvent] = []
    ref: Ref[Message] = Ref("actor")
    spec = ChildSpec("actor", ref, Moody, handle_within=3.0)
    async with open_test_system(tree(spec), observe=events.append, expect={PATH}) as system:
        ref.tell(1000)
        assert await ref.ask(lambda reply: reply, within=20) == "well"
        assert 3.0 <= trio.current_time() <= 3.0 + 2.5
        assert dict(system.dead_letters.counts) == {(PATH, "int", Cause.CRASHED): 1}
    (crashed,) = [event for event in events if isinstance(event, Crashed)]
    assert isinstance(crashed.error, HandlerStuck)


async def test_many_handlers_in_a_row_are_not_one_that_is_stuck(autojump_clock: MockClock) -> None:
    """Each has its own time."""
    ref: Ref[Message] = Ref("actor")
    spec = ChildSpec("actor", ref, Moody, handle_within=3.0, stop_within=100)
    async with open_test_system(tree(spec)):
        for _ in range(10):
            ref.tell(2)
    assert ref.statistics().handled == 10


async def test_one_that_does_not_even_end_when_cancelled_is_reported_once(
    autojump_clock: MockClock,
) -> None:
    """Nothing inside the process can end it: somebody outside must know."""
    events: list[SupervisionEvent] = []
    ref: Ref[Message] = Ref("actor")
    spec = ChildSpec("actor", ref, Moody, handle_within=3.0)
    async with open_test_system(tree(spec), observe=events.append, expect={PATH}):
        ref.tell("deaf")
        await trio.sleep(29)
    stuck = [event for event in events if isinstance(event, Stuck)]
    assert [(event.path, event.generation) for event in stuck] == [(PATH, 1)]
    assert 3.0 <= stuck[0].since <= 5.5


async def test_one_that_ignores_its_stop_is_reported_in_the_middle_of_the_stop(
    autojump_clock: MockClock,
) -> None:
    """Also when the whole tree is being cancelled from outside."""
    events: list[SupervisionEvent] = []
    ref: Ref[Message] = Ref("actor")
    spec = ChildSpec("actor", ref, Moody, handle_within=60, stop_within=1.0)
    with trio.move_on_after(2):
        async with open_test_system(tree(spec), observe=events.append, expect={PATH}):
            ref.tell("deaf")
            await trio.sleep_forever()
    assert [event.path for event in events if isinstance(event, Stuck)] == [PATH]


# -- quarantine -----------------------------------------------------------------------------------


async def test_a_class_of_messages_that_kills_again_and_again_is_shut_out(
    autojump_clock: MockClock,
) -> None:
    """The actor lives on without it; what comes is buried, and whoever asks is told."""
    events: list[SupervisionEvent] = []
    ref: Ref[Message] = Ref("actor")
    spec = ChildSpec("actor", ref, Moody, quarantine=Quarantine(kills=2, within=60.0))
    async with open_test_system(tree(spec), observe=events.append, expect={PATH}) as system:
        for _ in range(5):
            ref.tell("crash")
        ref.tell("harmless, and yet a word")
        assert await ref.ask(lambda reply: reply, within=5) == "well"
        assert system.tree().children[0].generation == 3
        assert dict(system.dead_letters.counts) == {
            (PATH, "str", Cause.CRASHED): 2,
            (PATH, "str", Cause.QUARANTINED): 4,
        }
        assert ref.statistics().handled == 1
    assert [event for event in events if isinstance(event, Quarantined)] == [
        Quarantined(PATH, 2, "str", 2)
    ]


async def test_kills_that_lie_far_apart_are_no_reason_for_quarantine(
    autojump_clock: MockClock,
) -> None:
    """Each may have had its own cause."""
    ref: Ref[Message] = Ref("actor")
    spec = ChildSpec("actor", ref, Moody, quarantine=Quarantine(kills=2, within=60.0))
    async with open_test_system(tree(spec), expect={PATH}) as system:
        for _ in range(3):
            ref.tell("crash")
            await trio.sleep(61)
        assert {cause for _, _, cause in system.dead_letters.counts} == {Cause.CRASHED}


@mailbox_policy()
class Poison:
    """A question that crashes whoever is asked."""

    def __init__(self, reply: Reply[str]) -> None:
        self.reply = reply


class Delicate(Actor[Poison]):
    async def handle(self, message: Poison) -> None:  # noqa: ARG002 - whatever it is
        raise RuntimeError("poison")


async def test_a_question_in_quarantine_is_answered_by_an_error_at_once(
    autojump_clock: MockClock,
) -> None:
    """Nobody waits for the deadline of a question that nobody will look at."""
    ref: Ref[Poison] = Ref("actor")
    spec = ChildSpec("actor", ref, Delicate, quarantine=Quarantine(kills=1))
    root = SupervisorSpec("root", (spec,))
    async with open_test_system(root, expect={PATH}):
        for why in ("crashed", "quarantine"):
            with pytest.raises(AskTimeout, match=why):
                await ref.ask(Poison, within=60)
    assert trio.current_time() < 1


# -- status ---------------------------------------------------------------------------------------


async def test_a_status_is_answered_before_all_that_waits(autojump_clock: MockClock) -> None:
    """After the handler at work and no more than its turn."""
    ref: Ref[Message] = Ref("actor")
    spec = ChildSpec("actor", ref, Moody, stop_within=600)
    async with open_test_system(tree(spec)) as system:
        for _ in range(5):
            ref.tell(2)
        await trio.sleep(1)
        node = await system.status(PATH, within=2)
        assert (node.path, node.state, node.generation, node.depth) == (PATH, "running", 1, 3)
        assert node.status == {"seen": 1}
        with pytest.raises(AskTimeout):
            await system.status(PATH, within=0.5)


async def test_who_is_down_or_gone_does_not_tell_its_status(autojump_clock: MockClock) -> None:
    """The three failures of a question are those of this one."""
    ref: Ref[Message] = Ref("actor")
    spec = ChildSpec("actor", ref, Moody, Restart.TRANSIENT)
    async with open_test_system(tree(spec, backoff=10), expect={PATH}) as system:
        ref.tell("crash")
        await trio.sleep(1)
        with pytest.raises(ActorRestarting):
            await system.status(PATH, within=1)
        await trio.sleep(10)
        ref.tell("finish")
        await trio.sleep(0.01)
        with pytest.raises(ActorStopped):
            await system.status(PATH, within=5)
        with pytest.raises(ActorStopped):
            await system.status(PATH, within=5)
        with pytest.raises(LookupError):
            await system.status("root/nobody", within=5)


# -- keys -----------------------------------------------------------------------------------------


async def test_an_actor_is_found_by_its_key_while_it_is_not_gone() -> None:
    """And the key is free again afterwards."""
    key: Key[Message] = Key("moody")
    for _ in range(2):
        ref: Ref[Message] = Ref("actor")
        spec = ChildSpec("actor", ref, Moody, Restart.TRANSIENT, key=key)
        async with open_test_system(tree(spec)) as system:
            found = system.find(key)
            assert found is ref
            found.tell("finish")
            await until(lambda: system.find(key) is None, within=1)
    assert repr(key) == "<Key moody>"


def test_a_key_belongs_to_one_actor_only() -> None:
    """Which of two would be found?"""
    key: Key[Message] = Key("moody")
    twins = tuple(ChildSpec(name, Ref[Message](name), Moody, key=key) for name in "ab")

    async def live() -> None:
        async with open_test_system(SupervisorSpec("root", twins)):
            pass

    with pytest.raises(ValueError, match="moody"):
        trio.run(live)
