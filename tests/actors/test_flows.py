"""The daemon's flows in virtual time, from the trader's order to the broker's truth."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import trio

from risk.rules import DailyLoss, Rule
from simulator.faults import DropHubs, RefuseClose, RevokeTokens, Stall
from tests.actors.world import ES, GC, MNQ, World, nodes, run


def test_an_oversized_fill_is_reduced_to_the_limit() -> None:
    """Seven contracts against a limit of five leave five, by one partial close."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.trade(1001, 7)
            await trio.sleep(1)
            assert world.held(1001) == 5
            assert [(a, e.rule, e.outcome) for a, e in world.enforced] == [
                ("SIM-50K-1", "max_contracts", "done")
            ]

    run(story)


def test_a_blocked_symbol_is_closed_and_its_orders_cancelled() -> None:
    """Gold is blocked: the position goes, the stop left behind goes too."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.trade(1001, 1, GC)
            world.trade(1001, -1, GC, stop=Decimal(4000))
            await trio.sleep(2)
            assert world.held(1001, GC) == 0
            assert world.working(1001) == []

    run(story)


def test_a_daily_loss_flattens_cancels_and_locks_until_the_reset() -> None:
    """After the lock any new position is closed, and at 17:00 Chicago the account is free again."""

    async def story() -> None:
        world = World(start=datetime.fromisoformat("2026-11-18T22:50:00+00:00"))
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 3)
            world.trade(1001, 1, limit=Decimal(24000))
            await trio.sleep(1)
            world.price("24910")
            await trio.sleep(2)
            assert world.held(1001) == 0
            assert world.working(1001) == []
            assert world.locks("SIM-50K-1") == ["daily_loss"]
            world.trade(1001, 1)
            await trio.sleep(1)
            assert world.held(1001) == 0
            await trio.sleep(timedelta(minutes=10).total_seconds())
            assert world.locks("SIM-50K-1") == []
            world.trade(1001, 1)
            await trio.sleep(1)
            assert world.held(1001) == 1

    run(story)


def test_a_position_without_a_stop_is_closed_when_its_grace_ends() -> None:
    """Two minutes uncovered are too long; a covered position stays."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.trade(1001, 1)
            world.trade(1002, 1)
            world.trade(1002, -1, stop=Decimal(24000))
            await trio.sleep(115)
            assert world.held(1001) == 1
            await trio.sleep(7)
            assert world.held(1001) == 0
            assert world.held(1002) == 1

    run(story)


def test_what_happened_while_the_hub_was_down_is_found_and_judged_on_its_return() -> None:
    """A position opened during the outage is reduced as soon as the link is back."""

    async def story() -> None:
        world = World()
        world.begin()
        world.broker.reconnect_after = 20
        async with world.daemon():
            world.broker.inject(DropHubs(hub="user"))
            await trio.sleep(1)
            world.trade(1001, 7)
            await trio.sleep(10)
            assert world.held(1001) == 7
            await trio.sleep(12)
            assert world.held(1001) == 5
            assert world.account("SIM-50K-1")["phase"] == "live"

    run(story)


def test_a_killed_daemon_finds_its_lock_and_keeps_the_account_flat() -> None:
    """The lock is on disk before the close request leaves, so the next start knows it."""

    async def story() -> None:
        world = World()
        world.begin()
        with trio.CancelScope() as kill:
            async with world.daemon():
                world.price("25000")
                world.trade(1001, 3)
                await trio.sleep(1)
                world.price("24900")
                await trio.sleep(0.005)
                kill.cancel()
        world.trade(1001, 1)
        async with world.daemon():
            await trio.sleep(2)
            assert world.locks("SIM-50K-1") == ["daily_loss"]
            assert world.held(1001, MNQ) == 0

    run(story)


def test_a_restart_does_not_forgive_time_without_a_stop() -> None:
    """100 s uncovered, a crash, 20 s more: the grace of 120 s is used up, not begun again."""

    async def story() -> None:
        world = World()
        world.begin()
        with trio.CancelScope() as kill:
            async with world.daemon():
                world.trade(1001, 1)
                await trio.sleep(101)
                kill.cancel()
        async with world.daemon():
            assert world.held(1001) == 1
            await trio.sleep(35)
            assert world.held(1001) == 0
            assert [it.rule for _, it in world.enforced] == ["no_stop_loss"]

    run(story)


