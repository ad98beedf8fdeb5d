"""``unrealized_profit``: take a position's open profit, or half of it, at a limit."""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Literal

from attrs import field, frozen

from risk.explain import dollars, plain
from risk.rules.at_price import position_at_price, price_inputs, staying
from risk.rules.base import PRICES, Priority, Trigger, price_wait, require_positive, violation
from risk.snapshot import ContractView, Snapshot
from risk.verdict import Action, Close, Reduce, RuleAnswer, Violation


@frozen
class UnrealizedProfit:
    """Closes a position, or half of it, once its open profit reaches the limit; fees are no part."""

    name: ClassVar[str] = "unrealized_profit"
    triggers: ClassVar[frozenset[Trigger]] = PRICES
    priority: ClassVar[Priority] = Priority.PER_TRADE
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = "net contracts x (mark - entry) x point value >= `limit`"

    limit: Decimal = field(metadata={"doc": "dollars of open profit of one position"})
    action: Literal["close", "close_half"] = field(
        default="close",
        metadata={
            "doc": "close_half: of an odd number the larger half goes; the rest is judged anew"
        },
    )

    def __attrs_post_init__(self) -> None:
        require_positive(self.limit, "limit")
        if self.action not in ("close", "close_half"):
            raise ValueError(f"action must be close or close_half, got {self.action}")

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Judge open P&L, once ledger and positions agree on what is open."""
        wake_in = price_wait(snapshot)
        if snapshot.pnl_waits:
            return RuleAnswer(wake_in=wake_in)
        held = (view for view in snapshot.contracts.values() if view.holding.size)
        found = (self._in_contract(snapshot, trigger, view) for view in held)
        return RuleAnswer(tuple(each for each in found if each is not None), wake_in=wake_in)

    def reach(self, snapshot: Snapshot) -> Mapping[str, Decimal]:
        """What each position may still win."""
        return {
            key: self.limit - view.open
            for key, view in snapshot.contracts.items()
            if view.open is not None
        }

    def _in_contract(
        self, snapshot: Snapshot, trigger: Trigger, view: ContractView
    ) -> Violation | None:
        opened = staying(view)
        action = self._action(view)
        if opened is None or opened < self.limit or action is None:
            return None
        return violation(
            self.name,
            snapshot,
            trigger,
            observed=opened,
            limit=self.limit,
            contract_id=view.holding.contract_id,
            reason=f"open {dollars(opened)} >= {plain(self.limit)} ({position_at_price(view)})",
            actions=(action,),
            inputs=price_inputs(view),
        )

    def _action(self, view: ContractView) -> Action | None:
        """Half of what stays; None while a half cannot be told from the whole."""
        holding = view.holding
        keep = holding.size // 2 if self.action == "close_half" else 0
        if keep == 0:
            return Close(holding.contract_id)
        return None if holding.unsettled else Reduce(holding.contract_id, keep)
