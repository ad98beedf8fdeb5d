"""The test kit: each of its checks fails when it should, and is quiet when it should be."""

import os
import random
import subprocess
import sys
from collections.abc import Callable

import pytest
import trio
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from trio._core import _run
from trio.testing import MockClock

from supervision import (
    Actor,
    Backoff,
    ChildSpec,
    Crashed,
    Escalated,
    EscalatedEvent,
    Intensity,
    Park,
    Parked,
    Quarantined,
    Ref,
    Restart,
    Restarting,
    Started,
    Stopped,
    Stuck,
    SupervisionEvent,
    SupervisorSpec,
    System,
    Unparked,
)
from supervision.testing import (
    Probe,
    assert_no_dead_letters,
    no_leaked_tasks,
    open_test_system,
    run_virtual,
    until,
)
from tests.conftest import ROOT


class Fragile(Actor[str]):
    """Breaks on every word."""

    async def handle(self, message: str) -> None:
        raise RuntimeError(f"cannot do {message}")


def fragile(ref: Ref[str], restart: Restart = Restart.PERMANENT) -> SupervisorSpec:
    return SupervisorSpec("root", (ChildSpec("a", ref, Fragile, restart=restart),))


async def crash_once(system: System, ref: Ref[str]) -> None:
    ref.tell("this")
    await until(lambda: system.tree().children[0].generation == 2, within=1)


# ---- the probe ----------------------------------------------------------------------------------


async def test_a_probe_reads_what_it_was_told_with_and_without_a_tree(
    autojump_clock: MockClock,
) -> None:
    """In order, by class, all at once, or nothing within a time."""
    alone: Probe[object] = Probe("alone")
    member: Probe[object] = Probe("member")
    async with open_test_system(SupervisorSpec("root", (member.child(),))):
        for probe in (alone, member):
            for message in (1, "two", 3):
                probe.ref.tell(message)
            assert await probe.next(within=1) == 1
            assert await probe.next_of(int, within=1) == 3
            await probe.silence(for_seconds=5)
            with pytest.raises(AssertionError, match="nothing within 2 s"):
                await probe.next(within=2)
            probe.ref.tell(4)
            with pytest.raises(AssertionError, match="was told 4"):
                await probe.silence(for_seconds=5)
        alone.ref.tell(5)
        assert alone.drain() == [5]


async def test_what_never_comes_true_is_an_error_in_time(autojump_clock: MockClock) -> None:
    """Until gives up at its deadline, and returns at once for what holds already."""
    begin = trio.current_time()
    await until(lambda: True, within=0)
    assert trio.current_time() == begin
    with pytest.raises(AssertionError, match="did not come true within 3 s"):
        await until(lambda: False, within=3)
    assert trio.current_time() - begin == pytest.approx(3, abs=0.01)


# ---- dead letters -------------------------------------------------------------------------------


async def test_a_message_that_nobody_handled_fails_the_test() -> None:
    """By name and number; here it was told to one that had stopped for good."""
    probe: Probe[str] = Probe("gone")
    spec = ChildSpec("gone", probe.ref, Fragile, restart=Restart.TEMPORARY)

    async def lose() -> None:
        async with open_test_system(SupervisorSpec("root", (spec,))) as system:
            system.crash("root/gone", "a drill")
            await until(lambda: system.tree().children[0].state == "stopped", within=1)
            for word in ("hello", "?"):
                probe.ref.tell(word)

    with pytest.raises(AssertionError, match="nobody handled:\n  2 x str to root/gone: stopped"):
        await lose()


async def test_dead_letters_are_told_with_their_stories(autojump_clock: MockClock) -> None:
    """Those of the paths that are complained about, and of no others."""
    ref: Ref[str] = Ref("a")
    async with open_test_system(fragile(ref), expect={"root/a"}) as system:
        await crash_once(system, ref)
    assert_no_dead_letters(system.dead_letters, expect={"root/a"})
    with pytest.raises(AssertionError, match=r"1 x str to root/a: crashed[\s\S]*cannot do this"):
        assert_no_dead_letters(system.dead_letters)
    system.dead_letters.record("root/b", 7, next(iter(system.dead_letters.counts))[2])
    with pytest.raises(AssertionError) as lost:
        assert_no_dead_letters(system.dead_letters, expect={"root/a"})
    assert "1 x int to root/b" in str(lost.value)
    assert "cannot do this" not in str(lost.value)


