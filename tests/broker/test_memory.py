"""The in-memory broker keeps the port's promises, in virtual time."""

import random
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from broker.clock import SimulatedClock
from broker.memory import MemoryBroker
from broker.port import (
    AccountUpdate,
    ConnectionChange,
    Done,
    Fill,
    Hub,
    LoggedOut,
    Login,
    LoginRejected,
    NotExecuted,
    Numbering,
    OrderUpdate,
    PositionUpdate,
    Priority,
    QuoteUpdate,
    RateLimited,
    Refused,
    RequestRefused,
    Session,
    Unknown,
    Unreachable,
    Unreadable,
)
from risk.domain import OrderStatus, Side
from simulator import Account, Exchange, OrderRequest, OrderType, front_contracts
from simulator import Side as TraderSide
from simulator.delivery import Delayed
from simulator.events import Event
from simulator.faults import parse_fault
from simulator.sessions import User

START = datetime(2026, 11, 20, 15, tzinfo=UTC)
NQ = "CON.F.US.ENQ.Z26"
NOW = Priority.RECONCILE
LOGIN = Login("main", "trader", "key", "", "", "")


@define
class World:
    broker: MemoryBroker
    events: list[Any] = field(factory=list)

    def session(self, login: Login = LOGIN) -> AbstractAsyncContextManager[Session]:
        return self.broker.session(login, self.events.append, Numbering())

    def trade(self, side: TraderSide = TraderSide.BUY, size: int = 1, **more: Any) -> int:
        kind = more.pop("type", OrderType.MARKET)
        request = OrderRequest(1001, NQ, kind, side, size, **more)
        answer = self.broker.desk.place(request, self.broker.clock.now()).answer
        assert answer.order_id is not None, answer
        return answer.order_id

    def fault(self, name: str, **more: Any) -> None:
        self.broker.inject(parse_fault({"fault": name, **more}))

    def of(self, *kinds: type[Any]) -> list[Any]:
        return [it for it in self.events if isinstance(it, kinds)]


def build(**options: Any) -> World:
    accounts = [Account(1001, "A", Decimal(50_000)), Account(1002, "B", Decimal(50_000))]
    exchange = Exchange(front_contracts(["NQ", "ES"]), accounts, START)
    clock = SimulatedClock(START, trio.current_time())
    return World(MemoryBroker(exchange, clock, random.Random(1), **options))


async def test_both_hubs_come_up_and_fills_arrive_stamped(autojump_clock: MockClock) -> None:
    """One link, a rising counter, and each event decoded."""
    world = build()
    async with world.session() as session:
        session.watch([1001], [NQ])
        world.trade(size=2)
        assert [(it.hub, it.up, it.link, it.proven) for it in world.of(ConnectionChange)] == [
            (Hub.USER, True, 1, True),
            (Hub.MARKET, True, 0, True),
        ]
        kinds = (OrderUpdate, Fill, PositionUpdate, AccountUpdate)
        stamps = [it.stamp for it in world.of(*kinds)]
        assert [(it.link, it.n) for it in stamps] == [(1, n) for n in range(1, 6)]
        assert world.of(PositionUpdate)[0].position.net == 2
        assert session.statistics().received == 5


async def test_a_watched_contract_shows_its_price(autojump_clock: MockClock) -> None:
    """At once, and whenever it changes."""
    world = build()
    async with world.session() as session:
        session.watch([1001], [NQ])
        world.broker.quote(NQ, Decimal(24000), Decimal("24000.25"))
        bids = [it.mark.bid for it in world.of(QuoteUpdate)]
        assert bids == [Decimal("25000.00"), Decimal(24000)]
        session.watch([1001], [])
        world.broker.quote(NQ, Decimal(1), Decimal(2))
        assert len(world.of(QuoteUpdate)) == 2


