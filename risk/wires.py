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

from attrs import define, field, frozen

from risk.domain import Mark
from risk.rules.base import Room, Rule, Trigger
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

    A rule that answers to prices can say by ``slack(snapshot)`` how much may be lost before its answer
    can change (see :data:`risk.rules.base.Room`), and by ``reach(snapshot)`` how much may be won; a rule
    with only one of them does not answer to the other side.
    """
    if snapshot.pnl_waits or snapshot.stale:
        return None
    open_ones = {
        key: view
        for key, view in snapshot.contracts.items()
        if view.holding.worth is not None and view.holding.worth.net
    }
    slack, reach = _Nearest(len(open_ones)), _Nearest(len(open_ones))
    if snapshot.report_at is not None:
        slack.take(snapshot.net - snapshot.report_at)
    for rule in rules:
        if Trigger.MARK not in rule.triggers:
            continue
        slack_of: Any = getattr(rule, "slack", None)
        reach_of: Any = getattr(rule, "reach", None)
        if slack_of is None and reach_of is None:
            return None
        if slack_of is not None:
            slack.take(slack_of(snapshot))
        if reach_of is not None:
            reach.take(reach_of(snapshot))
    found = {
        contract_id: _wire(view, slack.of(contract_id), reach.of(contract_id))
        for contract_id, view in open_ones.items()
    }
    return {contract_id: wire for contract_id, wire in found.items() if wire is not None}


@define
class _Nearest:
    """The least that any rule leaves on one side."""

    sharing: int
    """Contracts that move together."""
    _together: Decimal = _FAR
    _alone: dict[str, Decimal] = field(factory=dict)

    def take(self, room: Room) -> None:
        """What one rule leaves."""
        if isinstance(room, Decimal):
            self._together = min(self._together, room)
            return
        for contract_id, dollars in room.items():
            self._alone[contract_id] = min(dollars, self._alone.get(contract_id, dollars))

    def of(self, contract_id: str) -> Decimal:
        """A contract's own, or its share."""
        return min(self._alone.get(contract_id, _FAR), self._together / self.sharing)


def _wire(view: ContractView, loss: Decimal, gain: Decimal) -> Wire | None:
    price, worth = view.price, view.holding.worth
    if worth is None or price.value is None or price.suspected or price.stale:
        return None
    per_point = worth.net * worth.point_value
    ends = (price.value - _points(loss, per_point), price.value + _points(gain, per_point))
    return Wire(min(ends), max(ends))


def _points(dollars: Decimal, per_point: Decimal) -> Decimal:
    return max(dollars, _ZERO) * SAFETY / per_point
