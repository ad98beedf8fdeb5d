"""``daily_profit``: stop for the day at a profit."""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Literal

from attrs import field, frozen

from risk.explain import dollars, made_of, plain
from risk.rules.base import (
    PRICES,
    NotYetEnforced,
    Priority,
    Trigger,
    day_inputs,
    locked_for_the_day,
    price_wait,
    require_positive,
    shared,
    violation,
)
from risk.snapshot import Snapshot
from risk.verdict import Flatten, Lock, RuleAnswer


@frozen
class DailyProfit:
    """Flattens and locks to the reset once the day's profit, open P&L included, is made."""

    name: ClassVar[str] = "daily_profit"
    triggers: ClassVar[frozenset[Trigger]] = PRICES
    priority: ClassVar[Priority] = Priority.DAY
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = "net = realised + open - fees of the day >= `limit`"

    limit: Decimal = field(metadata={"doc": "dollars of profit at which the day ends"})
    mode: Literal["lock", "give_back"] = field(
        default="lock",
        metadata={"doc": "lock: at the limit; give_back is not enforced yet"},
    )

    def __attrs_post_init__(self) -> None:
        require_positive(self.limit, "limit")
        if self.mode == "give_back":
            raise NotYetEnforced("mode give_back of daily_profit is not enforced yet")
        if self.mode != "lock":
            raise ValueError(f"mode must be lock or give_back, got {self.mode}")

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Judge the day's net once nothing is on its way that could take it back."""
        if snapshot.now >= snapshot.day_ends or locked_for_the_day(self.name, snapshot):
            return RuleAnswer()
        wake_in = price_wait(snapshot)
        net = snapshot.net
        if snapshot.pnl_waits or snapshot.day_waits or net < self.limit:
            return RuleAnswer(wake_in=wake_in)
        reason = f"net day {dollars(net)} >= {plain(self.limit)} ({made_of(snapshot.totals)})"
        found = violation(
            self.name,
            snapshot,
            trigger,
            observed=net,
            limit=self.limit,
            reason=reason,
            actions=(Flatten(),),
            lock=Lock(self.name, snapshot.day_ends, snapshot.now, reason),
            inputs=day_inputs(snapshot),
        )
        return RuleAnswer((found,), wake_in=wake_in)

    def reach(self, snapshot: Snapshot) -> Mapping[str, Decimal]:
        """Each contract's share of what is left to the limit."""
        if locked_for_the_day(self.name, snapshot):
            return {}
        return shared(snapshot, self.limit - snapshot.net)