async def test_reads_agree_with_the_exchange(autojump_clock: MockClock) -> None:
    """Accounts, positions, working orders, trades, contracts and the last price."""
    world = build(read_latency=0.2)
    async with world.session() as session:
        world.trade(size=2)
        stop = world.trade(TraderSide.SELL, 2, type=OrderType.STOP, stop_price=Decimal(24990))
        before = trio.current_time()
        accounts = await session.accounts(NOW)
        assert trio.current_time() - before == pytest.approx(0.2)
        assert [(it.id, it.name) for it in accounts] == [(1001, "A"), (1002, "B")]
        (position,) = await session.positions(1001, NOW)
        assert (position.net, position.average_price) == (2, Decimal("25000.25"))
        (order,) = await session.orders(1001, NOW)
        assert (order.id, order.status, order.side) == (stop, OrderStatus.OPEN, Side.SELL)
        (trade,) = await session.trades(1001, START, NOW)
        assert (trade.size, trade.profit_and_loss) == (2, None)
        assert await session.trades(1001, START + timedelta(days=1), NOW) == ()
        contract = await session.contract(NQ, NOW)
        assert (contract.root, contract.point_value) == ("NQ", Decimal(20))
        assert await session.last_price(NQ, NOW) == Decimal("25000.00")


async def test_a_price_at_an_instant_is_that_of_the_minute_which_ended_there(
    autojump_clock: MockClock,
) -> None:
    """Not what came after it; an older minute where that one had no price; None before the first."""
    world = build()
    whole = START.replace(second=0, microsecond=0)
    async with world.session() as session:
        await trio.sleep((whole + timedelta(seconds=90) - world.broker.clock.now()).total_seconds())
        world.broker.quote(NQ, Decimal(24000), Decimal("24000.25"))
        await trio.sleep(40)
        world.broker.quote(NQ, Decimal(23000), Decimal("23000.25"))
        for minutes, close in ((2, 24000), (3, 23000), (9, 23000), (1, 25000), (-5, None)):
            instant = whole + timedelta(minutes=minutes)
            assert await session.price_at(NQ, instant, NOW) == close


async def test_mutations_answer_the_four_outcomes(autojump_clock: MockClock) -> None:
    """Done, Refused, NotExecuted and Unknown, each as the port defines it."""
    world = build(request_latency=0.1)
    async with world.session() as session:
        world.trade(size=5)
        assert await session.partial_close(1001, NQ, 1) == Done()
        assert isinstance(await session.partial_close(1001, NQ, 9), Refused)
        world.fault("http", status=429, times=1, retry_after=3)
        assert await session.close(1001, NQ) == NotExecuted("HTTP 429", 3)
        world.fault("http", status=401, times=1)
        assert isinstance(await session.close(1001, NQ), NotExecuted)
        world.fault("http", status=503, times=1)
        assert isinstance(await session.close(1001, NQ), Unknown)
        assert world.broker.exchange.ledger.net(1001, NQ) == 4
        world.fault("refuse_close", code=5, times=1)
        assert await session.close(1001, NQ) == Refused(5, "rejected")
        world.fault("uncertain_close", times=1)
        assert isinstance(await session.close(1001, NQ), Unknown)
        assert world.broker.exchange.ledger.net(1001, NQ) == 0
        assert await session.close(1001, NQ) == Refused(2, "position not found")


async def test_cancel_takes_an_order_back(autojump_clock: MockClock) -> None:
    """Once; the second time it is not found."""
    world = build()
    async with world.session() as session:
        order = world.trade(type=OrderType.LIMIT, limit_price=Decimal(20000))
        assert await session.cancel(1001, order) == Done()
        assert await session.cancel(1001, order) == Refused(2, "order not found")


async def test_a_request_on_its_way_is_executed_even_if_its_sender_is_gone(
    autojump_clock: MockClock,
) -> None:
    """Cancelling the waiting task does not call the request back."""
    world = build(request_latency=1.0)
    async with world.session() as session:
        world.trade()
        with trio.move_on_after(0.1):
            await session.close(1001, NQ)
        assert world.broker.exchange.ledger.net(1001, NQ) == 0


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"fault": "http", "status": 503}, Unreachable),
        ({"fault": "http", "status": 429, "retry_after": 2}, RateLimited),
        ({"fault": "http", "status": 401}, LoginRejected),
        ({"fault": "rate_limit", "requests": 1}, RateLimited),
    ],
)
async def test_reads_raise_the_ports_errors(
    autojump_clock: MockClock, fault: dict[str, Any], error: type[Exception]
) -> None:
    """By status."""
    world = build()
    async with world.session() as session:
        world.fault(**{"name": fault["fault"]} | {k: v for k, v in fault.items() if k != "fault"})
        with pytest.raises(error):
            await session.positions(1001, NOW)


