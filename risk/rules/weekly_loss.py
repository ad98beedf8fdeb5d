"""``weekly_loss``: the most the account may lose from Friday's close to Friday's close."""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from risk.explain import dollars, made_of, plain
from risk.past import week_ends
from risk.rules.base import (
    PRICES,
    Priority,
    Trigger,
    certain_result,
    day_inputs,
    price_wait,
    require_positive,
    shared,
    violation,
)
from risk.snapshot import Snapshot
from risk.verdict import Flatten, Lock, RuleAnswer


@frozen
class WeeklyLoss:
    """Flattens, and locks to Friday's close, once the week's loss reaches the limit.

    The week is the days that were recorded and the present one; Sunday evening is Monday's. A day
    whose end nobody watched counts by what the balance had moved.
    """

    name: ClassVar[str] = "weekly_loss"
    triggers: ClassVar[frozenset[Trigger]] = PRICES
    priority: ClassVar[Priority] = Priority.DAY
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = "results of the week's earlier days + net of this day <= -`limit`"

    limit: Decimal = field(metadata={"doc": "dollars of loss, positive, at which the week ends"})

    def __attrs_post_init__(self) -> None:
        require_positive(self.limit, "limit")

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Judge the week's result, as far as it is certain."""
        if snapshot.now >= snapshot.day_ends or self._locked(snapshot):
            return RuleAnswer()
        wake_in = price_wait(snapshot)
        week = snapshot.past.week
        result = certain_result(snapshot, snapshot.net, lambda net: week + net <= -self.limit)
        if result is None or week + result > -self.limit:
            return RuleAnswer(wake_in=wake_in)
        reason = (
            f"net week {dollars(week + result)} <= {plain(-self.limit)} (earlier days "
            f"{dollars(week)}, today {dollars(result)}: {made_of(snapshot.totals)})"
        )
        until = snapshot.calendar.ends(week_ends(snapshot.day))
        found = violation(
            self.name,
            snapshot,
            trigger,
            observed=week + result,
            limit=-self.limit,
            reason=reason,
            actions=(Flatten(),),
            lock=Lock(self.name, until, snapshot.now, reason),
            inputs={
                **day_inputs(snapshot),
                "week": str(week),
                "missing": " ".join(it.isoformat() for it in snapshot.past.missing),
            },
        )
        return RuleAnswer((found,), wake_in=wake_in)

    def left(self, snapshot: Snapshot) -> Decimal:
        """Dollars that may still be lost this week."""
        return self.limit + snapshot.past.week + snapshot.net

    def slack(self, snapshot: Snapshot) -> Mapping[str, Decimal]:
        """Each contract's share of what is left to the limit."""
        return {} if self._locked(snapshot) else shared(snapshot, self.left(snapshot))

    def _locked(self, snapshot: Snapshot) -> bool:
        return any(
            it.rule == self.name and it.until >= snapshot.day_ends for it in snapshot.active_locks
        )
