"""Groups in virtual time: who is heard when, and what survives the end of any of them."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
import trio

from actors.daemon import GuardedGroup
from broker.memory_stream import MemoryStream
from risk.group_rules import GroupDailyLoss
from risk.rules import Rule
from simulator.faults import DropHubs
from tests.actors.world import ES, MNQ, World, run

MEMBERS = ("SIM-50K-1", "SIM-50K-2")


def none() -> tuple[Rule, ...]:
    return ()


def grouped(members: Sequence[str] = MEMBERS, limit: int = 300) -> World:
    rules = (GroupDailyLoss(limit=Decimal(limit)),)
    return World(rules=none, groups=(GuardedGroup("mine", tuple(members), rules),))


def locks(world: World) -> list[list[str]]:
    return [list(world.locks(name)) for name in MEMBERS]


BOTH = [["group_daily_loss"], ["group_daily_loss"]]


def test_prices_of_different_contracts_add_up_without_any_other_event() -> None:
    """Each account has a share of what is left, and says when it has lost it: wires lose no breach."""

    async def story() -> None:
        world = grouped()
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.price("6900", ES)
            world.trade(1001, 2)
            world.trade(1002, 1, ES)
            await trio.sleep(2)
            for step in range(1, 30):
                world.price(str(25000 - step), MNQ)
                world.price(str(Decimal(6900) - Decimal(step) / 10), ES)
                await trio.sleep(0.1)
            assert locks(world) == [[], []]
            world.price("24960")
            world.price("6896", ES)
            await trio.sleep(0.2)
            assert locks(world) == BOTH
            await trio.sleep(1)
            assert (world.held(1001), world.held(1002, ES)) == (0, 0)

    run(story)


def test_a_price_that_moves_one_down_and_another_up_is_heard_of_both() -> None:
    """Only who loses reports unasked: the sum of a hedged pair is asked for before anything is done."""

    async def story() -> None:
        world = grouped()
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 4)
            world.trade(1002, -3)
            await trio.sleep(2)
            world.price("24940")
            await trio.sleep(2)
            assert locks(world) == [[], []]
            assert not any(code.startswith("group_daily_loss") for code in world.written("code"))
            world.price("24840")
            await trio.sleep(0.5)
            assert locks(world) == BOTH

    run(story)


def test_a_group_that_falls_hears_of_the_flat_ones_too() -> None:
    """What one has lost and closed still counts when the group begins anew."""

    async def story() -> None:
        world = grouped()
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 2)
            await trio.sleep(1)
            world.price("24950")
            world.trade(1001, -2)
            world.trade(1002, 2)
            await trio.sleep(2)
            world.system.crash("seawall/groups/mine", "planned")
            await trio.sleep(2)
            assert locks(world) == [[], []]
            world.price("24920")
            await trio.sleep(1)
            assert locks(world) == BOTH

    run(story)


def test_an_account_that_falls_is_told_again_what_its_group_asks() -> None:
    """Its share is the group's to say: until it has, every price is reported."""

    async def story() -> None:
        world = grouped()
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 2)
            world.trade(1002, 2)
            await trio.sleep(1)
            world.system.crash("seawall/logins/sim/accounts/SIM-50K-1/account", "planned")
            await trio.sleep(2)
            world.price("24960")
            await trio.sleep(0.3)
            assert locks(world) == BOTH

    run(story)


def test_a_member_that_is_not_there_is_told_and_the_others_are_guarded() -> None:
    """It counts as nothing, which is said at once; the group goes on without it."""

    async def story() -> None:
        world = grouped((*MEMBERS, "GONE"))
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 4)
            await trio.sleep(3)
            world.price("24960")
            await trio.sleep(3)
            assert locks(world) == [[], []], "the others may still be on their way"
            await trio.sleep(8)
            assert locks(world) == BOTH
            assert world.written("code").count("group_member_unheard") == 1

    run(story)


def test_while_the_hub_is_down_the_last_results_count_and_nothing_is_judged() -> None:
    """Prices alone move no result of an account that may have been closed meanwhile."""

    async def story() -> None:
        world = grouped()
        world.begin()
        world.broker.reconnect_after = 20
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 2)
            world.trade(1002, 2)
            await trio.sleep(2)
            world.broker.inject(DropHubs(hub="user"))
            await trio.sleep(1)
            world.price("24950")
            await trio.sleep(10)
            assert locks(world) == [[], []]
            await trio.sleep(15)
            assert locks(world) == BOTH

    run(story)


def test_a_member_that_cannot_say_yet_what_its_day_is_worth_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a restart its first quote is late: without its gain the other's loss would lock both."""

    async def story() -> None:
        world = grouped()
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 4)
            await trio.sleep(2)
            world.price("25050")
            await trio.sleep(6)
            world.trade(1001, -4)
            await trio.sleep(3)
            world.trade(1002, -4)
            for price in range(25050, 25101, 5):
                world.price(str(price))
                await trio.sleep(0.5)
            await trio.sleep(3)
            world.trade(1002, 4)
            await trio.sleep(3)
            world.trade(1001, 1)
            await trio.sleep(3)
            assert locks(world) == [[], []]
        monkeypatch.setattr(MemoryStream, "_show_current", lambda *_: None)
        async with world.daemon():
            await trio.sleep(1)
            world.price("25100")
            await trio.sleep(2)
            assert locks(world) == [[], []]

    run(story)


def test_the_reset_begins_a_new_sum() -> None:
    """Yesterday's losses of all members are gone, and so are the locks."""

    async def story() -> None:
        world = grouped()
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 4)
            await trio.sleep(2)
            world.price("24950")
            await trio.sleep(2)
            assert locks(world) == BOTH
            await trio.sleep(8 * 3600 + 10)
            assert locks(world) == [[], []]
            world.price("24950")
            world.trade(1002, 4)
            await trio.sleep(60)
            assert world.held(1002) == 4
            assert locks(world) == [[], []]

    run(story)
