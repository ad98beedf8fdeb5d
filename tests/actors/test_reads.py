"""What events do not say, reads must find; what reads get wrong must not stay wrong."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
import trio

from risk.rules import MaxRiskPerTrade, NoStopLoss
from risk.rules.daily_loss import DailyLoss
from simulator.faults import (
    DropHubs,
    EventKind,
    GarbagePayload,
    HttpStatus,
    LoseEvents,
    NoTickValue,
    RefuseClose,
    StaleSnapshot,
)
from supervision import MailboxFull
from tests.actors.world import MNQ, World, run


@pytest.mark.parametrize("account", [True, False], ids=["balance told", "balance lost too"])
def test_a_round_trip_that_no_event_told_of_is_found_by_the_balance(account: bool) -> None:
    """Trades, positions and orders were lost on a live hub; the account is flat, but poorer."""
    lost: tuple[EventKind, ...] = ("trade", "position", "order")

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.broker.inject(LoseEvents(kinds=lost if account else (*lost, "account")))
            world.trade(1001, 3)
            world.price("24900")
            world.trade(1001, -3)
            await trio.sleep(1)
            world.broker.heal()
            await trio.sleep(20)
            assert world.locks("SIM-50K-1") == ["daily_loss"]

    run(story)


def test_an_event_that_was_unreadable_during_a_reconcile_is_read_again() -> None:
    """It came after the positions were read and before they were believed."""

    async def story() -> None:
        world = World(read_latency=0.1)
        world.begin()
        async with world.daemon():
            world.broker.inject(DropHubs(hub="user"))
            await trio.sleep(0.05 + 0.1 + 0.12)
            world.broker.inject(LoseEvents())
            world.trade(1001, 7)
            world.broker.heal()
            world.broker.inject(GarbagePayload(hub="user"))
            await trio.sleep(3)
            assert world.held(1001) == 5

    run(story)


def test_a_contract_whose_record_was_unreadable_is_asked_for_again() -> None:
    """No event comes any more, but the record can be read now, and the loss is too large."""

    async def story() -> None:
        world = World()
        world.begin()
        world.broker.inject(NoTickValue(contract_id=MNQ))
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 3)
            world.trade(1001, -3, stop=Decimal(20000))
            await trio.sleep(3)
            world.broker.heal()
            world.price("24900")
            await trio.sleep(20)
            assert world.held(1001) == 0
            assert world.locks("SIM-50K-1") == ["daily_loss"]

    run(story)


def test_a_stop_that_an_old_snapshot_did_not_show_protects_again() -> None:
    """A read out of date lost the stop; later reads show it, and the position stays."""

    async def story() -> None:
        world = World()
        world.begin()
        world.broker.reconnect_after = 2
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 2)
            await trio.sleep(1)
            world.broker.inject(StaleSnapshot())
            world.trade(1001, -2, stop=Decimal(24950))
            await trio.sleep(1)
            world.broker.inject(DropHubs(hub="user"))
            await trio.sleep(5)
            world.broker.heal()
            await trio.sleep(200)
            assert world.held(1001) == 2

    run(story)


@pytest.mark.parametrize("victim", ["connection", "accounts/SIM-50K-1/account"])
def test_a_renamed_account_stays_guarded_over_a_restart(victim: str) -> None:
    """The broker's id is what counts, also for those who have just begun to live."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.broker.exchange.accounts[1001].name = "RENAMED"
            await trio.sleep(20)
            world.system.crash(f"seawall/logins/sim/{victim}", "planned")
            await trio.sleep(20)
            world.trade(1001, 7)
            await trio.sleep(2)
            assert world.held(1001) == 5

    run(story)


def test_trades_that_cannot_be_read_do_not_keep_sizes_unguarded() -> None:
    """Only the endpoint of the trades is out of order: positions are reduced all the same."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.broker.inject(LoseEvents(kinds=("trade",)))
            world.broker.inject(HttpStatus(status=500, path="/api/Trade/search"))
            world.trade(1001, 2)
            await trio.sleep(8)
            assert world.account("SIM-50K-1")["phase"] == "live"
            world.trade(1001, 5)
            await trio.sleep(8)
            assert world.held(1001) == 5

    run(story)


def test_a_full_mailbox_of_one_account_leaves_the_others_connected() -> None:
    """Whoever sends to it goes on; the account reads its state when it comes to itself."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            account = world.system.at("seawall/logins/sim/accounts/SIM-50K-1/account")
            assert account is not None
            with suppress(MailboxFull):
                while True:
                    account.tell(object())
            world.broker.inject(DropHubs(hub="user"))
            world.trade(1002, 7)
            await trio.sleep(3)
            assert world.held(1002) == 5
            restarts = {
                n.id: n.restarts for n in world.system.tree().children[-1].children[0].children
            }
            assert restarts["connection"] == 0

    run(story)


