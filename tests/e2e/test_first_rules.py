"""The five oldest rules through the real SDK, and that no rule is without such a scenario."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from risk.rules import RULES, DailyLoss, MaxContracts, NoStopLoss, SymbolBlock, UnrealizedLoss
from store.records import Kind
from tests.conftest import Gateway
from tests.e2e import test_rules as others
from tests.e2e.world import CLOSE, GC, MNQ, PARTIAL_CLOSE, Lines, World, only, open_world

Scenario = Callable[..., Awaitable[None]]


async def test_max_contracts_takes_the_newest_and_nets_nothing(world: World) -> None:
    """Four long and three short of another product are seven; two of the newer ones go."""
    world.guard("SIM-50K-1", rules=only(MaxContracts(limit=5)))
    async with world.daemon():
        await world.trade(1001, 4, MNQ)
        await world.until_held(1001, 4)
        await world.trade(1001, -3, GC)
        await world.until_held(1001, -1, GC)
        assert await world.held(1001, MNQ) == 4
        (request,) = await world.requests(PARTIAL_CLOSE, 1001)
        assert request["subject"]["size"] == 2
        assert world.locks(1) == []
    assert world.reasons() == ["7 contracts > 5 (+4 MNQ, -3 GC)"]


async def test_daily_loss_ends_the_day(
    start_gateway: Callable[..., Gateway], tmp_path: Path, lines: Lines
) -> None:
    """Flat and locked to the reset; what is opened on the locked account is closed as well."""
    gateway = start_gateway("--quotes-per-second", "0", "--start", others.MORNING)
    async with open_world(gateway, tmp_path / "state", lines) as world, world.gateway_time():
        world.guard("SIM-50K-1", rules=only(DailyLoss(limit=Decimal(500))))
        async with world.daemon():
            await world.price("25000.00")
            await world.trade(1001, 3, MNQ)
            await world.until_held(1001, 3)
            await world.price("24900.00")
            await world.until_flat(1001)
            await world.until(lambda: world.locks(1) == ["daily_loss"])
            await world.trade(1001, 1, MNQ)
            await world.until_count(Kind.INTENT_DONE, 2)
            await world.until_flat(1001)
    first = "net day -602.61 <= -500 (realised 0.00, open -601.50, fees 1.11)"
    assert world.reasons() == [
        first,
        f"locked until 2026-11-18 17:00 CST ({first}), but +1 MNQ open",
    ]


async def test_unrealized_loss_closes_the_position_that_lost_too_much(world: World) -> None:
    """At exactly 200 dollars the position goes; the other one and the rest of the day are free."""
    world.guard("SIM-50K-1", rules=only(UnrealizedLoss(limit=Decimal(200))))
    async with world.daemon():
        await world.trade(1001, 1, GC)
        await world.until_held(1001, 1, GC)
        await world.price("25000.00")
        await world.trade(1001, 2, MNQ)
        await world.until_held(1001, 2)
        await world.price("24950.25")
        await world.until_held(1001, 0)
        assert len(await world.requests(CLOSE, 1001)) == 1
        assert await world.held(1001, GC) == 1
        assert world.locks(1) == []
    assert world.reasons() == ["open -200.00 <= -200 (+2 MNQ from 25000.25, marked 24950.25)"]


async def test_symbol_block_closes_and_cancels_what_must_not_be_traded(world: World) -> None:
    """A waiting order goes, the gold goes, the stop beside it follows, other products stay."""
    world.guard("SIM-50K-1", rules=only(SymbolBlock(symbols=("GC",))))
    async with world.daemon():
        await world.trade(1001, 1, MNQ)
        await world.trade(1001, 1, GC, limit=Decimal(1000))
        await world.until_count(Kind.INTENT_DONE, 1)
        await world.trade(1001, 2, GC)
        await world.until_count(Kind.INTENT_DONE, 2)
        await world.until_held(1001, 0, GC)
        assert await world.held(1001, MNQ) == 1
        assert world.locks(1) == []
    assert world.reasons() == [
        "GC is blocked (+0 held, 1 orders to cancel)",
        "GC is blocked (+2 held, 0 orders to cancel)",
    ]


async def test_no_stop_loss_closes_what_nobody_protects(world: World) -> None:
    """Mistake of earlier systems: stops placed in the broker's own screen went unseen.

    The stop of the one account comes from there, and its position stays; the other has a take-profit.
    """
    rule = NoStopLoss(grace=timedelta(seconds=2))
    world.guard("SIM-50K-1", "SIM-50K-2", rules=only(rule))
    async with world.daemon():
        await world.trade(1002, 1, MNQ)
        await world.trade(1002, -1, MNQ, stop=Decimal("24000.00"))
        await world.trade(1001, 1, MNQ)
        await world.trade(1001, -1, MNQ, limit=Decimal("26000.00"))
        await world.until_flat(1001)
        assert await world.held(1002) == 1
    assert world.reasons(2) == []
    (decision,) = world.of(Kind.DECISION)
    inputs = decision.body["inputs"]
    assert isinstance(inputs, dict)
    spent = Decimal(str(inputs["uncovered_s"]))
    assert spent >= 2
    assert world.reasons() == [
        f"+1 MNQ with stops for 0 was without a full stop for {spent} s >= 2 s"
    ]


SCENARIOS: Mapping[str, Scenario] = {
    "connection_loss": others.test_connection_loss_is_told_once_and_again_when_it_returns,
    "consistency": others.test_consistency_ends_a_day_that_is_too_good,
    "cooldown_after_loss": (
        others.test_cooldown_after_loss_closes_what_is_opened_in_it_also_after_a_restart
    ),
    "daily_loss": test_daily_loss_ends_the_day,
    "daily_profit": others.test_daily_profit_ends_the_day,
    "flat_by": others.test_flat_by_flattens_before_the_firm_does,
    "max_contracts": test_max_contracts_takes_the_newest_and_nets_nothing,
    "max_contracts_per_instrument": (others.test_max_contracts_per_instrument_reduces_one_root),
    "max_risk_per_trade": others.test_max_risk_per_trade_closes_what_stops_too_far_away,
    "news_blackout": others.test_news_blackout_flattens_and_locks_to_the_end_of_the_window,
    "no_stop_loss": test_no_stop_loss_closes_what_nobody_protects,
    "scaling_plan": others.test_scaling_plan_allows_what_the_balance_does,
    "session": others.test_session_closes_at_its_end_and_opens_again,
    "symbol_block": test_symbol_block_closes_and_cancels_what_must_not_be_traded,
    "trade_frequency": others.test_trade_frequency_closes_the_entry_that_was_too_many,
    "trailing_drawdown": others.test_trailing_drawdown_acts_before_the_firm_does,
    "unrealized_loss": test_unrealized_loss_closes_the_position_that_lost_too_much,
    "unrealized_profit": others.test_unrealized_profit_takes_half,
    "weekly_loss": others.test_weekly_loss_ends_the_week,
}
"""Where each rule goes the whole way from the trader's order to the account as it wants it."""


@pytest.mark.parametrize("name", RULES)
def test_every_rule_goes_the_whole_way_and_its_reason_is_compared(name: str) -> None:
    """Mistake of earlier systems: documentation claimed rules that nothing ever carried out.

    A rule that is added needs a scenario of its own, which guards an account by it alone.
    """
    scenario = inspect.getsource(SCENARIOS[name])
    assert f"{RULES[name].__name__}(" in scenario
    assert "rules=only(" in scenario
    assert "world.reasons()" in scenario


def test_no_scenario_outlives_its_rule() -> None:
    """Names that are no rule any more are taken out."""
    assert SCENARIOS.keys() == RULES.keys()
    assert len(set(SCENARIOS.values())) == len(SCENARIOS)
