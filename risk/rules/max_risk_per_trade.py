"""``max_risk_per_trade``: the most that a position may lose at its stops."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from risk.cover import protects
from risk.domain import Order
from risk.explain import dollars, plain
from risk.orders import PROTECTIVE_TYPES
from risk.rules.base import EXPOSURE, Priority, Trigger, require_positive, violation
from risk.snapshot import ContractView, Snapshot
from risk.verdict import Alert, Close, RuleAnswer

_ZERO = Decimal(0)
_NOTHING = RuleAnswer()


@frozen
class MaxRiskPerTrade:
    """Closes a position whose stops stand too far away; exactly the limit is allowed.

    The risk is what the position loses if its stops fill at their prices, the nearest ones first,
    from its average entry. What no stop with a known price covers has no risk that could be told: it
    alerts, and ``no_stop_loss`` closes it in time.
    """

    name: ClassVar[str] = "max_risk_per_trade"
    triggers: ClassVar[frozenset[Trigger]] = EXPOSURE
    priority: ClassVar[Priority] = Priority.PER_TRADE
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = (
        "sum over the stops of size x (entry - stop price) x side x point value > `limit`"
    )

    limit: Decimal = field(metadata={"doc": "dollars that one position may lose at its stops"})

    def __attrs_post_init__(self) -> None:
        require_positive(self.limit, "limit")

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Judge each position that stays by the stops that would end it."""
        stops = _stops(snapshot)
        answers = [
            self._judge(snapshot, trigger, view, stops.get(view.holding.contract_id, ()))
            for view in snapshot.contracts.values()
            if view.holding.size
        ]
        return RuleAnswer(
            tuple(found for answer in answers for found in answer.violations),
            tuple(alert for answer in answers for alert in answer.alerts),
        )

    def _judge(
        self, snapshot: Snapshot, trigger: Trigger, view: ContractView, working: Sequence[Order]
    ) -> RuleAnswer:
        holding, worth = view.holding, view.holding.worth
        if worth is None or worth.entry is None:
            return _NOTHING  # an instrument that is not known alerts by itself
        sign = 1 if holding.net > 0 else -1
        bare, points, stops = abs(holding.net), _ZERO, []
        for order, price in _nearest_first(working, sign):
            covers = min(order.remaining, bare)
            if covers:
                points += covers * (worth.entry - price)
                stops.append((covers, price))
                bare -= covers
        alerts = (self._unknown(view, bare),) if bare else ()
        risk = points * sign * worth.point_value
        if risk <= self.limit:
            return RuleAnswer(alerts=alerts) if alerts else _NOTHING
        said = ", ".join(f"{covers} at {plain(price)}" for covers, price in stops)
        found = violation(
            self.name,
            snapshot,
            trigger,
            observed=risk,
            limit=self.limit,
            contract_id=holding.contract_id,
            reason=(
                f"risk {dollars(risk)} > {plain(self.limit)} ({holding.net:+d} {holding.name} "
                f"from {dollars(worth.entry)}, stops for {said})"
            ),
            actions=(Close(holding.contract_id),),
            inputs={
                f"position {holding.contract_id}": str(holding.net),
                f"entry {holding.contract_id}": str(worth.entry),
                f"stops {holding.contract_id}": said,
            },
        )
        return RuleAnswer((found,), alerts)

    def _unknown(self, view: ContractView, bare: int) -> Alert:
        holding = view.holding
        return Alert(
            "risk_unknown",
            f"{holding.name}: {bare} of {abs(holding.net)} contracts have no stop with a price, so "
            f"nobody can say whether they risk more than {plain(self.limit)}",
            holding.contract_id,
        )


def _stops(snapshot: Snapshot) -> Mapping[str, Sequence[Order]]:
    """Working stops that protect something, by contract."""
    orders = {order.id: order for order in snapshot.orders}
    stops: dict[str, list[Order]] = {}
    for order in snapshot.orders:
        if order.type in PROTECTIVE_TYPES and protects(order, orders):
            stops.setdefault(order.contract_id, []).append(order)
    return stops


def _nearest_first(working: Sequence[Order], sign: int) -> list[tuple[Order, Decimal]]:
    """The stops of a position of this side that have a price, those nearest to the market first."""
    own = [
        (order, order.stop_price)
        for order in working
        if order.side.sign * sign < 0 and order.stop_price is not None
    ]
    return sorted(own, key=lambda it: it[1] * sign, reverse=True)
