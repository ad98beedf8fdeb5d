"""What a supervisor decides when delays, batches, groups and deadlines meet."""

import math
from typing import Any

import pytest
from attrs import evolve

from supervision import (
    Backoff,
    Dynamic,
    Intensity,
    Park,
    Quarantine,
    Restart,
    Strategy,
    SupervisorSpec,
    policy,
)
from supervision.decide import decide, next_due
from supervision.policy import Exit, History
from supervision.state import (
    Action,
    Admitted,
    AskStop,
    Began,
    ChildState,
    Cut,
    Ended,
    Event,
    Forget,
    Launch,
    Phase,
    Rose,
    StopAsked,
    TellEscalated,
    TellParked,
    TellRestart,
    TellUp,
    TimePassed,
    TreeState,
)

KINDS = {"p": Restart.PERMANENT, "t": Restart.TRANSIENT, "d": Restart.TEMPORARY}


class Family:
    """Feeds events to ``decide`` at the time ``now``; what is to be done comes back."""

    def __init__(self, kinds: str = "ppp", **wishes: Any) -> None:
        spec = SupervisorSpec("root", **{"intensity": Intensity(9, 1000.0), **wishes})
        children = [ChildState(i, KINDS[k]) for i, k in zip("abcdef", kinds, strict=False)]
        self.state = TreeState(spec, {child.id: child for child in children})
        self.now = 0.0

    def tell(self, *events: Event, at: float | None = None) -> list[Action]:
        self.now = self.now if at is None else at
        actions: list[Action] = []
        for event in events:
            self.state, done = decide(self.state, event, self.now)
            actions += done
        return actions

    def born(self) -> "Family":
        self.tell(Began(), TimePassed(), *map(Rose, self.state.children))
        assert all(child.up for child in self.state.children.values())
        return self


def crash(child: str, draw: float = 0.5) -> Ended:
    return Ended(child, failed=True, draw=draw)


def end(child: str) -> Ended:
    return Ended(child, failed=False)


@pytest.mark.parametrize(
    ("children", "due"),
    [
        ([ChildState("a", due=5.0)], 5.0),
        ([ChildState("a", due=5.0), ChildState("b", due=3.0)], 3.0),
        ([ChildState("a", due=1.0)], math.inf),
        ([ChildState("a", due=0.5), ChildState("b", due=3.0)], 3.0),
        ([ChildState("a", due=5.0, phase=Phase.UP)], math.inf),
        ([ChildState("a", due=5.0, wanted=False)], math.inf),
        ([], math.inf),
    ],
)
def test_time_alone_changes_something_when_the_next_delay_ends(
    children: list[ChildState], due: float
) -> None:
    """Of those who wait for a start; a delay that is over now has been looked at already."""
    known = {child.id: child for child in children}
    assert next_due(TreeState(SupervisorSpec("s"), known), 1.0) == due


def test_one_that_starts_slowly_again_holds_up_nobody_who_was_up_before() -> None:
    """Restarts of their own do not wait for one another: order is a matter of the first start."""
    home = Family(backoff=Backoff(initial=5.0)).born()
    assert home.tell(crash("a")) == [TellRestart("a", 2, 5.0)]
    assert home.tell(crash("b"), at=1.0) == [TellRestart("b", 2, 5.0)]
    assert home.tell(TimePassed(), at=5.0) == [Launch("a", 2)]
    assert home.tell(TimePassed(), at=6.0) == [Launch("b", 2)]


def test_those_after_a_child_whose_first_start_fails_wait_for_it() -> None:
    """They may rely on it, and it has never been there."""
    home = Family(backoff=Backoff(initial=5.0))
    home.tell(Began(), TimePassed(), Rose("a"))
    assert home.tell(crash("b")) == [TellRestart("b", 2, 5.0)]
    assert home.tell(TimePassed(), at=5.0) == [Launch("b", 2)]
    assert home.tell(Rose("b")) == [Launch("c", 1)]