def test_a_state_that_never_came_to_rest_is_read_until_it_does() -> None:
    """Events disturbed every reading of a reconcile; what is too many is reduced soon after."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.broker.inject(DropHubs(hub="user"))
            for _ in range(40):
                world.trade(1001, 1)
                world.trade(1001, -1)
                await trio.sleep(0.05)
            world.trade(1001, 7)
            await trio.sleep(4)
            assert world.held(1001) == 5

    run(story)


def test_a_position_that_only_one_read_has_seen_is_not_held_against_the_trades() -> None:
    """A stale answer brings back what was closed; the look that seeks its trades looks again."""

    async def story() -> None:
        world = World()
        world.begin()
        world.price("25000")
        async with world.daemon():
            world.trade(1001, 4)
            await trio.sleep(1)
            world.broker.inject(StaleSnapshot(duration=0.3))
            world.trade(1001, -4)
            await trio.sleep(0.02)
            world.broker.inject(GarbagePayload(hub="user"))
            world.price("24800")
            await trio.sleep(5)
            assert world.locks("SIM-50K-1") == []
            assert world.account("SIM-50K-1")["positions"] == []

    run(story)


def test_a_trade_on_the_new_link_does_not_hide_those_of_the_outage() -> None:
    """Its balance arrives before the list does, which then shows nothing new."""

    async def story() -> None:
        world = World(read_latency=1.0)
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 1)
            await trio.sleep(3)
            world.broker.inject(DropHubs(hub="user"))
            world.trade(1001, 2)
            world.price("24990")
            world.trade(1001, -2)
            await trio.sleep(0.2)
            world.trade(1001, 1)
            await trio.sleep(8)
            assert world.account("SIM-50K-1")["realised"] == "-41.000000"

    run(story)


def test_trades_that_were_lost_are_found_by_the_balance_though_others_came_after() -> None:
    """Bought and sold unheard: positions and orders look as before, and the balance has an excuse."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            await trio.sleep(1)
            world.broker.inject(LoseEvents(duration=1.0))
            world.trade(1001, 4)
            world.price("24990")
            world.trade(1001, -4)
            await trio.sleep(2)
            world.trade(1001, 1)
            world.trade(1001, -1)
            await trio.sleep(70)
            exchange = world.broker.exchange
            earned = exchange.accounts[1001].balance - Decimal(50000)
            assert Decimal(str(world.account("SIM-50K-1")["net"])) == earned

    run(story)


def test_a_price_that_comes_while_a_reading_settles_is_not_put_on_what_was_sold_before() -> None:
    """The reading has the trade already; its positions are believed 150 ms later."""

    async def story() -> None:
        world = World(rules=lambda: (DailyLoss(limit=Decimal(500)),))
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 2)
            await trio.sleep(1)
            world.broker.inject(LoseEvents())
            world.trade(1001, -2)
            world.broker.heal()
            world.broker.inject(GarbagePayload(hub="user"))
            await trio.sleep(0.1)
            world.price("24800")
            await trio.sleep(3)
            assert world.locks("SIM-50K-1") == []

    run(story)


def test_a_stop_is_not_taken_from_a_position_that_a_reading_shows_already() -> None:
    """No event told of the position: a reading after a refusal shows it, and is not believed yet."""

    async def story() -> None:
        world = World(read_latency=0.1)
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 3)
            world.price("24900")
            await trio.sleep(5)
            assert world.locks("SIM-50K-1") == ["daily_loss"]
            world.broker.inject(RefuseClose(operation="cancel", times=1))
            world.trade(1001, 1, limit=Decimal(20000))
            await trio.sleep(0.01)
            world.broker.inject(LoseEvents())
            world.trade(1001, 2)
            world.broker.heal(LoseEvents)
            await trio.sleep(0.15)
            world.broker.inject(RefuseClose())
            stop = world.trade(1001, -2, stop=Decimal(24800))
            await trio.sleep(5)
            assert world.working(1001) == [stop]
            world.broker.heal()
            await trio.sleep(40)
            assert (world.held(1001), world.working(1001)) == (0, [])

    run(story)


@pytest.mark.parametrize("change", [{"stop_price": Decimal(24900)}, {"size": 1}])
def test_a_stop_that_was_changed_without_a_word_is_found_by_the_next_audit(
    change: dict[str, Any],
) -> None:
    """The order is still the same by its number; what it protects is not."""

    async def story() -> None:
        world = World(rules=lambda: (MaxRiskPerTrade(limit=Decimal(100)), NoStopLoss()))
        world.begin()
        async with world.daemon():
            world.price("25000")
            world.trade(1001, 2)
            stop = world.trade(1001, -2, stop=Decimal(24980))
            await trio.sleep(1)
            world.broker.arrange = lambda _: []
            world.broker.exchange.modify(1001, stop, world.clock.now(), **change)
            world.broker.arrange = None
            await trio.sleep(40)
            assert world.held(1001) == (0 if "stop_price" in change else 2)
            await trio.sleep(130)
            assert world.held(1001) == 0

    run(story)
