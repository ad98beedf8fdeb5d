"""Login, reads and mutations through the real SDK and the pool, against the simulated gateway."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import trio

from broker.port import (
    BadPayload,
    Done,
    Hub,
    LoginRejected,
    NotExecuted,
    Priority,
    RateLimited,
    Refused,
    Unknown,
    Unreachable,
)
from risk.domain import OrderStatus
from simulator.orders import Bracket, OrderRequest
from simulator.words import OrderType, Side

MNQ = "CON.F.US.MNQ.Z26"
RECONCILE = Priority.RECONCILE


async def test_wrong_key_is_rejected_with_the_brokers_words(patient_clock: Any, rig: Any) -> None:
    """The error is bare, names login and user, keeps the broker's message and hides the key."""
    rig.fault("reject_login")
    with pytest.raises(LoginRejected, match="login main.*user trader.*invalid user name") as caught:
        async with rig.open():
            pass
    assert "key-0123456789" not in str(caught.value)


async def test_unreachable_gateway_is_unreachable(patient_clock: Any, rig: Any) -> None:
    """Nobody listening, and a server error, are the same to the one who waits."""
    nowhere = {"api_url": "http://127.0.0.1:9/api"}
    with pytest.raises(Unreachable):
        async with rig.open(**nowhere):
            pass
    rig.fault("http", path="/api/Auth/*", status=503)
    with pytest.raises(Unreachable, match="503"):
        async with rig.open():
            pass


async def test_rate_limited_login_says_when_to_come_back(patient_clock: Any, rig: Any) -> None:
    """429 is no rejection."""
    rig.fault("http", path="/api/Auth/*", status=429, retry_after=7)
    with pytest.raises(RateLimited) as caught:
        async with rig.open():
            pass
    assert caught.value.retry_after == 7


async def test_mixed_addresses_are_refused_before_anything_is_sent(
    patient_clock: Any, rig: Any
) -> None:
    """A simulated gateway and a real hub can never be one login."""
    with pytest.raises(ValueError, match=r"rtc\.topstepx\.com"):
        async with rig.open(user_hub_url="https://rtc.topstepx.com/hubs/user"):
            pass
    assert not rig.served("loginKey")


async def test_reads_are_decoded(patient_clock: Any, rig: Any) -> None:
    """Accounts, positions, working orders with suspended brackets, trades, contract and price."""
    bracket = OrderRequest(
        1001,
        MNQ,
        OrderType.LIMIT,
        Side.BUY,
        1,
        limit_price=Decimal(10000),
        stop_loss=Bracket(40, OrderType.STOP),
    )
    async with rig.up() as session:
        rig.trade(size=3)
        parent = rig.order(bracket)
        accounts = await session.accounts(RECONCILE)
        assert [account.id for account in accounts] == [1001, 1002, 1003, 1004, 1005]
        (position,) = await session.positions(1001, RECONCILE)
        assert (position.net, position.contract_id) == (3, MNQ)
        orders = {it.id: it for it in await session.orders(1001, RECONCILE)}
        assert orders[parent].status is OrderStatus.OPEN
        assert [it.status for it in orders.values() if it.parent_id == parent] == [
            OrderStatus.SUSPENDED
        ]
        since = rig.gateway.time.now() - timedelta(minutes=5)
        (trade,) = await session.trades(1001, since, RECONCILE)
        assert (trade.size, trade.profit_and_loss) == (3, None)
        assert (await session.contract(MNQ, RECONCILE)).point_value == 2
        assert (await session.contract(MNQ, RECONCILE)).root == "MNQ"
        assert rig.served("searchById") == [200]
        assert await session.last_price(MNQ, RECONCILE)


