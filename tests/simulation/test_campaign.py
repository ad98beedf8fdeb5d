"""Campaigns: what a seed stands for, processes that die or hang, totals and floors."""

from collections import Counter
from collections.abc import Iterator

import pytest
from attrs import evolve

from simulation.campaign import Campaign, Run, run_seed, runs
from simulation.coverage import SOMETIMES, Coverage
from simulation.floors import AROUND_A_RESET, AT_LEAST, ENOUGH, TROUBLE, floors_of
from simulation.invariants import Violation
from simulation.planning import one_trouble
from simulation.report import PROMISES, again_of, document, markdown, what_failed
from simulation.scenario import Scenario, generate
from simulation.tally import Tally, tally_of

SHORT = Campaign(3, 3, "minutes", 30.0)
WELL = Coverage(
    seconds=100.0,
    live=90.0,
    faults=Counter(dict.fromkeys(TROUBLE, 1)),
    sometimes=Counter(dict.fromkeys(SOMETIMES, 1_000)),
)


def clean_runs(campaign: Campaign, coverage: Coverage = WELL) -> Iterator[Run]:
    """As if each seed had gone well."""
    for seed in campaign.numbers:
        yield Run(seed, campaign.kind_of(seed), 60.0, coverage=coverage, messages=10)


def test_a_seed_stands_for_the_same_scenario_in_every_campaign() -> None:
    """Whichever comes first, and whether it is run alone."""
    assert Campaign(0, 100).scenario(17) == Campaign(17, 1).scenario(17)
    assert Campaign(0, 10, "night").scenario(3) == generate(3, "night")


def test_a_mixed_campaign_has_every_kind_of_trouble() -> None:
    """Mostly days, some ends of days, of holidays and of summer time."""
    campaign = Campaign(0, 20)
    kinds = Counter(campaign.kind_of(seed) for seed in campaign.numbers)
    assert kinds == {"minutes": 14, "early": 2, "reset": 2, "night": 2}


def test_every_seed_is_run_once_over_several_processes() -> None:
    """And shows what it shows in this one."""
    ended = sorted(runs(SHORT, jobs=2), key=lambda run: run.seed)
    assert ended == [run_seed(SHORT, seed) for seed in SHORT.numbers]
    assert all(run.clean and run.messages > 0 for run in ended)


def test_a_process_that_dies_fails_its_seed_alone() -> None:
    """Another goes on with the next one."""
    unknown = evolve(SHORT, kind="century", seeds=1)
    with pytest.raises(ValueError, match="century"):
        list(runs(unknown, jobs=1))
    ended = list(runs(_Fragile(3, 3, "minutes", 30.0), jobs=1))
    assert [run.failure for run in ended] == ["", "its process ended with code 7", ""]


class _Fragile(Campaign):
    """One of its seeds ends the process that runs it."""

    def scenario(self, seed: int) -> Scenario:
        """As usual, but for one."""
        import multiprocessing
        import sys

        if seed == 4 and multiprocessing.parent_process() is not None:
            sys.exit(7)
        return super().scenario(seed)


def test_processes_that_hang_are_given_up() -> None:
    """Their seeds have shown nothing."""
    ended = list(runs(evolve(SHORT, seconds=20_000.0, seeds=2), jobs=1, hangs_after=0.01))
    assert [run.failure for run in ended] == ["it hung"]


def test_a_campaign_may_be_left_before_its_end() -> None:
    """No process stays behind."""
    started = runs(SHORT, jobs=1)
    assert next(started).clean
    started.close()
    assert next(started, None) is None


def test_totals_are_the_sum_of_the_runs() -> None:
    """In whichever order they end."""
    campaign = Campaign(0, 4)
    tally = tally_of(campaign, reversed(list(clean_runs(campaign))))
    assert (tally.done, tally.messages, tally.coverage.seconds) == (4, 40, 400.0)
    assert tally.good
    assert not tally.interrupted


