"""``daily_loss``: the most the account may lose in one trading day, open P&L included."""

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
    day_inputs,
    day_over,
    locked_for_the_day,
    price_wait,
    require_positive,
    violation,
)
from risk.rules.pause import reduce_only
from risk.snapshot import Snapshot
from risk.verdict import Alert, RuleAnswer, Violation

_ZERO = Decimal(0)
_CENT = 100


@frozen
class DailyLoss:
    """Flattens and locks to the reset once the day's loss reaches the limit."""

    name: ClassVar[str] = "daily_loss"
    triggers: ClassVar[frozenset[Trigger]] = PRICES
    priority: ClassVar[Priority] = Priority.DAY
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = (
        "net = realised + open - fees of the day <= -`limit` + `buffer`; with `basis = "
        '"realised"`: realised - fees'
    )

    limit: Decimal = field(metadata={"doc": "dollars of loss, positive, at which the day ends"})
    basis: Literal["net", "realised"] = field(
        default="net",
        metadata={"doc": "net: with open P&L; realised: closed trades only; fees count in both"},
    )
    warn_at: tuple[int, ...] = field(
        default=(50, 80), metadata={"doc": "percentages of the limit at which to alert"}
    )
    reduce_only_at: int | None = field(
        default=None,
        metadata={"doc": "percentage of the limit from which on nothing may be opened or added"},
    )
    buffer: Decimal = field(
        default=_ZERO, metadata={"doc": "dollars before the limit at which to act already"}
    )

    def __attrs_post_init__(self) -> None:
        require_positive(self.limit, "limit")
        if self.basis not in ("net", "realised"):
            raise ValueError(f"basis must be net or realised, got {self.basis}")
        if any(not 0 < percent < 100 for percent in self.warn_at):
            raise ValueError(f"warn_at must be percentages from 1 to 99, got {self.warn_at}")
        if self.reduce_only_at is not None and not 0 < self.reduce_only_at < _CENT:
            raise ValueError(f"reduce_only_at must be from 1 to 99, got {self.reduce_only_at}")
        if not (self.buffer.is_finite() and 0 <= self.buffer < self.limit):
            raise ValueError(f"buffer must be from 0 to below the limit, got {self.buffer}")

    @property
    def floor(self) -> Decimal:
        """The result of the day at which to act, negative dollars."""
        return self.buffer - self.limit

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Judge the day's result, as far as it is certain."""
        if snapshot.now >= snapshot.day_ends or locked_for_the_day(self.name, snapshot):
            return RuleAnswer()
        wake_in = price_wait(snapshot)
        result = certain_result(snapshot, self._result(snapshot), lambda net: net <= self.floor)
        if result is not None and result <= self.floor:
            return RuleAnswer((self._breach(snapshot, trigger, result),), wake_in=wake_in)
        pause = () if result is None else self._pause(snapshot, trigger, result)
        return RuleAnswer(pause, self._warning(snapshot), wake_in=wake_in)

    def left(self, snapshot: Snapshot) -> Decimal:
        """Dollars that may still be lost today."""
        return self._result(snapshot) - self.floor

    def slack(self, snapshot: Snapshot) -> Room:
        """Each contract's share of what is left to the limit, or to the next warning."""
        if self.basis == "realised" or locked_for_the_day(self.name, snapshot):
            return {}
        result = self._result(snapshot)
        shares = self.warn_at if self._paused(snapshot) else (*self.warn_at, self.reduce_only_at)
        steps = [self.floor, *(-self.limit * share / _CENT for share in shares if share)]
        return min((result - step for step in steps if step < result), default=_ZERO)

    def _result(self, snapshot: Snapshot) -> Decimal:
        totals = snapshot.totals
        return totals.net if self.basis == "net" else totals.realised - totals.fees

    def _breach(self, snapshot: Snapshot, trigger: Trigger, result: Decimal) -> Violation:
        limit = f"{plain(self.floor)}"
        if self.buffer:
            limit += f" (limit {plain(self.limit)} less buffer {plain(self.buffer)})"
        word = "net" if result == snapshot.net and self.basis == "net" else "realised"
        reason = f"{word} day {dollars(result)} <= {limit} ({made_of(snapshot.totals)})"
        return day_over(
            self.name,
            snapshot,
            trigger,
            observed=result,
            limit=self.floor,
            reason=reason,
        )

    def _pause(
        self, snapshot: Snapshot, trigger: Trigger, result: Decimal
    ) -> tuple[Violation, ...]:
        """Near the limit the account may only reduce, for the rest of the day."""
        share = self.reduce_only_at
        if share is None or -result * _CENT < self.limit * share or self._paused(snapshot):
            return ()
        reason = (
            f"day {dollars(result)}, {share} % of the daily loss limit {plain(self.limit)} is used"
        )
        return (
            violation(
                self.name,
                snapshot,
                trigger,
                observed=result,
                limit=-self.limit * share / _CENT,
                reason=reason,
                actions=(),
                lock=reduce_only(self.name, snapshot, snapshot.day_ends, reason),
                inputs=day_inputs(snapshot),
            ),
        )

    def _paused(self, snapshot: Snapshot) -> bool:
        return any(pause.rule == self.name for pause in snapshot.pauses)

    def _warning(self, snapshot: Snapshot) -> tuple[Alert, ...]:
        result = self._result(snapshot)
        if not self.warn_at or result >= 0 or snapshot.day_waits:
            return ()
        passed = [share for share in self.warn_at if -result * _CENT >= self.limit * share]
        if not passed:
            return ()
        share = max(passed)
        message = (
            f"{snapshot.account}: the day stands at {dollars(result)}, {share} % of the daily "
            f"loss limit of {plain(self.limit)} is used ({made_of(snapshot.totals)})"
        )
        return (Alert(f"daily_loss_{share}", message),)
