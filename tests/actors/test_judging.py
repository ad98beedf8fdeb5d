"""Why an account is judged at the end of a turn."""

import trio

from actors.judging import Judging
from actors.messages import Origin
from risk.evaluate import Trigger
from tests.actors.world import run

WAKE, LOSS = Origin("regular", 1.0), Origin("the hub went down", 2.0)


def wanted(*triggers: Trigger, current: bool) -> Trigger | None:
    """What is judged after these came up in one turn."""
    found: list[Trigger | None] = []

    async def story() -> None:
        judging = Judging()
        for trigger in triggers:
            judging.want(trigger, LOSS if trigger is Trigger.CONNECTION else WAKE)
        taken = judging.take(current=current)
        assert judging.take(current=current) is None
        found.append(None if taken is None else taken[0])
        await trio.lowlevel.checkpoint()

    run(story)
    return found[0]


def test_a_lost_link_is_judged_whatever_else_came_in_its_turn() -> None:
    """A regular look at that instant must not take the alert with it, before or after."""
    assert wanted(Trigger.CONNECTION, current=False) is Trigger.CONNECTION
    assert wanted(Trigger.FULL, Trigger.CONNECTION, current=False) is Trigger.CONNECTION
    assert wanted(Trigger.CONNECTION, Trigger.MARK, current=False) is Trigger.CONNECTION


def test_without_a_current_state_nothing_else_is_judged() -> None:
    """What we still believe to be open may be closed."""
    assert wanted(Trigger.FULL, current=False) is None
    assert wanted(Trigger.FILL, Trigger.MARK, current=False) is None


def test_several_reasons_are_one_full_judgement() -> None:
    """A single one is itself; a link that is back already is a reason like the others."""
    assert wanted(Trigger.MARK, current=True) is Trigger.MARK
    assert wanted(Trigger.MARK, Trigger.FILL, current=True) is Trigger.FULL
    assert wanted(Trigger.CONNECTION, Trigger.FULL, current=True) is Trigger.FULL
    assert wanted(current=True) is None
