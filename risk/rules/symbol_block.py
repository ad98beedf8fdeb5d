"""``symbol_block``: instruments that must not be traded."""

from collections.abc import Iterator
from decimal import Decimal
from difflib import get_close_matches
from typing import ClassVar

from attrs import field, frozen

from risk.domain import Order, OrderStatus
from risk.instruments import PRODUCTS
from risk.orders import could_increase
from risk.rules.base import EXPOSURE, Priority, Trigger, violation
from risk.snapshot import Holding, Snapshot
from risk.verdict import Action, Cancel, Close, RuleAnswer, Violation


def _upper(symbols: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(symbol.upper() for symbol in symbols)


@frozen
class SymbolBlock:
    """Closes positions and cancels orders in blocked instruments; they simply stay closed."""

    name: ClassVar[str] = "symbol_block"
    triggers: ClassVar[frozenset[Trigger]] = EXPOSURE
    priority: ClassVar[Priority] = Priority.SESSION
    mandatory: ClassVar[bool] = False

    symbols: tuple[str, ...] = field(
        default=(), converter=_upper, metadata={"doc": "roots that are blocked, such as GC"}
    )
    only: tuple[str, ...] = field(
        default=(), converter=_upper, metadata={"doc": "the only roots that are allowed"}
    )

    def __attrs_post_init__(self) -> None:
        if bool(self.symbols) == bool(self.only):
            raise ValueError("symbol_block needs exactly one of symbols or only, not empty")
        for symbol in (*self.symbols, *self.only):
            _require_known(symbol)

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """One violation per blocked contract in which anything is held or working."""
        found = (
            self._in_contract(snapshot, view.holding, trigger)
            for view in snapshot.contracts.values()
            if self.blocks(view.holding.roots)
        )
        return RuleAnswer(tuple(each for each in found if each is not None))

    def blocks(self, roots: tuple[str, ...]) -> bool:
        """True when any root a contract counts under may not be traded."""
        if self.only:
            return not roots or any(root not in self.only for root in roots)
        return any(root in self.symbols for root in roots)

    def _in_contract(
        self, snapshot: Snapshot, holding: Holding, trigger: Trigger
    ) -> Violation | None:
        net = snapshot.protectable(holding.contract_id)
        orders = tuple(_cancellable(snapshot.orders_in(holding.contract_id), net))
        actions: tuple[Action, ...] = tuple(
            Cancel(order.id, holding.contract_id) for order in orders
        )
        if holding.size:
            actions += (Close(holding.contract_id),)
        if not actions:
            return None
        held = f"{holding.net:+d} held, {len(orders)} orders to cancel"
        return violation(
            self.name,
            snapshot,
            trigger,
            observed=Decimal(holding.size),
            limit=Decimal(0),
            contract_id=holding.contract_id,
            reason=f"{holding.name} is {self._why()} ({held})",
            actions=actions,
            inputs={"roots": " ".join(holding.roots)},
        )

    def _why(self) -> str:
        return f"not among {', '.join(self.only)}" if self.only else "blocked"


def _cancellable(orders: tuple[Order, ...], net: int) -> Iterator[Order]:
    """All of them when flat; beside a position only what could add: its stops stay until flat."""
    for order in orders:
        if order.status is OrderStatus.PENDING_CANCELLATION:
            continue
        if net == 0 or could_increase(order, net):
            yield order


def _require_known(symbol: str) -> None:
    if symbol in PRODUCTS:
        return
    near = get_close_matches(symbol, PRODUCTS, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(f"{symbol} is no known root{hint}")
