"""``unrealized_loss``: the most a position, or all of them together, may be under water."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, Literal

from attrs import field, frozen

from risk.explain import dollars, plain
from risk.rules.at_price import position_at_price, price_inputs, staying
from risk.rules.base import (
    PRICES,
    NotYetEnforced,
    Priority,
    Trigger,
    price_wait,
    require_positive,
    shared,
    violation,
)
from risk.snapshot import ContractView, Snapshot
from risk.verdict import Close, Flatten, RuleAnswer, Violation

_ZERO = Decimal(0)


@frozen
class UnrealizedLoss:
    """Closes a position whose open loss reaches the limit; fees are not part of it."""

    name: ClassVar[str] = "unrealized_loss"
    triggers: ClassVar[frozenset[Trigger]] = PRICES
    priority: ClassVar[Priority] = Priority.PER_TRADE
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = "net contracts x (mark - entry) x point value <= -`limit`"

    limit: Decimal = field(metadata={"doc": "dollars of open loss, positive"})
    scope: Literal["position", "total"] = field(
        default="position",
        metadata={"doc": "position: each by itself, close it; total: their sum, flatten"},
    )
    cooldown: timedelta | None = field(
        default=None, metadata={"doc": "pause after such a close; not enforced yet"}
    )

    def __attrs_post_init__(self) -> None:
        require_positive(self.limit, "limit")
        if self.scope not in ("position", "total"):
            raise ValueError(f"scope must be position or total, got {self.scope}")
        if self.cooldown is not None:
            raise NotYetEnforced("cooldown of unrealized_loss is not enforced yet: leave it out")

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Judge open P&L, once ledger and positions agree on what is open."""
        wake_in = price_wait(snapshot)
        if snapshot.pnl_waits:
            return RuleAnswer(wake_in=wake_in)
        held = [view for view in snapshot.contracts.values() if view.holding.net]
        if self.scope == "total":
            return RuleAnswer(tuple(self._together(snapshot, trigger, held)), wake_in=wake_in)
        staying = (view for view in held if view.holding.size)
        found = (self._alone(snapshot, trigger, view) for view in staying)
        return RuleAnswer(tuple(each for each in found if each is not None), wake_in=wake_in)

    def left(self, snapshot: Snapshot) -> Decimal:
        """Dollars that the position nearest to its limit, or their sum, may still lose."""
        opened = [view.open for view in snapshot.contracts.values() if view.open is not None]
        if self.scope == "total":
            return self.limit + sum(opened, _ZERO)
        return self.limit + min(opened, default=_ZERO)

    def slack(self, snapshot: Snapshot) -> Mapping[str, Decimal]:
        """What each position, or their sum, may still lose."""
        opened = {
            key: view.open for key, view in snapshot.contracts.items() if view.open is not None
        }
        if self.scope == "total":
            return shared(snapshot, self.limit + sum(opened.values(), _ZERO))
        return {key: self.limit + amount for key, amount in opened.items()}

    def _alone(self, snapshot: Snapshot, trigger: Trigger, view: ContractView) -> Violation | None:
        opened = staying(view)
        if opened is None or opened > -self.limit:
            return None
        holding = view.holding
        return violation(
            self.name,
            snapshot,
            trigger,
            observed=opened,
            limit=-self.limit,
            contract_id=holding.contract_id,
            reason=f"open {dollars(opened)} <= {plain(-self.limit)} ({position_at_price(view)})",
            actions=(Close(holding.contract_id),),
            inputs=price_inputs(view),
        )

    def _together(
        self, snapshot: Snapshot, trigger: Trigger, held: list[ContractView]
    ) -> Iterator[Violation]:
        # A loss that is on its way out must not close what would stay; a profit counts until it has
        # left: its close may be refused.
        parts = (max(staying(view) or _ZERO, view.open or _ZERO) for view in held)
        total = sum(parts, _ZERO)
        if total > -self.limit or not any(view.holding.size for view in held):
            return
        positions = "; ".join(position_at_price(view) for view in held)
        yield violation(
            self.name,
            snapshot,
            trigger,
            observed=total,
            limit=-self.limit,
            reason=f"open {dollars(total)} <= {plain(-self.limit)} ({positions})",
            actions=(Flatten(),),
            inputs={key: value for view in held for key, value in price_inputs(view).items()},
        )