async def test_what_is_told_in_the_course_of_a_shutdown_is_no_failure() -> None:
    """When all stop in order, the last ones up may still speak to those already gone."""
    gone: Probe[str] = Probe("gone")

    class Talker(Actor[str]):
        async def stopping(self) -> None:
            gone.ref.tell("good night")

    talker = ChildSpec("talker", Ref[str]("talker"), Talker)
    async with open_test_system(SupervisorSpec("root", (talker, gone.child()))) as system:
        pass
    assert system.dead_letters.total == 1


# ---- failures -----------------------------------------------------------------------------------


async def test_a_crash_that_was_not_expected_fails_the_test(autojump_clock: MockClock) -> None:
    """Although supervision has healed it, and no message was lost."""

    class Failing(Actor[str]):
        async def started(self) -> None:
            if self.context.generation == 1:
                raise RuntimeError("a bad start")

    spec = SupervisorSpec("root", (ChildSpec("a", Ref[str]("a"), Failing),))

    async def heal() -> None:
        async with open_test_system(spec) as system:
            assert system.tree().children[0].generation == 2
            assert system.dead_letters.total == 0

    with pytest.raises(AssertionError, match=r"did not expect[\s\S]*root/a[\s\S]*a bad start"):
        await heal()


async def test_a_crash_that_was_expected_is_none_of_its_business(
    autojump_clock: MockClock,
) -> None:
    """Neither the crash at that path nor the message it crashed on."""
    ref: Ref[str] = Ref("a")
    async with open_test_system(fragile(ref), expect={"root/a"}) as system:
        await crash_once(system, ref)


async def test_an_expectation_is_of_one_path(autojump_clock: MockClock) -> None:
    """What goes wrong at another path is still told; and nothing goes wrong at the expected one."""
    ref: Ref[str] = Ref("a")

    async def crash() -> None:
        async with open_test_system(fragile(ref), expect={"root"}) as system:
            await crash_once(system, ref)

    with pytest.raises(AssertionError) as raised:
        await crash()
    for complaint in ("did not expect", "nobody handled", "nothing went wrong, as was expected"):
        assert complaint in str(raised.value)


async def test_an_expected_failure_that_does_not_come_fails_the_test() -> None:
    """A test that no longer crashes what it says it crashes is not the test it was."""

    async def nothing() -> None:
        async with open_test_system(fragile(Ref("a")), expect={"root/a", "root/b"}):
            pass

    with pytest.raises(AssertionError, match="as was expected, at root/a, root/b"):
        await nothing()


@pytest.mark.parametrize("expect", [set[str](), {"root/a"}])
async def test_a_fault_that_the_test_injects_is_expected(
    expect: set[str], autojump_clock: MockClock
) -> None:
    """Whoever crashes an actor on purpose need not say so twice, and may."""
    async with open_test_system(fragile(Ref("a")), expect=expect) as system:
        system.crash("root/a", "a drill")
        await until(lambda: system.tree().children[0].generation == 2, within=1)


async def test_a_parked_actor_fails_the_test(autojump_clock: MockClock) -> None:
    """Also when all its crashes were injected: that it is set aside is another matter."""
    child = ChildSpec("a", Ref[str]("a"), Fragile)
    spec = SupervisorSpec("root", (child,), intensity=Intensity(restarts=0), exhausted=Park())

    async def park() -> None:
        async with open_test_system(spec) as system:
            system.crash("root/a", "a drill")
            await until(lambda: system.tree().children[0].state == "parked", within=1)

    with pytest.raises(AssertionError, match=r"did not expect:\n  Parked\(path='root/a'"):
        await park()