def test_a_new_group_takes_the_members_of_an_older_one_along() -> None:
    """They start in the order of the new one, each after the one before."""
    home = Family(strategy=Strategy.REST_FOR_ONE, backoff=Backoff(initial=5.0)).born()
    home.tell(crash("c"))
    assert home.tell(crash("a"), at=1.0) == [
        TellRestart("a", 2, 5.0),
        AskStop("b", for_good=False),
    ]
    home.tell(end("b"))
    assert home.tell(TimePassed(), at=5.5) == []
    assert home.tell(TimePassed(), at=6.0) == [Launch("a", 2)]
    assert home.tell(Rose("a")) == [Launch("b", 2)]
    assert home.tell(Rose("b")) == [Launch("c", 2)]


def test_a_group_waits_for_a_temporary_member_that_leaves_with_an_older_group() -> None:
    """Nobody starts while one that comes after it is still going down."""
    home = Family("ppdp", strategy=Strategy.REST_FOR_ONE).born()
    home.tell(crash("b"))
    assert home.tell(end("d"))[-1] == AskStop("c", for_good=True)
    assert home.tell(crash("a")) == [TellRestart("a", 2, 0.0)]
    assert home.tell(end("c")) == [Forget("c"), Launch("a", 2)]
    assert home.tell(Rose("a"), Rose("b")) == [Launch("b", 2), Launch("d", 2)]


def test_a_temporary_child_that_joined_before_it_was_there_is_like_any_other() -> None:
    """It leaves nobody by being started a little later."""
    home = Family("pd", strategy=Strategy.REST_FOR_ONE)
    home.tell(Began(), TimePassed(), crash("a"))
    assert home.tell(Rose("a"), Rose("b")) == [Launch("b", 1), TellUp()]
    assert home.state.children["b"].judged
    assert home.tell(StopAsked(False, 9.0)) == [AskStop("b", for_good=False)]


def test_a_member_that_crashes_on_its_way_down_waits_for_what_is_left_of_the_delay() -> None:
    """The delay of its group, which began before."""
    home = Family(strategy=Strategy.ONE_FOR_ALL, backoff=Backoff(initial=2.0)).born()
    home.tell(crash("a"))
    assert home.tell(crash("c"), at=0.5)[0] == TellRestart("c", 2, 1.5)
    assert home.tell(crash("b"), at=3.0)[0] == TellRestart("b", 2, 0.0)


def test_dynamic_children_do_not_wait_for_one_another() -> None:
    """Neither when they come nor when all of them come back."""
    home = Family("", dynamic=Dynamic())
    home.tell(Began())
    assert home.tell(Admitted("a")) == [Launch("a", 1)]
    assert home.tell(Admitted("b")) == [Launch("b", 1)]
    home.tell(Rose("a"), Rose("b"), StopAsked(False, 9.0), end("a"), end("b"))
    assert home.tell(Began(), TimePassed()) == [Launch("a", 2), Launch("b", 2)]


GROWING = Backoff(initial=1.0, base=10.0, calm=60.0)


def test_only_a_calm_life_makes_the_next_delay_short_again() -> None:
    """Measured from the moment when it was up."""
    home = Family("p", backoff=GROWING).born()
    assert home.tell(crash("a"), at=10.0) == [TellRestart("a", 2, 1.0)]
    home.tell(TimePassed(), at=11.0)
    home.tell(Rose("a"), at=50.0)
    assert home.tell(crash("a"), at=109.0) == [TellRestart("a", 3, 5.0)]
    home.tell(TimePassed(), at=114.0)
    home.tell(Rose("a"), at=115.0)
    assert home.tell(crash("a"), at=175.0) == [TellRestart("a", 4, 1.0)]


@pytest.mark.parametrize("calm", [0.5, 60.0])
def test_a_failed_start_is_no_life_at_all(calm: float) -> None:
    """However long ago the life before it began."""
    home = Family("p", backoff=evolve(GROWING, calm=calm)).born()
    home.tell(crash("a"), at=0.1)
    home.tell(TimePassed(), at=100.0)
    assert home.tell(crash("a"), at=200.0) == [TellRestart("a", 3, 5.0)]


