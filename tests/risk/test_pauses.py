"""Where a pause begins: what was traded before it may stay, by the broker's word and not by clocks."""

from datetime import timedelta

import pytest
from attrs import evolve

from risk.rules import Trigger
from risk.rules.pause import reduce_only, standing
from risk.verdict import LastTrade
from tests.risk.world import NQ, World


def test_a_pause_begins_after_the_newest_trade_also_when_nothing_is_held_any_more() -> None:
    """By this machine's clock, which may be ahead, the next trade could seem to be older."""
    world = World()
    world.fill(1, "20000")
    world.wait(5)
    last = world.fill(-1, "19900")
    world.wait(2)
    pause = reduce_only("a rule", world.snapshot(), world.now + timedelta(minutes=10), "a reason")
    assert pause.after == LastTrade(last.at, last.id)


@pytest.mark.parametrize(("opened", "closed"), [(-2, False), (1, True)])
def test_a_position_whose_event_is_late_belongs_to_the_pause_only_if_it_began_in_it(
    opened: int, closed: bool
) -> None:
    """No trade explains it yet, so nothing but its beginning can be compared with the pause's."""
    world = World()
    world.fill(1, "20000")
    world.wait(5)
    pause = reduce_only("a rule", world.snapshot(), world.now + timedelta(minutes=10), "a reason")
    began = world.now + timedelta(seconds=opened)
    world.wait(2)
    position = evolve(world.make_position(1, "21000", NQ, number=99), opened_at=began)
    assert world.state.apply_position(position, 1, 1000, world.now, world.mono)
    answer = standing(pause, world.snapshot(), Trigger.FILL)
    assert bool(answer.violations) is closed
