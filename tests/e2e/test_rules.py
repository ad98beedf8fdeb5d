"""Every rule through the real SDK: from the trader's order to the account as the rule wants it."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from risk.rules import (
    ConnectionLoss,
    CooldownAfterLoss,
    DailyProfit,
    FlatBy,
    MaxContractsPerInstrument,
    MaxRiskPerTrade,
    NewsBlackout,
    Rule,
    Session,
    TradeFrequency,
    UnrealizedProfit,
)
from risk.rules.cooldown_after_loss import Tier
from risk.rules.news_blackout import Event, News
from store.records import Kind
from tests.conftest import Gateway
from tests.e2e.world import GC, MNQ, Lines, World, open_world


def _only(rule: Rule) -> Callable[[], tuple[Rule, ...]]:
    return lambda: (rule,)


def _reasons(world: World, number: int = 1) -> list[object]:
    """Why each decision was made, each reason once."""
    decisions = world.of(Kind.DECISION, f"SIM-50K-{number}")
    return list(dict.fromkeys(record.body["reason"] for record in decisions))


def _told(world: World, code: str, times: int) -> bool:
    return len(world.alerts(code)) == times


async def test_max_contracts_per_instrument_reduces_one_root(world: World) -> None:
    """Two of four gold contracts go, the index contracts are nobody's business."""
    world.guard("SIM-50K-1", rules=_only(MaxContractsPerInstrument(limits={"GC": 2})))
    async with world.daemon():
        await world.trade(1001, 6, MNQ)
        await world.trade(1001, 4, GC)
        await world.until_held(1001, 2, GC)
        assert await world.held(1001, MNQ) == 6
    assert _reasons(world) == ["4 GC > 2 (+4 CON.F.US.GCE.Z26)"]


async def test_unrealized_profit_takes_half(world: World) -> None:
    """Four contracts reach the limit: two go, and what stays is below it."""
    world.guard("SIM-50K-1", rules=_only(UnrealizedProfit(limit=Decimal(200), action="close_half")))
    async with world.daemon():
        await world.price("25000.00")
        await world.trade(1001, 4, MNQ)
        await world.until_held(1001, 4)
        await world.price("25025.25")
        await world.until_held(1001, 2)
    assert _reasons(world) == ["open 200.00 >= 200 (+4 MNQ from 25000.25, marked 25025.25)"]


async def test_daily_profit_ends_the_day(world: World) -> None:
    """Flat and locked to the reset; the next order of the day is cancelled."""
    world.guard("SIM-50K-1", rules=_only(DailyProfit(limit=Decimal(300))))
    async with world.daemon():
        await world.price("25000.00")
        await world.trade(1001, 3, MNQ)
        await world.until_held(1001, 3)
        await world.price("25055.25")
        await world.until_flat(1001)
        await world.until(lambda: world.locks(1) == ["daily_profit"])
        first = _reasons(world)[0]
        await world.trade(1001, 1, MNQ, limit=Decimal(20000))
        await world.until_flat(1001)
    assert first == ("net day 328.89 >= 300 (realised 0.00, open 330.00, fees 1.11)"), first


async def test_max_risk_per_trade_closes_what_stops_too_far_away(world: World) -> None:
    """The stop is accepted by the broker, is worth 120 dollars, and 100 are allowed."""
    world.guard("SIM-50K-1", rules=_only(MaxRiskPerTrade(limit=Decimal(100))))
    async with world.daemon():
        await world.price("25000.00")
        await world.trade(1001, 1, MNQ)
        await world.until_held(1001, 1)
        await world.until(lambda: world.alerts("risk_unknown"))
        await world.trade(1001, -1, MNQ, stop=Decimal("24940.25"))
        await world.until_flat(1001)
    assert _reasons(world) == ["risk 120.00 > 100 (+1 MNQ from 25000.25, stops for 1 at 24940.25)"]


async def test_session_closes_at_its_end_and_opens_again(
    start_gateway: Callable[..., Gateway], tmp_path: Path, lines: Lines
) -> None:
    """At 15:00 all is closed and locked; at 8:30 in the morning one may trade again."""
    gateway = start_gateway("--quotes-per-second", "0", "--start", "2026-11-18T14:59:50-06:00")
    async with open_world(gateway, tmp_path / "state", lines) as world, world.gateway_time():
        world.guard("SIM-50K-1", rules=_only(Session(times=("08:30-15:00",))))
        async with world.daemon():
            await world.trade(1001, 1, MNQ)
            await world.until_held(1001, 1)
            await world.control("clock", now="2026-11-18T14:59:59-06:00")
            await world.until_flat(1001)
            await world.until(lambda: world.locks(1) == ["session"])
            (reason,) = _reasons(world)
            await world.control("clock", now="2026-11-19T08:29:59-06:00")
            await world.until(lambda: world.locks(1) == [])
            await world.trade(1001, 1, MNQ)
            await world.until_held(1001, 1)
        assert reason == (
            "outside its session (mon tue wed thu fri 08:30-15:00): "
            "+1 MNQ open at 2026-11-18 15:00 CST"
        )