def test_behind_a_bulkhead_who_was_up_gets_its_restarts_and_who_was_not_is_parked() -> None:
    """As is, at once, a supervisor that gave up."""
    home = Family("ppp", exhausted=Park(7.0))
    home.tell(Began(), TimePassed(), Rose("a"))
    assert home.tell(crash("b")) == [TellParked("b", 7.0), Launch("c", 1)]
    home.tell(Rose("c"))
    assert home.tell(crash("a"))[0] == TellRestart("a", 2, 0.0)
    assert home.tell(Ended("c", failed=True, gave_up=True)) == [TellParked("c", 7.0)]


def test_one_that_came_back_from_parking_is_one_of_the_group_again() -> None:
    """It was left alone only while it was set aside."""
    home = Family("pp", strategy=Strategy.ONE_FOR_ALL, exhausted=Park(7.0))
    home.tell(Began(), TimePassed())
    assert home.tell(crash("a"))[0] == TellParked("a", 7.0)
    home.tell(Rose("b"))
    assert home.tell(TimePassed(), at=7.0) == [Launch("a", 2, unparked=True)]
    home.tell(Rose("a"))
    assert home.tell(crash("b")) == [TellRestart("b", 2, 0.0), AskStop("a", for_good=False)]


def test_a_new_life_forgets_all_but_generations_and_who_has_finished() -> None:
    """Whatever the last one left behind."""
    failures = History(3, (1.0, 2.0), on_probation=True)
    worn = ChildState("a", KINDS["t"], Phase.DOWN, 4, failures, 7, 99.0, 5.0, ever_up=True)
    gone = ChildState("b", KINDS["d"], generation=1, batch=6, wanted=False, leaving=True)
    spec = SupervisorSpec("s")
    used = TreeState(
        spec,
        {"a": evolve(worn, parked=True, cycling=True, stopping=True), "b": gone},
        batch=8,
        spent=(1.0,),
        stopping=True,
        for_good=True,
        cut_at=4.0,
        up=True,
    )
    state, actions = decide(used, Began(), 100.0)
    assert actions == ()
    assert state == TreeState(
        spec,
        {
            "a": ChildState("a", KINDS["t"], generation=4, batch=9),
            "b": ChildState("b", KINDS["d"], generation=1, batch=9, wanted=False),
        },
        batch=9,
    )


def test_a_family_that_is_told_to_stop_while_it_starts_is_never_up() -> None:
    """Although its last child may get there first."""
    home = Family("p")
    home.tell(Began(), TimePassed())
    assert home.tell(StopAsked(True, 5.0)) == [AskStop("a", for_good=True)]
    assert home.tell(Rose("a")) == []
    assert not home.state.up


def test_who_was_stopped_for_good_is_forgotten_when_it_has_ended() -> None:
    """And who was not keeps its place and its queue."""
    home = Family("pp").born()
    assert home.tell(StopAsked(True, 5.0)) == [AskStop("b", for_good=True)]
    assert home.tell(end("b")) == [Forget("b"), AskStop("a", for_good=True)]
    other = Family("pp").born()
    assert other.tell(StopAsked(False, 5.0)) == [AskStop("b", for_good=False)]
    assert other.tell(end("b")) == [AskStop("a", for_good=False)]


def test_who_gives_up_leaves_its_children_the_time_of_a_stop() -> None:
    """Counted from the moment at which it gave up."""
    home = Family("pp", intensity=Intensity(0), stop_within=20.0).born()
    assert home.tell(crash("a"), at=3.0) == [TellEscalated("a"), AskStop("b", for_good=False)]
    assert next_due(home.state, 3.0) == 23.0
    assert home.tell(TimePassed(), at=22.0) == []
    assert home.tell(TimePassed(), at=23.0) == [Cut("b", for_good=False)]


