"""Restarts, order, escalation, bulkheads and children that come and go."""

import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from supervision import (
    Actor,
    Backoff,
    Cause,
    ChildSpec,
    Crashed,
    Dynamic,
    Escalated,
    EscalatedEvent,
    Intensity,
    Node,
    Park,
    Parked,
    Ref,
    Restart,
    Restarting,
    Started,
    StartTimeout,
    Stopped,
    Strategy,
    SupervisionEvent,
    SupervisorSpec,
    System,
    Unparked,
    open_system,
)
from supervision.testing import until

CRASH = "crash"


class Worker(Actor[str]):
    """Notes its starts and stops; crashes when told to."""

    def __init__(self, name: str, diary: list[str]) -> None:
        self.name = name
        self.diary = diary

    async def started(self) -> None:
        self.diary.append(f"+{self.name}")

    async def handle(self, message: str) -> None:
        if message == CRASH:
            raise RuntimeError(self.name)
        if message == "finish":
            self.context.stop()

    async def stopping(self) -> None:
        self.diary.append(f"-{self.name}")


class Shop:
    """Builds trees of workers and keeps their refs, their diary and what supervision reported."""

    def __init__(self) -> None:
        self.refs: dict[str, Ref[str]] = {}
        self.diary: list[str] = []
        self.events: list[SupervisionEvent] = []
        self.broken: set[str] = set()

    def worker(
        self,
        name: str,
        *,
        restart: Restart = Restart.PERMANENT,
        actor: Callable[[], Actor[str]] | None = None,
        start_within: float = 5.0,
        stop_within: float = 5.0,
    ) -> ChildSpec[Any]:
        ref = self.refs[name] = Ref(name)
        return ChildSpec(
            name,
            ref,
            actor or (lambda: self.make(name)),
            restart=restart,
            start_within=start_within,
            stop_within=stop_within,
        )

    def make(self, name: str) -> Worker:
        if name in self.broken:
            raise RuntimeError(f"{name} cannot start")
        return Worker(name, self.diary)

    def crash(self, name: str) -> None:
        self.refs[name].tell(CRASH)

    async def crash_often(self, name: str, times: int) -> None:
        for _ in range(times):
            self.crash(name)
            await trio.sleep(1)

    def seen(self, *kinds: type[SupervisionEvent]) -> list[SupervisionEvent]:
        return [event for event in self.events if isinstance(event, kinds)]

    def now(self) -> list[str]:
        diary = list(self.diary)
        self.diary.clear()
        return diary

    @asynccontextmanager
    async def open(self, spec: SupervisorSpec) -> AsyncIterator[System]:
        async with open_system(spec, chance=random.Random(7), observe=self.events.append) as system:
            yield system


@pytest.fixture
def shop() -> Shop:
    return Shop()


