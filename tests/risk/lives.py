"""Strategies: accounts after anything that may happen to one, and every rule with any parameters."""

from collections.abc import Callable, Sequence
from datetime import time, timedelta
from decimal import Decimal

from attrs import evolve, frozen
from hypothesis import strategies as st

from risk.domain import Contract, OrderStatus, OrderType
from risk.past import PastDay, Seed, past_of
from risk.rules import (
    RULES,
    ConnectionLoss,
    Consistency,
    CooldownAfterLoss,
    DailyLoss,
    DailyProfit,
    FlatBy,
    MaxContracts,
    MaxContractsPerInstrument,
    MaxRiskPerTrade,
    NewsBlackout,
    NoStopLoss,
    ScalingPlan,
    Session,
    SymbolBlock,
    TradeFrequency,
    TrailingDrawdown,
    UnrealizedLoss,
    UnrealizedProfit,
    WeeklyLoss,
)
from risk.rules.cooldown_after_loss import Streak, Tier
from risk.rules.news_blackout import Event as NewsEvent
from risk.rules.news_blackout import News
from risk.rules.scaling_plan import Step
from risk.verdict import Lock
from tests.risk.world import ES, MNQ, NOON, NQ, World

PRICE = 4000
"""Around which everything is traded, whatever the product: laws know no prices."""


@frozen
class Happening:
    """One thing that happens to an account."""

    name: str
    does: Callable[[World], object]

    def __repr__(self) -> str:
        return self.name


def _price(points: int) -> str:
    return str(PRICE + points)


def _fill(of: Contract, signed: int, points: int) -> Happening:
    said = f"fill {signed:+d} {of.root} at {_price(points)}"
    return Happening(said, lambda world: world.fill(signed, _price(points), of, fees="0.37"))


def _trade(of: Contract, signed: int, points: int) -> Happening:
    def reported(world: World) -> None:
        world.report(world.make_trade(signed, _price(points), of, order_id=world.next_id()))

    return Happening(f"only the trade {signed:+d} {of.root}", reported)


def _hold(of: Contract, net: int) -> Happening:
    return Happening(f"only the position {net:+d} {of.root}", lambda w: w.hold(net, "4000", of))


def _order(of: Contract, signed: int, kind: OrderType, status: OrderStatus) -> Happening:
    def placed(world: World) -> None:
        order = world.make_order(signed, kind, of, status=status)
        world.place(evolve(order, stop_price=Decimal(PRICE - 10 if signed < 0 else PRICE + 10)))

    return Happening(f"order {signed:+d} {of.root} {kind.name} {status.name}", placed)


def _quote(of: Contract, points: int, spread: int) -> Happening:
    said = f"quote {of.root} {points:+d}"
    return Happening(said, lambda w: w.quote(_price(points), _price(points + spread), of))


def _market(points: int) -> Happening:
    def moved(world: World) -> None:
        for of in TRADED:
            world.quote(_price(points), _price(points + 1), of)

    return Happening(f"all prices at {_price(points)}", moved)


def _wait(seconds: float) -> Happening:
    return Happening(f"wait {seconds}", lambda world: world.wait(seconds))


def _stops(contracts: int) -> Happening:
    def placed(world: World) -> None:
        for held in world.state.positions():
            size = min(contracts, abs(held.net))
            of = next(it for it in TRADED if it.id == held.contract_id)
            at = Decimal(PRICE - 20 if held.net > 0 else PRICE + 20)
            stop = world.make_order(-size if held.net > 0 else size, OrderType.STOP, of)
            world.place(evolve(stop, stop_price=at))

    return Happening(f"stops for {contracts} of each", placed)


def _leaves(contracts: int) -> Happening:
    def leaves(world: World) -> None:
        for held in world.state.positions():
            world.state.set_in_flight(held.contract_id, min(contracts, abs(held.net)))

    return Happening(f"{contracts} of each in flight", leaves)


def _read(settled: bool) -> Happening:
    def read(world: World) -> None:
        world.read(*world.state.positions(), settled=settled)

    return Happening(f"reading, settled {settled}", read)


def _lock(reduce_only: bool) -> Happening:
    def lock(world: World) -> None:
        until = world.now + timedelta(hours=1)
        world.state.locks.add(Lock("daily_loss", until, world.now, "lost", reduce_only))

    return Happening(f"lock, reduce only {reduce_only}", lock)


TRADED = (MNQ, NQ, ES)
PRODUCTS = st.sampled_from(TRADED)
SIGNED = st.integers(-4, 4).filter(bool)
POINTS = st.integers(-30, 30)
KINDS = st.sampled_from(
    [OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP]
)
STATUSES = st.sampled_from(
    [
        OrderStatus.OPEN,
        OrderStatus.SUSPENDED,
        OrderStatus.PENDING,
        OrderStatus.PENDING_CANCELLATION,
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
    ]
)
TRADING = st.one_of(
    st.builds(_fill, PRODUCTS, SIGNED, POINTS),
    st.builds(_fill, PRODUCTS, SIGNED, st.just(0)),
    st.builds(_market, POINTS),
    st.builds(_quote, PRODUCTS, POINTS, st.integers(0, 3)),
    st.builds(_order, PRODUCTS, SIGNED, KINDS, STATUSES),
    st.builds(_stops, st.integers(1, 4)),
    st.builds(_wait, st.sampled_from([0.001, 1, 30, 150])),
)
"""What every account lives through when nothing goes wrong."""
TROUBLE = st.one_of(
    st.builds(_trade, PRODUCTS, SIGNED, POINTS),
    st.builds(_hold, PRODUCTS, st.integers(-4, 4)),
    st.builds(_read, st.booleans()),
)
"""News that is missing or doubtful."""
CALM = st.lists(TRADING, min_size=3, max_size=12)
ANYTHING = st.tuples(
    st.lists(st.one_of(TRADING, TRADING, TROUBLE), min_size=3, max_size=12),
    st.one_of(st.just(()), st.tuples(st.builds(_leaves, st.integers(1, 4)))),
    st.one_of(st.just(()), st.just(()), st.tuples(st.builds(_lock, st.booleans()))),
    CALM.map(lambda calm: calm[:2]),
).map(lambda parts: [it for part in parts for it in part])
"""Also while closes are under way, and on an account that is locked or may only reduce."""


