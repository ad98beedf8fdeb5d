"""What one actor does: handle, crash, carry requests, keep time, watch others."""

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
import structlog
import trio
from attrs import frozen
from trio.testing import MockClock

from supervision import (
    Actor,
    Cause,
    ChildSpec,
    Lane,
    Ref,
    Restart,
    SupervisorSpec,
    TaskHandle,
    Terminated,
    Timer,
    mailbox_policy,
    open_system,
)
from supervision.incarnation import BATCH_MESSAGES
from supervision.testing import Probe, until
from supervision.testing import open_test_system as opened


class Scripted(Actor[object]):
    """Runs a function for each message, and tells a probe what happens to it."""

    def __init__(self, log: Probe[object]) -> None:
        self.log = log.ref

    async def started(self) -> None:
        self.log.tell(("started", self.context.generation))

    async def handle(self, message: object) -> None:
        if callable(message):
            message(self)
        else:
            self.log.tell(message)

    async def stopping(self) -> None:
        self.log.tell("stopping")


class Slow(Actor[str]):
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    async def handle(self, message: str) -> None:  # noqa: ARG002 - every word takes as long
        await trio.sleep(self.seconds)

    def status(self) -> dict[str, object]:
        return {"seconds": self.seconds}


def tree(*children: ChildSpec[Any] | SupervisorSpec) -> SupervisorSpec:
    return SupervisorSpec("root", children)


def scripted(log: Probe[object], name: str = "actor") -> tuple[Ref[object], ChildSpec[object]]:
    ref: Ref[object] = Ref(name)
    return ref, ChildSpec(name, ref, lambda: Scripted(log))


def crash(_: Scripted) -> None:
    raise RuntimeError("crash")


async def test_messages_wait_until_the_actor_has_started() -> None:
    """The mailbox is not read before started() has returned."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)
    ref.tell("early")
    async with opened(tree(spec)):
        assert [await log.next(within=1) for _ in range(2)] == [("started", 1), "early"]


async def test_the_message_that_crashed_is_buried_and_the_rest_is_handled() -> None:
    """A restart replays nothing and loses nothing that was queued."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)
    async with opened(tree(spec), expect={"root/actor"}) as system:
        for message in ("before", crash, "after"):
            ref.tell(message)
        seen = [await log.next(within=1) for _ in range(4)]
        assert seen == [("started", 1), "before", ("started", 2), "after"]
        (letter,) = system.dead_letters.recent
        assert (letter.message, letter.cause) == (crash, Cause.CRASHED)


async def test_every_incarnation_is_a_fresh_instance() -> None:
    """Nothing is handed over from a crashed actor."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)
    instances: list[Scripted] = []
    async with opened(tree(spec), expect={"root/actor"}):
        for message in (instances.append, crash, instances.append):
            ref.tell(message)
        await until(lambda: len(instances) == 2, within=1)
        assert instances[0] is not instances[1]


async def test_an_orderly_stop_handles_what_is_queued_first() -> None:
    """A stop is not a loss: the queue is worked off, then stopping() runs."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)
    async with opened(tree(spec)):
        for number in range(3 * BATCH_MESSAGES):
            ref.tell(number)
    assert log.drain() == [("started", 1), *range(3 * BATCH_MESSAGES), "stopping"]


