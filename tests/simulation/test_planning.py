"""Planned trouble is seeded, sparse, aimed, and leaves time to judge what is left."""

import json
import random
from collections import Counter

from simulation.planning import LEAVES_OFF, PACES, is_deadly, planned_faults
from simulation.trouble import MACHINE_KINDS, Planned, Upon, document
from simulator.faults import Fault

ACCOUNTS = ("SIM-50K-1", "SIM-50K-2", "SIM-50K-3")
MINUTES = 1200.0


def plan(seed: int, seconds: float = MINUTES, kind: str = "minutes") -> tuple[Planned, ...]:
    return planned_faults(random.Random(seed), seconds, kind, ACCOUNTS)


def kinds(fault: Fault) -> list[str]:
    inner = kinds(fault.consequence) if isinstance(fault, Upon) else []
    return [fault.name, *inner]


def test_a_seed_always_gives_the_same_plan() -> None:
    """And each trouble of it reads back from JSON."""
    for seed in range(50):
        planned = plan(seed)
        assert planned == plan(seed)
        assert tuple(Planned.of(json.loads(json.dumps(it.document()))) for it in planned) == planned


def test_a_plan_is_in_order_sparse_and_leaves_off_in_time() -> None:
    """Clusters of a few, quiet between them, and at most so many deaths."""
    for seed in range(50):
        times = [it.at for it in plan(seed)]
        assert times == sorted(times)
        assert times[-1] < MINUTES - LEAVES_OFF + 5
        crowd = max(sum(at <= it < at + 10 for it in times) for at in times)
        assert crowd <= 3
        assert sum(is_deadly(it.fault) for it in plan(seed)) <= PACES["minutes"].deaths


def test_a_day_has_fewer_troubles_an_hour() -> None:
    """It lasts nine times as long as twenty minutes."""
    days = sum(len(plan(seed, 10_800.0, "day")) for seed in range(30))
    assert days < 3 * sum(len(plan(seed)) for seed in range(30))


def test_in_many_plans_every_kind_of_machine_trouble_comes() -> None:
    """And most of the gateway's, also as consequences of messages."""
    seen = Counter(name for seed in range(300) for it in plan(seed) for name in kinds(it.fault))
    assert set(MACHINE_KINDS) <= set(seen)
    assert len(set(seen) - set(MACHINE_KINDS)) >= 15


def test_death_is_seen_through_what_leads_to_it() -> None:
    """Trouble that waits for a message counts as what it then does."""
    deadly = {"fault": "kill"}
    assert is_deadly(Upon(actor="rules", then=deadly))
    assert not is_deadly(Upon(actor="rules", then={"fault": "drop"}))
    assert document(Upon(actor="rules", then=deadly))["then"] == deadly