def lived(happenings: Sequence[Happening]) -> World:
    """An account with a past that has lived through all of this; a prefix of it is the same account."""
    world = World()
    state = world.state
    days = (PastDay(state.day - timedelta(days=1), Decimal(49800), Decimal(200)),)
    seed = Seed(starting_balance=Decimal(49800))
    state.standing.past = past_of(days, seed, state.day, Decimal(50000), Decimal(0))
    for it in happenings:
        it.does(world)
        world.snapshot()
    return world


AMOUNTS = st.sampled_from([1, 10, 40, 80, 120, 160, 240, 400, 600, 800, 1200, 1600, 2400, 4000])
"""Dollars: some of these are always near what such an account has won or lost."""
DOLLARS = AMOUNTS.map(Decimal)
SPANS = st.sampled_from([timedelta(seconds=s) for s in (1, 20, 120, 300, 3600)])
COUNTS = st.sampled_from(["lots", "mini_equivalent"])
SYMBOLS = st.sampled_from([("GC",), ("ES",), ("MNQ",)])
WINDOWS = st.builds(
    lambda begins, lasts, roots: News((NewsEvent(NOON + begins, NOON + begins + lasts, roots),)),
    SPANS,
    SPANS,
    st.one_of(st.just(()), SYMBOLS),
)

EVERY_RULE = st.fixed_dictionaries(
    {
        "connection_loss": st.builds(ConnectionLoss),
        "consistency": st.builds(
            Consistency, share=st.integers(1, 99), action=st.sampled_from(["warn", "lock"])
        ),
        "cooldown_after_loss": st.builds(
            lambda loss, span, losses: CooldownAfterLoss(
                tiers=(Tier(loss, span),), streaks=(Streak(losses, span),)
            ),
            DOLLARS,
            SPANS,
            st.integers(2, 3),
        ),
        "daily_loss": st.builds(
            DailyLoss,
            limit=DOLLARS,
            basis=st.sampled_from(["net", "realised"]),
            reduce_only_at=st.one_of(st.none(), st.integers(1, 99)),
        ),
        "daily_profit": st.one_of(
            st.builds(DailyProfit, limit=DOLLARS),
            st.builds(
                DailyProfit, mode=st.just("give_back"), keep=st.integers(1, 99), above=DOLLARS
            ),
        ),
        "flat_by": st.builds(FlatBy, time=st.sampled_from([time(12, 5), time(15, 10)])),
        "max_contracts": st.builds(
            MaxContracts, limit=st.integers(1, 6), count=COUNTS, include_working=st.booleans()
        ),
        "max_contracts_per_instrument": st.builds(
            MaxContractsPerInstrument,
            limits=st.dictionaries(
                st.sampled_from(["NQ", "ES", "GC"]), st.integers(1, 4), min_size=1
            ),
            other=st.sampled_from(["allow", "block", 2]),
        ),
        "max_risk_per_trade": st.builds(MaxRiskPerTrade, limit=DOLLARS),
        "news_blackout": st.builds(NewsBlackout, file=WINDOWS),
        "no_stop_loss": st.builds(
            NoStopLoss,
            grace=st.integers(1, 300).map(lambda s: timedelta(seconds=s)),
            close=st.sampled_from(["position", "uncovered"]),
        ),
        "scaling_plan": st.builds(
            lambda first, more, count: ScalingPlan(
                tiers=(Step(Decimal(0), first), Step(Decimal(50001), first + more)), count=count
            ),
            st.integers(1, 5),
            st.integers(0, 3),
            COUNTS,
        ),
        "session": st.builds(
            Session,
            times=st.sampled_from([("08:30-15:00",), ("08:30-12:01",), ("12:02-15:00",)]),
            by_root=st.sampled_from([{}, {"GC": ("07:20-12:30",)}]),
        ),
        "symbol_block": st.one_of(
            st.builds(SymbolBlock, symbols=SYMBOLS), st.builds(SymbolBlock, only=SYMBOLS)
        ),
        "trade_frequency": st.builds(
            TradeFrequency, minute=st.integers(1, 4), session=st.integers(1, 6)
        ),
        "trailing_drawdown": st.builds(
            TrailingDrawdown,
            amount=st.integers(100, 4000).map(Decimal),
            mode=st.sampled_from(
                ["end_of_day", "intraday", "intraday_closed", "static", "express"]
            ),
        ),
        "unrealized_loss": st.builds(
            UnrealizedLoss,
            limit=DOLLARS,
            scope=st.sampled_from(["position", "total"]),
            cooldown=st.one_of(st.none(), SPANS),
        ),
        "unrealized_profit": st.builds(
            UnrealizedProfit, limit=DOLLARS, action=st.sampled_from(["close", "close_half"])
        ),
        "weekly_loss": st.builds(WeeklyLoss, limit=DOLLARS),
    }
)
"""By name: all of them, each with parameters of its own."""
SOME_RULES = st.tuples(
    EVERY_RULE, st.lists(st.sampled_from(sorted(RULES)), min_size=1, max_size=5, unique=True)
).map(lambda drawn: tuple(drawn[0][name] for name in drawn[1]))
"""A few: of all together one nearly always flattens, and hides what the others would do."""