async def test_a_reader_yields_after_a_batch() -> None:
    """An actor with a long queue does not starve its neighbours."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)
    depths = []
    async with opened(tree(spec)):
        for number in range(10 * BATCH_MESSAGES):
            ref.tell(number)
        while ref.statistics().depth:
            depths.append(ref.statistics().depth)
            await trio.lowlevel.checkpoint()
    assert len(depths) >= 10


async def test_a_reader_of_slow_messages_yields_after_a_millisecond(
    autojump_clock: MockClock,
) -> None:
    """A batch ends when enough work was done, however few messages that were."""
    turns: list[int] = []

    class Busy(Actor[int]):
        async def handle(self, message: int) -> None:  # noqa: ARG002 - each takes as long
            autojump_clock.jump(0.0004)

        async def turn_ended(self) -> None:
            turns.append(ref.statistics().handled)

    ref: Ref[int] = Ref("busy")
    for number in range(9):
        ref.tell(number)
    async with opened(tree(ChildSpec("busy", ref, Busy))):
        pass
    assert turns == [3, 6, 9]


async def test_a_message_a_handler_was_cut_off_from_is_accounted_for(
    autojump_clock: MockClock,
) -> None:
    """A handler cancelled in the middle leaves its message among the dead letters."""
    ref: Ref[str] = Ref("slow")
    spec = ChildSpec("slow", ref, lambda: Slow(math.inf), stop_within=1.0)
    async with open_system(tree(spec), chance=random.Random(0)) as system:
        ref.tell("in flight")
        ref.tell("queued")
        await until(lambda: ref.statistics().depth == 1, within=1)
    found = [(each.message, each.cause) for each in system.dead_letters.recent]
    assert found == [("in flight", Cause.CANCELLED), ("queued", Cause.STOPPED)]


async def test_an_exception_in_a_task_crashes_the_actor() -> None:
    """A task of an incarnation is part of it: both are restarted."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)

    async def fail() -> None:
        await trio.lowlevel.checkpoint()
        raise RuntimeError("task")

    async with opened(tree(spec), expect={"root/actor"}) as system:
        ref.tell(lambda actor: actor.context.start_task(fail))
        assert [await log.next(within=1) for _ in range(2)] == [("started", 1), ("started", 2)]
        assert system.tree().children[0].last_error == "RuntimeError: task"


async def test_a_task_ends_with_its_incarnation_or_when_cancelled(
    autojump_clock: MockClock,
) -> None:
    """Nothing that a crashed actor had running goes on."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)
    running = 0
    handles: list[TaskHandle] = []

    async def run() -> None:
        nonlocal running
        running += 1
        try:
            await trio.sleep_forever()
        finally:
            running -= 1

    async with opened(tree(spec), expect={"root/actor"}) as system:
        for _ in range(2):
            ref.tell(lambda actor: handles.append(actor.context.start_task(run)))
        await until(lambda: running == 2, within=1)
        handles[0].cancel()
        await until(lambda: running == 1, within=1)
        assert system.tree().children[0].generation == 1
        ref.tell(crash)
        await until(lambda: running == 0, within=1)


async def test_the_result_of_a_request_comes_back_as_a_message(autojump_clock: MockClock) -> None:
    """The handler goes on at once; the answer is one more message."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)

    async def fetch() -> int:
        await trio.sleep(5)
        return 7

    async with opened(tree(spec)):
        ref.tell(lambda actor: actor.context.request(fetch, lambda n: ("got", n), lost="lost"))
        ref.tell("meanwhile")
        seen = [await log.next(within=9) for _ in range(3)]
        assert seen == [("started", 1), "meanwhile", ("got", 7)]
        await log.silence(for_seconds=10)


async def test_a_request_whose_actor_died_comes_back_as_lost(autojump_clock: MockClock) -> None:
    """The successor learns, in its mailbox, that the outcome is unknown; exactly once."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)

    async with opened(tree(spec), expect={"root/actor"}):
        ref.tell(
            lambda actor: actor.context.request(trio.sleep_forever, lambda _: "?", lost="lost")
        )
        ref.tell(crash)
        seen = [await log.next(within=1) for _ in range(3)]
        assert seen == [("started", 1), ("started", 2), "lost"]
        await log.silence(for_seconds=10)


async def test_a_request_that_fails_crashes_the_actor_and_is_lost(
    autojump_clock: MockClock,
) -> None:
    """An unexpected error is no answer."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)

    async def fail() -> int:
        await trio.lowlevel.checkpoint()
        raise RuntimeError("request")

    async with opened(tree(spec), expect={"root/actor"}):
        ref.tell(lambda actor: actor.context.request(fail, lambda _: "answer", lost="lost"))
        seen = [await log.next(within=1) for _ in range(3)]
        assert seen == [("started", 1), ("started", 2), "lost"]


async def test_an_answer_that_arrives_in_a_full_mailbox_is_not_lost(
    autojump_clock: MockClock,
) -> None:
    """What an actor is owed is delivered over the capacity."""
    log: Probe[object] = Probe()
    ref: Ref[object] = Ref("actor", capacity=1)
    spec = ChildSpec("actor", ref, lambda: Scripted(log))

    async def fetch() -> str:
        await trio.lowlevel.checkpoint()
        ref.tell("fills the mailbox")
        return "answer"

    async with opened(tree(spec)):
        ref.tell(lambda actor: actor.context.request(fetch, lambda answer: answer))
        seen = [await log.next(within=1) for _ in range(3)]
        assert seen == [("started", 1), "fills the mailbox", "answer"]