def flat(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from flat(child)


def states(system: System) -> dict[str, str]:
    return {node.id: node.state for node in flat(system.tree())}


def three(shop: Shop, strategy: Strategy = Strategy.ONE_FOR_ONE) -> SupervisorSpec:
    return SupervisorSpec("root", tuple(map(shop.worker, "abc")), strategy=strategy)


# -- order ----------------------------------------------------------------------------------------


async def test_children_start_in_order_and_stop_in_reverse(shop: Shop) -> None:
    """Each may rely on those before it, from its start to its stop; nested ones included."""
    inner = SupervisorSpec("inner", (shop.worker("b"), shop.worker("c")))
    spec = SupervisorSpec("root", (shop.worker("a"), inner, shop.worker("d")))
    async with shop.open(spec):
        assert shop.now() == ["+a", "+b", "+c", "+d"]
    assert shop.now() == ["-d", "-c", "-b", "-a"]
    paths = [event.path for event in shop.seen(Stopped)]
    assert paths == ["root/d", "root/inner/c", "root/inner/b", "root/inner", "root/a", "root"]


async def test_a_child_starts_only_when_the_one_before_it_is_up(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """Order means up, not merely begun."""

    class Slow(Worker):
        async def started(self) -> None:
            await trio.sleep(3)
            await super().started()

    first = shop.worker("a", actor=lambda: Slow("a", shop.diary))
    async with shop.open(SupervisorSpec("root", (first, shop.worker("b")))):
        assert shop.now() == ["+a", "+b"]


async def test_a_child_that_ignores_its_stop_is_cancelled_in_time(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """Ask, wait stop_within, cancel; the others are still stopped in their turn."""

    class Deaf(Worker):
        async def stopping(self) -> None:
            await trio.sleep_forever()

    deaf = shop.worker("b", actor=lambda: Deaf("b", shop.diary), stop_within=3.0)
    async with shop.open(SupervisorSpec("root", (shop.worker("a"), deaf, shop.worker("c")))):
        shop.now()
        begin = trio.current_time()
    assert shop.now() == ["-c", "-a"]
    assert trio.current_time() - begin == pytest.approx(3)
    reasons = {event.path: event.reason for event in shop.events if isinstance(event, Stopped)}
    assert "did not stop in 3.0 s" in reasons["root/b"]
    assert reasons["root/a"] == "stopped"


async def test_a_supervisor_out_of_time_cuts_its_children_off(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """The bound of the subtree comes before the bounds within it."""

    class Deaf(Worker):
        async def stopping(self) -> None:
            await trio.sleep_forever()

    names = ("a", "b", "c")
    deaf = [
        shop.worker(name, actor=lambda: Deaf("deaf", shop.diary), stop_within=100) for name in names
    ]
    inner = SupervisorSpec("inner", tuple(deaf), stop_within=2.0)
    async with shop.open(SupervisorSpec("root", (inner,))):
        begin = trio.current_time()
    assert trio.current_time() - begin == pytest.approx(2)


async def test_a_crash_while_stopping_does_not_stop_the_stop(shop: Shop) -> None:
    """The error is reported; the rest is still stopped in order."""

    class Clumsy(Worker):
        async def stopping(self) -> None:
            raise RuntimeError("clumsy")

    clumsy = shop.worker("b", actor=lambda: Clumsy("b", shop.diary))
    async with shop.open(SupervisorSpec("root", (shop.worker("a"), clumsy, shop.worker("c")))):
        shop.now()
    assert shop.now() == ["-c", "-a"]
    (event,) = shop.seen(Crashed)
    assert event.path == "root/b"


# -- restarts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Strategy.ONE_FOR_ONE, ["+b"]),
        (Strategy.REST_FOR_ONE, ["-c", "+b", "+c"]),
        (Strategy.ONE_FOR_ALL, ["-c", "-a", "+a", "+b", "+c"]),
    ],
)
async def test_a_strategy_restarts_its_group_in_order(
    shop: Shop, strategy: Strategy, expected: list[str]
) -> None:
    """Those affected stop in reverse and start in order; the others notice nothing."""
    async with shop.open(three(shop, strategy)) as system:
        shop.now()
        shop.crash("b")
        await until(lambda: len(shop.diary) == len(expected), within=1)
        assert shop.now() == expected
        await until(lambda: set(states(system).values()) == {"running"}, within=1)


async def test_a_second_failure_during_a_group_restart_joins_it(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """The supervisor answers while it waits, and everything is up in the end, once."""

    class Slow(Worker):
        async def stopping(self) -> None:
            await trio.sleep(2)
            await super().stopping()

    a, b = shop.worker("a"), shop.worker("b")
    c = shop.worker("c", actor=lambda: Slow("c", shop.diary))
    spec = SupervisorSpec("root", (a, b, c), strategy=Strategy.ONE_FOR_ALL)
    async with shop.open(spec) as system:
        shop.now()
        shop.crash("b")
        await trio.sleep(1)
        shop.crash("a")
        await trio.sleep(10)
        assert shop.now() == ["-c", "+a", "+b", "+c"]
        assert set(states(system).values()) == {"running"}


async def test_restarts_back_off_and_the_supervisor_stays_responsive(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """While one child waits for its restart, another is restarted at once."""
    spec = SupervisorSpec(
        "root", (shop.worker("a"), shop.worker("b")), backoff=Backoff(initial=10.0)
    )
    async with shop.open(spec) as system:
        shop.crash("a")
        await trio.sleep(5)
        assert states(system) == {"root": "running", "a": "backoff", "b": "running"}
        shop.crash("b")
        await trio.sleep(6)
        assert states(system) == {"root": "running", "a": "running", "b": "backoff"}
        await trio.sleep(5)
        assert states(system)["b"] == "running"


async def test_the_delays_are_reported_and_grow_with_jitter_from_the_injected_chance(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """The first restart is immediate; the rest are drawn, so that two runs are the same."""

    async def run() -> list[float]:
        mine = Shop()
        spec = SupervisorSpec(
            "root", (mine.worker("a"),), intensity=Intensity(100), backoff=Backoff(base=1.0)
        )
        async with mine.open(spec):
            await mine.crash_often("a", 1)
            for _ in range(5):
                mine.crash("a")
                await trio.sleep(40)
        return [event.delay for event in mine.events if isinstance(event, Restarting)]

    first, second = await run(), await run()
    assert first == second
    assert first[0] == 0.0
    assert all(0 < delay <= 2**n for n, delay in enumerate(first[1:]))


@pytest.mark.parametrize("restart", [Restart.TRANSIENT, Restart.TEMPORARY])
async def test_a_child_that_finishes_is_not_started_again(shop: Shop, restart: Restart) -> None:
    """It has stopped for good: its ref is closed, its state says so."""
    async with shop.open(SupervisorSpec("root", (shop.worker("a", restart=restart),))) as system:
        shop.refs["a"].tell("finish")
        await until(lambda: states(system)["a"] == "stopped", within=1)
        assert shop.now() == ["+a", "-a"]
        assert system.at("root/a") is None


async def test_a_permanent_child_that_finishes_is_started_again(shop: Shop) -> None:
    """Permanent means always up."""
    async with shop.open(SupervisorSpec("root", (shop.worker("a"),))):
        shop.refs["a"].tell("finish")
        await until(lambda: len(shop.diary) == 3, within=1)
        assert shop.now() == ["+a", "-a", "+a"]


async def test_a_start_that_takes_too_long_is_a_failure(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """start_within ends it; the next try may succeed."""
    tries = iter([30.0, 0.0])

    class Slow(Worker):
        async def started(self) -> None:
            await trio.sleep(next(tries))

    slow = shop.worker("a", actor=lambda: Slow("a", shop.diary), start_within=2.0)
    async with shop.open(SupervisorSpec("root", (slow,))) as system:
        assert trio.current_time() == pytest.approx(2, abs=0.1)
        (event,) = (event for event in shop.events if isinstance(event, Crashed))
        assert isinstance(event.error, StartTimeout)
        assert system.tree().children[0].generation == 2


# -- escalation -----------------------------------------------------------------------------------


async def test_a_root_over_its_budget_stops_its_children_and_raises(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """wait() raises Escalated, with the last error as its cause."""
    spec = SupervisorSpec(
        "root", (shop.worker("a"), shop.worker("b")), intensity=Intensity(restarts=2)
    )
    async with shop.open(spec) as system:
        for _ in range(3):
            shop.crash("b")
        with pytest.raises(Escalated, match="'b'") as caught:
            await system.wait()
        assert isinstance(caught.value.__cause__, RuntimeError)
    assert shop.now() == ["+a", "+b", "+b", "+b", "-a"]
    assert [type(event) for event in shop.events if event.path == "root"] == [
        Started,
        EscalatedEvent,
    ]


async def test_a_root_that_gives_up_ends_whoever_lives_on_the_tree(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """A caller that does something else than wait is cancelled and gets the error."""
    spec = SupervisorSpec("root", (shop.worker("a"),), intensity=Intensity(restarts=0))

    async def live() -> None:
        async with shop.open(spec):
            shop.crash("a")
            await trio.sleep_forever()

    with pytest.raises(Escalated):
        await live()


async def test_a_supervisor_that_escalates_is_restarted_by_its_own(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """Its children stop in reverse, come back in order, keep their refs and count on."""
    inner = SupervisorSpec(
        "inner", (shop.worker("b"), shop.worker("c")), intensity=Intensity(restarts=1)
    )
    spec = SupervisorSpec("root", (shop.worker("a"), inner))
    async with shop.open(spec) as system:
        shop.now()
        shop.crash("c")
        shop.crash("c")
        shop.refs["c"].tell("kept")
        await until(lambda: shop.refs["c"].statistics().handled == 1, within=1)
        assert shop.now() == ["+c", "-b", "+b", "+c"]
        generations = {node.id: node.generation for node in flat(system.tree())}
        assert generations == {"root": 1, "a": 1, "inner": 2, "b": 2, "c": 3}


async def test_a_restarted_supervisor_begins_with_a_clean_record(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """Neither its budget nor the backoff of its children remembers the life before."""
    inner = SupervisorSpec(
        "inner",
        (shop.worker("b"),),
        intensity=Intensity(1),
        backoff=Backoff(base=1000, maximum=1000),
    )
    async with shop.open(SupervisorSpec("root", (inner,))):
        await shop.crash_often("b", 3)
    delays = [event.delay for event in shop.events if isinstance(event, Restarting)]
    assert delays == [0.0, 0.0, 0.0]


async def test_a_tree_that_cannot_start_is_an_error_not_a_hang(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """What had started is stopped, and open_system raises."""
    shop.broken.add("b")
    with pytest.raises(Escalated, match="'b'"):
        async with shop.open(three(shop)):
            pytest.fail("it must not be entered")
    assert shop.now() == ["+a", "-a"]


async def test_a_child_that_fails_to_start_is_tried_again_before_those_after_it(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """A start that fails once only delays the rest."""
    tries = iter([True, False])

    class Moody(Worker):
        async def started(self) -> None:
            if next(tries):
                raise RuntimeError("moody")
            await super().started()

    moody = shop.worker("b", actor=lambda: Moody("b", shop.diary))
    async with shop.open(SupervisorSpec("root", (shop.worker("a"), moody, shop.worker("c")))):
        assert shop.now() == ["+a", "+b", "+c"]


# -- bulkheads ------------------------------------------------------------------------------------


def bulkhead(*children: ChildSpec[Any] | SupervisorSpec, every: float = 30.0) -> SupervisorSpec:
    return SupervisorSpec(
        "root", children, intensity=Intensity(restarts=2, period=20.0), exhausted=Park(every)
    )


async def test_an_exhausted_child_is_parked_and_tried_again(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """It never escalates; its siblings notice nothing; its queue waits for it."""
    async with shop.open(bulkhead(shop.worker("a"), shop.worker("b"))) as system:
        await shop.crash_often("a", 3)
        assert states(system) == {"root": "running", "a": "parked", "b": "running"}
        shop.refs["a"].tell("kept")
        await trio.sleep(27)
        assert shop.refs["a"].statistics().handled == 0
        await trio.sleep(3)
        assert states(system)["a"] == "running"
        assert shop.refs["a"].statistics().handled == 1
    kinds = [type(event) for event in shop.seen(Parked, Unparked)]
    assert kinds == [Parked, Unparked]
    assert shop.now() == ["+a", "+b", "+a", "+a", "+a", "-b", "-a"]


async def test_a_child_that_came_back_from_parking_and_ran_calmly_is_like_any_other(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """Its next crash is met by a restart, and the tree says so."""
    spec = SupervisorSpec(
        "root",
        (shop.worker("a"),),
        intensity=Intensity(restarts=1, period=20.0),
        backoff=Backoff(initial=10.0, calm=20.0),
        exhausted=Park(5.0),
    )
    async with shop.open(spec) as system:
        shop.crash("a")
        await trio.sleep(11)
        shop.crash("a")
        await trio.sleep(1)
        assert states(system)["a"] == "parked"
        await trio.sleep(30)
        assert states(system)["a"] == "running"
        shop.crash("a")
        await trio.sleep(1)
        assert states(system)["a"] == "backoff"


async def test_a_temporary_child_does_not_come_back_with_its_group(shop: Shop) -> None:
    """It is stopped with the others, for good."""
    children = (shop.worker("a"), shop.worker("b", restart=Restart.TEMPORARY))
    spec = SupervisorSpec("root", children, strategy=Strategy.ONE_FOR_ALL)
    async with shop.open(spec) as system:
        shop.now()
        shop.crash("a")
        expected = {"root": "running", "a": "running", "b": "stopped"}
        await until(lambda: states(system) == expected and "+a" in shop.diary, within=1)
        assert shop.diary == ["-b", "+a"]
        assert system.at("root/b") is None


async def test_a_child_whose_first_start_fails_is_parked_and_the_others_go_on(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """The supervisor counts as started; the child comes when it can."""
    shop.broken.add("a")
    async with shop.open(bulkhead(shop.worker("a"), shop.worker("b"))) as system:
        assert trio.current_time() == pytest.approx(0, abs=0.1)
        assert states(system) == {"root": "running", "a": "parked", "b": "running"}
        await trio.sleep(45)
        assert states(system)["a"] == "parked"
        shop.broken.clear()
        await trio.sleep(30)
        assert states(system)["a"] == "running"


async def test_a_supervisor_that_escalates_into_a_bulkhead_is_parked_at_once(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """It has spent its own budget already."""
    login = SupervisorSpec("login", (shop.worker("a"),), intensity=Intensity(restarts=1))
    async with shop.open(bulkhead(login, shop.worker("b"))) as system:
        await shop.crash_often("a", 2)
        assert states(system)["login"] == "parked"
        await trio.sleep(30)
        assert states(system) == dict.fromkeys(("root", "login", "b", "a"), "running")


async def test_a_parked_child_is_closed_when_the_system_stops(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """What waited for it becomes dead letters, counted as such."""
    async with shop.open(bulkhead(shop.worker("a"))) as system:
        await shop.crash_often("a", 3)
        shop.refs["a"].tell("kept")
    counts = system.dead_letters.counts
    assert counts["root/a", "str", Cause.STOPPED] == 1


# -- dynamic children -----------------------------------------------------------------------------


def dynamic(handle: Dynamic) -> SupervisorSpec:
    return SupervisorSpec("root", dynamic=handle, exhausted=Park())


async def test_children_come_and_go_at_run_time(shop: Shop) -> None:
    """Started soon after they are named, stopped for good soon after they are not."""
    handle = Dynamic()
    handle.start_child(shop.worker("early"))
    async with shop.open(dynamic(handle)) as system:
        assert states(system) == {"root": "running", "early": "running"}
        handle.start_child(shop.worker("late"))
        assert "late" in handle
        await until(lambda: states(system).get("late") == "running", within=1)
        handle.stop_child("early")
        await until(lambda: "early" not in states(system), within=1)
        assert shop.now() == ["+early", "+late", "-early"]
        assert system.at("root/early") is None
        assert list(handle) == ["late"]


async def test_a_child_taken_away_works_off_its_queue_first(shop: Shop) -> None:
    """Leaving for good is an orderly stop: nothing that was accepted is lost."""
    handle = Dynamic()
    handle.start_child(shop.worker("a"))
    async with shop.open(dynamic(handle)) as system:
        for _ in range(200):
            shop.refs["a"].tell("work")
        handle.stop_child("a")
        await until(lambda: system.at("root/a") is None, within=1)
        assert shop.refs["a"].statistics().handled == 200
        assert system.dead_letters.total == 0


async def test_a_child_taken_away_while_it_starts_is_gone_in_time(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """Coming up does not extend the time it has been given to stop."""

    class Slow(Worker):
        async def started(self) -> None:
            await trio.sleep(2)

        async def stopping(self) -> None:
            await trio.sleep_forever()

    handle = Dynamic()
    async with shop.open(dynamic(handle)) as system:
        handle.start_child(shop.worker("a", actor=lambda: Slow("a", shop.diary), stop_within=3))
        await trio.sleep(1)
        handle.stop_child("a")
        await trio.sleep(2.9)
        assert states(system)["a"] == "stopping"
        await trio.sleep(0.2)
        assert "a" not in states(system)


async def test_a_duplicate_child_is_refused_where_it_is_asked_for(shop: Shop) -> None:
    """Neither an id nor a ref is used twice; an unknown id cannot be stopped."""
    handle = Dynamic()
    spec = shop.worker("a")
    async with shop.open(dynamic(handle)):
        handle.start_child(spec)
        with pytest.raises(ValueError, match="already a child named 'a'"):
            handle.start_child(shop.worker("a"))
        with pytest.raises(ValueError, match="only once"):
            handle.start_child(ChildSpec("b", spec.ref, spec.start))
        with pytest.raises(KeyError):
            handle.stop_child("b")


async def test_an_id_can_be_used_again_while_its_predecessor_still_stops(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """The successor waits for the end of the one before it."""

    class Slow(Worker):
        async def stopping(self) -> None:
            await trio.sleep(3)
            await super().stopping()

    handle = Dynamic()
    async with shop.open(dynamic(handle)):
        handle.start_child(shop.worker("a", actor=lambda: Slow("old", shop.diary)))
        await until(lambda: shop.diary == ["+old"], within=1)
        handle.stop_child("a")
        await trio.sleep(1)
        handle.start_child(shop.worker("a", actor=lambda: Worker("new", shop.diary)))
        await trio.sleep(5)
        assert shop.now() == ["+old", "-old", "+new"]


async def test_dynamic_children_start_and_stop_in_parallel(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """Twenty accounts take as long as one."""

    class Slow(Worker):
        async def started(self) -> None:
            await trio.sleep(2)

        async def stopping(self) -> None:
            await trio.sleep(3)

    handle = Dynamic()
    for number in range(20):
        handle.start_child(shop.worker(f"w{number}", actor=lambda: Slow("slow", shop.diary)))
    async with shop.open(dynamic(handle)):
        assert trio.current_time() == pytest.approx(2, abs=0.1)
        begin = trio.current_time()
    assert trio.current_time() - begin == pytest.approx(3)


async def test_dynamic_children_survive_the_restart_of_their_supervisor(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """The handle holds what should be, so nobody has to name them again."""
    handle = Dynamic()
    handle.start_child(shop.worker("a"))
    accounts = SupervisorSpec("accounts", dynamic=handle)
    login = SupervisorSpec(
        "login", (shop.worker("connection"), accounts), intensity=Intensity(restarts=0)
    )
    async with shop.open(SupervisorSpec("root", (login,))) as system:
        shop.now()
        shop.crash("connection")
        await trio.sleep(1)
        assert shop.now() == ["-a", "+connection", "+a"]
        assert set(states(system).values()) == {"running"}


async def test_one_dynamic_child_never_takes_another_down(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """Bulkheads: one is parked, the other keeps its first incarnation."""
    handle = Dynamic()
    for name in ("a", "b"):
        handle.start_child(shop.worker(name))
    async with shop.open(dynamic(handle)) as system:
        for _ in range(20):
            shop.crash("a")
        await trio.sleep(5)
        assert states(system) == {"root": "running", "a": "parked", "b": "running"}
        assert {n.id: n.generation for n in flat(system.tree())}["b"] == 1


async def test_a_dynamic_child_that_finished_makes_room_for_its_id(shop: Shop) -> None:
    """A temporary child leaves the handle when it ends."""
    handle = Dynamic()
    async with shop.open(dynamic(handle)):
        handle.start_child(shop.worker("a", restart=Restart.TEMPORARY))
        shop.crash("a")
        await until(lambda: "a" not in handle, within=1)
        handle.start_child(shop.worker("a"))
        await until(lambda: shop.diary == ["+a", "+a"], within=1)


# -- observers --------------------------------------------------------------------------------------


async def test_an_observer_that_fails_takes_nobody_down(shop: Shop) -> None:
    """A log that cannot be written is counted, and the tree goes on."""

    def observe(_: SupervisionEvent) -> None:
        raise OSError("no space left")

    async with open_system(three(shop), chance=random.Random(0), observe=observe) as system:
        assert set(states(system).values()) == {"running"}
        key = ("root/a", "Started", Cause.OBSERVER_FAILED)
        assert system.dead_letters.counts[key] == 1


async def test_an_observer_may_ask_for_a_stop_while_it_is_told(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """Its wish is not overheard because the supervisor is at work just then."""
    lives = iter("fs")

    class Late(Worker):
        async def started(self) -> None:
            if next(lives) == "f":
                raise RuntimeError("the first life fails")
            await trio.sleep(4)

    asked: list[float] = []

    def observe(event: SupervisionEvent) -> None:
        if isinstance(event, Unparked):
            asked.append(trio.current_time())
            system.stop()

    late = shop.worker("a", actor=lambda: Late("a", []), stop_within=1)
    spec = SupervisorSpec("root", (late,), exhausted=Park(3.0))
    async with open_system(spec, chance=random.Random(7), observe=observe) as system:
        await system.wait()
    assert trio.current_time() - asked[0] == pytest.approx(1, abs=0.1)


async def test_that_a_supervisor_gave_up_is_not_lost_when_its_time_runs_out_too(
    shop: Shop, autojump_clock: MockClock
) -> None:
    """It winds down because it gave up; the deadline of its start comes in the middle of that."""

    class Slow(Worker):
        async def stopping(self) -> None:
            await trio.sleep(3)

    shop.broken.add("b")
    slow = shop.worker("a", actor=lambda: Slow("a", []))
    inner = SupervisorSpec(
        "inner", (slow, shop.worker("b")), intensity=Intensity(0, 10.0), start_within=2.0
    )
    async with shop.open(SupervisorSpec("root", (inner,), exhausted=Park(30.0))):
        pass
    (parked,) = [event for event in shop.seen(Parked) if event.path == "root/inner"]
    assert isinstance(parked, Parked)
    assert isinstance(parked.error, Escalated)
