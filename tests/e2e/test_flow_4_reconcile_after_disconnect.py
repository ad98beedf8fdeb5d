"""Flow 4: what happened while the connection was lost is found, told and judged."""

import trio

from store.records import Kind
from tests.e2e.figures import Figures
from tests.e2e.world import MNQ, World

CUTS = 3


async def test_flow_4_reconcile_after_disconnect(world: World, figures: Figures) -> None:
    """Positions opened and closed during an outage come to light, and a breach among them ends."""
    world.guard("SIM-50K-1", "SIM-50K-2", "SIM-50K-3")
    async with world.daemon():
        await world.trade(1002, 1)
        await world.until(lambda: world.account(2)["positions"])
        await world.fault("http", status=503, path="/hubs/*")
        await world.fault("drop")
        await world.until(lambda: world.account(1)["phase"] == "waiting")
        await world.trade(1001, 7)
        await world.trade(1002, -1)
        await world.heal()
        await world.until_live()
        await world.until_held(1001, 5)
        assert world.account(2)["positions"] == []
        found = {
            (r.account, r.body["contract"], r.body["after"]) for r in world.of(Kind.DIFFERENCE)
        }
        assert {("SIM-50K-1", MNQ, "7"), ("SIM-50K-2", MNQ, "0")} <= found
        assert "SIM-50K-3" not in {account for account, _, _ in found}
        assert len(world.said("connection lost: this account is not watched")) == 3
        assert world.said("the broker knew better", account="SIM-50K-2")


async def test_flow_4_every_cut_is_healed_and_reconciled(world: World, figures: Figures) -> None:
    """After each cut the accounts are live on a new link with everything subscribed."""
    world.guard("SIM-50K-1", "SIM-50K-2", "SIM-50K-3")
    cut_to_live: list[float] = []
    up_to_live: list[float] = []
    async with world.daemon():
        await world.trade(1001, 2)
        for n in range(2, CUTS + 2):
            begun = trio.current_time()
            await world.fault("reset")
            await world.until_link(n)
            cut_to_live.append(trio.current_time() - begun)
            up_to_live += [world.account(it)["reconcile_s"] for it in (1, 2, 3)]
            (link,) = await world.links("user")
            assert len(link["subscriptions"]) == 10
        assert await world.held(1001) == 2
        assert world.of(Kind.INTENT) == []
    figures.add(4, "cut to all accounts live, cut at once again", cut_to_live, "s", target=5)
    figures.add(4, "hub up to account reconciled", up_to_live, "s", target=5)
