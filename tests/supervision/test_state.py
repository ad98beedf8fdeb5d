"""What a supervisor knows of a child, and what follows from it."""

import math
from collections.abc import Mapping

import pytest

from supervision import Dynamic, Node, Restart, SupervisorSpec
from supervision.policy import Exit, History
from supervision.state import (
    Admitted,
    ChildState,
    Ended,
    Launch,
    Phase,
    TreeState,
)

UP: Mapping[str, object] = {"phase": Phase.UP, "generation": 1}
STARTING: Mapping[str, object] = {"phase": Phase.STARTING, "generation": 1}
DOWN: Mapping[str, object] = {"phase": Phase.DOWN, "generation": 1}


def child(*facts: Mapping[str, object], **more: object) -> ChildState:
    known: dict[str, object] = {}
    for each in facts:
        known |= each
    return ChildState("a", **known, **more)  # type: ignore[arg-type]


def test_a_child_of_which_nothing_is_known_is_to_start_at_once() -> None:
    """Permanent, never up, wanted, and not in the middle of anything."""
    new = ChildState("a")
    assert (new.restart, new.phase, new.generation) == (Restart.PERMANENT, Phase.DOWN, 0)
    assert (new.history, new.batch) == (History(), 0)
    assert (new.due, new.up_at) == (-math.inf, -math.inf)
    assert new.wanted
    assert not any((new.ever_up, new.parked, new.cycling, new.stopping, new.leaving))
    assert (new.history.streak, new.history.restarts, new.history.on_probation) == (0, (), False)


@pytest.mark.parametrize(
    ("facts", "alive", "up"),
    [(DOWN, False, False), (STARTING, True, False), (UP, True, True)],
)
def test_a_child_lives_from_its_launch_and_is_up_from_its_start(
    facts: Mapping[str, object], alive: bool, up: bool
) -> None:
    """Between the two it starts."""
    assert (child(facts).alive, child(facts).up) == (alive, up)


@pytest.mark.parametrize("facts", [UP, STARTING])
def test_only_the_living_go_down_for_a_restart_or_because_nobody_wants_them(
    facts: Mapping[str, object],
) -> None:
    """Who is down already need not."""
    assert not child(facts).going_down
    assert child(facts, cycling=True).going_down
    assert child(facts, wanted=False).going_down
    assert not child(DOWN, cycling=True).going_down
    assert not child(DOWN, wanted=False).going_down


def test_who_is_up_set_aside_or_not_wanted_is_settled() -> None:
    """Those after it need not wait for it any longer."""
    assert child(DOWN).unsettled
    assert child(STARTING).unsettled
    assert not child(UP).unsettled
    assert not child(DOWN, parked=True).unsettled
    assert not child(DOWN, wanted=False).unsettled


@pytest.mark.parametrize("asked", ["leaving", "stopping", "cycling"])
@pytest.mark.parametrize("facts", [UP, STARTING])
def test_an_end_that_was_wanted_is_not_judged(facts: Mapping[str, object], asked: str) -> None:
    """A child answers only for what it does of its own accord."""
    assert child(facts).judged
    assert not child(facts, **{asked: True}).judged


@pytest.mark.parametrize(
    ("known", "word"),
    [
        (child(UP), "running"),
        (child(STARTING), "starting"),
        (child(UP, stopping=True), "stopping"),
        (child(STARTING, stopping=True), "stopping"),
        (child(UP, wanted=False), "running"),
        (child(DOWN), "backoff"),
        (ChildState("a"), "starting"),
        (child(DOWN, parked=True), "parked"),
        (child(DOWN, wanted=False), "stopped"),
        (child(DOWN, wanted=False, parked=True), "stopped"),
    ],
)
def test_there_is_one_word_for_everything(known: ChildState, word: str) -> None:
    """What it does now; if nothing, what it waits for; if for nothing, that it has stopped."""
    assert known.word == word


def family(*children: ChildState, **more: object) -> TreeState:
    known = {each.id: each for each in children}
    return TreeState(SupervisorSpec("s"), known, **more)  # type: ignore[arg-type]


def test_a_new_family_has_nobody_and_no_plan() -> None:
    """It is not up yet, and no time is set."""
    new = TreeState(SupervisorSpec("s"))
    assert (dict(new.children), new.batch, new.spent, new.cut_at) == ({}, 0, (), math.inf)
    assert not any((new.stopping, new.for_good, new.up, new.dynamic, new.over))
    assert TreeState(SupervisorSpec("s", dynamic=Dynamic())).dynamic


def test_a_family_is_over_when_it_was_to_stop_and_nobody_lives() -> None:
    """Nobody living alone is not enough: all may wait for their restarts."""
    one, other = ChildState("a"), ChildState("b", phase=Phase.STARTING)
    assert family(one, other).alive == ["b"]
    assert not family(one, other, stopping=True).over
    assert not family(one).over
    assert family(one, stopping=True).over


def test_what_happens_is_what_is_said_and_no_more() -> None:
    """An end is not an escalation unless that is said; nor is a launch one from parking."""
    assert Ended("a", failed=True) == Ended("a", failed=True, gave_up=False, draw=0.0)
    assert Admitted("a") == Admitted("a", Restart.PERMANENT)
    assert Launch("a", 1) == Launch("a", 1, unparked=False)
    assert Exit(1.0, failed=True) == Exit(1.0, failed=True, ran_for=0.0, boot=False, gave_up=False)


def test_a_picture_of_one_of_whom_little_is_known_shows_nothing_going_on() -> None:
    """A supervisor has neither mail nor a handler."""
    bare = Node("a", "root/a", "supervisor", "running", 1, 0)
    assert (bare.depth, bare.peak, bare.handled, bare.busy_for) == (0, 0, 0, 0.0)
    assert (bare.last_error, dict(bare.status), bare.children) == ("", {}, ())
