"""``max_contracts_per_instrument``: how many contracts of each root may be held at once."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar, Literal

from attrs import field, frozen

from risk.instruments import require_known_root
from risk.rules.base import EXPOSURE, Priority, Trigger, violation
from risk.rules.size import Cap, Excess
from risk.snapshot import Snapshot
from risk.verdict import Alert, RuleAnswer, Violation

_ONE = Decimal(1)


def _upper(limits: Mapping[str, int]) -> Mapping[str, int]:
    return MappingProxyType({root.upper(): limit for root, limit in limits.items()})


@frozen
class MaxContractsPerInstrument:
    """Closes the newest lots of a root above its limit; all of its expiries count together."""

    name: ClassVar[str] = "max_contracts_per_instrument"
    triggers: ClassVar[frozenset[Trigger]] = EXPOSURE
    priority: ClassVar[Priority] = Priority.SIZE
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = "sum over the expiries of a root of abs(net) > its limit"

    limits: Mapping[str, int] = field(
        converter=_upper, metadata={"doc": "contracts by root, such as {ES = 2, GC = 1}"}
    )
    other: int | Literal["allow", "block"] = field(
        default="allow",
        metadata={"doc": "roots without a limit: allow, block, or so many contracts of each"},
    )

    def __attrs_post_init__(self) -> None:
        if not self.limits and self.other == "allow":
            raise ValueError("limits must name a root, or other must say what applies to all")
        for root, limit in self.limits.items():
            require_known_root(root)
            _require_count(limit, f"limits must be 0 or more, got {limit} for {root}")
        if self.other not in ("allow", "block"):
            wrong = f"other must be allow, block or a number of contracts, got {self.other}"
            _require_count(self.other, wrong)

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """One violation per root of which too much is held."""
        found: list[Violation] = []
        alerts: list[Alert] = []
        for root, limit in self._capped(snapshot):
            weights = {
                key: _ONE
                for key, view in snapshot.contracts.items()
                if root in (view.holding.roots or (view.holding.name,))
            }
            # Where nothing may be held, an order must not wait for its fill.
            excess = Cap(Decimal(limit), weights, include_working=not limit).excess(snapshot)
            if excess is not None:
                alerts += excess.alerts
            if excess is not None and excess.actions:
                found.append(self._violation(snapshot, trigger, root, limit, weights, excess))
        return RuleAnswer(tuple(found), tuple(alerts))

    def _capped(self, snapshot: Snapshot) -> Iterator[tuple[str, int]]:
        """Roots that this account has to do with, and their limits; an unknown one is another."""
        roots = {
            root: None
            for view in snapshot.contracts.values()
            for root in view.holding.roots or (view.holding.name,)
        }
        for root in roots:
            limit = self.limits.get(root, 0 if self.other == "block" else self.other)
            if isinstance(limit, int):
                yield root, limit

    def _violation(
        self,
        snapshot: Snapshot,
        trigger: Trigger,
        root: str,
        limit: int,
        counted: Mapping[str, Decimal],
        excess: Excess,
    ) -> Violation:
        nets = {key: snapshot.contracts[key].holding.net for key in counted}
        held = ", ".join(f"{net:+d} {key}" for key, net in nets.items() if net)
        return violation(
            self.name,
            snapshot,
            trigger,
            observed=excess.observed,
            limit=Decimal(limit),
            contract_id=excess.newest,
            reason=f"{excess.observed:f} {root} > {limit} ({held or 'flat'})",
            actions=excess.actions,
            inputs={key: str(net) for key, net in nets.items()},
        )


def _require_count(value: object, otherwise: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(otherwise)
