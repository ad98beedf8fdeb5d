"""Hubs through the real SDK against the simulated gateway: up, subscribed, healed."""

from decimal import Decimal
from typing import Any

import pytest
import trio

from broker.port import (
    AccountUpdate,
    Fill,
    Hub,
    LoggedOut,
    OrderUpdate,
    PositionUpdate,
    QuoteUpdate,
    Unreadable,
)
from simulator.words import Side

MNQ = "CON.F.US.MNQ.Z26"


async def test_fill_arrives_on_one_link_in_order_of_receipt(patient_clock: Any, rig: Any) -> None:
    """Trade, order, position and account of a fill come decoded, stamped and numbered."""
    async with rig.up() as session:
        rig.trade(Side.SELL, size=2)
        kinds = (Fill, OrderUpdate, PositionUpdate, AccountUpdate)
        await rig.until(lambda: all(rig.of(kind) for kind in kinds[:3]))
        stamped = [event for event in rig.events if isinstance(event, kinds)]
        numbers = [event.stamp.n for event in stamped]
        assert numbers == list(range(1, len(numbers) + 1))
        assert {event.stamp.link for event in stamped} == {1}
        assert rig.of(PositionUpdate)[-1].position.net == -2
        assert rig.of(Fill)[0].trade.side == Side.SELL
        assert session.statistics().received == numbers[-1]


async def test_every_account_is_subscribed_and_proven(patient_clock: Any, rig: Any) -> None:
    """One user hub serves all accounts; the up event says that each was confirmed."""
    async with rig.up():
        assert rig.last(Hub.USER).proven
        for account_id in (1001, 1005):
            rig.trade(account_id=account_id)
        await rig.until(lambda: {it.trade.account_id for it in rig.of(Fill)} == {1001, 1005})


async def test_unknown_account_makes_the_link_unproven_and_spares_the_others(
    patient_clock: Any, rig: Any
) -> None:
    """A refused subscription is named, reported once, and does not stop the rest."""
    async with rig.open() as session:
        session.watch([1001, 999], [])
        await rig.until(lambda: rig.changes(Hub.USER))
        assert not rig.last(Hub.USER).proven
        assert "Orders 999" in rig.last(Hub.USER).reason
        rig.trade()
        await rig.until(lambda: rig.of(Fill))
        await trio.sleep(20)
        assert len(rig.changes(Hub.USER)) == 1
        session.watch([1001], [])
        await rig.until(lambda: rig.last(Hub.USER).proven)


async def test_watching_more_subscribes_at_once_on_the_same_link(
    patient_clock: Any, rig: Any
) -> None:
    """A new account is reported proven without a reconnect; a dropped contract goes quiet."""
    async with rig.up(accounts=(1001,)) as session:
        session.watch([1001, 1002], [])
        await rig.until(lambda: len(rig.changes(Hub.USER)) == 2)
        assert (rig.last(Hub.USER).link, rig.last(Hub.USER).proven) == (1, True)
        await trio.sleep(0.1)
        subscribed = [key for it in rig.gateway.links for key in it.session.subscriptions]
        assert ("GatewayUserTrade", 1002) in subscribed
        assert not [key for key in subscribed if key[0] in ("GatewayQuote", "GatewayDepth")]


async def test_quotes_only_are_subscribed(patient_clock: Any, rig: Any) -> None:
    """Neither public trades nor depth of a watched contract are asked for."""
    async with rig.up():
        market = [it.session for it in rig.gateway.links if it.session.hub == "market"]
        assert [it.subscriptions for it in market] == [{("GatewayQuote", MNQ)}]
        await rig.until(lambda: rig.of(QuoteUpdate))
        quote = rig.of(QuoteUpdate)[0]
        assert quote.contract_id == MNQ
        assert quote.mark.bid is not None
        assert quote.mark.bid < quote.mark.ask


