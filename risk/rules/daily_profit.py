"""``daily_profit``: stop for the day at a profit."""

from decimal import Decimal
from typing import ClassVar, Literal

from attrs import field, frozen

from risk.explain import dollars, made_of, plain
from risk.rules.base import (
    PRICES,
    Priority,
    Room,
    Trigger,
    day_over,
    locked_for_the_day,
    price_wait,
    require_positive,
)
from risk.snapshot import Snapshot
from risk.verdict import RuleAnswer

_ALL = 100
_ZERO = Decimal(0)


@frozen
class DailyProfit:
    """Flattens and locks to the reset once the day's profit is made, or too much of it is given back.

    Open P&L is included. With ``give_back`` the limit is not used: once the best result of the day has
    reached ``above``, the day ends when only ``keep`` percent of that best are left.
    """

    name: ClassVar[str] = "daily_profit"
    triggers: ClassVar[frozenset[Trigger]] = PRICES
    priority: ClassVar[Priority] = Priority.DAY
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = (
        'net = realised + open - fees of the day >= `limit`; with `mode = "give_back"`: the day\'s '
        "highest net >= `above` and net <= `keep` percent of it"
    )

    limit: Decimal | None = field(
        default=None, metadata={"doc": "dollars of profit at which the day ends; needed for lock"}
    )
    mode: Literal["lock", "give_back"] = field(
        default="lock",
        metadata={"doc": "lock: at the limit; give_back: after a retreat from the day's best"},
    )
    keep: int | None = field(
        default=None, metadata={"doc": "percentage of the day's best that must stay (give_back)"}
    )
    above: Decimal | None = field(
        default=None, metadata={"doc": "dollars of best result from which on it counts (give_back)"}
    )

    def __attrs_post_init__(self) -> None:
        if self.mode not in ("lock", "give_back"):
            raise ValueError(f"mode must be lock or give_back, got {self.mode}")
        if self.mode == "lock":
            if self.limit is None:
                raise ValueError("mode lock needs limit, the dollars at which the day ends")
            require_positive(self.limit, "limit")
            return
        if self.keep is None or self.above is None:
            raise ValueError("mode give_back needs keep and above")
        require_positive(self.above, "above")
        if not 0 < self.keep < _ALL:
            raise ValueError(f"keep must be a percentage from 1 to 99, got {self.keep}")

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Judge the day's net once nothing is on its way that could take it back."""
        if snapshot.now >= snapshot.day_ends or locked_for_the_day(self.name, snapshot):
            return RuleAnswer()
        wake_in = price_wait(snapshot)
        net = snapshot.net
        if snapshot.pnl_waits or snapshot.day_waits:
            return RuleAnswer(wake_in=wake_in)
        why = self._why(snapshot, net)
        if why is None:
            return RuleAnswer(wake_in=wake_in)
        compared, limit = why
        reason = f"net day {dollars(net)} {compared} ({made_of(snapshot.totals)})"
        found = day_over(
            self.name,
            snapshot,
            trigger,
            observed=net,
            limit=limit,
            reason=reason,
            inputs={"best": str(snapshot.peaks.net)},
        )
        return RuleAnswer((found,), wake_in=wake_in)

    def left(self, snapshot: Snapshot) -> Decimal | None:
        """Dollars until the day is over: to the limit, or of the best that may be given back."""
        if self.mode == "lock":
            return None if self.limit is None else self.limit - snapshot.net
        kept = self._gone_below(snapshot)
        return None if kept is None else snapshot.net - kept

    def slack(self, snapshot: Snapshot) -> Room:
        """What may be given back, once there is enough that could be."""
        if self._gone_below(snapshot) is None or locked_for_the_day(self.name, snapshot):
            return {}
        return snapshot.net - self._kept(snapshot)

    def reach(self, snapshot: Snapshot) -> Room:
        """Each contract's share of what is left to the limit, or to a new best of the day."""
        if locked_for_the_day(self.name, snapshot):
            return {}
        if self.limit is not None and self.mode == "lock":
            return self.limit - snapshot.net
        best = max(snapshot.peaks.net, self.above or _ZERO)
        return best - snapshot.net

    def _why(self, snapshot: Snapshot, net: Decimal) -> tuple[str, Decimal] | None:
        """In which relation to which limit the result ends the day; None: it does not."""
        if self.mode == "lock":
            limit = self.limit
            return (f">= {plain(limit)}", limit) if limit is not None and net >= limit else None
        kept = self._gone_below(snapshot)
        if kept is None or net > kept:
            return None
        best = dollars(snapshot.peaks.net)
        return f"<= {dollars(kept)}, {self.keep} % of the day's best, {best}", kept

    def _gone_below(self, snapshot: Snapshot) -> Decimal | None:
        """The result at which too much was given back; None while there is not enough to keep."""
        if self.mode == "lock" or self.above is None or snapshot.peaks.net < self.above:
            return None
        return self._kept(snapshot)

    def _kept(self, snapshot: Snapshot) -> Decimal:
        return snapshot.peaks.net * (self.keep or 0) / _ALL
