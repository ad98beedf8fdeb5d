"""The connection actor falls with a request under way: nobody knows its outcome, so it is read."""

import pytest

from store.records import Kind
from tests.e2e.world import CLOSE, GC, POSITIONS, World

CONNECTION = "seawall/logins/sim/connection"


@pytest.mark.parametrize(
    ("lost", "executed"), [(False, True), (True, True), (True, False)], ids=str
)
async def test_a_close_in_flight_when_the_connection_falls_is_closed_once(
    world: World, lost: bool, executed: bool
) -> None:
    """An answer that still comes counts; without one only what a read shows is closed again."""
    world.guard("SIM-50K-1")
    async with world.daemon() as system:
        # The first try is refused after a while: time to make the hub silent about the second.
        await world.fault("refuse_close", times=1)
        await world.fault("slow", path=CLOSE, delay_ms=1000, times=2)
        if lost:
            await world.fault("uncertain_close", how="disconnect", executes=executed, times=1)
        await world.trade(1001, 1, GC)
        await world.until_requests(CLOSE, 1)
        await world.fault("lose")
        await world.until_requests(CLOSE, 2)
        assert len(world.said("broker answered")) == 1
        system.crash(CONNECTION, "a test wants it so")
        await world.until(lambda: len(world.said("broker answered")) == 2)
        outcome = world.said("broker answered")[1]["outcome"]
        assert outcome.startswith("unknown (") if lost else outcome == "done"
        await world.until_flat(1001)
        await world.until_live()
        await world.until_count(Kind.INTENT_DONE, 1)
        _, *closes = await world.requests(CLOSE)
        assert await world.fills(1001) == [(0, 1), (1, 1)]
        assert len(closes) == (1 if executed else 2)
        if lost and not executed:
            reads = await world.requests(POSITIONS, 1001)
            assert any(
                closes[0]["received"] < it["received"] < closes[1]["received"] for it in reads
            )
        assert len(world.of(Kind.INTENT)) == 1
        (fallen,) = world.said("crashed")
        assert fallen["actor"] == CONNECTION
        await world.heal()
        await world.until(lambda: world.status("logins/sim/connection").get("user_hub") == "up")
        await world.until_live()
        await world.trade(1001, 1, GC)
        await world.until_flat(1001)
