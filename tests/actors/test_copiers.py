"""An account that a copier follows another with: the leader is closed first."""

from decimal import Decimal

import trio

from risk.rules import Rule
from risk.rules.daily_loss import DailyLoss
from risk.rules.unrealized_loss import UnrealizedLoss
from tests.actors.world import ES, MNQ, World, run

LEADER, FOLLOWER = "SIM-50K-1", "SIM-50K-2"


def position_rule() -> tuple[Rule, ...]:
    return (UnrealizedLoss(limit=Decimal(100)),)


def day_rule() -> tuple[Rule, ...]:
    return (DailyLoss(limit=Decimal(100)),)


def test_the_leader_goes_first_and_the_copier_closes_the_follower() -> None:
    """Only what the copier has left open for two seconds is closed by us, so nothing opens again."""

    async def story() -> None:
        world = World(rules=position_rule, leaders={FOLLOWER: LEADER})
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 1)
            world.trade(1001, 1, ES)
            world.trade(1002, 3)
            await trio.sleep(1)
            world.price("24980")
            await trio.sleep(0.5)
            assert (world.held(1001), world.held(1001, ES)) == (0, 1)
            assert world.held(1002) == 3
            world.trade(1002, -3)
            await trio.sleep(10)
            assert [it.action for _, it in world.enforced] == [f"close {MNQ}"]
            assert world.written("code").count("follower_open") == 0
        (reason,) = world.written("reason", "decision", LEADER)
        assert reason.startswith("copied by SIM-50K-2: SIM-50K-2 is being closed (open -12")

    run(story)


def test_what_the_copier_leaves_open_is_closed_after_two_seconds() -> None:
    """It may have stopped; the lock is set at once all the same."""

    async def story() -> None:
        world = World(rules=day_rule, leaders={FOLLOWER: LEADER})
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 1)
            world.trade(1002, 3)
            await trio.sleep(1)
            world.price("24980")
            await trio.sleep(0.5)
            assert world.locks(FOLLOWER) == ["daily_loss"]
            assert (world.held(1001), world.held(1002)) == (0, 3)
            await trio.sleep(2)
            assert world.held(1002) == 0
            assert world.locks(LEADER) == []
            await trio.sleep(10)
            assert world.written("code").count("follower_open") == 0

    run(story)


def test_a_follower_that_stays_open_is_an_alarm() -> None:
    """The broker refuses its close: somebody must look now."""

    async def story() -> None:
        world = World(rules=day_rule, leaders={FOLLOWER: LEADER})
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1002, 3)
            await trio.sleep(1)
            world.broker.exchange.set_account(1002, refuses=frozenset({"close"}))
            world.price("24970")
            await trio.sleep(4)
            assert world.written("code").count("follower_open") == 0
            await trio.sleep(3)
            assert world.written("code").count("follower_open") == 1
            await trio.sleep(60)
            assert world.written("code").count("follower_open") == 1

    run(story)


def test_who_follows_nobody_is_closed_at_once_and_his_leader_is_none() -> None:
    """The leader itself, when it breaks a rule, asks nobody."""

    async def story() -> None:
        world = World(rules=day_rule, leaders={FOLLOWER: LEADER})
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 3)
            world.trade(1002, 1)
            await trio.sleep(1)
            world.price("24980")
            await trio.sleep(0.3)
            assert world.held(1001) == 0
            await trio.sleep(5)
            assert world.held(1002) == 1

    run(story)