def test_a_carried_position_counts_from_its_mark_at_the_reset_also_after_a_restart() -> None:
    """What was lost before 17:00 belongs to the old day, whatever restarts follow."""

    async def story() -> None:
        world = World(start=datetime.fromisoformat("2026-11-18T22:59:00+00:00"))
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 1)
            world.trade(1001, -1, stop=Decimal(24000))
            await trio.sleep(5)
            world.price("24960.25")
            await trio.sleep(60)
            assert world.account("SIM-50K-1")["trading_day"] == "2026-11-19"
            world.price("24950.25")
            await trio.sleep(5)
            assert Decimal(str(world.account("SIM-50K-1")["net"])) == -20
        async with world.daemon():
            await trio.sleep(5)
            assert Decimal(str(world.account("SIM-50K-1")["net"])) == -20
            resets = [e.record().body["day"] for e in world.disk.durable if e.kind == "reset"]
            assert resets.count("2026-11-19") == len(world.accounts)

    run(story)


def test_each_account_resets_once_per_trading_day_over_a_weekend_and_downtime() -> None:
    """Friday evening, a weekend switched off, Monday: one reset for Monday, none for Saturday."""

    async def story() -> None:
        world = World(start=datetime.fromisoformat("2026-11-20T22:59:00+00:00"))
        world.begin()
        async with world.daemon():
            await trio.sleep(120)
        await trio.sleep(timedelta(hours=60).total_seconds())
        async with world.daemon():
            await trio.sleep(10)
        resets = [
            (e.account, e.record().body["day"]) for e in world.disk.durable if e.kind == "reset"
        ]
        assert sorted(resets) == [
            (name, day) for name in world.accounts for day in ("2026-11-20", "2026-11-23")
        ]

    run(story)


@pytest.mark.parametrize("victim", ["account", "rules", "enforcement"])
def test_an_actor_that_dies_in_the_middle_of_a_flatten_changes_nothing(victim: str) -> None:
    """Whoever crashes while the close is under way: flat, locked, and closed once."""

    async def story() -> None:
        world = World(request_latency=0.2)
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 3)
            await trio.sleep(1)
            world.price("24900")
            await trio.sleep(0.05)
            world.system.crash(f"seawall/logins/sim/accounts/SIM-50K-1/{victim}", "planned")
            await trio.sleep(5)
            assert world.held(1001) == 0
            assert world.locks("SIM-50K-1") == ["daily_loss"]
            fills = [t for t in world.broker.desk.trades(1001) if t["side"] == 1]
            assert sum(t["size"] for t in fills) == 3

    run(story)


def test_prices_that_move_while_the_hub_is_down_lock_nobody() -> None:
    """The trader got out during the outage; what the old position would have lost is not his loss."""

    async def story() -> None:
        world = World()
        world.begin()
        world.broker.reconnect_after = 20
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 3)
            await trio.sleep(1)
            world.broker.inject(DropHubs(hub="user"))
            await trio.sleep(1)
            world.trade(1001, -3)
            world.price("24800")
            await trio.sleep(30)
            assert world.account("SIM-50K-1")["phase"] == "live"
            assert world.locks("SIM-50K-1") == []
            assert world.enforced == []

    run(story)


def test_a_loss_made_while_the_hub_was_down_locks_when_it_is_back() -> None:
    """What is still open after the outage is judged at today's prices."""

    async def story() -> None:
        world = World()
        world.begin()
        world.broker.reconnect_after = 20
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 3)
            await trio.sleep(1)
            world.broker.inject(DropHubs(hub="user"))
            await trio.sleep(1)
            world.price("24800")
            await trio.sleep(10)
            assert world.held(1001) == 3
            await trio.sleep(15)
            assert world.held(1001) == 0
            assert world.locks("SIM-50K-1") == ["daily_loss"]

    run(story)


def test_an_account_that_is_only_watched_is_left_alone() -> None:
    """Everything is decided and said, nothing is sent."""

    async def story() -> None:
        world = World(armed=False)
        world.begin()
        async with world.daemon():
            world.trade(1001, 7)
            await trio.sleep(10)
            assert world.held(1001) == 7
            assert world.enforced == []
        imagined = world.written("imagined")
        assert imagined.count(f"reduce {MNQ} to 5") == 1

    run(story)


