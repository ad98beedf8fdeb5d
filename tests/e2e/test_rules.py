"""Every rule through the real SDK: from the trader's order to the account as the rule wants it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from actors.older import Older
from risk.past import Seed, week_ends
from risk.rules import (
    ConnectionLoss,
    Consistency,
    CooldownAfterLoss,
    DailyProfit,
    FlatBy,
    MaxContracts,
    MaxContractsPerInstrument,
    MaxRiskPerTrade,
    NewsBlackout,
    ScalingPlan,
    Session,
    TradeFrequency,
    TrailingDrawdown,
    UnrealizedProfit,
    WeeklyLoss,
)
from risk.rules.cooldown_after_loss import Tier
from risk.rules.news_blackout import Event, News
from risk.rules.scaling_plan import Step
from risk.trading_day import TradingCalendar
from store.records import Kind
from tests.conftest import Gateway
from tests.e2e.world import GC, MNQ, Lines, World, only, open_world
from tests.guest_rules import NoShorts, Raises

CHICAGO = ZoneInfo("America/Chicago")
MORNING = "2026-11-18T10:00:00-06:00"
RESET = datetime(2026, 11, 18, 23, tzinfo=UTC)


async def _ended_by(world: World, rule: str, *, at: str) -> None:
    """Two bought at 25000.25 are flat once the bid is ``at``, and the account is locked."""
    await world.price("25000.00")
    await world.trade(1001, 2, MNQ)
    await world.until_held(1001, 2)
    await world.price(at)
    await world.until_flat(1001)
    await world.until(lambda: world.locks(1) == [rule])
    day = date.fromisoformat(str(world.account(1)["trading_day"]))
    last = week_ends(day) if rule == "weekly_loss" else day
    assert world.locked_until(1) == TradingCalendar().ends(last)


def _best(world: World) -> str:
    """The best result of the day as last written down."""
    written = world.of(Kind.PEAKS, "SIM-50K-1")
    return str(Decimal(str(written[-1].body["net"])).normalize()) if written else ""


def _told(world: World, code: str, times: int) -> bool:
    return len(world.alerts(code)) == times


async def test_max_contracts_per_instrument_reduces_one_root(world: World) -> None:
    """Two of four gold contracts go, the index contracts are nobody's business."""
    world.guard("SIM-50K-1", rules=only(MaxContractsPerInstrument(limits={"GC": 2})))
    async with world.daemon():
        await world.trade(1001, 6, MNQ)
        await world.trade(1001, 4, GC)
        await world.until_held(1001, 2, GC)
        assert await world.held(1001, MNQ) == 6
    assert world.reasons() == ["4 GC > 2 (+4 CON.F.US.GCE.Z26)"]


async def test_unrealized_profit_takes_half(world: World) -> None:
    """Four contracts reach the limit: two go, and what stays is below it."""
    world.guard("SIM-50K-1", rules=only(UnrealizedProfit(limit=Decimal(200), action="close_half")))
    async with world.daemon():
        await world.price("25000.00")
        await world.trade(1001, 4, MNQ)
        await world.until_held(1001, 4)
        await world.price("25025.25")
        await world.until_held(1001, 2)
    assert world.reasons() == ["open 200.00 >= 200 (+4 MNQ from 25000.25, marked 25025.25)"]


async def test_daily_profit_ends_the_day(world: World) -> None:
    """Flat and locked to the reset; the next order of the day is cancelled."""
    world.guard("SIM-50K-1", rules=only(DailyProfit(limit=Decimal(300))))
    async with world.daemon():
        await world.price("25000.00")
        await world.trade(1001, 3, MNQ)
        await world.until_held(1001, 3)
        await world.price("25055.25")
        await world.until_flat(1001)
        await world.until(lambda: world.locks(1) == ["daily_profit"])
        first = world.reasons()[0]
        await world.trade(1001, 1, MNQ, limit=Decimal(20000))
        await world.until_flat(1001)
    assert first == ("net day 328.89 >= 300 (realised 0.00, open 330.00, fees 1.11)"), first


