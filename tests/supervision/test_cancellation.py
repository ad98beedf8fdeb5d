"""The ways in which cancellation and shutdown go wrong, one test for each."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from supervision import (
    Actor,
    Backoff,
    Cause,
    ChildSpec,
    Crashed,
    Intensity,
    MailboxFull,
    Park,
    Ref,
    Stopped,
    SupervisionEvent,
    SupervisorSpec,
    System,
    open_system,
)
from supervision.testing import until


class Orderly(Actor[str]):
    """Takes a moment to stop, and notes that it could."""

    def __init__(self, name: str, diary: list[str]) -> None:
        self.name = name
        self.diary = diary

    async def handle(self, message: str) -> None:
        if message == "crash":
            raise RuntimeError(self.name)
        self.diary.append(message)

    async def stopping(self) -> None:
        await trio.sleep(1)
        self.diary.append(f"-{self.name}")


@asynccontextmanager
async def opened(
    spec: SupervisorSpec, events: list[SupervisionEvent] | None = None
) -> AsyncIterator[System]:
    observe = None if events is None else events.append
    async with open_system(spec, chance=random.Random(3), observe=observe) as system:
        yield system


def house(diary: list[str], names: str = "abc") -> tuple[SupervisorSpec, dict[str, Ref[str]]]:
    refs: dict[str, Ref[str]] = {name: Ref(name) for name in names}

    def child(name: str) -> ChildSpec[Any]:
        return ChildSpec(name, refs[name], lambda: Orderly(name, diary))

    inner = SupervisorSpec("inner", tuple(map(child, names[1:])))
    return SupervisorSpec("root", (child(names[0]), inner)), refs


async def test_a_cancelled_system_still_stops_in_reverse_order(autojump_clock: MockClock) -> None:
    """An outer cancel reaches no child; each is stopped in its turn and may clean up."""
    diary: list[str] = []
    spec, _ = house(diary)
    with trio.move_on_after(5) as scope:
        async with opened(spec):
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert diary == ["-c", "-b", "-a"]
    assert trio.current_time() == pytest.approx(8)


async def test_a_cancel_during_the_stop_does_not_tear_it(autojump_clock: MockClock) -> None:
    """Once it stops in order, impatience from outside changes nothing."""
    diary: list[str] = []
    spec, _ = house(diary)
    with trio.move_on_after(1.5):
        async with opened(spec):
            pass
    assert diary == ["-c", "-b", "-a"]


async def test_a_cancel_while_starting_stops_what_has_started(autojump_clock: MockClock) -> None:
    """Those that are up are shielded and stopped in order; the one that starts is cancelled."""
    diary: list[str] = []
    spec, _ = house(diary)

    class Endless(Actor[str]):
        async def started(self) -> None:
            await trio.sleep_forever()

    events: list[SupervisionEvent] = []
    endless = ChildSpec("endless", Ref[str]("endless"), Endless, start_within=60)
    with trio.move_on_after(5) as scope:
        async with opened(SupervisorSpec("top", (spec, endless)), events):
            pytest.fail("it must not be entered")
    assert scope.cancelled_caught
    assert diary == ["-c", "-b", "-a"]
    (end,) = [event for event in events if event.path == "top/endless"]
    assert end == Stopped("top/endless", 1, "cancelled from outside while it started")


async def test_an_error_of_the_caller_arrives_as_it_was_raised(autojump_clock: MockClock) -> None:
    """Not wrapped in a group, with its own cause, after an ordered stop."""
    diary: list[str] = []
    spec, _ = house(diary)
    cause = KeyError("cause")

    async def fail() -> None:
        async with opened(spec):
            raise ValueError("mine") from cause

    with pytest.raises(ValueError, match="mine") as caught:
        await fail()
    assert caught.value.__cause__ is cause
    assert diary == ["-c", "-b", "-a"]


async def test_a_crash_mixed_with_a_cancellation_is_still_a_crash(
    autojump_clock: MockClock,
) -> None:
    """An error raised while being cancelled is reported, and the cancellation goes on."""
    events: list[SupervisionEvent] = []

    class Torn(Actor[str]):
        async def started(self) -> None:
            self.context.start_task(self.fail_when_cancelled)

        async def stopping(self) -> None:
            await trio.sleep_forever()

        async def fail_when_cancelled(self) -> None:
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("torn")

    child = ChildSpec("torn", Ref[str]("torn"), Torn, stop_within=2)
    async with opened(SupervisorSpec("root", (child,)), events):
        pass
    (event,) = (event for event in events if isinstance(event, Crashed))
    assert isinstance(event.error, ValueError)
    assert trio.current_time() == pytest.approx(2)


async def test_a_start_that_swallows_its_cancellation_is_cut_off_after_all(
    autojump_clock: MockClock,
) -> None:
    """A start beyond its deadline is a failure even when it pretends to have succeeded."""
    events: list[SupervisionEvent] = []
    tries = iter([True, False])

    class Stubborn(Actor[str]):
        async def started(self) -> None:
            if next(tries):
                with trio.CancelScope(shield=True):
                    await trio.sleep(6)

    child = ChildSpec("stubborn", Ref[str]("stubborn"), Stubborn, start_within=2)
    async with opened(SupervisorSpec("root", (child,)), events) as system:
        await until(lambda: system.tree().children[0].generation == 2, within=1)
    assert [type(event).__name__ for event in events if event.path == "root/stubborn"] == [
        "Started",
        "Crashed",
        "Restarting",
        "Started",
        "Stopped",
    ]


async def test_clean_up_that_never_ends_is_bounded(autojump_clock: MockClock) -> None:
    """stopping() gets stop_within seconds and not one more, also under an outer cancel."""
    events: list[SupervisionEvent] = []

    class Endless(Actor[str]):
        async def stopping(self) -> None:
            await trio.sleep_forever()

    child = ChildSpec("endless", Ref[str]("endless"), Endless, stop_within=3)
    with trio.move_on_after(1):
        async with opened(SupervisorSpec("root", (child,)), events):
            await trio.sleep_forever()
    assert trio.current_time() == pytest.approx(4)
    reasons = [event.reason for event in events if isinstance(event, Stopped)]
    assert reasons[0] == "cancelled: did not stop in 3 s"


async def test_a_message_that_wakes_a_reader_about_to_be_cancelled_is_not_lost(
    autojump_clock: MockClock,
) -> None:
    """Waking hands nothing over: the message is handled, queued or buried, never gone."""
    ref: Ref[str] = Ref("reader")
    diary: list[str] = []

    class Doomed(Orderly):
        async def started(self) -> None:
            self.context.start_task(self.die)

        async def die(self) -> None:
            await trio.sleep(1)
            ref.tell(f"last word of {self.context.generation}")
            raise RuntimeError("die")

    child = ChildSpec("reader", ref, lambda: Doomed("reader", diary), stop_within=5)
    spec = SupervisorSpec("root", (child,), intensity=Intensity(100))
    async with opened(spec):
        await trio.sleep(30)
    words = [word for word in diary if word.startswith("last")]
    assert len(words) > 3
    assert words == [f"last word of {number}" for number in range(1, len(words) + 1)]


async def test_two_actors_that_tell_each_other_too_much_do_not_block() -> None:
    """A full mailbox is an error for the sender at once; nobody waits inside a handler."""
    left: Ref[int] = Ref("left", capacity=5)
    right: Ref[int] = Ref("right", capacity=5)

    class Echo(Actor[int]):
        def __init__(self, other: Ref[int]) -> None:
            self.other = other

        async def handle(self, message: int) -> None:
            for _ in range(3):
                self.other.tell(message)

    children = (
        ChildSpec("left", left, lambda: Echo(right)),
        ChildSpec("right", right, lambda: Echo(left)),
    )
    spec = SupervisorSpec("root", children, exhausted=Park(), intensity=Intensity(1))
    async with opened(spec) as system:
        left.tell(1)
        await until(lambda: system.dead_letters.total > 0, within=5)
        assert "MailboxFull" in system.dead_letters.recent[0].traceback


class Fickle(Actor[int]):
    """Crashes on some messages and dawdles over others."""

    async def handle(self, message: int) -> None:
        if message % 7 == 0:
            raise RuntimeError("fickle")
        if message % 5 == 0:
            await trio.sleep(0.3)


@given(
    st.lists(st.tuples(st.integers(0, 99), st.floats(0, 0.5)), max_size=40),
    st.floats(0.01, 10),
    st.integers(1, 8),
)
def test_every_accepted_message_is_accounted_for(
    told: list[tuple[int, float]], patience: float, capacity: int
) -> None:
    """Accepted = handled + dead-lettered after any mix of crashes, parking and a cut-off stop."""

    async def live() -> None:
        ref: Ref[int] = Ref("fickle", capacity=capacity)
        child = ChildSpec("fickle", ref, Fickle, stop_within=0.2)
        spec = SupervisorSpec(
            "root", (child,), intensity=Intensity(2), exhausted=Park(3.0), backoff=Backoff(0.1)
        )
        refused = 0
        with trio.move_on_after(patience):
            async with opened(spec) as system:
                for message, pause in told:
                    try:
                        ref.tell(message)
                    except MailboxFull:
                        refused += 1
                    await trio.sleep(pause)
        mail = ref.statistics()
        assert mail.depth == 0
        assert mail.accepted == mail.handled + system.dead_letters.total
        assert mail.accepted + refused <= len(told)
        causes = {cause for _, _, cause in system.dead_letters.counts}
        assert causes <= {Cause.CRASHED, Cause.CANCELLED, Cause.STOPPED}

    trio.run(live, clock=MockClock(autojump_threshold=0))


async def test_the_same_seed_gives_the_same_story(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times and events repeat exactly: nothing is left to any other source of chance."""
    monkeypatch.setattr("trio._core._run._ALLOW_DETERMINISTIC_SCHEDULING", True)

    async def story() -> list[tuple[float, str]]:
        diary: list[str] = []
        spec, refs = house(diary)
        told: list[tuple[float, str]] = []
        begin = trio.current_time()

        def observe(event: SupervisionEvent) -> None:
            told.append((round(trio.current_time() - begin, 9), repr(event)))

        async with open_system(spec, chance=random.Random(5), observe=observe):
            for number in range(12):
                refs["abc"[number % 3]].tell("crash")
                await trio.sleep(0.7)
        return told

    assert await story() == await story()
