"""What a reconcile brings in and what it finds."""

from decimal import Decimal
from enum import Enum

from attrs import frozen

from risk.domain import Order, Position, Trade


@frozen
class Reading:
    """The broker's answer to a full question about one account."""

    positions: tuple[Position, ...]
    """Every open position; a contract that is absent is flat."""
    orders: tuple[Order, ...]
    """Every working order: open, pending, pending cancellation, suspended."""
    trades: tuple[Trade, ...]
    link: int
    n: int
    """Receive counter the answer stands for: after the read if settled, before it if not."""
    settled: bool = True
    """False when events kept arriving: values newer than ``n`` stand, absence proves nothing."""
    complete_trades: bool = True
    """The trades hold the whole day so far; False when they were not read, or not from its start."""
    complete_orders: bool = True
    """The orders were read; False when this reading only asked for positions."""


class Kind(Enum):
    """What differed."""

    POSITION = "position"
    ORDER = "order"
    TRADE = "trade"


@frozen
class Difference:
    """One thing the state did not know, or knew otherwise."""

    kind: Kind
    contract_id: str
    id: int
    """Of the order or trade; the position's own for a position."""
    before: str
    after: str


def new_trade(trade: Trade) -> Difference:
    """A half-turn that was not known, or not as it is now."""
    after = f"{trade.side.name.lower()} {trade.size} at {trade.price}"
    after = "voided" if trade.voided else after
    return Difference(Kind.TRADE, trade.contract_id, trade.id, "", after)


@frozen
class Disagreement:
    """Ledger and position of one contract say different sizes."""

    ledger_net: int
    position_net: int
    since: float
    """Monotonic seconds at which they parted."""
    exit_price: Decimal | None
    """Mark at that moment, points: what contracts that left without a trade are taken to have got."""
    reconciled: bool = False
    """The broker was asked often enough: the difference is lots no trade explains."""
    ledger_newer: bool = False
    """The newest news was a trade, so the position event is what is late."""

    @property
    def unseen(self) -> int:
        """Contracts, signed, of a position that only its trades have told of so far."""
        told = self.position_net == 0 and self.ledger_newer and not self.reconciled
        return self.ledger_net if told else 0