async def test_max_risk_per_trade_closes_what_stops_too_far_away(world: World) -> None:
    """The stop is accepted by the broker, is worth 120 dollars, and 100 are allowed."""
    world.guard("SIM-50K-1", rules=only(MaxRiskPerTrade(limit=Decimal(100))))
    async with world.daemon():
        await world.price("25000.00")
        await world.trade(1001, 1, MNQ)
        await world.until_held(1001, 1)
        await world.until(lambda: world.alerts("risk_unknown"))
        await world.trade(1001, -1, MNQ, stop=Decimal("24940.25"))
        await world.until_flat(1001)
    assert world.reasons() == ["risk 120.00 > 100 (+1 MNQ from 25000.25, stops for 1 at 24940.25)"]


async def test_session_closes_at_its_end_and_opens_again(
    start_gateway: Callable[..., Gateway], tmp_path: Path, lines: Lines
) -> None:
    """At 15:00 all is closed and locked; at 8:30 in the morning one may trade again."""
    gateway = start_gateway("--quotes-per-second", "0", "--start", "2026-11-18T14:59:50-06:00")
    async with open_world(gateway, tmp_path / "state", lines) as world, world.gateway_time():
        world.guard("SIM-50K-1", rules=only(Session(times=("08:30-15:00",))))
        async with world.daemon():
            await world.trade(1001, 1, MNQ)
            await world.until_held(1001, 1)
            await world.control("clock", now="2026-11-18T14:59:59-06:00")
            await world.until_flat(1001)
            await world.until(lambda: world.locks(1) == ["session"])
            assert world.locked_until(1) == datetime(2026, 11, 19, 14, 30, tzinfo=UTC)
            (reason,) = world.reasons()
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
        world.guard("SIM-50K-1", rules=only(FlatBy(time=time(15, 10))))
        async with world.daemon():
            await world.trade(1001, 1, MNQ)
            await world.trade(1001, 1, MNQ, limit=Decimal(20000))
            await world.until_held(1001, 1)
            await world.control("clock", now="2026-11-18T15:06:59-06:00")
            await world.until_flat(1001)
            await world.until(lambda: world.locks(1) == ["flat_by"])
            assert world.locked_until(1) == RESET
        assert world.reasons()[0] == (
            "flat by 15:10 less 3 min: +1 MNQ open at 2026-11-18 15:07 CST"
        )


async def test_trade_frequency_closes_the_entry_that_was_too_many(
    start_gateway: Callable[..., Gateway], tmp_path: Path, lines: Lines
) -> None:
    """The third order of the day goes, the contracts of the first two stay."""
    gateway = start_gateway("--quotes-per-second", "0", "--start", MORNING)
    async with open_world(gateway, tmp_path / "state", lines) as world, world.gateway_time():
        world.guard("SIM-50K-1", rules=only(TradeFrequency(session=2)))
        async with world.daemon():
            await world.trade(1001, 2, MNQ)
            await world.trade(1001, 1, MNQ)
            await world.until_held(1001, 3)
            await world.trade(1001, 4, MNQ)
            await world.until(world.reasons)
            await world.until_held(1001, 3)
            await world.trade(1001, -3, MNQ)
            await world.until_flat(1001)
        assert world.reasons() == [
            "4 opened after 2 entries in a day, no new ones until 2026-11-18 17:00 CST"
        ]


async def test_cooldown_after_loss_closes_what_is_opened_in_it_also_after_a_restart(
    start_gateway: Callable[..., Gateway], tmp_path: Path, lines: Lines
) -> None:
    """The gold stays, the revenge trade goes; a daemon that begins anew remembers the pause."""
    gateway = start_gateway("--quotes-per-second", "0", "--start", MORNING)
    async with open_world(gateway, tmp_path / "state", lines) as world, world.gateway_time():
        tier = Tier(Decimal(50), timedelta(minutes=10))
        world.guard("SIM-50K-1", rules=only(CooldownAfterLoss(tiers=(tier,))))
        async with world.daemon():
            await world.trade(1001, 1, GC)
            await world.price("25000.00")
            await world.trade(1001, 1, MNQ)
            await world.until_held(1001, 1)
            await world.price("24960.00")
            await world.trade(1001, -1, MNQ)
            await world.until_held(1001, 0)
            await world.trade(1001, 2, MNQ)
            await world.until(world.reasons)
            await world.until_held(1001, 0)
        async with world.daemon():
            await world.until(lambda: world.alerts("cooldown"))
            await world.trade(1001, 1, MNQ)
            await world.until(lambda: len(world.reasons()) > 1)
            await world.until_held(1001, 0)
            assert await world.held(1001, GC) == 1
        exit_ = (await world.truth(1001))["trades"][2]
        until = datetime.fromisoformat(exit_["creationTimestamp"]) + tier.for_
        cause = (
            f"opened in a cooldown until {until.astimezone(CHICAGO):%Y-%m-%d %H:%M} CST "
            "(a round trip in MNQ ended at -81.24 <= -50, 10 min of cooldown)"
        )
        assert world.reasons()[:2] == [f"2 {cause}", f"1 {cause}"]


