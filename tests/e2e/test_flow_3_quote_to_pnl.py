"""Flow 3: quotes and positions become profit and loss, and a limit on it is kept."""

from decimal import Decimal

import trio

from store.records import Kind
from tests.e2e.figures import Figures
from tests.e2e.world import CLOSE, MNQ, World

STEPS = 20


async def test_flow_3_quote_to_pnl(world: World, figures: Figures) -> None:
    """Open P&L follows each quote to the cent; the quote that breaks the limit closes the position."""
    world.guard("SIM-50K-1")
    seconds = []
    async with world.daemon():
        await world.price("25000.00")
        await world.trade(1001, 2)
        await world.until(lambda: world.account(1)["positions"])
        for step in range(1, STEPS + 1):
            begun = trio.current_time()
            bid = Decimal("25000.25") - step
            await world.price(str(bid))
            # Two contracts, two dollars a point, bought at the ask of 25000.25.
            expected = Decimal(-4 * step)
            while Decimal(str(world.account(1)["open"])) != expected:
                assert trio.current_time() < begun + 5, world.account(1)["open"]
                await trio.sleep(0.0005)
            seconds.append(trio.current_time() - begun)
        assert await world.requests(CLOSE, 1001) == []
        await world.price("24950.00")
        await world.until_flat(1001)
        assert len(await world.requests(CLOSE, 1001)) == 1
        (decision,) = world.of(Kind.DECISION)
        assert decision.body["rule"] == "unrealized_loss"
        assert decision.body["observed"] == "-201.000000"
        assert decision.body["contract_id"] == MNQ
        assert world.locks(1) == []
        broken = [it.latency_ms for _, it in world.enforced if it.latency_ms is not None]
    # Counts the way of the control request that set the price, too.
    figures.add(3, "quote set to P&L updated", [1000 * it for it in seconds], "ms", target=100)
    figures.add(3, "breaking quote received to close answered", broken, "ms", target=500)
