"""Trip wires: the prices at which a rule could change its mind, so that the others cost nothing.

A quote moves open P&L by its contract's size times its point value and nothing else. After an
evaluation each rule about money says how many dollars each contract may still lose, or win, before
its answer can be another one; that is a band of prices. A mark inside the band needs no evaluation.
A wire is good for the state it was made from, and only while no rule is broken; any change but a
price takes it away, and time is watched by the regular looks.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import frozen

from risk.domain import Mark
from risk.rules.base import Rule, Trigger, shared
from risk.snapshot import ContractView, Snapshot

SAFETY = Decimal("0.999999")
"""A wire stands a hair before its limit, so that no rounding of a division lets a price pass."""
_FAR = Decimal("Infinity")
_ZERO = Decimal(0)


@frozen
class Wire:
    """The prices of one contract between which nothing is to be judged; the ends trip."""

    low: Decimal
    high: Decimal

    def tripped(self, mark: Mark) -> bool:
        """True when any price of the mark lies on an end of the band or beyond it."""
        for value in (mark.bid, mark.ask, mark.last):
            if value is not None and (value <= self.low or value >= self.high):
                return True
        return False


def wires(rules: Sequence[Rule], snapshot: Snapshot) -> Mapping[str, Wire] | None:
    """A wire for each contract whose price matters, by id; None when every price must be judged.

    A rule that answers to prices can say by ``slack(snapshot)`` how many dollars each contract may
    lose at once, by id, before its answer can change, and by ``reach(snapshot)`` how many it may win;
    a rule with only one of them does not answer to the other side.
    """
    if snapshot.pnl_waits or snapshot.stale:
        return None
    slack: dict[str, Decimal] = {}
    if snapshot.report_at is not None:
        slack.update(shared(snapshot, snapshot.net - snapshot.report_at))
    reach: dict[str, Decimal] = {}
    for rule in rules:
        if Trigger.MARK not in rule.triggers:
            continue
        slack_of: Any = getattr(rule, "slack", None)
        reach_of: Any = getattr(rule, "reach", None)
        if slack_of is None and reach_of is None:
            return None
        _nearest(slack, {} if slack_of is None else slack_of(snapshot))
        _nearest(reach, {} if reach_of is None else reach_of(snapshot))
    found: dict[str, Wire] = {}
    for contract_id, view in snapshot.contracts.items():
        if view.holding.worth is None or view.holding.worth.net == 0:
            continue
        wire = _wire(view, slack.get(contract_id, _FAR), reach.get(contract_id, _FAR))
        if wire is not None:
            found[contract_id] = wire
    return found


def _nearest(known: dict[str, Decimal], of_rule: Mapping[str, Decimal]) -> None:
    for contract_id, dollars in of_rule.items():
        known[contract_id] = min(dollars, known.get(contract_id, dollars))


def _wire(view: ContractView, loss: Decimal, gain: Decimal) -> Wire | None:
    price, worth = view.price, view.holding.worth
    if worth is None or price.value is None or price.suspected or price.stale:
        return None
    per_point = worth.net * worth.point_value
    ends = (price.value - _points(loss, per_point), price.value + _points(gain, per_point))
    return Wire(min(ends), max(ends))


def _points(dollars: Decimal, per_point: Decimal) -> Decimal:
    return max(dollars, _ZERO) * SAFETY / per_point
