"""Strange, partial, repeated, late and broken messages: the same verdicts, and nothing twice."""

from decimal import Decimal

import pytest

from risk.rules import Rule
from risk.rules.daily_loss import DailyLoss
from store.records import Kind
from tests.e2e.world import CLOSE, GC, MNQ, PARTIAL_CLOSE, World


async def test_a_contract_without_a_tick_value_is_told_and_its_size_still_guarded(
    world: World,
) -> None:
    """What cannot be valued is never guessed: an alert names it, and size rules go on."""
    await world.fault("no_tick_value", contract_id=MNQ)
    world.guard("SIM-50K-1")
    async with world.daemon():
        await world.trade(1001, 7)
        await world.until_held(1001, 5)
        await world.until(lambda: world.alerts("contract_unknown"))
        (told,) = world.alerts("contract_unknown")
        assert told.startswith(f"{MNQ} cannot be valued: ")
        assert "tickValue" in told
        assert "NOT guarded" in told
        await world.price("20000.00")  # worth -50,000 dollars, were it known
        await world.heal()
        await world.trade(1001, -1)
        await world.until_flat(1001)
        assert world.locks(1) == ["daily_loss"]


async def test_a_price_of_zero_and_missing_fields_are_no_prices(world: World) -> None:
    """Quotes without bid or ask and with lastPrice 0 merge into the last; only a real loss closes."""
    world.guard("SIM-50K-1", "SIM-50K-2")
    async with world.daemon():
        await world.price("25000.00")
        await world.trade(1001, 2)
        await world.trade(1002, -2)
        await world.until(lambda: world.account(1)["positions"] and world.account(2)["positions"])
        await world.fault("partial_quotes", drop=["bestBid", "bestAsk"], zero_last=True)
        for bid in ("24999.00", "24998.00", "24997.00", "24996.00"):
            await world.price(bid)
        await world.until(lambda: world.account(1)["open"] in ("-13.000000", "-17.000000"))
        assert await world.requests(CLOSE) == []
        for bid in ("24949.00", "24948.00"):  # one of them brings its bid
            await world.price(bid)
        await world.until_flat(1001)
        assert [r.account for r in world.of(Kind.DECISION)] == ["SIM-50K-1"]
        assert await world.held(1002) == -2


@pytest.mark.parametrize("shape", ["bare", "wrapped", "list"])
@pytest.mark.parametrize("flat", ["size", "type", "both"])
async def test_however_events_are_packed_they_mean_the_same(
    world: World, shape: str, flat: str
) -> None:
    """Wrapped and listed payloads, positions that are flat by size or by type: one close each."""
    await world.fault("payload_shape", shape=shape)
    await world.fault("flat_shape", shape=flat)
    world.guard("SIM-50K-1")
    async with world.daemon():
        await world.trade(1001, 1, GC)
        await world.until_count(Kind.INTENT_DONE, 1)
        await world.until(lambda: world.account(1)["positions"] == [])
        assert len(await world.requests(CLOSE)) == 1
        assert await world.flat(1001)
        assert world.alerts("unreadable") == []


async def test_every_event_three_times_enforces_once(world: World) -> None:
    """Mistake of earlier systems: position events arrived three times, and each was news.

    Repeated trades, orders and positions are known already; nothing is closed or counted twice.
    """
    await world.fault("duplicate", copies=3)
    world.guard("SIM-50K-1", "SIM-50K-2")
    async with world.daemon():
        await world.trade(1001, 7)
        await world.trade(1002, 1, GC)
        await world.until_count(Kind.INTENT_DONE, 2)
        await world.until(lambda: world.account(1)["positions"][0]["net"] == 5)
        assert await world.fills(1001) == [(0, 7), (1, 2)]
        assert len(await world.requests(PARTIAL_CLOSE)) == len(await world.requests(CLOSE)) == 1
        assert sorted(str(r.account) for r in world.of(Kind.INTENT)) == ["SIM-50K-1", "SIM-50K-2"]
        assert len(world.of(Kind.FILL)) == 4
        assert Decimal(str(world.account(1)["fees"])) == Decimal("0.37") * 9


def _day_only() -> tuple[Rule, ...]:
    return (DailyLoss(limit=Decimal(500)),)


@pytest.mark.parametrize("order", [["trade", "position"], ["position", "trade"]])
async def test_a_losing_exit_told_in_two_parts_is_not_counted_twice(
    world: World, order: list[str]
) -> None:
    """Mistake of earlier systems: realised P&L counted twice.

    A loss of 302 dollars, its Trade and its Position seconds apart: never 604, never a lock.
    """
    world.guard("SIM-50K-1", rules=_day_only)
    async with world.daemon():
        await world.price("25000.00")
        await world.trade(1001, 3)
        await world.until(lambda: world.account(1)["positions"])
        await world.price("24950.00")
        await world.until(lambda: world.account(1)["open"] == "-301.500000")
        await world.fault("scatter", order=order, apart_ms=3000, kinds=["trade", "position"])
        await world.trade(1001, -3)
        await world.until(
            lambda: (
                world.account(1)["positions"] == []
                and Decimal(str(world.account(1)["fees"])) == 6 * Decimal("0.37")
            )
        )
        state = world.account(1)
        assert Decimal(str(state["net"])) == Decimal("-301.5") - 6 * Decimal("0.37")
        assert state["locks"] == []
        assert world.of(Kind.INTENT) == world.of(Kind.LOCK) == []
        assert len(await world.fills(1001)) == 2


@pytest.mark.parametrize("hub", ["user", "market"])
async def test_a_garbage_frame_costs_one_connection_and_nothing_else(
    world: World, hub: str
) -> None:
    """A frame that is no record: the hub is replaced, said to be lost, and fills are judged again."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        (before,) = await world.links(hub)
        await world.fault("garbage_frame", hub=hub)
        await world.until(lambda: world.said("hub down", hub=hub) and world.said("hub up", hub=hub))
        await world.until_live()
        await world.trade(1001, 1, GC)
        await world.until_flat(1001)
        (after,) = await world.links(hub)
        assert after["id"] != before["id"]
        assert bool(world.said("connection lost: this account is not watched")) == (hub == "user")


async def test_an_unreadable_event_is_told_and_the_broker_is_asked_instead(world: World) -> None:
    """A position that makes no sense may have been a breach: the account is read, the hub stays."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await world.fault("lose", kinds=["trade", "position", "order", "account"])
        await world.trade(1001, 7)
        await world.fault(
            "garbage_payload", event="GatewayUserPosition", payload={"id": "?"}, hub="user"
        )
        await world.until(lambda: world.of(Kind.INTENT))
        await world.heal()
        await world.until_held(1001, 5)
        (told,) = world.alerts("unreadable")
        assert told.startswith("something on the user hub could not be read: ")
        assert world.status("logins/sim/connection")["link"] == 1
