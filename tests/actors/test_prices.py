"""Prices on their way to the accounts that hold something."""

import trio

from simulator.faults import DropHubs
from tests.actors.world import World, run


def test_a_contract_that_was_closed_while_its_feed_was_down_has_a_price_when_it_is_traded_again() -> (
    None
):
    """The feed that returns still has it: told nothing, it would take the next wish for an old one."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 2)
            await trio.sleep(1)
            world.broker.inject(DropHubs(hub="market"))
            world.trade(1001, -2)
            await trio.sleep(1)
            world.price("25010")
            await trio.sleep(1)
            world.trade(1001, 2)
            await trio.sleep(3)
            assert world.account("SIM-50K-1")["open"] == "-1.000000"

    run(story)