async def test_news_blackout_flattens_and_locks_to_the_end_of_the_window(
    start_gateway: Callable[..., Gateway], tmp_path: Path, lines: Lines
) -> None:
    """The window is on: what is opened goes, and the account is locked while it lasts."""
    gateway = start_gateway("--quotes-per-second", "0", "--start", MORNING)
    async with open_world(gateway, tmp_path / "state", lines) as world, world.gateway_time():
        begins = datetime.fromisoformat(MORNING) - timedelta(minutes=1)
        event = Event(begins, begins + timedelta(hours=1), title="Payrolls")
        world.guard("SIM-50K-1", rules=only(NewsBlackout(file=News((event,)))))
        async with world.daemon():
            await world.trade(1001, 1, MNQ)
            await world.until(world.reasons)
            await world.until_flat(1001)
            await world.until(lambda: world.locks(1) == ["news_blackout"])
            assert world.locked_until(1) == event.end
        assert world.reasons()[0] == "Payrolls until 2026-11-18 10:59 CST: +1 MNQ open"


async def test_connection_loss_is_told_once_and_again_when_it_returns(world: World) -> None:
    """The trader hears that nobody watches his position, for each loss of the link."""
    world.guard("SIM-50K-1", rules=only(ConnectionLoss()))
    async with world.daemon():
        await world.trade(1001, 1, MNQ)
        await world.until_held(1001, 1)
        for losses in (1, 2):
            await world.fault("drop", hub="user")
            await world.until(partial(_told, world, "connection_lost", losses))
            await world.until_link(losses + 1)
    told = "SIM-50K-1: the link to the broker is lost, +1 MNQ open, and nobody watches it"
    assert world.alerts("connection_lost") == [told, told]
    assert world.reasons() == []


async def test_trailing_drawdown_acts_before_the_firm_does(world: World) -> None:
    """A balance of 50,000, a floor of 49,700: at 49,750 everything goes, and the day is over."""
    rule = TrailingDrawdown(amount=Decimal(300), lock_at=Decimal(50000))
    world.guard("SIM-50K-1", rules=only(rule))
    async with world.daemon():
        await world.until(lambda: world.account(1)["to_the_floor"] == "300")
        await _ended_by(world, "trailing_drawdown", at="24937.50")
    reason = world.reasons()[0]
    assert reason == (
        "equity 49748.26 <= 49750.00, the floor 49700.00 with a buffer of 50 "
        "(realised 0.00, open -251.00, fees 0.74)"
    )


async def test_weekly_loss_ends_the_week(world: World) -> None:
    """Flat, and locked to Friday's close."""
    world.guard("SIM-50K-1", rules=only(WeeklyLoss(limit=Decimal(200))))
    async with world.daemon():
        await _ended_by(world, "weekly_loss", at="24950.25")
    reason = world.reasons()[0]
    assert reason == (
        "net week -200.74 <= -200 (earlier days 0.00, today -200.74: "
        "realised 0.00, open -200.00, fees 0.74)"
    )


async def test_scaling_plan_allows_what_the_balance_does(world: World) -> None:
    """At 50,000 the second step has not been reached: one of three stays."""
    steps = (Step(Decimal(0), 1), Step(Decimal("50000.01"), 3))
    world.guard("SIM-50K-1", rules=only(ScalingPlan(tiers=steps)))
    async with world.daemon():
        await world.trade(1001, 3, MNQ)
        await world.until_held(1001, 1)
    assert world.reasons() == ["3 contracts > 1, for a balance of 50000.00 (+3 MNQ)"]