def escalating(ref: Ref[str]) -> SupervisorSpec:
    child = ChildSpec("a", ref, Fragile)
    inner = SupervisorSpec("inner", (child,), intensity=Intensity(restarts=0))
    return SupervisorSpec("root", (inner,))


async def test_a_supervisor_that_gives_up_fails_the_test(autojump_clock: MockClock) -> None:
    """Although the one above has started it again."""

    async def give_up(expect: set[str]) -> None:
        ref: Ref[str] = Ref("a")
        async with open_test_system(escalating(ref), expect=expect) as system:
            ref.tell("this")
            await until(lambda: system.tree().children[0].generation == 2, within=1)

    with pytest.raises(
        AssertionError, match=r"did not expect:\n  EscalatedEvent\(path='root/inner"
    ):
        await give_up({"root/inner/a"})
    await give_up({"root/inner", "root/inner/a"})


@pytest.mark.parametrize(
    "event",
    [
        Quarantined("root/a", 1, "Word", 3),
        Stuck("root/a", 1, 7.0),
        Parked("root/a", 1, RuntimeError("crash"), 30.0),
        EscalatedEvent("root/a", 1, "b", RuntimeError("crash")),
        Crashed("root/a", 1, RuntimeError("crash")),
    ],
)
async def test_every_kind_of_failure_counts(event: SupervisionEvent) -> None:
    """As told by supervision; each may be expected."""

    async def tell(expect: set[str]) -> None:
        async with open_test_system(fragile(Ref("a")), expect=expect) as system:
            system._house.tell(event)

    with pytest.raises(AssertionError, match=rf"did not expect:\n  {type(event).__name__}\("):
        await tell(set())
    await tell({"root/a"})


@pytest.mark.parametrize(
    "event",
    [
        Started("root/a", 2),
        Stopped("root/a", 1, "stopped"),
        Restarting("root/a", 2, 0.0),
        Unparked("root/a", 2),
    ],
)
async def test_what_is_no_failure_does_not_count(event: SupervisionEvent) -> None:
    """Nor does it fulfil an expectation."""

    async def tell(expect: set[str]) -> None:
        async with open_test_system(fragile(Ref("a")), expect=expect) as system:
            system._house.tell(event)

    await tell(set())
    with pytest.raises(AssertionError, match="nothing went wrong"):
        await tell({"root/a"})


async def test_a_root_that_gives_up_speaks_for_itself(autojump_clock: MockClock) -> None:
    """Its error comes out of the block, and no check hides it."""
    ref: Ref[str] = Ref("a")
    child = ChildSpec("a", ref, Fragile)

    async def give_up() -> None:
        spec = SupervisorSpec("root", (child,), intensity=Intensity(restarts=0))
        async with open_test_system(spec):
            ref.tell("this")
            await trio.sleep_forever()

    with pytest.raises(Escalated):
        await give_up()


async def test_a_test_that_fails_by_itself_is_told_of_nothing_else(
    autojump_clock: MockClock,
) -> None:
    """Its own error is the one to read."""

    async def fail() -> None:
        ref: Ref[str] = Ref("a")
        async with open_test_system(fragile(ref), expect={"root/b"}) as system:
            await crash_once(system, ref)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await fail()


async def test_the_observer_of_the_test_sees_everything(autojump_clock: MockClock) -> None:
    """The checks look over its shoulder and take nothing away."""
    ref: Ref[str] = Ref("a")
    seen: list[SupervisionEvent] = []
    async with open_test_system(fragile(ref), expect={"root/a"}, observe=seen.append) as system:
        await crash_once(system, ref)
    kinds = [type(event) for event in seen if event.path == "root/a"]
    assert kinds[:2] == [Started, Crashed]


# ---- tasks --------------------------------------------------------------------------------------


@frozen
class Leaver:
    """Where an actor that leaves a task behind may leave it."""

    nursery: trio.Nursery

    def in_a_nursery(self) -> None:
        self.nursery.start_soon(trio.sleep_forever, name="the leak")

    def in_the_system(self) -> None:
        trio.lowlevel.spawn_system_task(trio.sleep, 60, name="the leak")