async def test_a_timer_rings_once_and_at_its_time(autojump_clock: MockClock) -> None:
    """after() is one message, that many seconds later; never earlier, at once when overdue."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)
    async with opened(tree(spec)):
        await log.next(within=1)
        begin = trio.current_time()
        ref.tell(lambda actor: actor.context.after(3, "ring"))
        ref.tell(lambda actor: actor.context.after(-1, "overdue"))
        assert await log.next(within=1) == "overdue"
        assert await log.next(within=9) == "ring"
        assert trio.current_time() - begin == pytest.approx(3)
        await log.silence(for_seconds=10)


async def test_a_period_keeps_its_beat_and_ends_when_cancelled(autojump_clock: MockClock) -> None:
    """every() counts from its start, not from its last delivery."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)
    timers: list[Timer] = []
    async with opened(tree(spec)):
        await log.next(within=1)
        begin = trio.current_time()
        ref.tell(lambda actor: timers.append(actor.context.every(2, "beat")))
        for count in (1, 2, 3):
            assert await log.next(within=9) == "beat"
            assert trio.current_time() - begin == pytest.approx(2 * count)
        timers[0].cancel()
        await log.silence(for_seconds=10)


async def test_a_period_leaves_out_the_beats_it_missed(autojump_clock: MockClock) -> None:
    """After a stall there is one beat, not a burst of them."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)
    async with opened(tree(spec)):
        await log.next(within=1)
        ref.tell(lambda actor: actor.context.every(2, "beat"))
        await trio.testing.wait_all_tasks_blocked()
        autojump_clock.jump(7)
        assert await log.next(within=0.5) == "beat"
        await log.silence(for_seconds=0.9)
        assert await log.next(within=0.5) == "beat"


async def test_a_timer_cancelled_in_the_instant_it_is_due_stays_silent(
    autojump_clock: MockClock,
) -> None:
    """Cancelling wins while the message is not in the mailbox."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)
    timers: list[Timer] = []
    async with opened(tree(spec)):
        await log.next(within=1)
        for _ in range(20):
            due = trio.current_time() + 5
            ref.tell(lambda actor: timers.extend(actor.context.after(5, n) for n in range(9)))
            await trio.sleep_until(due)
            # In some of the rounds the timers woke up in this same instant and have yet to run.
            for timer in timers:
                timer.cancel()
            told = ref.statistics().accepted
            await trio.sleep(10)
            assert ref.statistics().accepted == told


async def test_timers_end_with_their_incarnation(autojump_clock: MockClock) -> None:
    """A successor does not hear the alarms of its predecessor."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)
    async with opened(tree(spec), expect={"root/actor"}):
        ref.tell(lambda actor: actor.context.after(3, "ring"))
        ref.tell(crash)
        assert [await log.next(within=1) for _ in range(2)] == [("started", 1), ("started", 2)]
        await log.silence(for_seconds=10)


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda actor: actor.context.after(float("nan"), "x"),
        lambda actor: actor.context.every(0, "x"),
        lambda actor: actor.context.every(float("inf"), "x"),
    ],
)
async def test_a_timer_without_a_sensible_time_is_an_error(
    nonsense: Callable[[Scripted], Timer],
) -> None:
    """It crashes the actor that asked for it, where the mistake is."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)
    async with opened(tree(spec), expect={"root/actor"}) as system:
        ref.tell(nonsense)
        assert [await log.next(within=1) for _ in range(2)] == [("started", 1), ("started", 2)]
        assert system.tree().children[0].last_error.startswith("ValueError")