async def test_consistency_ends_a_day_that_is_too_good(world: World) -> None:
    """Earlier days have earned 100; with 100 more this one is half of all profit."""
    seed = Seed(starting_balance=Decimal(49900))
    world.guard("SIM-50K-1", rules=only(Consistency(action="lock")), seed=seed)
    async with world.daemon():
        await _ended_by(world, "consistency", at="25025.75")
    assert world.reasons()[0] == (
        "net day 101.26 >= 100.00, 50 % of all profit (realised 0.00, open 102.00, fees 0.74)"
    )


async def test_daily_profit_keeps_half_of_the_best_also_after_a_restart(world: World) -> None:
    """The best of the day was 200 before the daemon began anew; half of it is what must stay."""
    rule = DailyProfit(mode="give_back", keep=50, above=Decimal(150))
    world.guard("SIM-50K-1", rules=only(rule))
    async with world.daemon():
        await world.price("25000.00")
        await world.trade(1001, 2, MNQ)
        await world.until_held(1001, 2)
        await world.price("25050.25")
        await world.until(lambda: _best(world) == "199.26")
    await world.price(
        "25025.25"
    )  # nobody watches: only who remembers the best knows that it is half
    async with world.daemon():
        await world.until_flat(1001)
        await world.until(lambda: world.locks(1) == ["daily_profit"])
    assert world.reasons()[0] == (
        "found at start-up: net day 99.26 <= 99.63, 50 % of the day's best, 199.26 "
        "(realised 0.00, open 100.00, fees 0.74)"
    )


async def test_a_rule_of_others_is_enforced_and_a_broken_one_costs_only_itself(
    world: World,
) -> None:
    """Ours and the good guest close what they must while the third fails at every question."""
    world.guard("SIM-50K-1", rules=lambda: (MaxContracts(limit=2), Raises(), NoShorts()))
    async with world.daemon():
        await world.trade(1001, 4, MNQ)
        await world.until_held(1001, 2)
        await world.trade(1001, -1, MNQ)
        await world.trade(1001, -1, GC)
        await world.until(lambda: "-1 GC is short" in world.reasons())
        await world.until_held(1001, 0, GC)
        await world.until(lambda: world.alerts("rule_failed"))
        assert await world.held(1001, MNQ) == 1


async def test_a_limit_that_was_loosened_today_holds_until_the_reset(
    start_gateway: Callable[..., Gateway], tmp_path: Path, lines: Lines
) -> None:
    """Two were allowed in the morning, five are now: two it stays until 17:00."""
    gateway = start_gateway("--quotes-per-second", "0", "--start", "2026-11-18T16:59:50-06:00")
    async with open_world(gateway, tmp_path / "state", lines) as world, world.gateway_time():
        older = Older((MaxContracts(limit=2),), True, datetime(2026, 11, 18, 23, tzinfo=UTC))
        world.guard("SIM-50K-1", rules=only(MaxContracts(limit=5)), older=older)
        async with world.daemon():
            await world.trade(1001, 4, MNQ)
            await world.until_held(1001, 2)
            await world.control("clock", now="2026-11-18T17:00:05-06:00")
            await world.until(lambda: world.account(1)["trading_day"] == "2026-11-19")
            await world.trade(1001, 4, MNQ)
            await world.until_held(1001, 5)
        assert world.reasons() == ["4 contracts > 2 (+4 MNQ)", "6 contracts > 5 (+6 MNQ)"]


async def test_a_rule_of_others_that_was_taken_out_today_holds_until_the_reset(
    start_gateway: Callable[..., Gateway], tmp_path: Path, lines: Lines
) -> None:
    """Shorts are closed up to 17:00, and stay from then on."""
    gateway = start_gateway("--quotes-per-second", "0", "--start", "2026-11-18T16:59:50-06:00")
    async with open_world(gateway, tmp_path / "state", lines) as world, world.gateway_time():
        older = Older((NoShorts(),), True, datetime(2026, 11, 18, 23, tzinfo=UTC))
        world.guard("SIM-50K-1", rules=only(MaxContracts(limit=5)), older=older)
        async with world.daemon():
            await world.trade(1001, -1, MNQ)
            await world.until_held(1001, 0)
            await world.control("clock", now="2026-11-18T17:00:05-06:00")
            await world.until(lambda: world.account(1)["trading_day"] == "2026-11-19")
            await world.trade(1001, -1, MNQ)
            await world.trade(1001, -6, MNQ)
            await world.until_held(1001, -5)
        assert world.reasons() == ["-1 MNQ is short", "7 contracts > 5 (-7 MNQ)"]
