"""Mistakes of earlier systems that are made between the parts: each is a test, in virtual time.

``tests/risk/test_mistakes.py`` has the whole list and says where each of its tests is.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import trio

from risk.evaluate import evaluate
from risk.rules import DailyLoss, NoStopLoss, Rule, Trigger, UnrealizedLoss
from risk.verdict import Verdict
from simulator.delivery import Delayed
from simulator.events import Event
from simulator.faults import DropHubs, RefuseClose
from tests.actors.test_locks import SetClock
from tests.actors.world import GC, MNQ, World, nodes, run

A = "SIM-50K-1"


def one_by_one(events: Sequence[Event]) -> list[Delayed]:
    """Deliver what an execution brings a tenth of a second apart, in its own order."""
    return [(number * 0.1, event) for number, event in enumerate(events)]


def resets(world: World, day: str) -> list[str]:
    """Accounts whose reset for a trading day was written down, once for each time."""
    records = [e.record() for e in world.disk.durable if e.kind == "reset"]
    return sorted(str(it.account) for it in records if it.body["day"] == day)


def test_every_kind_of_event_makes_somebody_ask_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mistake of earlier systems: rules bound to the wrong events, so that they never ran."""
    asked: set[Trigger] = set()

    def witnessed(rules: Sequence[Rule], snapshot: Any, trigger: Trigger, *when: Any) -> Verdict:
        asked.add(trigger)
        return evaluate(rules, snapshot, trigger, *when)

    monkeypatch.setattr("actors.rules.evaluate", witnessed)

    def rules() -> tuple[Rule, ...]:
        return (UnrealizedLoss(limit=Decimal(200)), NoStopLoss(grace=timedelta(seconds=2)))

    async def story() -> None:
        world = World(rules=rules, arrange=one_by_one)
        world.begin()
        async with world.daemon():
            assert asked == {Trigger.START}
            world.price("25000")
            world.trade(1001, 1)
            await trio.sleep(1)
            assert asked >= {Trigger.FILL, Trigger.POSITION, Trigger.ACCOUNT}
            asked.clear()
            world.trade(1001, -1, limit=Decimal(26000))
            await trio.sleep(0.5)
            assert asked == {Trigger.ORDER}
            await trio.sleep(2)
            assert asked >= {Trigger.TIMER}
            world.trade(1001, 1)
            await trio.sleep(1)
            asked.clear()
            world.price("24900")
            await trio.sleep(0.05)
            assert asked >= {Trigger.MARK}
            world.broker.inject(DropHubs(hub="user"))
            await trio.sleep(10)
            assert asked >= {Trigger.CONNECTION, Trigger.FULL}

    run(story)


@pytest.mark.parametrize("rule", ["max_contracts", "symbol_block", "order", "daily_loss"])
def test_what_a_rule_finds_is_done_at_the_broker(rule: str) -> None:
    """Mistake of earlier systems: violations were found and enforcement was never called."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.price("25000")
            match rule:
                case "max_contracts":
                    world.trade(1001, 6)
                case "symbol_block":
                    world.trade(1001, 1, GC)
                case "order":
                    world.trade(1001, 1, GC, limit=Decimal(1000))
                case _:
                    world.trade(1001, 3)
                    await trio.sleep(0.5)
                    world.price("24900")
            await trio.sleep(1)
            found = [it.rule for _, it in world.enforced]
            assert found == ["symbol_block" if rule == "order" else rule]
            assert (world.held(1001), world.held(1001, GC), world.working(1001)) == (
                5 if rule == "max_contracts" else 0,
                0,
                [],
            )
            assert world.locks(A) == (["daily_loss"] if rule == "daily_loss" else [])

    run(story)


@pytest.mark.parametrize("of", [MNQ, GC])
def test_the_same_breach_again_within_a_minute_is_enforced_again(of: str) -> None:
    """Mistake of earlier systems: an idempotency window of 60 s swallowed a second, true breach."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.trade(1001, 5)
            for _ in range(8):
                world.trade(1001, 2, of)
                await trio.sleep(3)
                assert (world.held(1001), world.held(1001, GC)) == (5, 0)
            assert len(world.enforced) == 8

    run(story)


