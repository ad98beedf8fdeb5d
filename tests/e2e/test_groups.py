"""Groups of accounts through the real SDK: each member does and says what the group has found."""

from decimal import Decimal

from actors.daemon import GuardedGroup
from risk.group_rules import CrossAccountHedge, GroupDailyLoss
from tests.e2e.world import MNQ, World

NQ = "CON.F.US.ENQ.Z26"


async def test_two_accounts_of_two_logins_lose_too_much_together(world: World) -> None:
    """Neither reaches a limit of its own; both are flat and locked, and a restart changes nothing."""
    world.logins = (world.login("one"), world.login("two", "another"))
    world.guard("SIM-50K-1", login="one", rules=tuple)
    world.guard("SIM-50K-2", login="two", rules=tuple)
    members = ("SIM-50K-1", "SIM-50K-2")
    world.groups = (GuardedGroup("mine", members, (GroupDailyLoss(limit=Decimal(151)),)),)
    async with world.daemon():
        await world.price("25000.00")
        await world.trade(1001, 1, MNQ)
        await world.until_held(1001, 1)
        await world.trade(1002, 2, MNQ)
        await world.until_held(1002, 2)
        await world.price("24975.50")
        assert await world.held(1001) == 1
        await world.price("24975.25")
        await world.until_flat(1001)
        await world.until_flat(1002)
        await world.until(lambda: world.locks(1) == world.locks(2) == ["group_daily_loss"])
    reason = (
        "group mine: net day of 2 accounts -151.11 <= -151 (SIM-50K-1 -50.37, SIM-50K-2 -100.74)"
    )
    assert reason in world.reasons(1)
    assert reason in world.reasons(2)
    async with world.daemon():
        assert world.locks(1) == world.locks(2) == ["group_daily_loss"]
        await world.trade(1002, 1, MNQ)
        await world.until(lambda: len(world.reasons(2)) > 1)
        await world.until_flat(1002)


async def test_a_hedge_over_two_accounts_loses_its_newer_side(world: World) -> None:
    """A mini long on one account, micros short on the other: the micros go, the mini stays."""
    world.guard("SIM-50K-1", "SIM-50K-2", rules=tuple)
    members = ("SIM-50K-1", "SIM-50K-2")
    rule = CrossAccountHedge(action="close_newer")
    world.groups = (GuardedGroup("mine", members, (rule,)),)
    async with world.daemon():
        await world.trade(1001, 1, NQ)
        await world.until_held(1001, 1, NQ)
        await world.trade(1002, -3, MNQ)
        await world.until_held(1002, -3)
        await world.until_held(1002, 0)
        assert await world.held(1001, NQ) == 1
        assert world.locks(2) == []
    assert world.reasons(2) == [
        "group mine: opposite positions in NQ for 3 s: +1 NQ on SIM-50K-1, -3 MNQ on SIM-50K-2"
    ]
    (alert,) = world.alerts("cross_account_hedge")
    assert alert.startswith("group mine: opposite positions in NQ: ")
