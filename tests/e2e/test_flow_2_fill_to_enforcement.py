"""Flow 2: a fill becomes an enforcement, after the trade."""

from store.records import Kind
from tests.e2e.figures import Figures
from tests.e2e.world import CLOSE, GC, MNQ, PARTIAL_CLOSE, World

ROUNDS = 20


async def test_flow_2_fill_to_enforcement(world: World, figures: Figures) -> None:
    """Each blocked fill is closed by exactly one request, and its whole cause is on record."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        for n in range(1, ROUNDS + 1):
            await world.trade(1001, 1, GC)
            await world.until_done_with("close", n)
        latency = await world.look("latency")
        closes = await world.requests(CLOSE, 1001)
        assert len(closes) == ROUNDS
        assert await world.fills(1001) == [(0, 1), (1, 1)] * ROUNDS
        # An order that is heard of in a turn before its own fill is cancelled too: it comes too late.
        intents = ROUNDS + len(world.done_with("cancel"))
        for kind in (Kind.INTENT, Kind.DECISION, Kind.OUTCOME, Kind.INTENT_DONE):
            assert len(world.of(kind, "SIM-50K-1")) == intents, kind
        assert {it.outcome for _, it in world.enforced if it.action.startswith("close")} == {"done"}
    pushed = [
        it["written"]
        for it in latency["pushes"]
        if (it["event"], it["user"]) == ("GatewayUserPosition", "guard")
    ]
    requested = [
        (close["received"] - max(p for p in pushed if p < close["received"])) * 1000
        for close in closes
    ]
    answered = [it.latency_ms for _, it in world.enforced if it.latency_ms is not None]
    figures.add(2, "position pushed to close request received", requested, "ms", target=500)
    figures.add(2, "fill received to close answered", answered, "ms", target=500)


async def test_flow_2_an_oversized_fill_is_reduced_to_the_limit(world: World) -> None:
    """Seven contracts against a limit of five: one partial close of two, and the rest stays."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await world.trade(1001, 7, MNQ)
        await world.until_held(1001, 5)
        (request,) = await world.requests(PARTIAL_CLOSE, 1001)
        assert request["subject"]["size"] == 2
        assert await world.requests(CLOSE, 1001) == []
        assert world.said("reduce", rule="max_contracts", reason="7 contracts > 5 (+7 MNQ)")