async def test_unknown_things_are_refused(autojump_clock: MockClock) -> None:
    """An account or a contract that is not there."""
    world = build()
    async with world.session() as session:
        with pytest.raises(RequestRefused):
            await session.positions(5, NOW)
        with pytest.raises(RequestRefused):
            await session.contract("nix", NOW)


async def test_a_wrong_login_is_rejected(autojump_clock: MockClock) -> None:
    """By key, by name, or by fault; an unreachable gateway is another error."""
    world = build(users={"trader": User("trader", "right", (1001,))})
    for login in (LOGIN, Login("x", "nobody", "right", "", "", "")):
        with pytest.raises(LoginRejected):
            async with world.session(login):
                pass
    good = Login("x", "trader", "right", "", "", "")
    world.fault("http", status=503, times=1)
    with pytest.raises(Unreachable):
        async with world.session(good):
            pass
    async with world.session(good) as session:
        assert [it.id for it in await session.accounts(NOW)] == [1001]
        assert await session.close(1002, NQ) == Refused(1, "account not found")


async def test_a_dropped_hub_comes_back_with_the_next_number(autojump_clock: MockClock) -> None:
    """What happens meanwhile is not shown; what was on its way is lost."""
    world = build(reconnect_after=2.0)
    async with world.session() as session:
        session.watch([1001], [])
        world.fault("scatter", apart_ms=500, times=1)
        world.trade()
        world.fault("drop", hub="user")
        world.trade()
        seen = len(world.of(Fill))
        await trio.sleep(1.99)
        assert not world.of(ConnectionChange)[-1].up
        await trio.sleep(0.02)
        assert world.of(ConnectionChange)[-1].link == 2
        assert len(world.of(Fill)) == seen
        world.trade()
        assert world.of(Fill)[-1].stamp.link == 2


async def test_a_half_open_hub_is_found_after_twenty_seconds(autojump_clock: MockClock) -> None:
    """Until then it says it is up, and shows nothing."""
    world = build()
    async with world.session() as session:
        session.watch([1001], [NQ])
        world.fault("half_open")
        world.events.clear()
        world.trade()
        world.broker.quote(NQ, Decimal(1), Decimal(2))
        await trio.sleep(19.9)
        assert world.events == []
        await trio.sleep(0.5)
        assert [it.up for it in world.of(ConnectionChange)] == [False, False, True, True]


async def test_a_stalled_hub_shows_everything_later(autojump_clock: MockClock) -> None:
    """In the order in which it happened."""
    world = build()
    async with world.session() as session:
        session.watch([1001], [NQ])
        world.fault("stall", duration=3)
        world.events.clear()
        world.trade()
        world.broker.quote(NQ, Decimal(1), Decimal(2))
        await trio.sleep(2.9)
        assert world.events == []
        await trio.sleep(0.2)
        assert [it.stamp.n for it in world.of(Fill, OrderUpdate)] == [1, 2, 3]
        assert world.of(QuoteUpdate)[-1].mark.bid == 1


async def test_unreadable_payloads_logouts_and_revocation_are_told(
    autojump_clock: MockClock,
) -> None:
    """Each is an event or an error of its own."""
    world = build()
    async with world.session() as session:
        world.fault("garbage_payload", hub="user")
        world.fault("logout_push", hub="user", reason="bye")
        assert isinstance(world.events[-2], Unreadable)
        assert world.events[-1] == LoggedOut("bye")
        world.fault("revoke_tokens")
        with pytest.raises(LoginRejected), trio.fail_after(1):
            await session.wait_failed()


