"""What one account costs: all five rules once, and from a quote to the verdict on it."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from statistics import median

from benchmarks.feed import rules
from benchmarks.report import Finding, at_most, percentile, show
from risk.account_state import AccountState
from risk.domain import BrokerAccount, Contract, Mark, Position, Side, Trade
from risk.evaluate import evaluate
from risk.rules import Rule, Trigger
from risk.trading_day import TradingCalendar
from risk.verdict import Verdict

NOON = datetime(2026, 11, 18, 18, 0, tzinfo=UTC)
"""Noon in Chicago on a Wednesday."""
ACCOUNT_ID = 1001
HELD = (
    Contract("CON.F.US.EP.Z26", "ES", "ESZ6", Decimal("0.25"), Decimal("12.50")),
    Contract("CON.F.US.ENQ.Z26", "NQ", "NQZ6", Decimal("0.25"), Decimal(5)),
)
ROUND_TRIPS = 50
"""What was traded earlier that day, in each contract."""
EVALUATION_AT_MOST_US = 200.0
QUOTE_AT_MOST_MS = 1.0


def account() -> AccountState:
    """One that has traded today and holds a contract of each."""
    state = AccountState("BENCH-01", TradingCalendar(), NOON)
    state.apply_account(BrokerAccount(ACCOUNT_ID, "BENCH-01", Decimal(50_000), True))
    state.know_contracts({it.id: it for it in HELD})
    for contract in HELD:
        for n in range(2 * ROUND_TRIPS + 1):
            state.apply_trade(_trade(contract, n), NOON, 0.0)
        held = Position(1, ACCOUNT_ID, contract.id, NOON, 1, Decimal(5000))
        state.apply_position(held, 1, 1, NOON, 0.0)
        state.apply_mark(contract.id, _mark(0))
    return state


def _trade(contract: Contract, n: int) -> Trade:
    side = Side.SELL if n % 2 else Side.BUY
    id_ = n * len(HELD) + HELD.index(contract)
    cost, fee = Decimal(5000), Decimal("2.5")
    return Trade(id_, ACCOUNT_ID, contract.id, n, NOON, side, 1, cost, None, fee)


def _mark(n: int) -> Mark:
    bid = Decimal(5000 + n % 7)
    return Mark(bid, bid + Decimal("0.25"), bid, 0.0, 0.0, 0.0)


def _times(work: Callable[[int], object], count: int) -> list[float]:
    """Seconds of each call."""
    times = []
    for n in range(count):
        began = time.perf_counter()
        work(n)
        times.append(time.perf_counter() - began)
    return times


def _evaluated(state: AccountState, five: Sequence[Rule], trigger: Trigger, _: int) -> Verdict:
    return evaluate(five, state.snapshot(NOON, 0.0), trigger, NOON, 0.0)


def _measured(count: int) -> Iterator[Finding]:
    state, five = account(), rules()
    assert _evaluated(state, five, Trigger.FULL, 0).plan == ()
    for trigger in (Trigger.FULL, Trigger.FILL, Trigger.MARK):
        times = _times(partial(_evaluated, state, five, trigger), count)
        what = f"all rules of an account, {trigger.value}, p50"
        yield at_most(what, median(times) * 1e6, EVALUATION_AT_MOST_US, "us")

    def quoted(n: int) -> None:
        state.apply_mark(HELD[n % len(HELD)].id, _mark(n))
        _evaluated(state, five, Trigger.MARK, n)

    times = _times(quoted, count)
    yield at_most("quote to verdict, p50", median(times) * 1e3, QUOTE_AT_MOST_MS, "ms")
    yield at_most("quote to verdict, p99", percentile(times, 0.99) * 1e3, QUOTE_AT_MOST_MS, "ms")


def run(*, quick: bool) -> None:
    """Pure computation, one account, warm."""
    show("rules", _measured(3_000 if quick else 20_000))
