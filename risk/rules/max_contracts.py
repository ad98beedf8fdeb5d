"""``max_contracts``: how many contracts may be held at once, over all instruments."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import ClassVar, Literal

from attrs import field, frozen

from risk.explain import plain
from risk.rules.base import EXPOSURE, Priority, Trigger, require_positive, violation
from risk.rules.size import Cap
from risk.snapshot import Holding, Snapshot
from risk.verdict import RuleAnswer

_COUNTS: Mapping[str, tuple[Callable[[Holding], Decimal], str]] = {
    "lots": (lambda _: Decimal(1), "contracts"),
    "mini_equivalent": (lambda holding: holding.mini_weight, "mini equivalents"),
}


@frozen
class MaxContracts:
    """Closes the newest lots above the limit; a long never nets against a short."""

    name: ClassVar[str] = "max_contracts"
    triggers: ClassVar[frozenset[Trigger]] = EXPOSURE
    priority: ClassVar[Priority] = Priority.SIZE
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = (
        "sum over contracts of abs(net) x weight > `limit`; weight of a micro is 0.1 with "
        "`mini_equivalent`"
    )

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
        if self.count not in _COUNTS:
            raise ValueError(f"count must be lots or mini_equivalent, got {self.count}")

    def left(self, snapshot: Snapshot) -> Decimal:
        """Contracts, or minis, that may still be opened."""
        weight, _ = _COUNTS[self.count]
        views = snapshot.contracts.values()
        return self.limit - sum(
            (view.holding.size * weight(view.holding) for view in views), Decimal(0)
        )

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Cancel what would add, then close the newest excess."""
        return over(self.name, self, snapshot, trigger)


def over(
    rule: str, cap: MaxContracts, snapshot: Snapshot, trigger: Trigger, basis: str = ""
) -> RuleAnswer:
    """What goes beyond a cap, in the name of a rule; ``basis`` says for people what it rests on."""
    weight, unit = _COUNTS[cap.count]
    weights = {key: weight(view.holding) for key, view in snapshot.contracts.items()}
    excess = Cap(Decimal(cap.limit), weights, cap.include_working).excess(snapshot)
    if excess is None:
        return RuleAnswer()
    if not excess.actions:
        return RuleAnswer(alerts=excess.alerts)
    working = " with working entries" if cap.include_working else ""
    found = violation(
        rule,
        snapshot,
        trigger,
        observed=excess.observed,
        limit=Decimal(cap.limit),
        contract_id=excess.newest,
        reason=f"{plain(excess.observed)} {unit}{working} > {cap.limit}{basis} ({_held(snapshot)})",
        actions=excess.actions,
        inputs={key: str(view.holding.net) for key, view in snapshot.contracts.items()},
    )
    return RuleAnswer((found,), excess.alerts)


def _held(snapshot: Snapshot) -> str:
    parts = (
        f"{view.holding.net:+d} {view.holding.name}"
        for view in snapshot.contracts.values()
        if view.holding.net
    )
    return ", ".join(parts) or "flat"
