"""Random trees under random trouble do what the naive model allows, step by step.

More of the same, as much as wanted: ``python -m tests.supervision.model --examples 100000``.
"""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from .build import DEEP, MIXED, POOLS, SMALL, Climate, plan_from
from .compare import difference
from .drive import drive
from .plan import Break, Cancel, Inject, Plan, Stop, SupervisorPlan

EXAMPLES = 500
chance = st.randoms(use_true_random=False)


def judge(source: random.Random, climate: Climate) -> None:
    plan = plan_from(source, climate)
    found = difference(plan, drive(plan))
    assert found is None, f"{plan}\n\n{found}"


@given(chance)
@settings(max_examples=EXAMPLES)
def test_trees_of_all_kinds_do_what_the_model_allows(source: random.Random) -> None:
    """Every strategy, restart kind and trouble, up to four levels deep."""
    judge(source, MIXED)


@given(chance)
@settings(max_examples=EXAMPLES)
def test_small_trees_in_which_several_crash_at_once_do_what_the_model_allows(
    source: random.Random,
) -> None:
    """Groups that meet each other: crashes at one instant, during restarts and during stops."""
    judge(source, SMALL)


@given(chance)
@settings(max_examples=EXAMPLES)
def test_deep_trees_do_what_the_model_allows(source: random.Random) -> None:
    """Supervisors in supervisors: what escalates, what is stopped from above, what times out."""
    judge(source, DEEP)


@given(chance)
@settings(max_examples=EXAMPLES)
def test_trees_with_dynamic_children_do_what_the_model_allows(source: random.Random) -> None:
    """Children come and go while their supervisor starts, restarts, is parked and stops."""
    judge(source, POOLS)


def plans(number: int) -> list[Plan]:
    return [plan_from(random.Random(each)) for each in range(number)]


def depth(plan: SupervisorPlan) -> int:
    inner = [depth(child) for child in plan.children if isinstance(child, SupervisorPlan)]
    return 1 + max(inner, default=0)


def test_the_campaign_meets_what_it_is_for() -> None:
    """Deep trees, every event, bursts, and an end of each kind are frequent, not just possible."""
    some = plans(150)
    words: dict[str, int] = {}
    for plan in some:
        for word in {item[0] for _, item in drive(plan).steps}:
            words[word] = words.get(word, 0) + 1
    assert max(depth(plan.root) for plan in some) == 4
    often = {"Started", "Crashed", "Restarting", "Parked", "Unparked", "Stopped", "EscalatedEvent"}
    assert {word for word in often if words.get(word, 0) >= 15} == often
    assert {type(each) for plan in some for _, several in plan.troubles for each in several} >= {
        Break,
        Cancel,
        Inject,
        Stop,
    }
