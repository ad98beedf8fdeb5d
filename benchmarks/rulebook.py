"""All nineteen rules at once: after one event, by trades of the day and accounts, and what wires save."""

import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from statistics import median
from typing import Literal

from attrs import define, field

from benchmarks.report import Finding, at_most, percentile, show
from risk.account_state import AccountState
from risk.domain import (
    BrokerAccount,
    Contract,
    Mark,
    Order,
    OrderStatus,
    OrderType,
    Position,
    Side,
    Trade,
)
from risk.evaluate import evaluate
from risk.past import Past
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
    Rule,
    ScalingPlan,
    Session,
    SymbolBlock,
    TradeFrequency,
    TrailingDrawdown,
    Trigger,
    UnrealizedLoss,
    UnrealizedProfit,
    WeeklyLoss,
)
from risk.rules.cooldown_after_loss import Streak, Tier
from risk.rules.news_blackout import Event, News
from risk.rules.scaling_plan import Step
from risk.trading_day import TradingCalendar
from risk.wires import Wire, wires

NOON = datetime(2026, 11, 18, 18, 0, tzinfo=UTC)
"""Noon in Chicago on a Wednesday."""
ROOTS = ["ES", "MES", "NQ", "MNQ", "RTY", "M2K", "YM", "MYM", "GC", "MGC"]
PRICE = Decimal(5000)
MILLION = Decimal(10**6)
MEDIAN_AT_MOST_US, P99_AT_MOST_US = 200.0, 1000.0
GROWTH_AT_MOST = 1.5
"""Times the cost of the smallest: what noise may make of a cost that does not grow."""
ACCOUNTS, QUOTES_A_SECOND, CORE_AT_MOST = 20, 1000, 5.0


def rulebook() -> tuple[Rule, ...]:
    """Every rule, with limits that nothing here reaches."""
    soon = Event(NOON + timedelta(hours=2), NOON + timedelta(hours=3), title="Payrolls")
    rules: tuple[Rule, ...] = (
        SymbolBlock(symbols=("ZB",)),
        Session(times=("08:30-15:00",)),
        FlatBy(time=clock_time(15, 8)),
        NewsBlackout(file=News((soon,))),
        ConnectionLoss(),
        TrailingDrawdown(amount=MILLION),
        WeeklyLoss(limit=MILLION),
        DailyLoss(limit=MILLION, reduce_only_at=90),
        DailyProfit(limit=MILLION),
        Consistency(),
        UnrealizedLoss(limit=MILLION, cooldown=timedelta(minutes=5)),
        UnrealizedProfit(limit=MILLION),
        NoStopLoss(),
        MaxRiskPerTrade(limit=MILLION),
        MaxContracts(limit=1000, count="mini_equivalent"),
        MaxContractsPerInstrument(limits={"ES": 1000}, other="allow"),
        ScalingPlan(tiers=(Step(Decimal(0), 1000),)),
        TradeFrequency(minute=10_000, hour=10_000, session=10_000),
        CooldownAfterLoss(
            tiers=(Tier(Decimal(500), timedelta(minutes=5)),),
            streaks=(Streak(5, timedelta(minutes=5)),),
        ),
    )
    assert {rule.name for rule in rules} == set(RULES)
    return rules


