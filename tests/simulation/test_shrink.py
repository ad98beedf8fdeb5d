"""Failing scenarios become small without ceasing to fail, and are kept as files."""

from pathlib import Path

import pytest
from attrs import evolve

from simulation.invariants import Violation
from simulation.planning import planned_faults
from simulation.scenario import Scenario
from simulation.shrink import Regression, Trial, first, shrink
from simulation.trouble import CrashActor, Kill, Planned
from simulator.faults import DropHubs, LoseEvents

STEPS = tuple(f"{account}:{n}" for account in (1001, 1002, 1003) for n in range(30))


def scenario() -> Scenario:
    """Full of trouble, two of which matter."""
    base = Scenario(7)
    plan = planned_faults(base.chance("faults"), base.seconds, "minutes", ["SIM-50K-1"])
    matter = (
        Planned(200.0, Kill(down_for=8.0)),
        Planned(300.0, CrashActor(actor="rules", message="Evaluate", moment="after")),
    )
    return evolve(base, faults=tuple(sorted((*plan, *matter), key=lambda it: it.at)))


def attempt(tried: Scenario) -> Trial:
    """It fails when killed for long enough before rules crash, while 1002 does step 17."""
    kills = [it.at for it in tried.faults if isinstance(it.fault, Kill) and it.fault.down_for >= 3]
    crashes = [
        it.at
        for it in tried.faults
        if isinstance(it.fault, CrashActor)
        and it.fault.actor == "rules"
        and it.at > min(kills, default=9e9)
    ]
    steps = tuple(it for it in STEPS if it not in tried.omitted)
    traded = any(it.id == 1002 for it in tried.accounts) and "1002:17" in steps
    noise = (Violation(900.0, 5, "", "something else"),) if tried.seconds > 900 else ()
    if kills and crashes and traded and crashes[0] + 20 < tried.seconds:
        found = Violation(crashes[0] + 20, 1, "SIM-50K-2", "it broke")
        return Trial((*noise, found), steps)
    return Trial(noise, steps)


def test_only_what_matters_is_left() -> None:
    """Two troubles, one account, one step, and no longer than needed."""
    small, violation = shrink(scenario(), attempt)
    assert violation.text == "it broke"
    assert len(small.faults) == 2
    kill, crash = small.faults
    assert isinstance(kill.fault, Kill)
    assert 3 <= kill.fault.down_for < 6
    assert crash.fault == CrashActor(actor="rules")
    assert [it.id for it in small.accounts] == [1002]
    assert set(STEPS) - set(small.omitted) == {"1002:17"}
    assert small.seconds == crash.at + 21


@pytest.mark.parametrize("needed", [0, 300])
def test_the_schedule_is_in_order_from_where_its_shuffles_matter_no_more(needed: int) -> None:
    """To a tenth; a failure that needs no certain order is shown in order altogether."""

    def shuffled(tried: Scenario) -> Trial:
        enough = tried.shuffles is None or tried.shuffles >= needed
        return attempt(tried) if enough else Trial(())

    small, _ = shrink(scenario(), shuffled, runs=1_000)
    assert small.shuffles is not None
    assert needed <= small.shuffles <= needed * 1.1


def test_a_clean_scenario_cannot_shrink() -> None:
    """There is nothing to look for."""
    with pytest.raises(ValueError, match="breaks nothing"):
        shrink(evolve(scenario(), faults=(), seconds=100.0), attempt)


def test_it_gives_up_after_so_many_runs() -> None:
    """And answers with the smallest so far."""
    asked: list[Scenario] = []

    def counted(tried: Scenario) -> Trial:
        asked.append(tried)
        return attempt(tried)

    small, _ = shrink(scenario(), counted, runs=10)
    assert len(asked) == 11
    assert attempt(small).violations


def test_each_step_forward_is_told() -> None:
    """Shrinking takes a while."""
    told: list[str] = []
    shrink(scenario(), attempt, told=told.append)
    assert told[-1].startswith("2 troubles")


def test_the_first_violation_of_a_kind_counts() -> None:
    """Later ones may be its consequences."""
    early, late = Violation(1.0, 1, "", "early"), Violation(2.0, 1, "", "late")
    assert first((late, early, Violation(0.5, 5, "", "other")), 1) == early
    assert first((late,), 11) is None


def test_a_regression_reads_back_as_it_was_written(tmp_path: Path) -> None:
    """With what it once found."""
    kept = Regression(
        "a lock was lost",
        4,
        Scenario(
            3,
            faults=(Planned(1.0, DropHubs()), Planned(2.0, LoseEvents(duration=1.0))),
            shuffles=64,
        ),
    )
    assert Regression.read(kept.write(tmp_path, "lost-lock")) == kept
