"""A balance that moves for no trade: told, and counted as nothing."""

from datetime import UTC, datetime
from decimal import Decimal

import trio

from simulator.events import Kind
from simulator.faults import DropHubs
from tests.actors.world import World, run

BEFORE_THE_RESET = datetime(2026, 11, 18, 22, 59, 0, tzinfo=UTC)


def test_a_day_whose_end_nobody_watched_is_not_written_down_as_it_was_last_seen() -> None:
    """What was lost while the hub was down shows in the balance of the next morning."""

    async def story() -> None:
        world = World(start=BEFORE_THE_RESET)
        world.begin()
        world.broker.reconnect_after = 60
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 1)
            await trio.sleep(30)
            world.broker.inject(DropHubs(hub="user"))
            await trio.sleep(10)
            world.price("24990")
            world.trade(1001, -1)
            await trio.sleep(120)
        assert world.written("net_of_old_day", "reset", "SIM-50K-1")[-1] is None
        before, *_, today = map(Decimal, world.written("balance", "opening", "SIM-50K-1"))
        assert today - before < -20

    run(story)


def test_a_trade_of_just_before_the_reset_is_in_the_balance_of_the_new_day() -> None:
    """The balance that the broker told last is still the one before it."""

    async def story() -> None:
        world = World(start=BEFORE_THE_RESET)
        world.begin()
        delayed = {Kind.ACCOUNT: 1.0}
        world.broker.arrange = lambda events: [(delayed.get(it.kind, 0.0), it) for it in events]
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 1)
            await trio.sleep(59.4)
            world.price("24990")
            world.trade(1001, -1)
            await trio.sleep(20)
        before, *_, today = map(Decimal, world.written("balance", "opening", "SIM-50K-1"))
        assert today - before < -20
        assert today == world.broker.exchange.accounts[1001].balance

    run(story)


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
