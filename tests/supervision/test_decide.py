"""The decisions of a supervisor about its whole family, without a clock and without Trio."""

import math
from collections.abc import Iterable

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from supervision import Backoff, Dynamic, Intensity, Park, Restart, Strategy, SupervisorSpec
from supervision.decide import decide, next_due
from supervision.state import (
    Action,
    Admitted,
    AskStop,
    Began,
    ChildState,
    Cut,
    Dismissed,
    Ended,
    Event,
    Forget,
    Launch,
    Rose,
    StopAsked,
    TellEscalated,
    TellParked,
    TellRestart,
    TellUp,
    TimePassed,
    TreeState,
)

THREE_IN_TEN = Intensity(3, 10.0)
NO_DELAY = Backoff()


class Family:
    """Feeds events to ``decide`` and keeps the state; what is to be done comes back."""

    def __init__(self, spec: SupervisorSpec, children: Iterable[ChildState]) -> None:
        self.state = TreeState(spec, {child.id: child for child in children})
        self.now = 0.0

    def tell(self, *events: Event) -> list[Action]:
        actions: list[Action] = []
        for event in events:
            self.state, done = decide(self.state, event, self.now)
            actions += done
        return actions

    def born(self) -> "Family":
        """All up, in the way in which a shell would bring them up."""
        todo = self.tell(Began(), TimePassed())
        while launched := [action.id for action in todo if isinstance(action, Launch)]:
            todo = self.tell(*map(Rose, launched))
        return self

    def words(self) -> str:
        return " ".join(f"{child.id}:{child.word}" for child in self.state.children.values())


def family(
    strategy: Strategy = Strategy.ONE_FOR_ONE,
    *,
    kinds: str = "ppp",
    intensity: Intensity = THREE_IN_TEN,
    backoff: Backoff = NO_DELAY,
    exhausted: Park | None = None,
) -> Family:
    """Children a, b, c ..., each permanent, transient or temporary (the letter d) by its letter."""
    spec = SupervisorSpec("root", strategy=strategy, intensity=intensity, backoff=backoff)
    if exhausted is not None:
        spec = evolve(spec, exhausted=exhausted)
    kind = {"p": Restart.PERMANENT, "t": Restart.TRANSIENT, "d": Restart.TEMPORARY}
    return Family(spec, [ChildState(i, kind[k]) for i, k in zip("abcdef", kinds, strict=False)])


def crash(child: str, draw: float = 0.0) -> Ended:
    return Ended(child, failed=True, draw=draw)


def end(child: str) -> Ended:
    return Ended(child, failed=False)


def test_children_are_launched_one_after_the_other_and_then_the_family_is_up() -> None:
    """Each may rely on those before it."""
    home = family()
    assert home.tell(Began()) == []
    assert home.tell(TimePassed()) == [Launch("a", 1)]
    assert home.tell(TimePassed()) == []
    assert home.tell(Rose("a")) == [Launch("b", 1)]
    assert home.tell(Rose("b")) == [Launch("c", 1)]
    assert home.tell(Rose("c")) == [TellUp()]
    assert home.tell(TimePassed()) == []


def test_a_family_without_children_is_up_at_once() -> None:
    """It waits for nobody."""
    assert family(kinds="").tell(Began(), TimePassed()) == [TellUp()]


def test_a_family_that_is_to_stop_before_it_starts_starts_nobody() -> None:
    """The wish to stop comes in before the first step."""
    home = family()
    assert home.tell(Began(), StopAsked(True, 5.0), TimePassed()) == []
    assert home.state.over


@pytest.mark.parametrize(
    ("strategy", "asked", "launched"),
    [
        (Strategy.ONE_FOR_ONE, [], ["b"]),
        (Strategy.REST_FOR_ONE, ["c"], ["b", "c"]),
        (Strategy.ONE_FOR_ALL, ["c", "a"], ["a", "b", "c"]),
    ],
)
def test_a_group_goes_down_in_reverse_and_comes_up_in_order(
    strategy: Strategy, asked: list[str], launched: list[str]
) -> None:
    """One step at a time: the next is asked when the one before it has ended."""
    home = family(strategy).born()
    todo = home.tell(crash("b"))
    assert todo[0] == TellRestart("b", 2, 0.0)
    for child in asked:
        assert todo[-1] == AskStop(child, for_good=False)
        todo = home.tell(end(child))
    for child in launched:
        assert todo[-1] == Launch(child, 2)
        todo = home.tell(Rose(child))
    assert todo == []
    assert home.words() == "a:running b:running c:running"