@pytest.mark.parametrize(
    ("left_over", "traded"), [("cancelled", 6), ("not let go", 12), ("seen late", 6)]
)
def test_a_stop_that_is_left_over_opens_nothing_on_a_locked_account(
    left_over: str, traded: int
) -> None:
    """Mistake of earlier systems: a leftover bracket stop re-opened a position on a locked account.

    Once the account is flat its stop goes, whenever it is seen. Should the broker not let it go, what
    it opens is closed.
    """

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 3)
            if left_over != "seen late":
                world.trade(1001, -3, stop=Decimal(24880))
            await trio.sleep(1)
            if left_over == "not let go":
                world.broker.inject(RefuseClose(operation="cancel", account_id=1001))
            world.price("24900")
            await trio.sleep(1)
            assert world.locks(A) == ["daily_loss"]
            if left_over == "seen late":
                world.trade(1001, -3, stop=Decimal(24880))
                await trio.sleep(1)
            assert len(world.working(1001)) == (left_over == "not let go")
            world.price("24870")
            await trio.sleep(1)
            assert (world.held(1001), world.working(1001)) == (0, [])
            assert sum(it["size"] for it in world.broker.desk.trades(1001)) == traded

    run(story)


def test_a_machine_that_sleeps_through_1700_resets_when_it_wakes() -> None:
    """Mistake of earlier systems: ``hour == 17 and minute == 0``, missed by a late wake-up."""

    async def story() -> None:
        world = World(start=datetime(2026, 11, 18, 22, 57, 58, tzinfo=UTC))
        world.begin()
        clock: Any = SetClock(world.clock)
        world.clock = clock
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 3)
            await trio.sleep(1)
            world.price("24900")
            await trio.sleep(1)
            assert world.locks(A) == ["daily_loss"]
            clock.ahead = timedelta(minutes=4)  # it is 17:02 now
            await trio.sleep(10)
            (clocks,) = [it for it in nodes(world.system.tree()) if it.path.endswith("clock")]
            assert clocks.status["trading_day"] == "2026-11-19"
            assert world.account(A)["trading_day"] == "2026-11-19"
            assert world.locks(A) == []
            assert resets(world, "2026-11-19") == sorted(world.accounts)

    run(story)


def test_the_day_after_the_clocks_have_changed_ends_at_1700_by_the_wall() -> None:
    """Mistake of earlier systems: 24 h were added to the last reset, across a change of the clocks."""

    async def story() -> None:
        friday = datetime(2026, 3, 6, 22, 59, 30, tzinfo=UTC)  # 16:59:30, winter
        monday = datetime(2026, 3, 9, 21, 59, 0, tzinfo=UTC)  # 16:59, summer
        world = World(start=friday)
        world.begin()
        async with world.daemon():
            await trio.sleep(60)
        await trio.sleep((monday - world.clock.now()).total_seconds())
        async with world.daemon():
            assert world.account(A)["trading_day"] == "2026-03-09"
            world.price("25000")
            world.trade(1001, 3)
            await trio.sleep(1)
            world.price("24900")
            await trio.sleep(1)
            assert world.locks(A) == ["daily_loss"]
            await trio.sleep(60)
            assert world.locks(A) == []
        for day in ("2026-03-06", "2026-03-09", "2026-03-10"):
            assert resets(world, day) == sorted(world.accounts)

    run(story)


@pytest.mark.parametrize("rule", [UnrealizedLoss(Decimal(200)), DailyLoss(Decimal(200))])
@pytest.mark.parametrize("after", [0.001, 0.01, 0.1, 0.7])
def test_a_breach_that_lasts_a_moment_between_many_quotes_is_seen(rule: Rule, after: float) -> None:
    """Mistake of earlier systems: a throttle on P&L hid the breach."""

    async def story() -> None:
        world = World(rules=lambda: (rule,))
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 2)
            await trio.sleep(1)
            for bid in ("24999", "24990", "24980", "24970"):
                world.price(bid)
                await trio.sleep(0.001)
            await trio.sleep(after)
            assert world.enforced == []
            world.price("24950")  # -201 dollars
            await trio.sleep(0.001)
            world.price("24990")
            await trio.sleep(1)
            assert [it.rule for _, it in world.enforced] == [rule.name]
            assert world.held(1001) == 0

    run(story)
