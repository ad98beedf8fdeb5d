"""Random trees under random trouble: what must hold whatever happens."""

import random
from typing import Any

import trio
from attrs import define, field, frozen
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from supervision import (
    Actor,
    Backoff,
    ChildSpec,
    Dynamic,
    Escalate,
    Escalated,
    Intensity,
    Park,
    Ref,
    Strategy,
    SupervisorSpec,
    open_system,
)

STOP_WITHIN = 2.0


@frozen
class Temper:
    """How long one actor takes, in seconds, and on which of its starts it fails."""

    start: float
    stop: float
    bad_starts: frozenset[int]


@define
class Log:
    """Who lives, and what happened in which order."""

    living: set[str] = field(factory=set)
    twins: list[str] = field(factory=list)
    stops: list[str] = field(factory=list)
    starts: dict[str, int] = field(factory=dict)


class Moody(Actor[str]):
    def __init__(self, name: str, temper: Temper, log: Log) -> None:
        self.name = name
        self.temper = temper
        self.log = log

    async def started(self) -> None:
        if self.name in self.log.living:
            self.log.twins.append(self.name)
        self.log.living.add(self.name)
        self.context.start_task(self.leave_on_the_way_out)
        await trio.sleep(self.temper.start)
        self.log.starts[self.name] = self.log.starts.get(self.name, 0) + 1
        if self.log.starts[self.name] in self.temper.bad_starts:
            raise RuntimeError("bad start")

    async def handle(self, message: str) -> None:
        if message == "crash":
            raise RuntimeError("crash")
        await trio.sleep(0.01)

    async def stopping(self) -> None:
        self.log.stops.append(self.name)
        await trio.sleep(self.temper.stop)

    async def leave_on_the_way_out(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            self.log.living.discard(self.name)


tempers = st.builds(
    Temper,
    start=st.sampled_from([0.0, 0.5, 3.0]),
    stop=st.sampled_from([0.0, 0.5, 9.0]),
    bad_starts=st.frozensets(st.integers(1, 4), max_size=2),
)
calm_tempers = st.builds(
    Temper,
    start=st.sampled_from([0.0, 0.5]),
    stop=st.sampled_from([0.0, 0.5, 1.5]),
    bad_starts=st.just(frozenset[int]()),
)


def child(name: str, ref: Ref[str], temper: Temper, log: Log) -> ChildSpec[Any]:
    return ChildSpec(
        name, ref, lambda: Moody(name, temper, log), start_within=2, stop_within=STOP_WITHIN
    )


@given(
    st.lists(tempers, min_size=4, max_size=6),
    st.sampled_from(Strategy),
    st.sampled_from([Escalate(), Park(5.0)]),
    st.lists(
        st.tuples(st.floats(0, 4), st.integers(0, 5), st.sampled_from(["crash", "work"])),
        max_size=25,
    ),
    st.floats(0.1, 40),
    st.integers(0, 9),
)
def test_no_trouble_makes_two_incarnations_or_an_endless_stop(
    temperaments: list[Temper],
    strategy: Strategy,
    exhausted: Escalate | Park,
    trouble: list[tuple[float, int, str]],
    patience: float,
    seed: int,
) -> None:
    """Crashes, bad starts, slow stops, a cancel at any time: one life at a time, and an end."""
    log = Log()
    refs: list[Ref[str]] = [Ref(str(number)) for number in range(len(temperaments))]
    specs = [
        child(str(n), ref, temper, log)
        for n, (ref, temper) in enumerate(zip(refs, temperaments, strict=True))
    ]
    handle = Dynamic()
    handle.start_child(specs[2])
    handle.start_child(specs[3])
    group = SupervisorSpec(
        "group", tuple(specs[:2]), strategy=strategy, intensity=Intensity(2), stop_within=8
    )
    pool = SupervisorSpec("pool", dynamic=handle, exhausted=Park(3.0))
    root = SupervisorSpec(
        "root",
        (group, pool, *specs[4:]),
        exhausted=exhausted,
        backoff=Backoff(base=0.2),
        stop_within=20,
    )

    async def live() -> None:
        with trio.move_on_after(patience) as scope:
            async with open_system(root, chance=random.Random(seed)) as system:
                for pause, who, what in trouble:
                    await trio.sleep(pause)
                    refs[who % len(refs)].tell(what)
                system.stop()
                await system.wait()
        if scope.cancelled_caught:
            assert trio.current_time() <= patience + 20 + STOP_WITHIN

    try:
        trio.run(live, clock=MockClock(autojump_threshold=0))
    except Escalated:
        assert isinstance(exhausted, Escalate)
    assert log.twins == []
    assert not log.living
    assert all(ref.statistics().depth == 0 for ref in refs)


@given(st.lists(calm_tempers, min_size=1, max_size=6), st.integers(0, 5), st.floats(0, 4))
def test_a_cancel_at_any_time_stops_what_is_up_in_reverse(
    temperaments: list[Temper], nested: int, patience: float
) -> None:
    """In the middle of the start as well as after it, through nested supervisors too."""
    log = Log()
    specs = [child(str(n), Ref(str(n)), temper, log) for n, temper in enumerate(temperaments)]
    inner = SupervisorSpec("inner", tuple(specs[nested:]))
    root = SupervisorSpec("root", (*specs[:nested], inner))

    async def live() -> None:
        with trio.move_on_after(patience):
            async with open_system(root, chance=random.Random(0)):
                await trio.sleep_forever()

    trio.run(live, clock=MockClock(autojump_threshold=0))
    assert log.stops == [str(n) for n in reversed(range(len(log.stops)))]
    assert len(log.stops) >= len(log.starts) - 1