async def test_the_caller_may_arrange_an_exits_events(autojump_clock: MockClock) -> None:
    """Any permutation, any delay; here backwards and one second apart."""

    def backwards(events: Sequence[Event]) -> list[Delayed]:
        return [(float(n), event) for n, event in enumerate(reversed(events))]

    world = build(arrange=backwards)
    async with world.session() as session:
        session.watch([1001], [])
        world.trade()
        await trio.sleep(10)
        world.events.clear()
        await session.close(1001, NQ)
        await trio.sleep(10)
        kinds = [type(it) for it in world.events]
        assert kinds == [AccountUpdate, PositionUpdate, Fill, OrderUpdate]
        received = [it.stamp.received for it in world.events]
        assert [later - received[0] for later in received] == pytest.approx([0, 1, 2, 3])


async def test_two_sessions_see_their_own_accounts(autojump_clock: MockClock) -> None:
    """One exchange, two logins; each has its own link and counter."""
    users = {"a": User("a", None, (1001,)), "b": User("b", None, (1002,))}
    world = build(users=users)
    other: list[object] = []
    async with world.session(Login("a", "a", "k", "", "", "")) as first:
        login = Login("b", "b", "k", "", "", "")
        async with world.broker.session(login, other.append, Numbering()) as second:
            first.watch([1001, 1002], [])
            second.watch([1001, 1002], [])
            world.trade()
            assert len(world.of(Fill)) == 1
            assert not any(isinstance(it, Fill) for it in other)


def test_the_same_seed_gives_the_same_events() -> None:
    """Scattered and delayed, twice the same."""

    async def day(seed: int) -> list[str]:
        world = build()
        world.broker.chance = random.Random(seed)
        world.fault("scatter")
        async with world.session() as session:
            session.watch([1001], [NQ])
            for n in range(20):
                world.trade(TraderSide.BUY if n % 2 else TraderSide.SELL)
                await trio.sleep(0.1)
            await trio.sleep(5)
        return list(map(repr, world.events))

    def run(seed: int) -> list[str]:
        return trio.run(day, seed, clock=trio.testing.MockClock(autojump_threshold=0))

    assert run(1) == run(1)
    assert run(1) != run(2)


async def test_a_dead_client_hears_and_asks_nothing_and_its_request_arrives(
    autojump_clock: MockClock,
) -> None:
    """What had left the machine is executed; the next process begins afresh."""
    world = build(request_latency=1.0)
    async with world.session() as session, trio.open_nursery() as nursery:
        session.watch([1001], [NQ])
        world.trade(size=2)
        heard = len(world.events)
        nursery.start_soon(session.close, 1001, NQ)
        await trio.sleep(0.1)
        world.broker.sever()
        with trio.move_on_after(5) as asked:
            await session.close(1002, NQ)
        assert asked.cancelled_caught
        assert world.broker.exchange.ledger.net(1001, NQ) == 0
        assert len(world.events) == heard
    world.broker.mend()
    async with world.session() as session:
        assert await session.positions(1001, NOW) == ()


async def test_a_hub_that_refuses_comes_up_when_it_accepts_again(autojump_clock: MockClock) -> None:
    """A gateway that is down answers neither requests nor hubs."""
    world = build()
    async with world.session():
        await trio.sleep(1)
        world.fault("http", status=503, duration=10.0)
        world.fault("drop", hub="both")
        await trio.sleep(9)
        assert [it.up for it in world.of(ConnectionChange)] == [True, True, False, False]
        await trio.sleep(3)
        assert [it.up for it in world.of(ConnectionChange)][4:] == [True, True]


async def test_the_skew_is_that_of_the_machine_when_it_was_last_answered(
    autojump_clock: MockClock,
) -> None:
    """A machine whose clock is set wrong learns so from the next answer, not before."""
    local = SimulatedClock(START - timedelta(seconds=30), trio.current_time())
    world = build(local=local)
    async with world.session() as session:
        assert session.statistics().skew is None
        await session.accounts(NOW)
        assert session.statistics().skew == 30.0
        world.broker.local = None
        assert session.statistics().skew == 30.0
        await session.accounts(NOW)
        assert session.statistics().skew == 0.0
