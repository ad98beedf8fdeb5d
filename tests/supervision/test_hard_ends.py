"""Ends that are not as clean as one would wish: each was once a hang, a loss or a lie."""

import random
from collections.abc import Mapping

import pytest
import trio
from attrs import frozen
from trio.testing import MockClock

from supervision import (
    Actor,
    ChildSpec,
    Crashed,
    Dynamic,
    Escalated,
    Key,
    MailboxFull,
    Overflow,
    Park,
    Parked,
    Quarantine,
    Quarantined,
    Ref,
    Reply,
    Restart,
    StartTimeout,
    Strategy,
    Stuck,
    SupervisionEvent,
    SupervisorSpec,
    mailbox_policy,
    open_system,
)
from supervision.testing import Probe, run_virtual, until


class Scripted(Actor[str]):
    """Does what a word says."""

    def __init__(self, log: list[str] | None = None) -> None:
        self.log = log if log is not None else []

    async def handle(self, message: str) -> None:
        self.log.append(message)
        match message:
            case "crash":
                raise RuntimeError("crash")
            case "leave" | "leave slowly":
                self.slow = message == "leave slowly"
                self.context.stop()
            case "crash beside":
                self.context.start_task(self.crash_beside)
                await trio.sleep(2)
            case "crash beside one that stays":
                self.context.start_task(self.stay)
                await trio.sleep(0.1)
                raise RuntimeError("crash")
            case _:
                await trio.sleep(0.2)

    async def crash_beside(self) -> None:
        await trio.sleep(1)
        raise RuntimeError("beside")

    async def stay(self) -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(60)

    async def stopping(self) -> None:
        if getattr(self, "slow", False):
            await trio.sleep_forever()


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


class Speechless(Actor[str]):
    async def handle(self, message: str) -> None:  # noqa: ARG002
        raise Unspeakable


def actor(name: str, log: list[str] | None = None) -> tuple[Ref[str], ChildSpec[str]]:
    ref: Ref[str] = Ref(name)
    return ref, ChildSpec(name, ref, lambda: Scripted(log), stop_within=3.0)


def chance() -> random.Random:
    return random.Random(0)


async def test_an_error_that_cannot_tell_its_text_is_an_error_like_any_other(
    autojump_clock: MockClock,
) -> None:
    """The actor is restarted, and the system stops."""
    ref: Ref[str] = Ref("actor")
    root = SupervisorSpec("root", (ChildSpec("actor", ref, Speechless),))
    async with open_system(root, chance=chance()) as system:
        ref.tell("now")
        await until(lambda: system.tree().children[0].generation == 2, within=1)
        assert system.tree().children[0].last_error.startswith("Unspeakable: ")


async def test_who_leaves_by_itself_has_as_much_time_as_who_is_asked(
    autojump_clock: MockClock,
) -> None:
    """Then it is cancelled, and started again if it is permanent."""
    ref, spec = actor("actor")
    async with open_system(SupervisorSpec("root", (spec,)), chance=chance()) as system:
        ref.tell("leave slowly")
        await trio.sleep(2.9)
        assert system.tree().children[0].generation == 1
        await trio.sleep(0.2)
        assert system.tree().children[0].generation == 2


async def test_a_dead_incarnation_whose_task_does_not_end_is_reported_as_stuck(
    autojump_clock: MockClock,
) -> None:
    """Its successor cannot begin before; somebody must know."""
    events: list[SupervisionEvent] = []
    ref, spec = actor("actor")
    root = SupervisorSpec("root", (spec,))
    async with open_system(root, chance=chance(), observe=events.append) as system:
        ref.tell("crash beside one that stays")
        await trio.sleep(20)
        assert [event.path for event in events if isinstance(event, Stuck)] == ["root/actor"]
        assert system.tree().children[0].busy_for == pytest.approx(20, abs=0.5)
        await trio.sleep(45)
        assert system.tree().children[0].generation == 2
        assert system.tree().children[0].busy_for == 0


@pytest.mark.parametrize("seed", range(8))
def test_who_waits_for_the_end_of_the_root_gets_its_error_and_time_to_clean_up(seed: int) -> None:
    """Whichever of those who were woken runs first."""
    cleaned = []

    async def live() -> None:
        ref, spec = actor("actor")
        root = SupervisorSpec("root", (spec,))
        async with open_system(root, chance=chance()) as system:
            for _ in range(9):
                ref.tell("crash")
            with pytest.raises(Escalated):
                await system.wait()
            await trio.sleep(1)
            cleaned.append(True)

    run_virtual(live, seed=seed)
    assert cleaned == [True]


async def test_one_that_was_to_come_back_works_off_its_queue_when_all_stop(
    autojump_clock: MockClock,
) -> None:
    """A final stop in the middle of a restart of its group loses nothing of what is queued."""
    log: list[str] = []
    a_ref, a = actor("a")
    b_ref, b = actor("b", log)
    root = SupervisorSpec("root", (a, b), strategy=Strategy.ONE_FOR_ALL)
    async with open_system(root, chance=chance()) as system:
        for word in ("one", "two", "three"):
            b_ref.tell(word)
        a_ref.tell("crash")
        await trio.sleep(0.1)
        system.stop()
        await system.wait()
    assert log == ["one", "two", "three"]


