"""Pauses that a price begins: what was held may stay, what is opened goes, also after a restart."""

from datetime import timedelta
from decimal import Decimal

from risk.rules import DailyLoss, UnrealizedLoss
from store.records import Kind
from tests.e2e.world import GC, MNQ, World, only


def _pauses(world: World) -> list[object]:
    return [it["rule"] for it in world.account(1)["pauses"]]


async def test_near_the_daily_limit_the_account_may_only_reduce(world: World) -> None:
    """At half of the limit what was held may stay and what is added goes, a restart changes nothing."""
    rule = DailyLoss(limit=Decimal(400), warn_at=(), reduce_only_at=50)
    world.guard("SIM-50K-1", rules=only(rule))
    async with world.daemon():
        await world.price("25000.00")
        await world.trade(1001, 2, MNQ)
        await world.until_held(1001, 2)
        await world.price("24950.00")
        await world.until(lambda: _pauses(world) == ["daily_loss"])
        assert world.locks(1) == []
        await world.trade(1001, 1, MNQ)
        await world.until(world.reasons)
        await world.until_held(1001, 2)
    async with world.daemon():
        await world.until(lambda: _pauses(world) == ["daily_loss"])
        await world.trade(1001, 2, GC)
        await world.until(lambda: len(world.reasons()) > 1)
        await world.until(lambda: world.idle(1))
        assert await world.held(1001, GC) == 0
        assert await world.held(1001, MNQ) == 2
    until = world.of(Kind.LOCK, "SIM-50K-1")[0].body
    assert until["reduce_only"] is True
    assert until["reason"] == "day -201.74, 50 % of the daily loss limit 400 is used"


async def test_who_may_only_reduce_is_locked_at_the_limit_all_the_same(world: World) -> None:
    """One rule, one end, two locks: the second is the one that counts, also after a restart."""
    rule = DailyLoss(limit=Decimal(400), warn_at=(), reduce_only_at=50)
    world.guard("SIM-50K-1", rules=only(rule))
    async with world.daemon():
        await world.price("25000.00")
        await world.trade(1001, 2, MNQ)
        await world.until_held(1001, 2)
        await world.price("24950.00")
        await world.until(lambda: _pauses(world) == ["daily_loss"])
        await world.price("24900.00")
        await world.until_flat(1001)
        await world.until(lambda: world.locks(1) == ["daily_loss"])
    async with world.daemon():
        assert world.locks(1) == ["daily_loss"]


async def test_an_open_loss_that_was_closed_begins_its_cooldown(world: World) -> None:
    """The position goes, and so does the next one, while the other that was held stays."""
    rule = UnrealizedLoss(limit=Decimal(100), cooldown=timedelta(minutes=10))
    world.guard("SIM-50K-1", rules=only(rule))
    async with world.daemon():
        await world.trade(1001, 1, GC)
        await world.until_held(1001, 1, GC)
        await world.price("25000.00")
        await world.trade(1001, 2, MNQ)
        await world.until_held(1001, 2)
        await world.price("24975.00")
        await world.until_held(1001, 0)
        await world.until(lambda: _pauses(world) == ["unrealized_loss"])
        await world.trade(1001, 1, MNQ)
        await world.until(lambda: len(world.reasons()) > 1)
        await world.until_held(1001, 0)
        assert await world.held(1001, GC) == 1
    first, second = world.reasons()[:2]
    assert first == "open -101.00 <= -100 (+2 MNQ from 25000.25, marked 24975)"
    assert second.startswith("1 opened in a pause until ")
    assert second.endswith(" (open -101.00 was closed, 10 min of cooldown)")