async def test_partial_quotes_keep_missing_fields_missing(patient_clock: Any, rig: Any) -> None:
    """A field that did not come is None, and a lastPrice of 0 is no price."""
    async with rig.up():
        rig.fault("partial_quotes", drop=["bestAsk"], alternate=False, zero_last=True)
        rig.events.clear()
        rig.gateway.exchange.set_quote(
            MNQ, Decimal(20000), Decimal("20000.25"), rig.gateway.time.now()
        )
        await rig.until(lambda: rig.of(QuoteUpdate))
        mark = rig.of(QuoteUpdate)[0].mark
        assert (mark.bid, mark.ask, mark.last) == (Decimal(20000), None, None)


@pytest.mark.parametrize("shape", ["wrapped", "list"])
@pytest.mark.parametrize("flat", ["size", "type", "both"])
async def test_payload_shapes_are_one_and_the_same(
    patient_clock: Any, rig: Any, shape: str, flat: str
) -> None:
    """Wrapped and listed events decode, and a flat position is flat however it is told."""
    async with rig.up():
        rig.fault("payload_shape", shape=shape)
        rig.fault("flat_shape", shape=flat)
        rig.trade(Side.BUY)
        rig.trade(Side.SELL)
        await rig.until(lambda: len(rig.of(PositionUpdate)) == 2)
        assert [it.position.net for it in rig.of(PositionUpdate)] == [1, 0]
        assert not rig.of(Unreadable)


async def test_unreadable_payload_is_an_event_and_the_hub_stays_up(
    patient_clock: Any, rig: Any
) -> None:
    """A push that makes no sense is reported and drops nothing."""
    async with rig.up():
        rig.fault("garbage_payload", event="GatewayUserPosition", payload={"accountId": "x"})
        rig.fault("garbage_payload", event="GatewayQuote", payload=[[[]]], hub="market")
        rig.trade()
        await rig.until(lambda: rig.of(Fill))
        await rig.until(lambda: rig.of(Unreadable))
        assert rig.last(Hub.USER).up
        assert rig.last(Hub.USER).link == 1


@pytest.mark.parametrize("fault", ["drop", "reset", "close_hubs", "garbage_frame"])
async def test_lost_hub_comes_back_subscribed_on_a_new_link(
    patient_clock: Any, rig: Any, fault: str
) -> None:
    """A cut, a goodbye or a frame that is no record: down, up, proven, and fills arrive again."""
    async with rig.up():
        lost = trio.current_time()
        rig.fault(fault)
        await rig.until(lambda: rig.last(Hub.USER).up and rig.last(Hub.USER).link == 2)
        await rig.until(lambda: len(rig.changes(Hub.MARKET)) == 3 and rig.last(Hub.MARKET).up)
        assert trio.current_time() - lost < 1
        assert [it.up for it in rig.changes(Hub.USER)] == [True, False, True]
        assert rig.last(Hub.USER).proven
        rig.trade(account_id=1004)
        await rig.until(lambda: rig.of(Fill))
        assert rig.of(Fill)[0].stamp.link == 2


async def test_thirty_resets_in_a_row_are_survived(patient_clock: Any, rig: Any) -> None:
    """With one-shot ids, one every three seconds, each is healed within a second."""
    async with rig.up() as session:
        for n in range(2, 32):
            await trio.sleep(3)
            rig.fault("reset")
            await rig.until(lambda n=n: rig.last(Hub.USER).link == n, within=1)
            assert rig.last(Hub.USER).proven
        assert session.statistics().link == 31
        assert session.statistics().logins == 1
        assert session.statistics().requests_last_minute < 30


async def test_half_open_hub_is_found_within_twenty_seconds(patient_clock: Any, rig: Any) -> None:
    """A peer that keeps the socket and says nothing is dropped and replaced."""
    async with rig.up():
        rig.fault("half_open", hub="user")
        await rig.until(lambda: rig.last(Hub.USER).link == 2, within=20)
        assert rig.last(Hub.MARKET).up
        assert len(rig.changes(Hub.MARKET)) == 1


async def test_hub_that_stays_half_open_is_tried_again_and_again(
    patient_clock: Any, rig: Any
) -> None:
    """Connections that open but never speak do not end the guard."""
    async with rig.up():
        rig.fault("half_open", hub="user", duration=60)
        await rig.until(lambda: not rig.last(Hub.USER).up, within=20)
        await rig.until(lambda: rig.last(Hub.USER).up, within=80)
        assert rig.last(Hub.USER).proven