def test_a_violation_fails_the_campaign() -> None:
    """Of each invariant it is said how often; what costs money is counted apart."""
    campaign = Campaign(0, 3)
    tally = tally_of(campaign, clean_runs(campaign))
    tally.add(Run(3, "minutes", 60.0, violations=(Violation(5.0, 11, "A", "closed for nothing"),)))
    assert not tally.good
    assert tally.false_alarms == 1
    assert document(tally, 2.0)["violations"] == {**{str(n): 0 for n in PROMISES}, "11": 1}


def test_a_run_that_showed_nothing_fails_the_campaign() -> None:
    """Its violations are not known to be none."""
    tally = tally_of(Campaign(0, 1), [Run(0, "minutes", 60.0, failure="it hung", coverage=WELL)])
    assert not tally.good
    assert what_failed(tally.failed[0]) == "it hung"


def test_long_campaigns_must_meet_every_state_and_trouble() -> None:
    """Else a clean one says little; short ones need only be live."""
    long, short = Campaign(0, ENOUGH), Campaign(0, ENOUGH - 1)
    poor = evolve(WELL, faults=Counter(), sometimes=Counter())
    assert tally_of(long, clean_runs(long)).good
    missed = tally_of(long, clean_runs(long, poor)).shortfalls()
    assert len(missed) == len(floors_of(long).sometimes) + len(TROUBLE)
    assert tally_of(short, clean_runs(short, poor)).good
    assert not tally_of(short, clean_runs(short, evolve(WELL, live=10.0))).good


def test_every_state_has_its_floor() -> None:
    """In a thousand mixed seeds each is demanded, however rare; and often is more than once."""
    assert set(AT_LEAST) == set(SOMETIMES)
    assert set(floors_of(Campaign(0, 1_000)).sometimes) == set(SOMETIMES)
    assert floors_of(Campaign(0, 1_000)).sometimes["close executed"] > 1_000


def test_a_day_that_ends_before_its_reset_need_not_meet_one() -> None:
    """Nor need an early close; all else that a day can meet it must."""
    assert {
        "lock ended",
        "lock within a minute of a reset",
        "day turned over open positions unseen",
    } == AROUND_A_RESET
    days = floors_of(Campaign(0, 1_000, "day")).sometimes
    assert set(days) == set(floors_of(Campaign(0, ENOUGH, "early")).sometimes)
    assert set(SOMETIMES) - set(days) == AROUND_A_RESET
    assert set(floors_of(Campaign(0, ENOUGH, "reset")).sometimes) == set(SOMETIMES)


def test_shorter_runs_must_meet_less() -> None:
    """Half a day half as much; longer ones no more than usual ones."""
    half, usual, longer = (
        floors_of(Campaign(0, ENOUGH, "day", seconds)).sometimes["lock set"]
        for seconds in (5_400.0, None, 21_600.0)
    )
    assert half == usual // 2
    assert longer == usual


def test_nothing_is_demanded_of_what_was_interrupted() -> None:
    """It is told as interrupted."""
    tally = Tally(Campaign(0, ENOUGH))
    tally.add(next(clean_runs(Campaign(0, 1), Coverage())))
    assert tally.interrupted
    assert tally.shortfalls() == ()
    assert "**Interrupted: 1 of 200 seeds have been run.**" in markdown(tally, 1.0, "again")


def test_the_floor_knows_every_trouble_that_is_planned() -> None:
    """No more and no less than the planner draws from."""
    chance = Scenario(1).chance("a test")
    assert {one_trouble(chance, ["A"]).name for _ in range(20_000)} == TROUBLE
    assert floors_of(Campaign(0, ENOUGH)).faults == TROUBLE


def test_a_failed_seed_is_named_with_its_command() -> None:
    """In the page as on the screen."""
    broken = (Violation(9.0, 1, "B", "later"), Violation(5.0, 2, "A", "it could add"))
    run = Run(29, "night", 1200.0, violations=broken)
    page = markdown(tally_of(Campaign(29, 1), [run]), 1.0, "again")
    assert again_of(run) == "seawall simulate --seed 29 --minutes 20 --kind night"
    assert f"- `{again_of(run)}`: invariant 2 at 5.000 s, A: it could add" in page