async def test_a_price_at_an_instant_is_that_of_the_minute_which_ended_there(
    patient_clock: Any, rig: Any
) -> None:
    """The real endpoint: bars of later minutes and the one that begins there say nothing of it."""
    whole = rig.gateway.time.now().replace(second=0, microsecond=0)
    for second, bid in ((30, 24000), (60, 23000), (119, 22000), (400, 21000)):
        price, now = Decimal(bid), whole + timedelta(seconds=second)
        rig.gateway.exchange.set_quote(MNQ, price, price + 1, now)
    async with rig.up() as session:
        for minutes, close in ((1, 24000), (2, 22000), (6, 22000), (7, 21000), (-7000, None)):
            instant = whole + timedelta(minutes=minutes)
            assert await session.price_at(MNQ, instant, RECONCILE) == close


async def test_trades_are_never_cut_short(patient_clock: Any, rig: Any) -> None:
    """More than the hundred rows at which the SDK's helper stops."""
    async with rig.up() as session:
        since = rig.gateway.time.now() - timedelta(minutes=5)
        for _ in range(75):
            rig.trade(Side.BUY)
            rig.trade(Side.SELL)
        assert len(await session.trades(1001, since, RECONCILE)) == 150


async def test_orders_fall_back_to_the_older_search(patient_clock: Any, rig: Any) -> None:
    """A gateway without the newer query is asked the older way, for good."""
    rig.fault("http", path="/api/Order/v2/query", status=404)
    async with rig.up() as session:
        rig.order(OrderRequest(1001, MNQ, OrderType.LIMIT, Side.BUY, 1, limit_price=Decimal(10000)))
        for _ in range(2):
            assert len(await session.orders(1001, RECONCILE)) == 1
        assert rig.served("v2/query") == [404]


async def test_contract_without_tick_value_is_a_bad_payload(patient_clock: Any, rig: Any) -> None:
    """Dollars cannot be computed, so nothing is."""
    rig.fault("no_tick_value", contract_id=MNQ)
    async with rig.up() as session:
        with pytest.raises(BadPayload, match="tickValue"):
            await session.contract(MNQ, RECONCILE)


async def test_revoked_token_heals_with_one_login(patient_clock: Any, rig: Any) -> None:
    """Many reads meet a 401 at once; there is one login and every read gets its answer."""
    async with rig.up() as session:
        rig.fault("revoke_tokens")
        answers: list[object] = []

        async def read() -> None:
            answers.append(await session.accounts(RECONCILE))

        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(read)
        assert len(answers) == 8
        assert session.statistics().logins == 2
        rig.fault("drop")
        await rig.until(lambda: rig.last(Hub.USER).link == 2)
        assert session.statistics().logins == 2


async def test_close_with_a_revoked_token_was_not_executed_and_heals(
    patient_clock: Any, rig: Any
) -> None:
    """The close is not repeated behind the caller's back; the token is renewed for his next try."""
    async with rig.up() as session:
        rig.trade()
        rig.fault("revoke_tokens")
        assert isinstance(await session.close(1001, MNQ), NotExecuted)
        assert rig.served("closeContract") == [401]
        await rig.until(lambda: session.statistics().logins == 2)
        assert await session.close(1001, MNQ) == Done()


async def test_key_revoked_in_mid_session_fails_it(patient_clock: Any, rig: Any) -> None:
    """wait_failed raises, and so does whatever is asked, instead of trying for ever."""
    async with rig.up() as session:
        rig.fault("reject_login")
        rig.fault("revoke_tokens")
        with pytest.raises(LoginRejected):
            await session.accounts(RECONCILE)
        with pytest.raises(LoginRejected, match="invalid user name"):
            await session.wait_failed()
        await trio.sleep(120)
        assert len(rig.served("loginKey")) == 2


@pytest.mark.parametrize(
    ("status", "error"), [(429, RateLimited), (500, Unreachable), (503, Unreachable)]
)
async def test_failed_read_is_an_error_at_once(
    patient_clock: Any, rig: Any, status: int, error: type[Exception]
) -> None:
    """Neither the minute's sleep after a 429 nor retries behind the caller's back."""
    async with rig.up() as session:
        rig.fault("http", path="/api/Account/*", status=status)
        asked = trio.current_time()
        with pytest.raises(error):
            await session.accounts(RECONCILE)
        assert trio.current_time() - asked < 1
        assert rig.served("Account/search") == [status]