def test_a_member_that_ends_by_itself_while_it_is_to_go_down_is_not_judged() -> None:
    """Its end is what was wanted; it costs nothing of the budget."""
    home = family(Strategy.ONE_FOR_ALL, intensity=Intensity(1, 10.0)).born()
    assert home.tell(crash("b"))[-1] == AskStop("c", for_good=False)
    assert home.tell(crash("a")) == [TellRestart("a", 2, 0.0)]
    assert home.tell(crash("c"))[-1] == Launch("a", 2)
    assert home.state.spent == (0.0,)


def test_a_group_waits_for_its_delay_and_for_its_last_member() -> None:
    """Both: nobody starts early, and nobody beside one that still runs."""
    home = family(Strategy.ONE_FOR_ALL, backoff=Backoff(initial=2.0)).born()
    home.tell(crash("a"))
    home.now = 3.0
    assert home.tell(TimePassed()) == []
    home.tell(end("c"))
    assert home.tell(end("b"))[-1] == Launch("a", 2)
    other = family(backoff=Backoff(initial=2.0)).born()
    other.tell(crash("a"))
    assert next_due(other.state, 0.0) == 2.0
    other.now = 1.9
    assert other.tell(TimePassed()) == []
    other.now = 2.0
    assert other.tell(TimePassed()) == [Launch("a", 2)]
    assert next_due(other.state, 2.0) == math.inf


def test_a_temporary_member_leaves_with_its_group_and_a_finished_one_stays_finished() -> None:
    """Neither is started again, with whomever it stood."""
    home = family(Strategy.ONE_FOR_ALL, kinds="ptd").born()
    assert home.tell(end("b")) == [Forget("b")]
    assert home.tell(crash("a"))[-1] == AskStop("c", for_good=True)
    assert home.tell(end("c")) == [Forget("c"), Launch("a", 2)]
    home.tell(Rose("a"))
    assert home.words() == "a:running b:stopped c:stopped"


def test_a_temporary_child_that_has_not_started_yet_loses_nothing_by_a_restart_before_it() -> None:
    """It did not fail; it starts when its turn comes."""
    home = family(Strategy.REST_FOR_ONE, kinds="pd")
    home.tell(Began(), TimePassed())
    assert home.tell(crash("a")) == [TellRestart("a", 2, 0.0), Launch("a", 2)]
    assert home.tell(Rose("a")) == [Launch("b", 1)]


@pytest.mark.parametrize(("late", "gives_up"), [(10.0, True), (10.5, False)])
def test_the_budget_counts_the_period_inclusive(late: float, gives_up: bool) -> None:
    """One restart too many at the very end of the period is one too many."""
    home = family(intensity=Intensity(1, 10.0)).born()
    home.tell(crash("a"), Rose("a"))
    home.now = late
    todo = home.tell(crash("a"))
    assert (TellEscalated("a") in todo) is gives_up


def test_giving_up_stops_the_others_in_reverse_and_not_for_good() -> None:
    """Their queues are for the next life, should there be one."""
    home = family(intensity=Intensity(0, 10.0)).born()
    assert home.tell(crash("b")) == [TellEscalated("b"), AskStop("c", for_good=False)]
    assert home.tell(crash("c")) == [AskStop("a", for_good=False)]
    assert home.tell(end("a")) == []
    assert home.state.over


def test_a_new_life_begins_with_an_empty_record() -> None:
    """Restarts, parking and the wish to stop belong to the last one; generations go on."""
    home = family(exhausted=Park(30.0), intensity=Intensity(0, 10.0)).born()
    assert TellParked("b", 30.0) in home.tell(crash("b"))
    home.tell(StopAsked(False, 9.0), end("c"), end("a"))
    assert home.tell(Began(), TimePassed()) == [Launch("a", 2)]
    assert home.tell(Rose("a")) == [Launch("b", 2)]
    assert (home.state.stopping, home.state.cut_at) == (False, math.inf)


def test_a_parked_child_holds_up_nobody_and_comes_back_unparked() -> None:
    """Neither the start of the others nor their restarts."""
    home = family(Strategy.ONE_FOR_ALL, exhausted=Park(30.0))
    home.tell(Began(), TimePassed())
    assert home.tell(crash("a")) == [TellParked("a", 30.0), Launch("b", 1)]
    home.tell(Rose("b"), Rose("c"))
    assert home.words() == "a:parked b:running c:running"
    home.tell(crash("c"), end("b"), Rose("b"), Rose("c"))
    home.now = 30.0
    assert home.tell(TimePassed()) == [Launch("a", 2, unparked=True)]