@define
class Account:
    """One that has traded, holds a contract of each product, and protects all of them."""

    name: str
    trades: int
    """Of the day so far."""
    held: Sequence[str] = ROOTS
    state: AccountState = field(init=False)
    ids: int = 0

    def __attrs_post_init__(self) -> None:
        self.state = AccountState(self.name, TradingCalendar(), NOON)
        self.state.apply_account(BrokerAccount(1, self.name, Decimal(50_000), True))
        self.state.know_contracts({it.id: it for it in map(contract, ROOTS)})
        self.state.standing.past = Past(opening=Decimal(50_000), high=Decimal(50_000))
        for n in range(self.trades):
            self.trade(ROOTS[n // 2 % len(ROOTS)], Side.SELL if n % 2 else Side.BUY)
        for number, root in enumerate(self.held):
            self.trade(root, Side.BUY)
            id_ = contract(root).id
            self.state.apply_position(Position(number, 1, id_, NOON, 1, PRICE), 1, 1, NOON, 0.0)
            self.state.apply_order(stop(number, id_), NOON)
            self.quote(root, PRICE)
        assert not self.state.disagreements()

    def trade(self, root: str, side: Side) -> None:
        """One contract bought, or sold a point higher."""
        self.ids += 1
        at = NOON - timedelta(hours=2) + timedelta(seconds=self.ids)
        price = PRICE + (1 if side is Side.SELL else 0)
        trade = Trade(
            self.ids, 1, contract(root).id, self.ids, at, side, 1, price, None, Decimal("0.37")
        )
        self.state.apply_trade(trade, NOON, 0.0)

    def quote(self, root: str, bid: Decimal) -> Mark:
        """A price; the mark it makes."""
        mark = Mark(bid, bid + Decimal("0.25"), bid, 0.0, 0.0, 0.0)
        self.state.apply_mark(contract(root).id, mark)
        return mark

    def judge(self, rules: Sequence[Rule], trigger: Trigger) -> None:
        """What the account and its rules do after an event."""
        evaluate(rules, self.state.snapshot(NOON, 0.0), trigger, NOON, 0.0)


def contract(root: str) -> Contract:
    """A contract of two dollars a point."""
    return Contract(f"CON.F.US.{root}.Z26", root, f"{root}Z6", Decimal("0.25"), Decimal("0.50"))


def stop(number: int, contract_id: str) -> Order:
    """A working stop beside a long of one."""
    return Order(
        number,
        1,
        contract_id,
        OrderStatus.OPEN,
        OrderType.STOP,
        Side.SELL,
        1,
        0,
        NOON,
        NOON,
        stop_price=PRICE - 50,
    )


def _fill_by_fill(account: Account, rules: Sequence[Rule], count: int) -> list[float]:
    """Seconds from a fill to the verdict on it, in and out of one contract."""
    times = []
    for n in range(count):
        root = ROOTS[n // 2 % len(ROOTS)]
        began = time.perf_counter()
        account.trade(root, Side.SELL if n % 2 == 0 else Side.BUY)
        account.judge(rules, Trigger.FILL)
        times.append(time.perf_counter() - began)
    return times


def _look_by_look(accounts: Sequence[Account], rules: Sequence[Rule], count: int) -> list[float]:
    """Seconds of the regular look at everything, at one account after the other."""
    times = []
    for n in range(count):
        account = accounts[n % len(accounts)]
        root = ROOTS[n % len(ROOTS)]
        account.quote(root, PRICE + n % 7)
        began = time.perf_counter()
        account.judge(rules, Trigger.FULL)
        times.append(time.perf_counter() - began)
    return times


def _evaluation(count: int) -> Iterator[Finding]:
    rules = rulebook()
    account = Account("500 trades", 500)
    for what, times in (
        ("look at everything", _look_by_look([account], rules, count)),
        ("after a fill", _fill_by_fill(account, rules, min(count, 1000))),
    ):
        p50, p99 = median(times) * 1e6, percentile(times, 0.99) * 1e6
        yield at_most(f"19 rules, 10 positions, {what}, p50", p50, MEDIAN_AT_MOST_US, "us")
        yield at_most(f"19 rules, 10 positions, {what}, p99", p99, P99_AT_MOST_US, "us")


def _growth(count: int) -> Iterator[Finding]:
    """Interleaved, so that what slows the machine slows all of them."""
    rules = rulebook()
    by_trades = {n: [Account(f"{n} trades", n)] for n in (10, 100, 1000)}
    by_accounts = {n: [Account(f"{i}", 10) for i in range(n)] for n in (10, 100, 1000)}
    for word, sizes in (("trades of the day", by_trades), ("accounts", by_accounts)):
        rounds: dict[int, list[float]] = {n: [] for n in sizes}
        for _ in range(10):
            for n, accounts in sizes.items():
                rounds[n] += _look_by_look(accounts, rules, count // 10)
        smallest = median(rounds[10])
        for n in (100, 1000):
            times = median(rounds[n]) / smallest
            yield at_most(f"cost with {n} {word}, of that with 10", times, GROWTH_AT_MOST, "x")


def _quotes(seconds: int) -> Iterator[Finding]:
    """Processor time for each second of quotes, with wires and with a judgement of every quote."""
    what = f"{QUOTES_A_SECOND:,} quotes/s, {ACCOUNTS} accounts"
    for mode in ("end_of_day", "intraday"):
        rules = _near(mode)
        share = _spent(seconds, rules, wired=True) / seconds * 100
        yield at_most(f"{what}, {mode} drawdown", share, CORE_AT_MOST, "% core")
        share = _spent(seconds, rules, wired=False) / seconds * 100
        yield Finding("  the same without wires", "-", f"{share:.3g} % core", None)


def _spent(seconds: int, rules: Sequence[Rule], *, wired: bool) -> float:
    chance = random.Random(1)
    accounts = [Account(f"{i}", 10, [ROOTS[i % 10], ROOTS[(i + 3) % 10]]) for i in range(ACCOUNTS)]
    armed: list[dict[str, Wire]] = [{} for _ in accounts]
    bids = dict.fromkeys(ROOTS, PRICE)
    holders = {root: [i for i, it in enumerate(accounts) if root in it.held] for root in ROOTS}
    marks = []
    for _ in range(seconds * QUOTES_A_SECOND):
        root = chance.choice(ROOTS)
        bids[root] += chance.choice((-1, 0, 1)) * Decimal("0.25")
        bid = bids[root]
        marks.append((root, Mark(bid, bid + Decimal("0.25"), bid, 0.0, 0.0, 0.0)))
    began = time.process_time()
    for root, mark in marks:
        id_ = _IDS[root]
        for i in holders[root]:
            state = accounts[i].state
            wire = armed[i].get(id_)
            changed = state.follow_mark(id_, mark)
            if changed and (not wired or wire is None or wire.tripped(mark)):
                snapshot = state.snapshot(NOON, 0.0)
                evaluate(rules, snapshot, Trigger.MARK, NOON, 0.0)
                armed[i] = dict(wires(rules, snapshot) or {})
    return time.process_time() - began


_IDS = {root: contract(root).id for root in ROOTS}


def _near(mode: Literal["end_of_day", "intraday"]) -> tuple[Rule, ...]:
    """The rules that look at prices, with limits as traders have them."""
    return (
        TrailingDrawdown(mode=mode, amount=Decimal(2000)),
        WeeklyLoss(limit=Decimal(1500)),
        DailyLoss(limit=Decimal(1000)),
        DailyProfit(limit=Decimal(1500)),
        Consistency(),
        UnrealizedLoss(limit=Decimal(300)),
        UnrealizedProfit(limit=Decimal(600)),
    )


def run(*, quick: bool) -> None:
    """Pure computation, warm."""
    count = 2_000 if quick else 20_000
    show("rulebook: one event", _evaluation(count))
    show("rulebook: growth", _growth(count))
    show("rulebook: quotes", _quotes(2 if quick else 10))
