"""Trip wires: the prices at which a rule could change its mind, so that the others cost nothing.

A quote moves open P&L by its contract's size times its point value and nothing else. After an
evaluation each rule about money says how many dollars each contract may still lose before its answer
can be another one; that is a band of prices. A mark inside the band needs no evaluation. Only the
adverse side has a wire: no rule here answers to a profit. A wire is good for the state it was made
from, and only while no rule is broken; any change but a price takes it away, and time is watched by
the regular looks.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol, runtime_checkable

from attrs import frozen

from risk.domain import Mark
from risk.rules.base import Rule, Trigger
from risk.snapshot import ContractView, Snapshot

SAFETY = Decimal("0.999999")
"""A wire stands a hair before its limit, so that no rounding of a division lets a price pass."""


@runtime_checkable
class Wired(Protocol):
    """A rule that can say how far prices may move without it."""

    def slack(self, snapshot: Snapshot) -> Mapping[str, Decimal]:
        """Dollars that each contract may lose at once before the answer can change, by id."""


@frozen
class Wire:
    """One price of one contract; the position is long or short."""

    price: Decimal
    long: bool

    def tripped(self, mark: Mark) -> bool:
        """True when any price of the mark lies on the wire or beyond it."""
        for value in (mark.bid, mark.ask, mark.last):
            if value is not None and (value <= self.price if self.long else value >= self.price):
                return True
        return False


def wires(rules: Sequence[Rule], snapshot: Snapshot) -> Mapping[str, Wire] | None:
    """A wire for each contract whose price matters, by id; None when every price must be judged."""
    if snapshot.pnl_waits or snapshot.stale:
        return None
    slack: dict[str, Decimal] = {}
    for rule in rules:
        if Trigger.MARK not in rule.triggers:
            continue
        if not isinstance(rule, Wired):
            return None
        for contract_id, dollars in rule.slack(snapshot).items():
            slack[contract_id] = min(dollars, slack.get(contract_id, dollars))
    found: dict[str, Wire] = {}
    for contract_id, view in snapshot.contracts.items():
        if view.holding.worth is None or view.holding.worth.net == 0:
            continue
        wire = _wire(view, slack.get(contract_id))
        if wire is not None:
            found[contract_id] = wire
    return found


def _wire(view: ContractView, dollars: Decimal | None) -> Wire | None:
    price, worth = view.price, view.holding.worth
    if worth is None or price.value is None or price.suspected or price.stale:
        return None
    if dollars is None:
        return Wire(Decimal("-Infinity" if worth.net > 0 else "Infinity"), worth.net > 0)
    points = max(dollars, Decimal(0)) * SAFETY / (abs(worth.net) * worth.point_value)
    return Wire(price.value - points if worth.net > 0 else price.value + points, worth.net > 0)