def test_those_who_are_late_are_cut_off_all_together_and_once() -> None:
    """When the time of the whole family is over, order no longer matters."""
    home = family().born()
    assert home.tell(StopAsked(True, 5.0)) == [AskStop("c", for_good=True)]
    home.now = 5.0
    cut = [Cut("a", for_good=True), Cut("b", for_good=True), Cut("c", for_good=True)]
    assert home.tell(TimePassed()) == cut
    assert home.tell(TimePassed()) == []
    assert next_due(home.state, 5.0) == math.inf


def dynamic() -> Family:
    return Family(SupervisorSpec("root", dynamic=Dynamic(), exhausted=Park()), ())


def test_dynamic_children_come_at_once_and_go_together() -> None:
    """They do not wait for one another in either direction."""
    home = dynamic()
    assert home.tell(Began(), Admitted("a"), Admitted("b")) == [Launch("a", 1), Launch("b", 1)]
    assert home.tell(Rose("b"), Rose("a")) == [TellUp()]
    stops = home.tell(StopAsked(True, 5.0))
    assert stops == [AskStop("b", for_good=True), AskStop("a", for_good=True)]


def test_a_dismissed_child_is_forgotten_when_it_has_ended() -> None:
    """At once when it was down; then its name is free."""
    home = dynamic()
    home.tell(Began(), Admitted("a"), Rose("a"))
    assert home.tell(Dismissed("a"), TimePassed()) == [AskStop("a", for_good=True)]
    assert home.tell(crash("a")) == [Forget("a")]
    assert home.state.children == {}
    home.tell(Admitted("b"), crash("b"))
    assert home.words() == "b:parked"
    assert home.tell(Dismissed("b")) == [Forget("b")]


events = st.one_of(
    st.builds(Rose, st.sampled_from("abc")),
    st.builds(Ended, st.sampled_from("abc"), st.booleans(), st.booleans(), st.floats(0, 0.99)),
    st.builds(TimePassed),
    st.builds(StopAsked, st.booleans(), st.floats(0, 50)),
)


@given(
    st.sampled_from(Strategy),
    st.text("ptd", min_size=3, max_size=3),
    st.sampled_from([None, Park(5.0)]),
    st.lists(st.tuples(st.floats(0, 8), events), max_size=40),
)
def test_whatever_happens_nobody_lives_twice_and_a_stop_is_asked_of_the_living_only(
    strategy: Strategy, kinds: str, exhausted: Park | None, story: list[tuple[float, Event]]
) -> None:
    """And the state that was given is left as it was."""
    home = family(strategy, kinds=kinds, exhausted=exhausted)
    home.tell(Began(), TimePassed())
    for pause, event in story:
        home.now += pause
        before = home.state
        child = getattr(event, "id", None)
        if child is not None and not before.children[child].alive:
            continue
        if isinstance(event, Rose) and before.children[child or ""].up:
            continue
        kept = dict(before.children)
        for action in home.tell(event):
            match action:
                case Launch(id_):
                    assert id_ == child or not before.children[id_].alive
                    assert not before.stopping
                case AskStop(id_) | Cut(id_):
                    assert before.children[id_].alive
                case _:
                    pass
        assert dict(before.children) == kept


def test_who_is_asked_to_stop_again_has_no_more_time_than_before() -> None:
    """Nor is a final stop less final."""
    home = family().born()
    home.tell(StopAsked(True, 5.0), StopAsked(False, 9.0))
    assert (home.state.for_good, next_due(home.state, 0.0)) == (True, 5.0)
    other = family(intensity=Intensity(0, 10.0)).born()
    other.tell(crash("b"), StopAsked(True, 3.0))
    assert (other.state.for_good, next_due(other.state, 0.0)) == (True, 3.0)


def test_who_is_dismissed_together_is_not_started_in_between() -> None:
    """Of two that were taken away while their supervisor was down, neither comes up for a moment."""
    home = dynamic()
    home.tell(Began(), Admitted("a"), Admitted("b"), StopAsked(False, 5.0), end("a"), end("b"))
    assert home.tell(Began(), Dismissed("a"), Dismissed("b")) == [Forget("a"), Forget("b")]
    assert home.tell(TimePassed()) == [TellUp()]
