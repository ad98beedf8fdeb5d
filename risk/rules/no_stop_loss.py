"""``no_stop_loss``: a position may not stay without a full protective stop."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Literal

from attrs import field, frozen

from risk.cover import Cover
from risk.explain import plain
from risk.rules.base import EXPOSURE, Priority, Trigger, violation
from risk.snapshot import Holding, Snapshot
from risk.verdict import Action, Alert, Close, Reduce, RuleAnswer

_SECOND = timedelta(seconds=1)
_LONGEST = timedelta(seconds=300)
_LAST_CHANCE = timedelta(seconds=10)
"""What an increase or a lost stop always leaves, however much time was used before."""


@frozen
class NoStopLoss:
    """Closes what no stop protects once its uncovered time reaches the grace.

    Stop, stop-limit and trailing orders of the opposite side in the same contract count, wherever
    their price is; take-profits never do.
    """

    name: ClassVar[str] = "no_stop_loss"
    triggers: ClassVar[frozenset[Trigger]] = EXPOSURE
    priority: ClassVar[Priority] = Priority.PER_TRADE
    mandatory: ClassVar[bool] = True
    formula: ClassVar[str] = (
        "time without stops for the whole position, summed over its life, >= `grace`; after "
        "an increase or a lost stop min(`grace`, 10 s) are always left"
    )

    grace: timedelta = field(
        default=timedelta(seconds=120),
        metadata={"doc": "uncovered time a position may have in its life, 1 to 300 s"},
    )
    close: Literal["position", "uncovered"] = field(
        default="position",
        metadata={"doc": "position: close all of it; uncovered: only what no stop covers"},
    )

    def __attrs_post_init__(self) -> None:
        if not _SECOND <= self.grace <= _LONGEST:
            raise ValueError(f"grace must be from 1 s to 300 s, got {_seconds(self.grace)} s")
        if self.close not in ("position", "uncovered"):
            raise ValueError(f"close must be position or uncovered, got {self.close}")

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Close what is due, and say when the next one will be."""
        answers = [
            self._judge(snapshot, view.holding, view.holding.cover, trigger)
            for view in snapshot.contracts.values()
            if view.holding.cover is not None
        ]
        return RuleAnswer(
            tuple(found for answer in answers for found in answer.violations),
            tuple(alert for answer in answers for alert in answer.alerts),
            min((a.wake_at for a in answers if a.wake_at is not None), default=None),
        )

    def due(self, cover: Cover) -> datetime | None:
        """The instant at which the position must have been covered; None while it is."""
        if cover.uncovered_since is None:
            return None
        used_up = cover.uncovered_since + (self.grace - cover.accumulated)
        return max(used_up, cover.disturbed_at + min(self.grace, _LAST_CHANCE))

    def _judge(
        self, snapshot: Snapshot, holding: Holding, cover: Cover, trigger: Trigger
    ) -> RuleAnswer:
        due = self.due(cover)
        if due is None or holding.size == 0:
            return RuleAnswer()
        if snapshot.now < due:
            return RuleAnswer(wake_at=due)
        action = self._action(holding, cover)
        if action is None:
            return RuleAnswer()
        if isinstance(action, Reduce) and holding.unsettled:
            return RuleAnswer(alerts=(_waits(holding),))
        spent = cover.uncovered(snapshot.now)
        found = violation(
            self.name,
            snapshot,
            trigger,
            observed=_seconds(spent),
            limit=_seconds(self.grace),
            contract_id=holding.contract_id,
            reason=_reason(holding, cover, spent, self.grace),
            actions=(action,),
            inputs={
                f"position {holding.contract_id}": str(holding.net),
                "covered": str(cover.covered),
                "uncovered_s": str(_seconds(spent)),
            },
        )
        return RuleAnswer((found,))

    def _action(self, holding: Holding, cover: Cover) -> Action | None:
        if self.close == "position" or cover.covered == 0:
            return Close(holding.contract_id)
        if holding.size <= cover.covered:
            return None
        return Reduce(holding.contract_id, cover.covered)


def _seconds(span: timedelta) -> Decimal:
    return Decimal(plain(Decimal(span // timedelta(milliseconds=1)) / 1000))


def _reason(holding: Holding, cover: Cover, spent: timedelta, grace: timedelta) -> str:
    return (
        f"{holding.net:+d} {holding.name} with stops for {cover.covered} was without a full stop "
        f"for {_seconds(spent)} s >= {_seconds(grace)} s"
    )


def _waits(holding: Holding) -> Alert:
    return Alert(
        "reduce_waits",
        f"{holding.name} has contracts without a stop, but its size never came to rest at the "
        "broker: reduced as soon as a reading settles",
        holding.contract_id,
        critical=True,
    )