def test_a_watched_account_is_told_once_that_it_might_only_reduce() -> None:
    """No lock is set, nothing is closed, and the reason is not repeated with every price."""

    def rules() -> tuple[Rule, ...]:
        return (DailyLoss(limit=Decimal(500), reduce_only_at=50),)

    async def story() -> None:
        world = World(armed=False, rules=rules)
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 2)
            await trio.sleep(1)
            world.price("24930")
            await trio.sleep(6)
            world.price("24929")
            await trio.sleep(6)
            assert world.held(1001) == 2
            assert world.locks("SIM-50K-1") == []
        imagined = world.written("imagined")
        assert imagined.count("only reduce") == 1

    run(story)


def test_a_connection_that_dies_comes_back_with_newer_numbers() -> None:
    """Its accounts wait, then believe the new session, whose events count as newer than any before."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.trade(1001, 2)
            await trio.sleep(1)
            world.system.crash("seawall/logins/sim/connection", "planned")
            await trio.sleep(2)
            await world.until_live()
            world.trade(1001, 5)
            await trio.sleep(1)
            assert world.held(1001) == 5
            assert world.account("SIM-50K-1")["positions"] == [
                {"contract": MNQ, "net": 5, "average_price": "25000.25"}
            ]

    run(story)


def test_a_session_that_the_broker_ends_is_opened_again_without_a_crash() -> None:
    """A revoked key is an answer, not an error of ours: no actor restarts over it."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.broker.inject(RevokeTokens())
            await trio.sleep(40)
            await world.until_live()
            world.trade(1001, 7)
            await trio.sleep(1)
            assert world.held(1001) == 5
            assert all(node.restarts == 0 for node in nodes(world.system.tree()))

    run(story)


def test_trades_of_an_outage_are_found_though_the_position_is_what_it_was() -> None:
    """In and out again while nobody listened: the balance tells that trades are missing."""

    async def story() -> None:
        world = World()
        world.begin()
        world.broker.reconnect_after = 40
        async with world.daemon():
            world.price("25000")
            await trio.sleep(1)
            world.broker.inject(DropHubs(hub="user"))
            await trio.sleep(1)
            world.trade(1001, 3)
            world.price("24900")
            world.trade(1001, -3)
            await trio.sleep(50)
            assert world.locks("SIM-50K-1") == ["daily_loss"]

    run(story)


def test_a_reduction_that_was_refused_is_not_repeated_once_the_trader_has_cured_the_breach() -> (
    None
):
    """3 ES and 4 MNQ against 5: he closes the ES himself while the broker refuses; the MNQ stay."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.trade(1001, 3, ES)
            world.trade(1001, -3, ES, stop=Decimal(1000))
            await trio.sleep(1)
            world.broker.inject(RefuseClose(operation="partial_close", account_id=1001))
            world.trade(1001, 4)
            world.trade(1001, -4, stop=Decimal(10000))
            await trio.sleep(3)
            assert world.held(1001) == 4
            world.trade(1001, -3, ES)
            await trio.sleep(0.5)
            world.broker.heal()
            await trio.sleep(60)
            assert (world.held(1001), world.held(1001, ES)) == (4, 0)

    run(story)


def test_a_reduction_that_is_refused_for_a_while_is_done_in_the_end() -> None:
    """Refused, judged again, tried again at its pace, and done once the broker accepts."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.broker.inject(RefuseClose(operation="partial_close", account_id=1001))
            world.trade(1001, 7)
            await trio.sleep(5)
            assert world.held(1001) == 7
            world.broker.heal()
            await trio.sleep(10)
            assert world.held(1001) == 5

    run(story)


def test_a_contract_traded_again_is_not_judged_by_the_price_it_had_before() -> None:
    """Its price was not watched in between; a day's lock for a loss that never was cannot be undone."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 2)
            await trio.sleep(1)
            world.trade(1001, -2)
            await trio.sleep(0.003)
            world.price("25000.25")
            await trio.sleep(1)
            world.price("25300")
            world.trade(1001, 2)
            await trio.sleep(1)
            assert world.locks("SIM-50K-1") == []
            assert world.held(1001) == 2

    run(story)


def test_a_stop_filled_in_a_gap_locks_nobody() -> None:
    """The fill is heard before the quote: marked at the price before the gap it would be a great loss."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 1)
            world.trade(1001, 4, stop=Decimal(25010))
            await trio.sleep(1)
            world.broker.inject(Stall(hub="market", duration=0.2))
            world.price("25100")
            await trio.sleep(1)
            assert world.locks("SIM-50K-1") == []
            assert world.held(1001) == 5

    run(story)
