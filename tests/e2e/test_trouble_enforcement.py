"""Closes that are refused, lost, doubted or undone: pursued from fresh state until it is true."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from store.records import Kind
from tests.e2e.world import CLOSE, GC, PARTIAL_CLOSE, POSITIONS, World


async def test_a_refused_close_is_tried_again_from_fresh_state_until_flat(world: World) -> None:
    """Each further try follows a new read of the positions; each refusal is told with its reason."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await world.fault("refuse_close", code=5, message="rejected by the exchange", times=3)
        await world.trade(1001, 1, GC)
        await world.until_flat(1001)
        await world.until_count(Kind.INTENT_DONE, 1)
        closes = await world.requests(CLOSE)
        reads = await world.requests(POSITIONS, 1001)
        assert len(closes) == 4
        assert all(_between(reads, *pair) for pair in pairwise(closes))
        outcomes = [it["outcome"] for it in world.said("broker answered")]
        assert outcomes == ["refused (5: rejected by the exchange)"] * 3 + ["done"]
        assert await world.fills(1001) == [(0, 1), (1, 1)]
        assert len(world.of(Kind.INTENT)) == 1


def _between(reads: list[dict[str, Any]], one: dict[str, Any], other: dict[str, Any]) -> bool:
    return any(one["received"] < it["received"] < other["received"] for it in reads)


async def _refuse_slowly(world: World) -> None:
    """The first try is refused after a while: time to arrange what the second will meet."""
    await world.fault("refuse_close", times=1)
    await world.fault("slow", path=CLOSE, delay_ms=400, times=1)


@pytest.mark.parametrize("how", ["status", "disconnect"])
@pytest.mark.parametrize("executes", [True, False])
@pytest.mark.parametrize("told", [True, False])
async def test_a_close_of_unknown_outcome_is_verified_before_it_is_repeated(
    world: World, how: str, executes: bool, told: bool
) -> None:
    """Executed or not, told by events or only by a read: the position is closed exactly once."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await _refuse_slowly(world)
        await world.fault("uncertain_close", how=how, executes=executes, times=1)
        await world.trade(1001, 1, GC)
        await world.until_requests(CLOSE, 1)
        if not told:
            await world.fault("lose")
        await world.until_flat(1001)
        await world.until_count(Kind.INTENT_DONE, 1)
        await world.until(lambda: world.account(1)["positions"] == [])
        assert await world.fills(1001) == [(0, 1), (1, 1)]
        _, *closes = await world.requests(CLOSE)
        assert len(closes) == (1 if executes else 2)
        if not executes:
            assert _between(await world.requests(POSITIONS, 1001), *closes)
        assert world.said("broker answered")[1]["outcome"].startswith("unknown (")
        assert len(world.of(Kind.INTENT)) == 1


async def test_a_close_that_lands_while_the_hub_is_down_is_believed_from_a_read(
    world: World,
) -> None:
    """Nobody tells that the position is gone; a read does, and that is the end of it."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await _refuse_slowly(world)
        await world.trade(1001, 1, GC)
        await world.until_requests(CLOSE, 1)
        await world.fault("http", status=503, path="/hubs/*")
        await world.fault("drop")
        await world.until(lambda: world.account(1)["phase"] == "waiting")
        await world.until_flat(1001)
        await world.until_count(Kind.INTENT_DONE, 1)
        await world.heal()
        await world.until_live()
        assert len(await world.requests(CLOSE)) == 2
        assert len(world.of(Kind.INTENT)) == 1
        assert len(await world.requests(POSITIONS, 1001)) < 10


@pytest.mark.parametrize("executes", [True, False])
async def test_a_partial_close_of_unknown_outcome_reduces_no_further_than_the_limit(
    world: World, executes: bool
) -> None:
    """Seven became five or they did not: five are left in the end, never three."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await world.fault("uncertain_close", operation="partial_close", executes=executes, times=1)
        await world.trade(1001, 7)
        await world.until_held(1001, 5)
        assert await world.fills(1001) == [(0, 7), (1, 2)]
        assert len(await world.requests(PARTIAL_CLOSE)) == (1 if executes else 2)


async def test_whatever_is_opened_while_locked_is_closed_again(world: World) -> None:
    """The day is lost and locked; two more entries are closed, and the trader reads why."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await _lose_the_day(world)
        for n in (1, 2):
            await world.trade(1001, n)
            await world.until_count(Kind.INTENT_DONE, n + 1)
            assert await world.flat(1001)
        assert world.locks(1) == ["daily_loss"]
        assert len(world.of(Kind.LOCK)) == 1
        reasons = [str(r.body["reason"]) for r in world.of(Kind.DECISION)]
        assert "net day" in reasons[0]
        assert all("locked" in it for it in reasons[1:]), reasons
        assert world.said("account locked", account="SIM-50K-1", rule="daily_loss")


async def test_a_working_order_that_could_open_is_cancelled_while_locked(world: World) -> None:
    """An entry placed on a locked account never gets the chance to fill."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await _lose_the_day(world)
        await world.trade(1001, 1, limit=Decimal(20000))
        await world.until_flat(1001)
        assert await world.fills(1001) == [(0, 3), (1, 3)]


async def _lose_the_day(world: World) -> None:
    await world.price("25000.00")
    await world.trade(1001, 3)
    await world.until(lambda: world.account(1)["positions"])
    await world.price("24900.00")
    await world.until_count(Kind.INTENT_DONE, 1)
    await world.until(lambda: world.locks(1))


async def test_a_closed_market_is_tried_until_it_opens(world: World) -> None:
    """A calendar never keeps a close back: each try is told, and the first that can be is flat."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await world.trade(1001, 4)
        await world.until(lambda: world.account(1)["positions"])
        await world.fault("market_closed")
        await world.price("24000.00")
        await world.until(lambda: len(world.said("broker answered", account="SIM-50K-1")) >= 3)
        assert await world.held(1001) == 4
        assert world.locks(1) == ["daily_loss"]
        await world.heal()
        await world.until_flat(1001)
        await world.until_count(Kind.INTENT_DONE, 1)
        *refused, last = [it["outcome"] for it in world.said("broker answered")]
        assert set(refused) == {"refused (5: outside trading hours)"}
        assert last == "done"
        assert await world.fills(1001) == [(0, 4), (1, 4)]
