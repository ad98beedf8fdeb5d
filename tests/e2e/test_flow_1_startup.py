"""Flow 1: daemon start-up and connection."""

import trio

from store.records import Kind
from tests.e2e.figures import Figures
from tests.e2e.world import GC, LOGIN, POSITIONS, World


async def test_flow_1_startup(world: World, figures: Figures) -> None:
    """One login, both hubs, all accounts subscribed and live; what is already open is judged."""
    await world.trade(1002, 1, GC)
    world.guard(*(f"SIM-50K-{n}" for n in range(1, 6)))
    begun = trio.current_time()
    async with world.daemon():
        figures.add(1, "start to all accounts live", [trio.current_time() - begun], "s")
        assert len(await world.requests(LOGIN)) == 1
        (user,) = await world.links("user")
        topics = ("GatewayUserOrder", "GatewayUserPosition", "GatewayUserTrade")
        wanted: list[list[object]] = [["GatewayUserAccount", None]]
        wanted += [[topic, n] for topic in topics for n in range(1001, 1006)]
        assert sorted(user["subscriptions"], key=str) == sorted(wanted, key=str)
        await world.until_flat(1002)
        (decision,) = world.of(Kind.DECISION)
        assert (decision.account, decision.body["rule"]) == ("SIM-50K-2", "symbol_block")
        assert "GC is blocked" in str(decision.body["reason"])
        await world.trade(1005, 1, GC)
        await world.until_flat(1005)


async def test_flow_1_a_slow_account_list_is_waited_for_and_nothing_read_twice(
    world: World,
) -> None:
    """The user hub opens before the accounts are known: it says once that it is up, with them."""
    await world.fault("slow", path="/api/Account/search", delay_ms=500)
    world.guard("SIM-50K-1", "SIM-50K-2")
    async with world.daemon():
        assert len(world.said("hub up", hub="user")) == 1
        assert len(await world.requests(POSITIONS)) == 2
