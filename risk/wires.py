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
from typing import Any

from attrs import frozen

from risk.domain import Mark
from risk.rules.base import Rule, Trigger
from risk.snapshot import ContractView, Snapshot

SAFETY = Decimal("0.999999")
"""A wire stands a hair before its limit, so that no rounding of a division lets a price pass."""


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
    """A wire for each contract whose price matters, by id; None when every price must be judged.

    A rule that answers to prices can say by ``slack(snapshot)`` how many dollars each contract may
    lose at once, by id, before its answer can change.
    """
    if snapshot.pnl_waits or snapshot.stale:
        return None
    slack: dict[str, Decimal] = {}
    for rule in rules:
        if Trigger.MARK not in rule.triggers:
            continue
        slack_of: Any = getattr(rule, "slack", None)
        if slack_of is None:
            return None
        of_rule: Mapping[str, Decimal] = slack_of(snapshot)
        for contract_id, dollars in of_rule.items():
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
