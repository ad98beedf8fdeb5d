"""``max_contracts``: how many contracts may be held at once, over all instruments."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal

from attrs import field, frozen

from risk.domain import Order, OrderStatus
from risk.explain import plain
from risk.ledger import Lot
from risk.orders import could_increase
from risk.rules.base import EXPOSURE, Priority, Trigger, require_positive, violation
from risk.snapshot import Holding, Snapshot
from risk.verdict import Action, Alert, Cancel, Close, Reduce, RuleAnswer

_ZERO = Decimal(0)
_ONE = Decimal(1)


@frozen
class MaxContracts:
    """Closes the newest lots above the limit; a long never nets against a short."""

    name: ClassVar[str] = "max_contracts"
    triggers: ClassVar[frozenset[Trigger]] = EXPOSURE
    priority: ClassVar[Priority] = Priority.SIZE
    mandatory: ClassVar[bool] = False

    limit: int = field(metadata={"doc": "contracts that may be held at once"})
    count: Literal["lots", "mini_equivalent"] = field(
        default="lots",
        metadata={"doc": "lots: each contract is one; mini_equivalent: a micro is a tenth"},
    )
    include_working: bool = field(
        default=False,
        metadata={"doc": "count working entry orders as if they had filled"},
    )

    def __attrs_post_init__(self) -> None:
        require_positive(self.limit, "limit")
        if self.count not in ("lots", "mini_equivalent"):
            raise ValueError(f"count must be lots or mini_equivalent, got {self.count}")

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Cancel what would add, then close the newest excess."""
        snapshot = _without_what_left(snapshot)
        held = self._held(snapshot)
        observed = held + self._waiting(snapshot) if self.include_working else held
        if observed <= self.limit:
            return RuleAnswer()
        keeps = self._keeps(snapshot, held)
        rest = self._rest(snapshot, keeps)
        cancels = tuple(self._over(snapshot, keeps, rest))
        closes = tuple(_reductions(snapshot, keeps))
        if not cancels and not closes:
            return RuleAnswer(alerts=_unsettled(snapshot, keeps))
        found = violation(
            self.name,
            snapshot,
            trigger,
            observed=observed,
            limit=Decimal(self.limit),
            contract_id=next(iter(keeps), None),
            reason=self._reason(snapshot, observed),
            actions=(*cancels, *closes),
            inputs={key: str(view.holding.net) for key, view in snapshot.contracts.items()},
        )
        return RuleAnswer((found,), _unsettled(snapshot, keeps))

    def _weight(self, holding: Holding) -> Decimal:
        return _ONE if self.count == "lots" else holding.mini_weight

    def _held(self, snapshot: Snapshot) -> Decimal:
        return sum(
            (
                view.holding.size * self._weight(view.holding)
                for view in snapshot.contracts.values()
            ),
            _ZERO,
        )

    def _waiting(self, snapshot: Snapshot) -> Decimal:
        return sum((self._adds(snapshot, order) for order in _entries(snapshot)), _ZERO)

    def _adds(self, snapshot: Snapshot, order: Order) -> Decimal:
        return order.remaining * self._weight(snapshot.contracts[order.contract_id].holding)

    def _keeps(self, snapshot: Snapshot, held: Decimal) -> Mapping[str, int]:
        """Contract to what may stay of it: the fewest newest lots go, whatever they are in."""
        keeps: dict[str, int] = {}
        for holding in _newest_contracts(snapshot):
            if held <= self.limit:
                break
            keeps[holding.contract_id] = keeps.get(holding.contract_id, holding.size) - 1
            held -= self._weight(holding)
        return keeps

    def _rest(self, snapshot: Snapshot, keeps: Mapping[str, int]) -> Decimal:
        return sum(
            (
                keeps.get(key, view.holding.size) * self._weight(view.holding)
                for key, view in snapshot.contracts.items()
            ),
            _ZERO,
        )

    def _over(
        self, snapshot: Snapshot, keeps: Mapping[str, int], rest: Decimal
    ) -> Iterator[Cancel]:
        """What is left of the order that went over, and entries for which no room would be left."""
        room = self.limit - rest
        for order in _entries(snapshot):
            adds = self._adds(snapshot, order)
            culprit = order.filled > 0 and order.contract_id in keeps
            if culprit or adds > room:
                yield Cancel(order.id, order.contract_id)
            elif self.include_working:
                room -= adds

    def _reason(self, snapshot: Snapshot, observed: Decimal) -> str:
        parts = ", ".join(
            f"{view.holding.net:+d} {view.holding.name}"
            for view in snapshot.contracts.values()
            if view.holding.net
        )
        unit = "contracts" if self.count == "lots" else "mini equivalents"
        working = " with working entries" if self.include_working else ""
        return f"{plain(observed)} {unit}{working} > {self.limit} ({parts or 'flat'})"


def _without_what_left(snapshot: Snapshot) -> Snapshot:
    """A trade has told of an exit whose position event is late or lost: for at most 2 s that counts.

    Else what is opened next would be closed for the sake of contracts that nobody holds any more.
    """
    left = {key: view.holding.left for key, view in snapshot.contracts.items() if view.holding.left}
    return snapshot.reducing(left) if left else snapshot


def _entries(snapshot: Snapshot) -> tuple[Order, ...]:
    """Orders that could add to a position or open one, oldest first."""
    entries = (
        order
        for order in snapshot.orders
        if order.status is not OrderStatus.PENDING_CANCELLATION
        and could_increase(order, snapshot.contracts[order.contract_id].holding.net)
    )
    return tuple(sorted(entries, key=lambda order: (order.created, order.id)))


def _newest_contracts(snapshot: Snapshot) -> Iterator[Holding]:
    """One item per contract held and not already leaving, newest fill first."""
    lots = [
        (lot, holding)
        for holding in (view.holding for view in snapshot.contracts.values())
        for lot in holding.lots
    ]
    leaving = {key: view.holding.reducing for key, view in snapshot.contracts.items()}
    for lot, holding in sorted(lots, key=lambda item: _age(item[0]), reverse=True):
        gone = min(leaving[lot.contract_id], lot.size)
        leaving[lot.contract_id] -= gone
        for _ in range(lot.size - gone):
            yield holding


def _age(lot: Lot) -> tuple[datetime, bool, int, str]:
    return (lot.at, not lot.explained, lot.trade_id, lot.contract_id)


def _reductions(snapshot: Snapshot, keeps: Mapping[str, int]) -> Iterator[Action]:
    for contract_id, keep in keeps.items():
        if keep == 0:
            yield Close(contract_id)
        elif not snapshot.contracts[contract_id].holding.unsettled:
            yield Reduce(contract_id, keep)


def _unsettled(snapshot: Snapshot, keeps: Mapping[str, int]) -> tuple[Alert, ...]:
    return tuple(
        Alert(
            "reduce_waits",
            f"{snapshot.contracts[key].holding.name} should be reduced to {keep}, but its size "
            "never came to rest at the broker: reduced as soon as a reading settles",
            key,
            critical=True,
        )
        for key, keep in keeps.items()
        if keep and snapshot.contracts[key].holding.unsettled
    )