async def test_minute_of_silence_drops_nothing(patient_clock: Any, rig: Any) -> None:
    """No quotes for 70 seconds is a quiet market, not a broken hub."""
    async with rig.up():
        await trio.sleep(70)
        assert len(rig.changes(Hub.MARKET)) == len(rig.changes(Hub.USER)) == 1
        rig.trade()
        await rig.until(lambda: rig.of(Fill))


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
async def test_refused_negotiation_is_tried_again(
    patient_clock: Any, rig: Any, status: int
) -> None:
    """No answer to the negotiation kills a hub or the loop below it."""
    rig.fault("http", path="/hubs/*", status=status, times=6)
    async with rig.up() as session:
        assert rig.last(Hub.USER).proven
        assert (await session.accounts(0))[0].id == 1001
        assert [it.up for it in rig.changes(Hub.USER)] == [False, True]


async def test_unreachable_hub_is_reported_once_and_healed(patient_clock: Any, rig: Any) -> None:
    """A hub that cannot be reached from the start is down, with the reason, until it can."""
    rig.fault("http", path="/hubs/user*", status=503)
    async with rig.open() as session:
        session.watch([1001], [])
        await trio.sleep(30)
        assert [it.up for it in rig.changes(Hub.USER)] == [False]
        assert "503" in rig.last(Hub.USER).reason
        rig.gateway.heal(None)
        await rig.until(lambda: rig.last(Hub.USER).up, within=6)


async def test_logout_is_told_once_and_starts_no_login(patient_clock: Any, rig: Any) -> None:
    """Both hubs report one logout; as long as the token works nobody logs in again."""
    async with rig.up() as session:
        rig.fault("logout_push", reason="elsewhere")
        await rig.until(lambda: rig.of(LoggedOut))
        await trio.sleep(30)
        assert [it.reason for it in rig.of(LoggedOut)] == ["{'reason': 'elsewhere'}"]
        assert session.statistics().logins == 1


async def test_repeated_logouts_space_the_logins_out(patient_clock: Any, rig: Any) -> None:
    """A platform that throws us out each time is not fought with a stream of logins."""
    async with rig.up() as session:
        begun = trio.current_time()
        logins = 1
        while trio.current_time() - begun < 90:
            told = len(rig.of(LoggedOut))
            rig.fault("logout_push")
            await rig.until(lambda n=told: len(rig.of(LoggedOut)) > n)
            rig.fault("revoke_tokens")
            rig.fault("drop")
            await rig.until(lambda n=logins: session.statistics().logins > n, within=300)
            logins = session.statistics().logins
            await rig.until(lambda: rig.last(Hub.USER).up)
        assert logins == 4


async def test_leaving_closes_the_hubs_quickly(patient_clock: Any, rig: Any) -> None:
    """A session ends within seconds even when its hubs are half-open."""
    async with rig.up():
        rig.fault("half_open", duration=60)
        rig.fault("slow", delay_ms=60000)
        left = trio.current_time()
    assert trio.current_time() - left < 8


async def test_burst_of_fills_is_taken_in_without_loss(patient_clock: Any, rig: Any) -> None:
    """Hundreds of events at once arrive, each once, numbered without a gap."""
    async with rig.up() as session:
        for _ in range(250):
            rig.trade(Side.BUY)
            rig.trade(Side.SELL)
        await rig.until(lambda: len(rig.of(Fill)) == 500)
        assert len({it.trade.id for it in rig.of(Fill)}) == 500
        stamped = [it.stamp.n for it in rig.events if hasattr(it, "stamp")]
        assert stamped == list(range(1, session.statistics().received + 1))


async def test_numbering_goes_on_in_the_next_session(patient_clock: Any, rig: Any) -> None:
    """What a later session receives is newer by link and by number."""
    for link in (1, 2):
        rig.events.clear()
        async with rig.up():
            rig.trade()
            await rig.until(lambda: rig.of(Fill))
            assert rig.of(Fill)[0].stamp.link == link
    assert rig.of(Fill)[0].stamp.n > 3