async def test_only_the_message_whose_handler_failed_is_blamed(autojump_clock: MockClock) -> None:
    """Not the one that was in hand while a task beside it crashed."""
    events: list[SupervisionEvent] = []
    ref: Ref[str] = Ref("actor")
    spec = ChildSpec("actor", ref, Scripted, quarantine=Quarantine(kills=1))
    root = SupervisorSpec("root", (spec,))
    async with open_system(root, chance=chance(), observe=events.append):
        ref.tell("crash beside")
        await trio.sleep(3)
        assert not [event for event in events if isinstance(event, Quarantined)]
        ref.tell("crash")
        await trio.sleep(3)
        assert [event for event in events if isinstance(event, Quarantined)]


async def test_a_key_stays_with_its_new_owner_when_the_old_one_is_sealed_again(
    autojump_clock: MockClock,
) -> None:
    """A child that finished is closed once more with its supervisor."""
    key: Key[str] = Key("door")
    first: Ref[str] = Ref("first")
    old = SupervisorSpec("old", (ChildSpec("one", first, Scripted, Restart.TEMPORARY, key=key),))
    handle = Dynamic()
    handle.start_child(old)
    root = SupervisorSpec("root", dynamic=handle, exhausted=Park())
    async with open_system(root, chance=chance()) as system:
        first.tell("leave")
        await until(lambda: system.find(key) is None, within=1)
        second: Ref[str] = Ref("second")
        handle.start_child(ChildSpec("two", second, Scripted, key=key))
        await until(lambda: system.find(key) is second, within=1)
        handle.stop_child("old")
        await trio.sleep(1)
        assert system.find(key) is second


async def test_an_actor_that_raises_what_supervisors_raise_has_crashed(
    autojump_clock: MockClock,
) -> None:
    """It may host a system of its own; that one's end is its failure, and is told."""

    class Host(Actor[str]):
        async def handle(self, message: str) -> None:
            raise Escalated("inner", message)

    events: list[SupervisionEvent] = []
    ref: Ref[str] = Ref("host")
    root = SupervisorSpec("root", (ChildSpec("host", ref, Host),), exhausted=Park())
    async with open_system(root, chance=chance(), observe=events.append):
        ref.tell("child")
        await trio.sleep(1)
    assert [event.path for event in events if isinstance(event, Crashed)] == ["root/host"]
    assert not [event for event in events if isinstance(event, Parked)]


async def test_a_root_that_does_not_start_in_time_is_told(autojump_clock: MockClock) -> None:
    """The last alert must not be missing."""

    class Endless(Actor[str]):
        async def started(self) -> None:
            await trio.sleep_forever()

    events: list[SupervisionEvent] = []
    child = ChildSpec("child", Ref[str]("child"), Endless, start_within=60)
    root = SupervisorSpec("root", (child,), start_within=2.0)
    with pytest.raises(StartTimeout):
        async with open_system(root, chance=chance(), observe=events.append):
            pytest.fail("it must not be entered")
    assert isinstance(events[-1], Crashed)
    assert events[-1].path == "root"


async def test_one_who_cannot_tell_its_status_does_not_spoil_the_picture_of_the_others(
    autojump_clock: MockClock,
) -> None:
    """Before it is up it is not even asked."""

    class Mute(Actor[str]):
        async def started(self) -> None:
            await trio.sleep(1)

        def status(self) -> Mapping[str, object]:
            raise AttributeError("not yet")

    spec = ChildSpec("mute", Ref[str]("mute"), Mute)
    handle = Dynamic()
    handle.start_child(spec)
    root = SupervisorSpec("root", dynamic=handle, exhausted=Park())
    async with open_system(root, chance=chance()) as system:
        node = await system.status("root/mute", within=1)
        assert node.status == {"error": "AttributeError: not yet"}
        assert system.tree().children[0].status == node.status


async def test_a_group_that_a_caller_raised_arrives_as_it_is(autojump_clock: MockClock) -> None:
    """Only the nursery that the caller never saw is taken off."""
    _, spec = actor("actor")
    with pytest.RaisesGroup(ValueError, match="mine"):
        async with open_system(SupervisorSpec("root", (spec,)), chance=chance()):
            raise ExceptionGroup("mine", [ValueError("one")])


async def test_the_handle_of_a_stopped_supervisor_takes_no_more_children() -> None:
    """They would never run, and their refs would take messages all the same."""
    handle = Dynamic()
    async with open_system(SupervisorSpec("root", dynamic=handle), chance=chance()):
        pass
    with pytest.raises(ValueError, match="stopped for good"):
        handle.start_child(actor("late")[1])


@mailbox_policy(overflow=Overflow.DROP_OLDEST)
@frozen
class Whim:
    """A question that gives way to newer ones."""

    reply: Reply[str]


async def test_whoever_asked_a_question_that_was_dropped_is_told_at_once(
    autojump_clock: MockClock,
) -> None:
    """It was never seen: there is nothing to wait for."""
    probe: Probe[Whim] = Probe(capacity=1)

    async def ask() -> None:
        with pytest.raises(MailboxFull):
            await probe.ref.ask(Whim, within=60)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await trio.sleep(0.1)
        probe.ref.tell(Whim(Reply(lambda *_: None)))
    assert trio.current_time() < 1
