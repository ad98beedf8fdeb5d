"""A balance that moves for no trade: told, and counted as nothing."""

from decimal import Decimal

import trio

from tests.actors.world import World, run


def test_a_payout_is_told_once_and_neither_loss_nor_lock() -> None:
    """Five hundred dollars leave the account; the day's result and its limit know nothing of it."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 1)
            await trio.sleep(5)
            world.broker.exchange.set_account(1001, adjust=Decimal(-600))
            await trio.sleep(100)
            assert world.held(1001) == 1
            assert world.locks("SIM-50K-1") == []
            assert Decimal(str(world.account("SIM-50K-1")["net"])) > -10
        assert world.written("code").count("balance_adjusted") == 1
        (told,) = (it for it in world.written("message") if "moved by" in it)
        assert "moved by -600.00 that none of the day's trades explains" in told

    run(story)