class Leaking(Actor[Callable[[], None]]):
    async def handle(self, message: Callable[[], None]) -> None:
        message()


@pytest.mark.parametrize(
    ("leak", "where"),
    [
        (Leaver.in_a_nursery, "the leak, in a nursery of .*test_a_task_left_behind"),
        (Leaver.in_the_system, "the leak, a system task"),
    ],
)
async def test_a_task_left_behind_fails_the_test(
    leak: Callable[[Leaver], None], where: str, autojump_clock: MockClock
) -> None:
    """Wherever it hangs in the task tree, by its name and its place."""
    ref: Ref[Callable[[], None]] = Ref("a")

    async def leave(leaver: Leaver) -> None:
        async with open_test_system(SupervisorSpec("root", (ChildSpec("a", ref, Leaking),))):
            ref.tell(lambda: leak(leaver))

    async with trio.open_nursery() as nursery:
        with pytest.raises(AssertionError, match=f"tasks left behind:\n  {where}"):
            await leave(Leaver(nursery))
        nursery.cancel_scope.cancel()
    await trio.sleep(100)  # the system task ends, or it would be the next one's


async def test_a_task_that_was_there_before_or_has_ended_is_no_leak() -> None:
    """Nor is one that was cancelled and has yet to notice."""
    scope = trio.CancelScope()

    async def sleep() -> None:
        with scope:
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever, name="older")
        async with no_leaked_tasks():
            nursery.start_soon(trio.lowlevel.checkpoint, name="over soon")
            nursery.start_soon(sleep)
            await trio.testing.wait_all_tasks_blocked()
            scope.cancel()
        nursery.cancel_scope.cancel()


async def test_blocks_that_overlap_are_judged_together() -> None:
    """The inner one is not blamed for what the outer one starts meanwhile; the outer one is."""
    reached: list[str] = []

    async def overlap(nursery: trio.Nursery) -> None:
        async with no_leaked_tasks():
            async with no_leaked_tasks():
                nursery.start_soon(trio.sleep_forever, name="the leak")
            reached.append("the end of the inner block")

    async with trio.open_nursery() as nursery:
        with pytest.raises(AssertionError, match="tasks left behind:\n  the leak"):
            await overlap(nursery)
        assert reached != []
        async with no_leaked_tasks():
            pass
        nursery.cancel_scope.cancel()


async def test_a_block_that_fails_is_not_searched_for_leaks() -> None:
    """Its error is the one to read, and the next block starts afresh."""

    async def fail(nursery: trio.Nursery) -> None:
        async with no_leaked_tasks():
            nursery.start_soon(trio.sleep_forever, name="the leak")
            raise KeyError("mine")

    async with trio.open_nursery() as nursery:
        with pytest.raises(KeyError, match="mine"):
            await fail(nursery)
        async with no_leaked_tasks():
            pass
        nursery.cancel_scope.cancel()


# ---- virtual time -------------------------------------------------------------------------------


def test_a_day_costs_nothing() -> None:
    """The clock jumps as soon as all sleep; arguments go in and the result comes out."""

    async def sleep(hours: float, word: str) -> str:
        await trio.sleep(hours * 3600)
        return word

    assert run_virtual(sleep, 23.0, "slept") == "slept"


@pytest.mark.parametrize(("within", "nap"), [(60.0, 61.0), (86_400.0, float("inf"))])
def test_what_waits_for_ever_is_an_error(within: float, nap: float) -> None:
    """Not a test that hangs."""
    with pytest.raises(AssertionError, match=f"not over after {within} virtual seconds"):
        run_virtual(trio.sleep, nap, within=within)


async def _race(racers: int) -> list[int]:
    order: list[int] = []

    async def run(number: int) -> None:
        for _ in range(3):
            await trio.lowlevel.checkpoint()
            order.append(number)

    async with trio.open_nursery() as nursery:
        for number in range(racers):
            nursery.start_soon(run, number)
    return order


