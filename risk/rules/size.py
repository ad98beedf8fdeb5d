"""How much may be held at once: what goes when it is more, newest lots first."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from attrs import frozen

from risk.domain import Order, OrderStatus
from risk.ledger import Lot
from risk.orders import could_increase
from risk.snapshot import Holding, Snapshot
from risk.verdict import Action, Alert, Cancel, Close, Reduce

_ZERO = Decimal(0)


@frozen
class Excess:
    """What goes beyond a cap, and what is to be done about it."""

    observed: Decimal
    """What is held, with working entries where they count."""
    actions: tuple[Action, ...]
    """Cancellations first; empty when all that could be done waits for a settled reading."""
    alerts: tuple[Alert, ...]
    newest: str | None
    """The contract of the newest lot that goes."""


@frozen
class Cap:
    """So much of these contracts at once; a long never nets against a short."""

    limit: Decimal
    weights: Mapping[str, Decimal]
    """What one contract counts as, by id; only contracts in here count."""
    include_working: bool = False
    """Working entry orders count as if they had filled."""

    def excess(self, snapshot: Snapshot) -> Excess | None:
        """None while the cap is kept: limits are inclusive."""
        snapshot = without_what_left(snapshot)
        held = self._weighed(snapshot, {})
        observed = held
        if self.include_working:
            observed += sum((self._adds(order) for order in self._entries(snapshot)), _ZERO)
        if observed <= self.limit:
            return None
        keeps = self._keeps(snapshot, held)
        cancels = tuple(self._over(snapshot, keeps))
        closes = tuple(reductions(snapshot, keeps))
        alerts = unsettled(snapshot, keeps)
        return Excess(observed, (*cancels, *closes), alerts, next(iter(keeps), None))

    def _weighed(self, snapshot: Snapshot, keeps: Mapping[str, int]) -> Decimal:
        """What is held, or would be after a reduction."""
        sizes = (
            keeps.get(key, snapshot.contracts[key].holding.size) * weight
            for key, weight in self.weights.items()
        )
        return sum(sizes, _ZERO)

    def _adds(self, order: Order) -> Decimal:
        return order.remaining * self.weights[order.contract_id]

    def _entries(self, snapshot: Snapshot) -> tuple[Order, ...]:
        """Orders that could add to a position or open one, oldest first."""
        entries = (
            order
            for order in snapshot.orders
            if order.contract_id in self.weights
            and order.status is not OrderStatus.PENDING_CANCELLATION
            and could_increase(order, snapshot.contracts[order.contract_id].holding.net)
        )
        return tuple(sorted(entries, key=lambda order: (order.created, order.id)))

    def _keeps(self, snapshot: Snapshot, held: Decimal) -> Mapping[str, int]:
        """Contract to what may stay of it: the fewest newest lots go, whatever they are in."""
        keeps: dict[str, int] = {}
        for holding in self._newest(snapshot):
            if held <= self.limit:
                break
            keeps[holding.contract_id] = keeps.get(holding.contract_id, holding.size) - 1
            held -= self.weights[holding.contract_id]
        return keeps

    def _newest(self, snapshot: Snapshot) -> Iterator[Holding]:
        """One item per contract held and not already leaving, newest fill first."""
        held = {key: snapshot.contracts[key].holding for key in self.weights}
        lots = [lot for holding in held.values() for lot in holding.lots]
        leaving = {key: holding.reducing for key, holding in held.items()}
        for lot in sorted(lots, key=_age, reverse=True):
            gone = min(leaving[lot.contract_id], lot.size)
            leaving[lot.contract_id] -= gone
            for _ in range(lot.size - gone):
                yield held[lot.contract_id]

    def _over(self, snapshot: Snapshot, keeps: Mapping[str, int]) -> Iterator[Cancel]:
        """What is left of the order that went over, and entries for which no room would be left."""
        room = self.limit - self._weighed(snapshot, keeps)
        for order in self._entries(snapshot):
            adds = self._adds(order)
            culprit = order.filled > 0 and order.contract_id in keeps
            if culprit or adds > room:
                yield Cancel(order.id, order.contract_id)
            elif self.include_working:
                room -= adds


def without_what_left(snapshot: Snapshot) -> Snapshot:
    """A trade has told of an exit whose position event is late or lost: for at most 2 s that counts.

    Else what is opened next would be closed for the sake of contracts that nobody holds any more.
    """
    left = {key: view.holding.left for key, view in snapshot.contracts.items() if view.holding.left}
    return snapshot.reducing(left) if left else snapshot


def _age(lot: Lot) -> tuple[datetime, bool, int, str]:
    return (lot.at, not lot.explained, lot.trade_id, lot.contract_id)


def reductions(snapshot: Snapshot, keeps: Mapping[str, int]) -> Iterator[Action]:
    """What brings each contract down to what may stay of it; nothing that waits for a reading."""
    for contract_id, keep in keeps.items():
        if keep == 0:
            yield Close(contract_id)
        elif not snapshot.contracts[contract_id].holding.unsettled:
            yield Reduce(contract_id, keep)


def unsettled(snapshot: Snapshot, keeps: Mapping[str, int]) -> tuple[Alert, ...]:
    """What has to wait for a settled reading, said out loud."""
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
