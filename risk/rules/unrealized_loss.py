"""``unrealized_loss``: the most a position, or all of them together, may be under water."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, Literal

from attrs import field, frozen

from risk.explain import dollars, plain, span
from risk.rules.at_price import position_at_price, price_inputs, staying
from risk.rules.base import (
    PRICES,
    Priority,
    Room,
    Trigger,
    price_wait,
    require_positive,
    violation,
)
from risk.rules.pause import reduce_only
from risk.snapshot import ContractView, Snapshot
from risk.verdict import Close, Flatten, Lock, RuleAnswer, Violation

_ZERO = Decimal(0)
_LONGEST = timedelta(days=1)


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
        default=None, metadata={"doc": "pause after such a close, in which nothing may be opened"}
    )

    def __attrs_post_init__(self) -> None:
        require_positive(self.limit, "limit")
        if self.scope not in ("position", "total"):
            raise ValueError(f"scope must be position or total, got {self.scope}")
        if self.cooldown is not None and not timedelta(0) < self.cooldown <= _LONGEST:
            raise ValueError("cooldown must be more than 0s and at most 24h")

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

    def slack(self, snapshot: Snapshot) -> Room:
        """What each position, or their sum, may still lose."""
        opened = {
            key: view.open for key, view in snapshot.contracts.items() if view.open is not None
        }
        if self.scope == "total":
            return self.limit + sum(opened.values(), _ZERO)
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
            lock=self._pause(snapshot, opened),
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
            lock=self._pause(snapshot, total),
            inputs={key: value for view in held for key, value in price_inputs(view).items()},
        )

    def _pause(self, snapshot: Snapshot, opened: Decimal) -> Lock | None:
        if self.cooldown is None:
            return None
        # By whole seconds: a breach that is judged twice before its close is known begins one pause.
        begins = snapshot.now.replace(microsecond=0)
        reason = f"open {dollars(opened)} was closed, {span(self.cooldown)} of cooldown"
        return reduce_only(self.name, snapshot, begins + self.cooldown, reason)
