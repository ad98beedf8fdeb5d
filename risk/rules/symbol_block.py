"""``symbol_block``: instruments that must not be traded."""

from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from risk.instruments import require_known_root
from risk.rules.base import EXPOSURE, Priority, Trigger, violation
from risk.shut import shut_contract
from risk.snapshot import Holding, Snapshot
from risk.verdict import Cancel, RuleAnswer, Violation


def _upper(symbols: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(symbol.upper() for symbol in symbols)


@frozen
class SymbolBlock:
    """Closes positions and cancels orders in blocked instruments; they simply stay closed."""

    name: ClassVar[str] = "symbol_block"
    triggers: ClassVar[frozenset[Trigger]] = EXPOSURE
    priority: ClassVar[Priority] = Priority.SESSION
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = "root of the contract in `symbols`, or not in `only`"

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
            require_known_root(symbol)

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
        actions = shut_contract(snapshot, holding.contract_id)
        if not actions:
            return None
        orders = sum(isinstance(action, Cancel) for action in actions)
        held = f"{holding.net:+d} held, {orders} orders to cancel"
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
