"""``trailing_drawdown``: the firm's maximum loss, the one that ends the account."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Literal

from attrs import field, frozen

from risk.explain import dollars, made_of, plain
from risk.rules.base import (
    PRICES,
    Priority,
    Room,
    Trigger,
    certain_result,
    day_over,
    locked_for_the_day,
    locked_until,
    price_wait,
    require_positive,
)
from risk.snapshot import Snapshot
from risk.verdict import Alert, RuleAnswer

UNTIL_SEEDED = datetime(9999, 1, 1, tzinfo=UTC)
"""Locks that end only with a new seed of the operator end later than this."""
_LEAST_BUFFER = Decimal(50)
_PART = Decimal("0.05")
_ZERO = Decimal(0)


@frozen
class TrailingDrawdown:
    """Flattens before the equity reaches the firm's floor: at the floor itself it would be too late.

    Equity is the balance with open P&L. The floor rises with the high-water mark and never falls, and
    stands still for good at ``lock_at``. Reaching the buffer above the floor locks to the reset; who
    has reached the floor itself is locked until a new seed says how the account stands now.
    """

    name: ClassVar[str] = "trailing_drawdown"
    triggers: ClassVar[frozenset[Trigger]] = PRICES
    priority: ClassVar[Priority] = Priority.DAY
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = (
        "equity <= floor + `buffer`; floor = min(`lock_at`, H - `amount`), H the highest balance at the "
        "end of a day (end_of_day), the highest equity on any quote (intraday) or the highest balance "
        "at any time (intraday_closed); static: start - `amount`; express: min(0, -`amount` + "
        "max(0, H)), 0 after the first payout"
    )

    amount: Decimal = field(metadata={"doc": "dollars below the high-water mark at which it ends"})
    mode: Literal["end_of_day", "intraday", "intraday_closed", "static", "express"] = field(
        default="end_of_day", metadata={"doc": "what the floor follows"}
    )
    lock_at: Decimal | None = field(
        default=None, metadata={"doc": "dollars; the floor rises no higher than this"}
    )
    buffer: Decimal | None = field(
        default=None,
        metadata={"doc": "dollars above the floor at which to act; 5 % of the amount, at least 50"},
    )

    def __attrs_post_init__(self) -> None:
        require_positive(self.amount, "amount")
        if self.buffer is not None and not (
            self.buffer.is_finite() and 0 <= self.buffer < self.amount
        ):
            raise ValueError(f"buffer must be from 0 to below the amount, got {self.buffer}")

    @property
    def margin(self) -> Decimal:
        """Dollars above the floor at which to act."""
        if self.buffer is not None:
            return self.buffer
        return min(max(self.amount * _PART, _LEAST_BUFFER), self.amount / 2)

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Judge equity against the floor, as far as it is certain."""
        if snapshot.now >= snapshot.day_ends or self._over(snapshot):
            return RuleAnswer()
        floor = self.floor(snapshot)
        if floor is None:
            return RuleAnswer(alerts=(self._unknown(snapshot),))
        wake_in, alerts = price_wait(snapshot), self._unseeded(snapshot, trigger)
        line = floor + self.margin
        result = certain_result(snapshot, snapshot.net, lambda net: _below(snapshot, net, line))
        if result is None or not _below(snapshot, result, line):
            return RuleAnswer(alerts=alerts, wake_in=wake_in)
        gone = _below(snapshot, result, floor)
        if not gone and locked_for_the_day(self.name, snapshot):
            return RuleAnswer(wake_in=wake_in)
        equity = snapshot.equity(result) or _ZERO
        reason = (
            f"equity {dollars(equity)} <= {dollars(line)}, the floor {dollars(floor)} with a buffer "
            f"of {plain(self.margin)} ({made_of(snapshot.totals)})"
        )
        found = day_over(
            self.name,
            snapshot,
            trigger,
            observed=equity,
            limit=line,
            reason=reason,
            until=_until_seeded(snapshot) if gone else None,
            inputs=self._inputs(snapshot, floor),
        )
        return RuleAnswer((found,), wake_in=wake_in)

    def floor(self, snapshot: Snapshot) -> Decimal | None:
        """The equity at which the firm ends the account; None while what it rests on is unknown."""
        past = snapshot.past
        if past.opening is None:
            return None
        match self.mode:
            case "static":
                return None if past.starting is None else past.starting - self.amount
            case "express":
                high = max(past.high or _ZERO, _ZERO)
                return _ZERO if past.payout_taken else min(_ZERO, high - self.amount)
            case _:
                reached = self._high(snapshot)
                floor = None if reached is None else reached - self.amount
        return floor if floor is None or self.lock_at is None else min(floor, self.lock_at)

    def left(self, snapshot: Snapshot) -> Decimal | None:
        """Dollars to the floor."""
        floor, equity = self.floor(snapshot), snapshot.equity(snapshot.net)
        return None if floor is None or equity is None else equity - floor

    def slack(self, snapshot: Snapshot) -> Room:
        """Each contract's share of what is left to the line at which to act, or to the floor."""
        left = self.left(snapshot)
        if left is None or self._over(snapshot):
            return {}
        return left if locked_for_the_day(self.name, snapshot) else left - self.margin

    def reach(self, snapshot: Snapshot) -> Room:
        """To the next high, where the floor follows every quote."""
        equity, peak = snapshot.equity(snapshot.net), snapshot.peaks.equity
        if self.mode != "intraday" or equity is None or peak is None:
            return {}
        return peak - equity

    def _high(self, snapshot: Snapshot) -> Decimal | None:
        past, peaks = snapshot.past, snapshot.peaks
        reached = {"intraday": peaks.equity, "intraday_closed": peaks.closed}.get(self.mode)
        known = [high for high in (past.high, reached) if high is not None]
        return max(known, default=None)

    def _over(self, snapshot: Snapshot) -> bool:
        return locked_until(self.name, snapshot, UNTIL_SEEDED)

    def _inputs(self, snapshot: Snapshot, floor: Decimal) -> Mapping[str, str]:
        past = snapshot.past
        return {
            "floor": str(floor),
            "opening": str(past.opening),
            "high": str(self._high(snapshot)),
            "high_origin": past.high_origin,
        }

    def _unseeded(self, snapshot: Snapshot, trigger: Trigger) -> tuple[Alert, ...]:
        """A floor that follows a high nobody told may be lower than the firm's."""
        past = snapshot.past
        fixed = self.mode == "static" or (self.mode == "express" and past.payout_taken)
        known = fixed or past.high_told or past.opening == past.starting
        if known or trigger not in (Trigger.START, Trigger.FULL):
            return ()
        said = (
            f"{snapshot.account}: the floor follows the highest balance that was seen, "
            f"{dollars(past.high or _ZERO)}; if it was higher before, say it as high_water in the "
            "account's seed: the firm's floor is higher then"
        )
        return (Alert("high_water_unseeded", said),)

    def _unknown(self, snapshot: Snapshot) -> Alert:
        lacks = "the balance at the beginning of the day"
        if snapshot.past.opening is not None:
            lacks = "the starting balance: say it in the account's seed"
        return Alert(
            "floor_unknown",
            f"{snapshot.account}: the floor is not known and not guarded yet, for want of {lacks}",
            critical=snapshot.past.opening is not None,
        )


def _until_seeded(snapshot: Snapshot) -> datetime:
    """Another for each day: a lock that a seed has ended must be told from the next one."""
    return UNTIL_SEEDED + timedelta(seconds=snapshot.day.toordinal())


def _below(snapshot: Snapshot, result: Decimal, line: Decimal) -> bool:
    equity = snapshot.equity(result)
    return equity is not None and equity <= line