@given(seed=st.integers(0, 2**32))
def test_a_seed_repeats_the_scheduling(seed: int) -> None:
    """The same tasks run in the same order, in every run of it."""
    assert run_virtual(_race, 5, seed=seed) == run_virtual(_race, 5, seed=seed)


def test_other_seeds_try_other_orders() -> None:
    """A campaign over seeds sees more than one schedule."""
    assert len({tuple(run_virtual(_race, 5, seed=seed)) for seed in range(20)}) == 20


@pytest.mark.parametrize("switched_on", [False, True])
def test_only_its_own_run_is_scheduled_by_the_seed(
    switched_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it changes in Trio, it puts back: the switch, and the state of the chance."""
    monkeypatch.setattr(_run, "_ALLOW_DETERMINISTIC_SCHEDULING", switched_on)

    async def look() -> bool:
        await trio.lowlevel.checkpoint()
        return _run._ALLOW_DETERMINISTIC_SCHEDULING

    assert run_virtual(look) is switched_on
    before = _run._r.getstate()
    assert run_virtual(look, seed=1) is True
    assert (_run._ALLOW_DETERMINISTIC_SCHEDULING, _run._r.getstate()) == (switched_on, before)


STORY = """
import trio
from supervision import Actor, Backoff, ChildSpec, Ref, Strategy, SupervisorSpec
from supervision.testing import open_test_system, run_virtual

class Fragile(Actor[str]):
    async def handle(self, message):
        print(self.context.self.path, self.context.generation, message, trio.current_time())
        self.context.start_task(trio.sleep, 1)
        if message == "crash":
            raise RuntimeError

async def live():
    refs = {name: Ref(name) for name in {"a", "b", "c", "d", "e"}}
    children = tuple(ChildSpec(name, ref, Fragile) for name, ref in sorted(refs.items()))
    rooms = (SupervisorSpec("x", children[:3], strategy=Strategy.ONE_FOR_ALL),
             SupervisorSpec("y", children[3:]))
    root = SupervisorSpec("root", rooms)
    expect = {"root/x/b", "root/y/d"}
    async with open_test_system(root, seed=5, observe=print, expect=expect):
        for _ in range(3):
            for name in sorted(refs):
                refs[name].tell("crash" if name in "bd" else "work")
            await trio.sleep(0.1)

run_virtual(live, seed=5)
"""


def test_a_seed_says_all_that_happens_in_every_process() -> None:
    """A tree under fire leaves the same trace whatever the hashes of its strings are."""
    traces = {
        subprocess.run(
            [sys.executable, "-c", STORY],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hashes},
            capture_output=True,
            text=True,
            timeout=50,
            check=True,
        ).stdout
        for hashes in ("1", "2", "3")
    }
    assert len(traces) == 1
    assert "Restarting(path='root/x/b', generation=3" in traces.pop()


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_chance_of_a_system_is_that_of_its_seed(
    seed: int, autojump_clock: MockClock
) -> None:
    """A second restart waits as long as the seed's second draw says."""
    chance, delays = random.Random(seed), []

    def note(event: SupervisionEvent) -> None:
        if isinstance(event, Restarting):
            delays.append(event.delay)

    spec = SupervisorSpec("root", fragile(Ref("a")).children, backoff=Backoff(base=8.0))
    async with open_test_system(spec, seed=seed, observe=note) as system:
        for generation in (1, 2):
            await until(lambda: system.tree().children[0].state == "running", within=10)
            assert system.tree().children[0].generation == generation
            system.crash("root/a", "a drill")
            await trio.sleep(0.001)
    draws = [chance.random() for _ in range(2)]
    assert delays == [0.0, pytest.approx(draws[1] * 8.0)]


@given(words=st.lists(st.text(max_size=3), max_size=5))
def test_a_property_is_tested_in_virtual_time(words: list[str]) -> None:
    """Each example has its own run and its own clock."""

    async def live() -> list[str]:
        probe: Probe[str] = Probe("ear")
        async with open_test_system(SupervisorSpec("root", (probe.child(),))):
            for word in words:
                probe.ref.tell(word)
            await trio.sleep(60)
            return probe.drain()

    assert run_virtual(live) == words
