"""Scenarios as data: generated from a seed, written and read back, made smaller without a shift."""

import json
import random
from itertools import islice

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from simulation.market import KINDS as MARKETS
from simulation.market import Mood, Path
from simulation.rulebook import rules_of
from simulation.run import simulate
from simulation.scenario import KINDS, Scenario, generate
from simulation.traders import planned_steps


@given(st.integers(0, 10_000), st.sampled_from(KINDS))
def test_a_generated_scenario_survives_json(seed: int, kind: str) -> None:
    """Nothing of it is lost on the way to a file and back."""
    scenario = generate(seed, kind)
    assert Scenario.of(json.loads(json.dumps(scenario.document()))) == scenario


@given(st.integers(0, 10_000), st.sampled_from(KINDS))
def test_a_seed_always_gives_the_same_scenario(seed: int, kind: str) -> None:
    """Whatever else has drawn chance before."""
    random.seed(seed)
    assert generate(seed, kind) == generate(seed, kind)


@given(st.integers(0, 2_000), st.sampled_from(KINDS))
def test_what_is_generated_can_be_run(seed: int, kind: str) -> None:
    """Known markets and rules, the first account disciplined, copiers after their leaders."""
    scenario = generate(seed, kind)
    assert scenario.market in MARKETS
    assert scenario.accounts[0].trader == "disciplined"
    assert sorted(id_ for login in scenario.seen_by() for id_ in login.accounts) == [
        it.id for it in scenario.accounts
    ]
    for account in scenario.accounts:
        assert len(rules_of(account.rules)) in (5, 6)
        _, _, leader = account.trader.partition(":")
        assert not leader or int(leader) < account.id


@pytest.mark.parametrize(("kind", "seconds"), [("century", None), ("day", 0.0), ("day", -1.0)])
def test_nonsense_is_refused(kind: str, seconds: float | None) -> None:
    """A kind that does not exist, and no time at all."""
    with pytest.raises(ValueError, match="kind|lasts"):
        generate(1, kind, seconds=seconds)


@pytest.mark.parametrize("text", ["max_losses=3", "daily_loss=5:gross", "max_contracts=0"])
def test_rules_that_are_none_are_refused(text: str) -> None:
    """Names, options and values."""
    with pytest.raises(ValueError, match="no rule|more than 0"):
        rules_of(text)


def test_a_shorter_run_has_the_same_first_steps() -> None:
    """What a trader wants early does not depend on how long he may want."""
    long = generate(5)
    short = evolve(long, seconds=300.0)
    steps = list(planned_steps(short, 1002))
    assert steps
    assert steps == list(islice(planned_steps(long, 1002), len(steps)))


def test_a_path_is_the_same_however_it_is_asked() -> None:
    """A price belongs to its second."""
    one, other = (Path(random.Random(3), Mood(trends=1.0, gaps=50.0), 1.0) for _ in "ab")
    seconds = [400, 3, 17, 399]
    assert {it: one.at(it) for it in seconds} == {it: other.at(it) for it in sorted(seconds)}


def test_a_fault_less_leaves_every_other_choice_alone() -> None:
    """What traders want does not depend on what goes wrong."""
    scenario = evolve(generate(4), seconds=240.0)
    some = simulate(evolve(scenario, faults=scenario.faults[:1]))
    none = simulate(evolve(scenario, faults=()))
    planned = [it for it in some.steps if ":at " not in it]
    assert planned == [it for it in none.steps if ":at " not in it]


def test_omitted_steps_are_not_done() -> None:
    """And the others are done as before."""
    scenario = evolve(generate(4), seconds=240.0, faults=())
    steps = simulate(scenario).steps
    gone = steps[1]
    left = simulate(evolve(scenario, omitted=(gone,))).steps
    assert left == tuple(it for it in steps if it != gone)
