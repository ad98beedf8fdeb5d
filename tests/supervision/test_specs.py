"""What a tree is when nothing is said about it, and what it cannot be."""

import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from supervision import (
    Actor,
    Backoff,
    ChildSpec,
    Dynamic,
    Escalate,
    Intensity,
    Park,
    Quarantine,
    Ref,
    Restart,
    Strategy,
    Supervised,
    SupervisorSpec,
)
from supervision.state import restart_kind


def child(name: str = "a", **wishes: Any) -> ChildSpec[Any]:
    return ChildSpec(name, Ref(name), Actor, **wishes)


def test_a_child_of_which_nothing_is_said_is_permanent_and_has_five_seconds_for_everything() -> (
    None
):
    """The documented defaults, which whole trees rely on."""
    plain = child()
    assert plain.restart is Restart.PERMANENT
    assert (plain.start_within, plain.stop_within, plain.handle_within) == (5.0, 5.0, 5.0)
    assert (plain.key, plain.quarantine) == (None, None)


def test_a_supervisor_of_which_nothing_is_said_restarts_one_for_one_five_times_a_minute() -> None:
    """It escalates then; its children, if any, have a minute to start and a minute to stop."""
    plain = SupervisorSpec("s")
    assert (plain.children, plain.dynamic) == ((), None)
    assert (plain.strategy, plain.exhausted) == (Strategy.ONE_FOR_ONE, Escalate())
    assert (plain.intensity.restarts, plain.intensity.period) == (5, 60.0)
    assert (plain.start_within, plain.stop_within) == (60.0, 60.0)


def test_the_times_of_backoff_parking_and_quarantine_when_nothing_is_said() -> None:
    """Seconds each."""
    assert Backoff() == Backoff(initial=0.0, base=0.05, maximum=30.0, calm=60.0)
    assert Park() == Park(every=30.0)
    assert Quarantine() == Quarantine(kills=3, within=600.0)


POSITIVE: list[Callable[[float], object]] = [
    lambda value: Intensity(period=value),
    lambda value: Backoff(base=value),
    lambda value: Backoff(maximum=value),
    lambda value: Backoff(calm=value),
    lambda value: Park(every=value),
    lambda value: Quarantine(kills=value),  # type: ignore[arg-type]
    lambda value: Quarantine(within=value),
    lambda value: child(start_within=value),
    lambda value: child(stop_within=value),
    lambda value: child(handle_within=value),
    lambda value: SupervisorSpec("s", start_within=value),
    lambda value: SupervisorSpec("s", stop_within=value),
]
NOT_NEGATIVE: list[Callable[[float], object]] = [
    lambda value: Intensity(restarts=value),  # type: ignore[arg-type]
    lambda value: Backoff(initial=value),
]


@pytest.mark.parametrize("build", POSITIVE)
def test_what_must_be_positive_is_never_nothing_nor_without_end(
    build: Callable[[float], object],
) -> None:
    """A bound of zero could not be kept, and an infinite one is none."""
    for nonsense in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="must be positive and finite"):
            build(nonsense)
    assert build(0.001) != build(1.0)


@pytest.mark.parametrize("build", NOT_NEGATIVE)
def test_what_may_be_nothing_is_never_less_nor_without_end(
    build: Callable[[float], object],
) -> None:
    """No restart at all, or one without delay, is a wish that can be met."""
    for nonsense in (-0.001, math.inf, math.nan):
        with pytest.raises(ValueError, match="must be finite and not negative"):
            build(nonsense)
    assert build(0) != build(0.001)


@pytest.mark.parametrize("build", [child, SupervisorSpec])
@pytest.mark.parametrize("name", ["", "/", "a/b"])
def test_a_name_is_one_step_of_a_path(build: Callable[[str], object], name: str) -> None:
    """A path must lead to one place."""
    with pytest.raises(ValueError, match="a name without slashes"):
        build(name)


def test_only_what_can_be_supervised_is_a_child() -> None:
    """A class of one's own cannot be run; that is said where it is listed."""

    class Mine(Supervised):
        id = "mine"

    with pytest.raises(TypeError, match="actors and supervisors"):
        SupervisorSpec("s", (child(), Mine()))


def test_every_name_that_is_there_twice_is_told_in_order() -> None:
    """One look at the message is enough to mend all."""
    several = [child(name) for name in "cbadcbe" * 2]
    with pytest.raises(ValueError, match=re.escape("s has several children named a, b, c, d, e")):
        SupervisorSpec("s", tuple(several))


def test_a_dynamic_supervisor_needs_no_more_than_its_handle() -> None:
    """Listed children and other strategies go with static ones."""
    assert SupervisorSpec("s", dynamic=Dynamic()).children == ()
    assert SupervisorSpec("s", (child(),), strategy=Strategy.REST_FOR_ONE).dynamic is None


@pytest.mark.parametrize("restart", Restart)
def test_a_supervisor_counts_as_permanent_and_an_actor_as_what_it_says(restart: Restart) -> None:
    """A supervisor that ends has failed."""
    assert restart_kind(child(restart=restart)) is restart
    assert restart_kind(SupervisorSpec("s")) is Restart.PERMANENT