async def test_flat_by_flattens_before_the_firm_does(
    start_gateway: Callable[..., Gateway], tmp_path: Path, lines: Lines
) -> None:
    """Three minutes before 15:10 the day is over, also for an order that only waits."""
    gateway = start_gateway("--quotes-per-second", "0", "--start", "2026-11-18T15:06:50-06:00")
    async with open_world(gateway, tmp_path / "state", lines) as world, world.gateway_time():
        world.guard("SIM-50K-1", rules=_only(FlatBy(time=time(15, 10))))
        async with world.daemon():
            await world.trade(1001, 1, MNQ)
            await world.trade(1001, 1, MNQ, limit=Decimal(20000))
            await world.until_held(1001, 1)
            await world.control("clock", now="2026-11-18T15:06:59-06:00")
            await world.until_flat(1001)
            await world.until(lambda: world.locks(1) == ["flat_by"])
        assert _reasons(world)[0] == (
            "flat by 15:10 less 3 min: +1 MNQ open at 2026-11-18 15:07 CST"
        )


async def test_trade_frequency_closes_the_entry_that_was_too_many(world: World) -> None:
    """The third order of the day goes, the contracts of the first two stay."""
    world.guard("SIM-50K-1", rules=_only(TradeFrequency(session=2)))
    async with world.daemon():
        await world.trade(1001, 2, MNQ)
        await world.trade(1001, 1, MNQ)
        await world.until_held(1001, 3)
        await world.trade(1001, 4, MNQ)
        await world.until(lambda: _reasons(world))
        await world.until_held(1001, 3)
        await world.trade(1001, -3, MNQ)
        await world.until_flat(1001)
    (reason,) = _reasons(world)
    assert str(reason).startswith("4 opened after 2 entries in a day, no new ones until ")


async def test_cooldown_after_loss_closes_what_is_opened_in_it_also_after_a_restart(
    world: World,
) -> None:
    """The gold stays, the revenge trade goes; a daemon that begins anew remembers the pause."""
    tier = Tier(Decimal(50), timedelta(minutes=10))
    world.guard("SIM-50K-1", rules=_only(CooldownAfterLoss(tiers=(tier,))))
    async with world.daemon():
        await world.trade(1001, 1, GC)
        await world.price("25000.00")
        await world.trade(1001, 1, MNQ)
        await world.until_held(1001, 1)
        await world.price("24960.00")
        await world.trade(1001, -1, MNQ)
        await world.until_held(1001, 0)
        await world.trade(1001, 2, MNQ)
        await world.until(lambda: _reasons(world))
        await world.until_held(1001, 0)
    async with world.daemon():
        await world.until(lambda: world.alerts("cooldown"))
        await world.trade(1001, 1, MNQ)
        await world.until(lambda: len(_reasons(world)) > 1)
        await world.until_held(1001, 0)
        assert await world.held(1001, GC) == 1
    first, second = map(str, _reasons(world)[:2])
    assert first.startswith("2 opened in a cooldown until ")
    assert second.startswith("1 opened in a cooldown until ")
    assert "(a round trip in MNQ ended at -81.24 <= -50, 10 min of cooldown)" in first


async def test_news_blackout_flattens_and_locks_to_the_end_of_the_window(world: World) -> None:
    """The window is on: what is opened goes, and the account is locked while it lasts."""
    now = datetime.now(UTC)
    event = Event(now - timedelta(minutes=1), now + timedelta(hours=1), title="Payrolls")
    world.guard("SIM-50K-1", rules=_only(NewsBlackout(file=News((event,)))))
    async with world.daemon():
        await world.trade(1001, 1, MNQ)
        await world.until(lambda: _reasons(world))
        await world.until_flat(1001)
        await world.until(lambda: world.locks(1) == ["news_blackout"])
    assert str(_reasons(world)[0]).startswith("Payrolls until ")


async def test_connection_loss_is_told_once_and_again_when_it_returns(world: World) -> None:
    """The trader hears that nobody watches his position, for each loss of the link."""
    world.guard("SIM-50K-1", rules=_only(ConnectionLoss()))
    async with world.daemon():
        await world.trade(1001, 1, MNQ)
        await world.until_held(1001, 1)
        for losses in (1, 2):
            await world.fault("drop", hub="user")
            await world.until(partial(_told, world, "connection_lost", losses))
            await world.until_live(1)
