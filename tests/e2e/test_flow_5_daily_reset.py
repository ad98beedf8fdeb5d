"""Flow 5: the trading day turns at 17:00 in Chicago, once."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from risk.rules import Rule
from risk.rules.daily_loss import DailyLoss
from store.records import Kind
from tests.conftest import Gateway
from tests.e2e.figures import Figures
from tests.e2e.world import Lines, World, open_world

AFTERNOON = "2026-11-18T16:40:00-06:00"
JUST_BEFORE = "2026-11-18T16:59:53-06:00"


def _rules() -> tuple[Rule, ...]:
    """Not no_stop_loss: the clock leaps twenty minutes, which uncovered positions do not survive."""
    return (DailyLoss(limit=Decimal(500)),)


async def test_flow_5_daily_reset(
    start_gateway: Callable[..., Gateway], tmp_path: Path, lines: Lines, figures: Figures
) -> None:
    """The day's loss is zero again, its lock is over, and neither returns after a restart."""
    gateway = start_gateway("--quotes-per-second", "0", "--start", AFTERNOON)
    async with open_world(gateway, tmp_path / "state", lines) as world, world.gateway_time():
        world.guard("SIM-50K-1", "SIM-50K-2", rules=_rules)
        async with world.daemon():
            await _lose_the_day(world)
            await world.trade(1002, 1)
            await world.until(lambda: world.account(2)["positions"])
            await world.control("clock", now=JUST_BEFORE)
            await world.until(lambda: world.account(1)["trading_day"] == "2026-11-19", 15)
            await world.until(lambda: world.locks(1) == [])
            await world.until(lambda: len(_resets(world, 1)) == len(_resets(world, 2)) == 2)
            assert world.account(1)["net"] == "0"
            assert world.said("lock ended", account="SIM-50K-1")
            (line,) = world.said("the day that is over", account="SIM-50K-1")
            assert line["summary"] == (
                "net -603.72 (realised -601.50, open 0.00, fees 2.22), at best 0.00; 1 round trips, "
                "0 won, 1 lost, the largest loss -603.72; locked by daily_loss"
            )
            offset = world.status("session clock")["last_reset_offset_s"]
            await world.trade(1001, 1)
            await world.until(lambda: world.account(1)["positions"])
            assert world.idle(1)
        figures.add(5, "reset after 17:00 in Chicago", [offset], "s", target=5)
        async with world.daemon():
            assert world.locks(1) == []
            assert await world.held(1001) == await world.held(1002) == 1
        assert [r.body["day"] for r in world.of(Kind.RESET, "SIM-50K-1")] == [
            "2026-11-18",
            "2026-11-19",
        ]


def _resets(world: World, number: int) -> list[object]:
    return [r.body["day"] for r in world.of(Kind.RESET, f"SIM-50K-{number}")]


async def _lose_the_day(world: World) -> None:
    await world.price("25000.00")
    await world.trade(1001, 3)
    await world.until(lambda: world.account(1)["positions"])
    await world.price("24900.00")
    await world.until_flat(1001)
    await world.until(lambda: world.locks(1) == ["daily_loss"])
    assert float(str(world.account(1)["net"])) < -500
