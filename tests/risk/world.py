"""A small world to state examples in: contracts, events, and an account that receives them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

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
from risk.marks import MarkBasis
from risk.reading import Difference, Reading
from risk.rules import Rule, Trigger
from risk.snapshot import Snapshot
from risk.trading_day import TradingCalendar
from risk.verdict import Verdict

CALENDAR = TradingCalendar()
NOON = datetime(2026, 11, 18, 18, 0, tzinfo=UTC)
"""Noon in Chicago on a Wednesday."""

ACCOUNT_ID = 1001


def contract(root: str, code: str, tick_size: str, tick_value: str) -> Contract:
    """A December 2026 contract as the broker would describe it."""
    return Contract(
        f"CON.F.US.{code}.Z26", root, f"{root}Z6", Decimal(tick_size), Decimal(tick_value)
    )


MNQ = contract("MNQ", "MNQ", "0.25", "0.50")
NQ = contract("NQ", "ENQ", "0.25", "5")
ES = contract("ES", "EP", "0.25", "12.50")
MES = contract("MES", "MES", "0.25", "1.25")
GC = contract("GC", "GCE", "0.1", "10")
CONTRACTS = (MNQ, NQ, ES, MES, GC)


class World:
    """An account, its clocks, and an exchange that numbers what it reports."""

    def __init__(
        self,
        now: datetime = NOON,
        *,
        contracts: Sequence[Contract] = CONTRACTS,
        mark: MarkBasis = "touch",
    ) -> None:
        self.now = now
        self.mono = 1000.0
        self.link = 1
        self.n = 0
        self.ids = 0
        self.orders_sent = 0
        self.lives = 0
        self.nets: dict[str, int] = {}
        self.begun: dict[str, datetime] = {}
        self.state = AccountState("50KTC-A", CALENDAR, now, mark=mark)
        self.state.apply_account(BrokerAccount(ACCOUNT_ID, "50KTC-A", Decimal(50000), True))
        for each in contracts:
            self.state.apply_contract(each)

    def next_id(self) -> int:
        """An id nobody had."""
        self.ids += 1
        return self.ids

    def wait(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.now += timedelta(seconds=seconds)
        self.mono += seconds

    def make_trade(
        self,
        signed: int,
        price: str,
        of: Contract = MNQ,
        *,
        fees: str | None = "0",
        at: datetime | None = None,
        profit: str | None = None,
        order_id: int = 0,
    ) -> Trade:
        """A trade that has not been reported yet."""
        return Trade(
            id=self.next_id(),
            account_id=ACCOUNT_ID,
            contract_id=of.id,
            order_id=order_id,
            at=at or self.now,
            side=Side.BUY if signed > 0 else Side.SELL,
            size=abs(signed),
            price=Decimal(price),
            profit_and_loss=None if profit is None else Decimal(profit),
            fees=None if fees is None else Decimal(fees),
        )

    def report(self, trade: Trade) -> bool:
        """The Trade event."""
        return self.state.apply_trade(trade, self.now, self.mono)

    def make_position(
        self, net: int, price: str = "0", of: Contract = MNQ, *, number: int = 77
    ) -> Position:
        """A position value that has not been reported yet."""
        began = self.begun.get(of.id, NOON)
        return Position(number, ACCOUNT_ID, of.id, began, net, Decimal(price))

    def hold(self, net: int, price: str = "0", of: Contract = MNQ, *, number: int = 77) -> bool:
        """The Position event."""
        self.n += 1
        if net and net * self.nets.get(of.id, 0) <= 0:
            self.lives += 1
            self.begun[of.id] = NOON - timedelta(microseconds=1000 - self.lives)
        self.nets[of.id] = net
        position = self.make_position(net, price, of, number=number)
        return self.state.apply_position(position, self.link, self.n, self.now, self.mono)

    def fill(
        self,
        signed: int,
        price: str,
        of: Contract = MNQ,
        *,
        fees: str | None = "0",
        order_id: int | None = None,
    ) -> Trade:
        """A trade and the position it makes, reported together; each of an order of its own."""
        self.orders_sent += 1
        number = 10_000 + self.orders_sent if order_id is None else order_id
        trade = self.make_trade(signed, price, of, fees=fees, order_id=number)
        self.report(trade)
        view = self.snapshot().contracts[of.id]
        self.hold(view.holding.ledger_net, price, of)
        return trade

    def make_order(
        self,
        signed: int,
        kind: OrderType = OrderType.LIMIT,
        of: Contract = MNQ,
        *,
        status: OrderStatus = OrderStatus.OPEN,
        filled: int = 0,
        number: int | None = None,
        parent_id: int | None = None,
    ) -> Order:
        """An order that has not been reported yet."""
        return Order(
            id=self.next_id() if number is None else number,
            account_id=ACCOUNT_ID,
            contract_id=of.id,
            status=status,
            type=kind,
            side=Side.BUY if signed > 0 else Side.SELL,
            size=abs(signed),
            filled=filled,
            created=self.now,
            updated=self.now,
            parent_id=parent_id,
        )

    def place(self, order: Order) -> Order:
        """The Order event."""
        self.state.apply_order(order, self.now)
        return order

    def stop(self, signed: int, of: Contract = MNQ) -> Order:
        """A working protective stop."""
        return self.place(self.make_order(signed, OrderType.STOP, of))

    def quote(
        self, bid: str | None = None, ask: str | None = None, of: Contract = MNQ, last: str = ""
    ) -> bool:
        """A quote received now."""
        mark = Mark(
            None if bid is None else Decimal(bid),
            None if ask is None else Decimal(ask),
            Decimal(last) if last else None,
            self.mono,
            self.mono,
            self.mono,
        )
        return self.state.apply_mark(of.id, mark)

    def read(self, *positions: Position, **changes: object) -> tuple[Difference, ...]:
        """A settled reading of everything, with what the arguments change."""
        working = self.snapshot().orders
        known: dict[str, object] = {
            "positions": positions,
            "orders": working,
            "trades": (),
            "link": self.link,
            "n": self.n,
        }
        return self.state.reconciled(Reading(**{**known, **changes}), self.now, self.mono)  # type: ignore[arg-type]

    def snapshot(self) -> Snapshot:
        """The account now."""
        return self.state.snapshot(self.now, self.mono)

    def judge(self, *rules: Rule, trigger: Trigger = Trigger.FULL) -> Verdict:
        """What these rules say now."""
        return evaluate(rules, self.snapshot(), trigger, self.now, self.mono)