async def test_a_watcher_hears_of_every_end_of_an_incarnation(autojump_clock: MockClock) -> None:
    """Crashes and stops alike, with the generation that ended and why."""
    log: Probe[object] = Probe()
    quiet: Probe[object] = Probe("quiet")
    watcher, watcher_spec = scripted(log, "watcher")
    ref, _ = scripted(quiet, "mortal")
    mortal = ChildSpec("mortal", ref, lambda: Scripted(quiet), restart=Restart.TRANSIENT)
    async with opened(tree(watcher_spec, mortal), expect={"root/mortal"}):
        watcher.tell(lambda actor: actor.context.watch(ref, lambda end: end))
        assert await log.next(within=1) == ("started", 1)
        await trio.testing.wait_all_tasks_blocked()
        ref.tell(crash)
        ref.tell(lambda actor: actor.context.stop())
        ends = [await log.next_of(Terminated, within=1) for _ in range(2)]
        assert ends == [
            Terminated("root/mortal", 1, "RuntimeError: crash"),
            Terminated("root/mortal", 2, "stopped"),
        ]


async def test_a_watch_ends_with_the_watcher(autojump_clock: MockClock) -> None:
    """A restarted watcher hears nothing of an end it did not ask for."""
    log: Probe[object] = Probe()
    quiet: Probe[object] = Probe("quiet")
    watcher, watcher_spec = scripted(log, "watcher")
    ref, spec = scripted(quiet, "mortal")
    async with opened(tree(watcher_spec, spec), expect={"root/watcher", "root/mortal"}):
        watcher.tell(lambda actor: actor.context.watch(ref, lambda end: end))
        watcher.tell(crash)
        assert [await log.next(within=1) for _ in range(2)] == [("started", 1), ("started", 2)]
        ref.tell(crash)
        await log.silence(for_seconds=10)
        assert ref._watchers == []


async def test_watching_one_that_has_stopped_for_good_is_answered_at_once() -> None:
    """Nobody waits for an end that is past."""
    log: Probe[object] = Probe()
    quiet: Probe[object] = Probe("quiet")
    watcher, watcher_spec = scripted(log, "watcher")
    ref, _ = scripted(quiet, "mortal")
    mortal = ChildSpec("mortal", ref, lambda: Scripted(quiet), restart=Restart.TEMPORARY)
    async with opened(tree(watcher_spec, mortal)) as system:
        ref.tell(lambda actor: actor.context.stop())
        await until(lambda: system.tree().children[1].state == "stopped", within=1)
        watcher.tell(lambda actor: actor.context.watch(ref, lambda end: end))
        assert await log.next_of(Terminated, within=1) == Terminated("root/mortal", 0, "stopped")


@mailbox_policy(lane=Lane.CONTROL)
@frozen
class Now:
    word: str


async def test_an_urgent_message_does_not_wait_behind_a_backlog() -> None:
    """The control lane is read before the rest of a batch."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)
    async with opened(tree(spec)):
        for number in range(1000):
            ref.tell(number)
        ref.tell(Now("flatten"))
        assert [await log.next(within=1) for _ in range(2)] == [("started", 1), Now("flatten")]


async def test_log_lines_of_an_actor_carry_its_path_and_generation() -> None:
    """Bound once per incarnation, for the actor and for its tasks, and for nobody else."""
    log: Probe[object] = Probe()
    ref, spec = scripted(log)

    def speak(actor: Scripted) -> None:
        actor.log.tell(structlog.contextvars.get_contextvars())

    async with opened(tree(spec), expect={"root/actor"}):
        for message in (speak, crash, speak):
            ref.tell(message)
        seen = [await log.next(within=1) for _ in range(4)]
        assert seen[1] == {"actor": "root/actor", "generation": 1}
        assert seen[3] == {"actor": "root/actor", "generation": 2}
        assert structlog.contextvars.get_contextvars() == {}


async def test_the_tree_shows_what_an_actor_is_doing(autojump_clock: MockClock) -> None:
    """State, queue, age of the current handler, and what the actor says of itself."""
    ref: Ref[str] = Ref("busy")
    spec = ChildSpec("busy", ref, lambda: Slow(10.0), stop_within=60, handle_within=60)
    async with opened(tree(spec)) as system:
        for message in ("a", "b", "c"):
            ref.tell(message)
        await trio.sleep(4)
        node = system.tree().children[0]
        assert (node.path, node.kind, node.state) == ("root/busy", "actor", "running")
        assert (node.depth, node.peak, node.handled) == (2, 3, 0)
        assert node.busy_for == pytest.approx(4)
        assert node.status == {"seconds": 10.0}
