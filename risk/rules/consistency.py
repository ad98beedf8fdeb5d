"""``consistency``: no day may be too large a part of all profit."""

from decimal import Decimal
from typing import ClassVar, Literal

from attrs import field, frozen

from risk.explain import dollars, made_of
from risk.rules.base import (
    PRICES,
    Priority,
    Room,
    Trigger,
    day_over,
    locked_for_the_day,
    price_wait,
)
from risk.snapshot import Snapshot
from risk.verdict import Alert, RuleAnswer

_ALL = 100
_CENT = Decimal("0.01")
_ZERO = Decimal(0)


@frozen
class Consistency:
    """Says, or with ``action = "lock"`` ends, a day that becomes too large a part of all profit.

    All profit is equity less the starting balance of the seed. As long as earlier days have earned
    nothing, any profit is all of it: then nothing is asked for.
    """

    name: ClassVar[str] = "consistency"
    triggers: ClassVar[frozenset[Trigger]] = PRICES
    priority: ClassVar[Priority] = Priority.DAY
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = (
        "net of the day / (profit of earlier days + net of the day) >= `share` percent, which is net "
        ">= profit of earlier days x `share` / (100 - `share`)"
    )

    share: int = field(
        default=50, metadata={"doc": "percentage of all profit that one day may stay below"}
    )
    action: Literal["warn", "lock"] = field(
        default="warn", metadata={"doc": "warn: an alert; lock: flatten and lock to the reset"}
    )

    def __attrs_post_init__(self) -> None:
        if not 0 < self.share < _ALL:
            raise ValueError(f"share must be a percentage from 1 to 99, got {self.share}")
        if self.action not in ("warn", "lock"):
            raise ValueError(f"action must be warn or lock, got {self.action}")

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Judge the day's net, once nothing is on its way that could take it back."""
        if snapshot.now >= snapshot.day_ends or locked_for_the_day(self.name, snapshot):
            return RuleAnswer()
        wake_in, stop = price_wait(snapshot), self.stop_at(snapshot)
        net = snapshot.net
        if snapshot.pnl_waits or snapshot.day_waits or stop is None or net < stop:
            return RuleAnswer(wake_in=wake_in)
        reason = (
            f"net day {dollars(net)} >= {dollars(stop)}, {self.share} % of all profit "
            f"({made_of(snapshot.totals)})"
        )
        if self.action == "warn":
            said = Alert("consistency", f"{snapshot.account}: {reason}: the day should stop here")
            return RuleAnswer(alerts=(said,), wake_in=wake_in)
        found = day_over(
            self.name,
            snapshot,
            trigger,
            observed=net,
            limit=stop,
            reason=reason,
            inputs={"profit before": str(self._before(snapshot))},
        )
        return RuleAnswer((found,), wake_in=wake_in)

    def stop_at(self, snapshot: Snapshot) -> Decimal | None:
        """The result at which the day should stop; None while no earlier day has earned anything."""
        before = self._before(snapshot)
        if before is None or before <= 0:
            return None
        return (before * self.share / (_ALL - self.share)).quantize(_CENT)

    def left(self, snapshot: Snapshot) -> Decimal | None:
        """Dollars that the day may still earn."""
        stop = self.stop_at(snapshot)
        return None if stop is None else stop - snapshot.net

    def reach(self, snapshot: Snapshot) -> Room:
        """Each contract's share of what is left."""
        left = self.left(snapshot)
        if left is None or locked_for_the_day(self.name, snapshot):
            return {}
        return left

    def _before(self, snapshot: Snapshot) -> Decimal | None:
        past = snapshot.past
        equity = past.equity(_ZERO)
        return None if equity is None or past.starting is None else equity - past.starting
