"""``weekly_loss``: the most the account may lose from Friday's close to Friday's close."""

from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from risk.explain import dollars, made_of, plain
from risk.past import week_ends
from risk.rules.base import (
    PRICES,
    Priority,
    Room,
    Trigger,
    certain_result,
    day_over,
    locked_for_the_day,
    price_wait,
    require_positive,
)
from risk.snapshot import Snapshot
from risk.verdict import RuleAnswer


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
        if snapshot.now >= snapshot.day_ends or locked_for_the_day(self.name, snapshot):
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
        found = day_over(
            self.name,
            snapshot,
            trigger,
            observed=week + result,
            limit=-self.limit,
            reason=reason,
            until=snapshot.calendar.ends(week_ends(snapshot.day)),
            inputs={
                "week": str(week),
                "missing": " ".join(it.isoformat() for it in snapshot.past.missing),
            },
        )
        return RuleAnswer((found,), wake_in=wake_in)

    def left(self, snapshot: Snapshot) -> Decimal:
        """Dollars that may still be lost this week."""
        return self.limit + snapshot.past.week + snapshot.net

    def slack(self, snapshot: Snapshot) -> Room:
        """Each contract's share of what is left to the limit."""
        return {} if locked_for_the_day(self.name, snapshot) else self.left(snapshot)
