"""Trouble is data: it reads back from JSON as it was, and nonsense is refused with its reason."""

import json

import pytest

from simulation.trouble import (
    MACHINE_KINDS,
    ClockDrift,
    ClockJump,
    CrashActor,
    DiskRefuses,
    DiskSlow,
    GatewayRestart,
    Kill,
    Planned,
    PowerCut,
    SlowHandler,
    StuckHandler,
    Suspend,
    Trouble,
    Upon,
    UponSpooling,
    document,
    parse_trouble,
)
from simulator.faults import BadFault, DropHubs, ScatterEvents, UncertainClose

EXAMPLES: tuple[Trouble, ...] = (
    CrashActor(actor="enforcement"),
    CrashActor(actor="X/account", message="ReadDone", nth=3, moment="after", duration=9.0),
    SlowHandler(actor="rules", seconds=0.2, duration=5.0),
    StuckHandler(actor="store", message="Commit"),
    Upon(actor="connection", message="CloseContract", delay=0.01, then=document(Kill(down_for=3))),
    UponSpooling(),
    UponSpooling(nth=2, then=document(PowerCut(kept=1, torn=True))),
    Kill(down_for=1.5),
    PowerCut(),
    DiskRefuses(half="spool", duration=4.0),
    DiskSlow(seconds=0.5, duration=4.0),
    ClockJump(seconds=-7200.0, duration=100.0),
    ClockDrift(rate=-0.1, duration=100.0),
    Suspend(seen=False, hubs="alive"),
    GatewayRestart(down_for=8.0),
    DropHubs(hub="market"),
    ScatterEvents(order=("position", "trade"), apart_ms=300.0, duration=2.0),
    UncertainClose(executes=False, times=2, duration=3.0),
)


@pytest.mark.parametrize("trouble", EXAMPLES, ids=lambda it: it.name)
def test_a_plan_reads_back_as_it_was(trouble: Trouble) -> None:
    """Through JSON text, with its time."""
    planned = Planned(12.5, trouble)
    assert Planned.of(json.loads(json.dumps(planned.document()))) == planned


def test_every_kind_has_an_example_here() -> None:
    """Or its JSON form would go untested."""
    assert {type(it) for it in EXAMPLES} >= set(MACHINE_KINDS.values())


def test_what_is_usual_is_left_out() -> None:
    """A plan is read by people."""
    assert document(Kill()) == {"fault": "kill"}
    assert document(DropHubs(hub="user")) == {"fault": "drop", "hub": "user"}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"fault": "crash_actr"}, "did you mean 'crash_actor'"),
        ({"fault": "crash_actor"}, "actor"),
        ({"fault": "kill", "downfor": 1}, "downfor"),
        ({"fault": "disk_slow", "duration": 0}, "duration must be above 0"),
        ({"fault": "upon", "actor": "rules", "then": {"fault": "nothing"}}, "nothing"),
        ({"fault": "http", "status": 200}, "between 400 and 599"),
    ],
)
def test_nonsense_is_refused_with_its_reason(said: dict[str, object], why: str) -> None:
    """Of either side, also inside of another."""
    with pytest.raises(BadFault, match=why):
        parse_trouble(said)