async def test_mutations_have_typed_outcomes(patient_clock: Any, rig: Any) -> None:
    """Done, and refused with the broker's code and words."""
    async with rig.up() as session:
        rig.trade(size=3)
        assert await session.partial_close(1001, MNQ, 2) == Done()
        assert (await session.positions(1001, RECONCILE))[0].net == 1
        assert await session.close(1001, MNQ) == Done()
        assert await session.close(1001, MNQ) == Refused(2, "position not found")
        limit = OrderRequest(1001, MNQ, OrderType.LIMIT, Side.BUY, 1, limit_price=Decimal(10000))
        assert await session.cancel(1001, rig.order(limit)) == Done()
        rig.fault("refuse_close", code=5, message="not now")
        rig.trade()
        assert await session.close(1001, MNQ) == Refused(5, "not now")


@pytest.mark.parametrize("executes", [True, False])
@pytest.mark.parametrize("how", ["status", "disconnect"])
async def test_uncertain_close_is_unknown_and_never_repeated(
    patient_clock: Any, rig: Any, how: str, executes: bool
) -> None:
    """A server error and a broken connection leave the outcome open, executed or not."""
    async with rig.up() as session:
        rig.trade(size=2)
        rig.fault("uncertain_close", how=how, executes=executes)
        assert isinstance(await session.close(1001, MNQ), Unknown)
        assert len(rig.served("closeContract")) == 1


async def test_slow_close_is_unknown_at_its_deadline(patient_clock: Any, rig: Any) -> None:
    """No answer within five seconds."""
    async with rig.up() as session:
        rig.trade()
        rig.fault("slow", delay_ms=60_000, path="/api/Position/closeContract")
        asked = trio.current_time()
        assert isinstance(await session.close(1001, MNQ), Unknown)
        assert trio.current_time() - asked == pytest.approx(5, abs=0.1)


async def test_rate_limited_close_was_not_executed(patient_clock: Any, rig: Any) -> None:
    """429 may be repeated, when the gateway said so."""
    async with rig.up() as session:
        rig.fault("http", path="/api/Position/*", status=429, retry_after=3)
        outcome = await session.close(1001, MNQ)
        assert isinstance(outcome, NotExecuted)
        assert outcome.retry_after == 3


async def test_close_of_a_cancelled_caller_goes_on(patient_clock: Any, rig: Any) -> None:
    """Cancelling the one who asked does not take a close back."""
    async with rig.up() as session:
        rig.trade()
        with trio.CancelScope() as scope:
            scope.cancel()
            assert await session.close(1001, MNQ) == Done()


async def test_reads_wait_for_the_budget_and_closes_do_not(patient_clock: Any, rig: Any) -> None:
    """Housekeeping cannot use the gateway up: closes go at once and nothing is ever limited."""
    async with rig.up() as session:

        async def audit() -> None:
            while True:
                await session.accounts(Priority.HOUSEKEEPING)

        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(audit)
            await trio.sleep(30)
            asked = trio.current_time()
            await session.close(1001, MNQ)
            await session.positions(1001, Priority.ENFORCEMENT)
            assert trio.current_time() - asked < 0.5
            await trio.sleep(120)
            assert session.statistics().requests_last_minute <= 200
            nursery.cancel_scope.cancel()
        assert 429 not in {it.status for it in rig.gateway.record.served}


async def test_skew_is_measured_from_date_headers(patient_clock: Any, rig: Any) -> None:
    """A broker's clock that is ahead is seen to within the second that a Date header resolves."""
    rig.fault("skew", seconds=90)
    async with rig.up() as session:
        for _ in range(5):
            await session.accounts(RECONCILE)
            await trio.sleep(0.3)
        skew = session.statistics().skew
        assert skew is not None
        assert abs(skew - 90) < 0.6


async def test_since_is_understood_by_the_gateway(patient_clock: Any, rig: Any) -> None:
    """Trades before the instant are left out."""
    async with rig.up() as session:
        rig.trade()
        later: datetime = rig.gateway.time.now() + timedelta(seconds=1)
        assert await session.trades(1001, later, RECONCILE) == ()
