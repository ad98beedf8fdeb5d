"""The decisions of a supervisor, without a supervisor."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervision import (
    Backoff,
    ChildSpec,
    Dynamic,
    Intensity,
    Park,
    Ref,
    Restart,
    Strategy,
    SupervisorSpec,
)
from supervision.actor import Actor
from supervision.policy import (
    Again,
    Decision,
    Exit,
    Finish,
    GiveUp,
    History,
    SetAside,
    affected,
    delay_before,
    judge,
    wants_restart,
)

CHILDREN = ("a", "b", "c", "d")
backoffs = st.builds(
    Backoff,
    initial=st.floats(0, 10),
    base=st.floats(0.001, 10),
    maximum=st.floats(0.001, 1000),
)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Strategy.ONE_FOR_ONE, ("b",)),
        (Strategy.ONE_FOR_ALL, ("a", "b", "c", "d")),
        (Strategy.REST_FOR_ONE, ("b", "c", "d")),
    ],
)
def test_a_strategy_names_those_restarted_together(
    strategy: Strategy, expected: tuple[str, ...]
) -> None:
    """One alone, all, or it and those started after it."""
    assert affected(strategy, CHILDREN, "b") == expected


@given(st.sampled_from(Strategy), st.lists(st.integers(), unique=True, min_size=1), st.data())
def test_every_strategy_restarts_the_failed_child_and_keeps_the_order(
    strategy: Strategy, numbers: list[int], data: st.DataObject
) -> None:
    """The affected are a subsequence of the children that contains the failed one."""
    children = tuple(str(number) for number in numbers)
    failed = data.draw(st.sampled_from(children))
    group = affected(strategy, children, failed)
    assert failed in group
    assert group == tuple(child for child in children if child in group)


@pytest.mark.parametrize(
    ("restart", "failed", "expected"),
    [
        (Restart.PERMANENT, True, True),
        (Restart.PERMANENT, False, True),
        (Restart.TRANSIENT, True, True),
        (Restart.TRANSIENT, False, False),
        (Restart.TEMPORARY, True, False),
        (Restart.TEMPORARY, False, False),
    ],
)
def test_the_kind_of_child_says_after_which_end_it_returns(
    restart: Restart, failed: bool, expected: bool
) -> None:
    """Permanent always, transient after a crash, temporary never."""
    assert wants_restart(restart, failed=failed) is expected


@given(backoffs, st.integers(1, 100_000), st.floats(0, 1, exclude_max=True))
def test_a_delay_is_bounded_however_long_the_streak(
    backoff: Backoff, streak: int, draw: float
) -> None:
    """Neither an overflow nor more than the maximum, at the thousandth failure either."""
    assert 0 <= delay_before(backoff, streak, draw) <= backoff.maximum


def test_the_first_restart_is_immediate_and_the_range_doubles_after() -> None:
    """Full jitter: the draw scales a bound that doubles up to the maximum."""
    backoff = Backoff(base=1.0, maximum=5.0)
    delays = [delay_before(backoff, streak, 0.5) for streak in range(6)]
    assert delays == [0.0, 0.5, 1.0, 2.0, 2.5, 2.5]


def play(spec: SupervisorSpec, exits: list[Exit]) -> list[Decision]:
    history = History()
    spent: tuple[float, ...] = ()
    decisions: list[Decision] = []
    for end in exits:
        decision, history = judge(spec, Restart.PERMANENT, history, spent, end, draw=0.5)
        if isinstance(decision, Again):
            spent = (*spent, end.at)
        decisions.append(decision)
    return decisions


def crashes(*times: float) -> list[Exit]:
    return [Exit(at=at, failed=True, ran_for=0.1) for at in times]


def test_the_budget_is_spent_by_restarts_within_the_period() -> None:
    """One more failure than the budget allows gives up; older ones do not count."""
    spec = SupervisorSpec("s", intensity=Intensity(restarts=2, period=10.0))
    assert [type(each) for each in play(spec, crashes(0, 1, 2))] == [Again, Again, GiveUp]
    assert [type(each) for each in play(spec, crashes(0, 1, 10.5))] == [Again, Again, Again]


def test_a_budget_of_nothing_gives_up_at_once() -> None:
    """Zero restarts means the first failure escalates."""
    assert play(SupervisorSpec("s", intensity=Intensity(restarts=0)), crashes(0)) == [GiveUp()]


def test_a_bulkhead_parks_instead_and_each_child_has_its_own_budget() -> None:
    """Restarts of siblings do not count against a child that is to be parked."""
    spec = SupervisorSpec("s", intensity=Intensity(restarts=1), exhausted=Park(every=7.0))
    siblings = tuple(float(at) for at in range(50))
    decision, _ = judge(spec, Restart.PERMANENT, History(), siblings, *crashes(50), draw=0.5)
    assert isinstance(decision, Again)
    assert play(spec, crashes(0, 1)) == [Again(0.0), SetAside(7.0)]


def test_a_child_that_was_parked_gets_one_try_until_it_has_run_calmly() -> None:
    """After a parking every failure parks again, and calm forgives."""
    spec = SupervisorSpec(
        "s", intensity=Intensity(1, 5.0), backoff=Backoff(calm=20.0), exhausted=Park(7.0)
    )
    ends = [*crashes(0, 1, 100), Exit(at=200, failed=True, ran_for=25.0)]
    assert play(spec, ends) == [Again(0.0), SetAside(7.0), SetAside(7.0), Again(0.0)]


@pytest.mark.parametrize("extra", [{"boot": True}, {"gave_up": True}])
def test_a_bulkhead_parks_at_once_what_cannot_start_or_has_escalated(
    extra: dict[str, bool],
) -> None:
    """A first start that fails and a supervisor that gave up are not tried again in haste."""
    spec = SupervisorSpec("s", exhausted=Park(every=7.0))
    end = Exit(at=0.0, failed=True, **extra)
    assert play(spec, [end]) == [SetAside(7.0)]


def test_a_finished_child_is_no_failure() -> None:
    """A transient child that ends without an error is done."""
    decision, _ = judge(
        SupervisorSpec("s"), Restart.TRANSIENT, History(), (), Exit(0.0, failed=False), draw=0.5
    )
    assert decision == Finish()


def test_the_streak_begins_anew_after_a_calm_life() -> None:
    """A failure long after the last one is met without delay."""
    spec = SupervisorSpec("s", intensity=Intensity(100), backoff=Backoff(base=1.0, calm=60.0))
    ends = [*crashes(0, 1, 2), Exit(at=70, failed=True, ran_for=60.0)]
    assert play(spec, ends) == [Again(0.0), Again(0.5), Again(1.0), Again(0.0)]


def child(name: str) -> ChildSpec[Any]:
    return ChildSpec(name, Ref(name), Actor)


def test_nonsense_is_refused_at_construction() -> None:
    """A tree that cannot be supervised is never built."""
    with pytest.raises(ValueError, match="several children named a"):
        SupervisorSpec("s", (child("a"), child("b"), child("a")))
    with pytest.raises(ValueError, match="slashes"):
        child("a/b")
    with pytest.raises(ValueError, match="slashes"):
        SupervisorSpec("")
    with pytest.raises(ValueError, match="start_within"):
        ChildSpec("a", Ref("a"), Actor, start_within=0)
    with pytest.raises(ValueError, match="either listed or dynamic"):
        SupervisorSpec("s", (child("a"),), dynamic=Dynamic())
    with pytest.raises(ValueError, match="one for one"):
        SupervisorSpec("s", strategy=Strategy.ONE_FOR_ALL, dynamic=Dynamic())
    for spec in (
        lambda: Intensity(restarts=-1),
        lambda: Intensity(period=0),
        lambda: Backoff(maximum=float("inf")),
        lambda: Park(every=0),
    ):
        with pytest.raises(ValueError, match="finite"):
            spec()
