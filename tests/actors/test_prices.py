"""Prices on their way to the accounts that hold something."""

from decimal import Decimal

import trio

from risk.rules.daily_loss import DailyLoss
from simulator.faults import DropHubs
from tests.actors.world import GC, World, run


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


def test_a_price_that_becomes_old_does_not_leave_closed_losses_alone() -> None:
    """The profit that is still open goes on counting: its bar was asked for before."""

    async def story() -> None:
        world = World(rules=lambda: (DailyLoss(limit=Decimal(500)),))
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.price("4100", GC)
            world.trade(1001, 2)
            world.trade(1001, 1, GC)
            await trio.sleep(1)
            world.price("25030")
            await trio.sleep(1)
            world.price("4094.8", GC)
            await trio.sleep(1)
            world.trade(1001, -1, GC)
            await trio.sleep(100)
            assert world.locks("SIM-50K-1") == []
            shown = world.account("SIM-50K-1")
            assert Decimal(str(shown["net"])) - Decimal(str(shown["open"])) < -500

    run(story)