def test_a_temporary_child_on_its_way_out_is_cut_off_for_good() -> None:
    """Whatever becomes of the others, there is no other life for it."""
    home = Family("pdp", strategy=Strategy.ONE_FOR_ALL).born()
    home.tell(crash("c"), StopAsked(False, 5.0))
    cut = home.tell(TimePassed(), at=5.0)
    assert cut == [Cut("a", for_good=False), Cut("b", for_good=True)]


@pytest.mark.parametrize("later", [False, True])
def test_the_strictest_of_several_wishes_to_stop_holds(later: bool) -> None:
    """Whichever comes second: the earliest deadline, and for good if any was."""
    wishes = [StopAsked(True, 9.0), StopAsked(False, 5.0)]
    home = Family("pp").born()
    home.tell(*(reversed(wishes) if later else wishes))
    assert home.state.stopping
    assert home.tell(TimePassed(), at=4.9) == []
    assert home.tell(TimePassed(), at=5.0) == [Cut("a", for_good=True), Cut("b", for_good=True)]
    for_now = Family("p").born()
    for_now.tell(StopAsked(False, 5.0), StopAsked(False, 9.0))
    assert for_now.tell(TimePassed(), at=5.0) == [Cut("a", for_good=False)]


def test_one_that_was_to_come_back_learns_that_it_will_not() -> None:
    """So that it works off its queue; but it learns it only once."""
    home = Family("pp").born()
    assert home.tell(StopAsked(False, 9.0)) == [AskStop("b", for_good=False)]
    assert home.tell(StopAsked(True, 9.0)) == [AskStop("b", for_good=True)]
    assert home.tell(StopAsked(True, 9.0), TimePassed()) == []
    assert home.tell(end("b")) == [Forget("b"), AskStop("a", for_good=True)]


def test_nobody_is_asked_any_more_once_everybody_has_been_cut_off() -> None:
    """To be asked would give a new deadline to one whose time is over."""
    home = Family().born()
    home.tell(StopAsked(True, 5.0), TimePassed())
    home.tell(TimePassed(), at=5.0)
    assert home.tell(end("c")) == [Forget("c")]
    assert home.tell(end("a")) == [Forget("a")]
    assert home.tell(end("b")) == [Forget("b")]


def test_what_cannot_happen_is_an_error() -> None:
    """An event or a decision that is not provided for must not be passed over."""
    with pytest.raises(AssertionError, match="unreachable"):
        Family().tell("an earthquake")  # type: ignore[arg-type]


def test_a_verdict_that_is_not_provided_for_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the child would be neither started nor finished."""
    home = Family("p").born()
    monkeypatch.setattr(policy, "judge", lambda *_, **__: ("mercy", History()))
    with pytest.raises(AssertionError, match="mercy"):
        home.tell(crash("a"))


@pytest.mark.parametrize(("now", "left"), [(10.5, (0.5, 2.0)), (12.0, (2.0,)), (12.5, ())])
def test_a_period_looks_back_from_now(now: float, left: tuple[float, ...]) -> None:
    """Both ends belong to it."""
    assert policy.within(10.0, (0.5, 2.0), now) == left


@pytest.mark.parametrize(
    ("kills", "now", "poisoned"),
    [((0.0, 1.0), 1.0, False), ((0.0, 1.0, 2.0), 2.0, True), ((0.0, 11.0, 12.0), 12.0, False)],
)
def test_a_class_is_poisoned_by_as_many_kills_as_were_named(
    kills: tuple[float, ...], now: float, poisoned: bool
) -> None:
    """Within the time that was named."""
    assert policy.poisoned(Quarantine(kills=3, within=10.0), kills, now) is poisoned


def test_parking_is_no_pardon() -> None:
    """The record is kept until a calm life ends it."""
    spec = SupervisorSpec("s", exhausted=Park(7.0), intensity=Intensity(1, 10.0))
    before = History(1, (0.0,))
    _, after = policy.judge(spec, Restart.PERMANENT, before, (), Exit(1.0, failed=True), draw=0.5)
    assert after == History(1, (0.0,), on_probation=True)
