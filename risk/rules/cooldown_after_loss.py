"""``cooldown_after_loss``: a pause after a round trip that lost, or after several in a row."""

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from risk.explain import dollars, plain, span, wall
from risk.ledger import Trip
from risk.rules.base import EXPOSURE, Priority, Trigger, require_positive
from risk.rules.pause import came_with, paused
from risk.snapshot import Holding, Snapshot
from risk.verdict import Alert, RuleAnswer

_LONGEST = timedelta(days=1)


@frozen
class Tier:
    """So long a pause after a round trip that lost so much."""

    loss: Decimal
    for_: timedelta


@frozen
class Streak:
    """So long a pause after so many losing round trips in a row."""

    losses: int
    for_: timedelta


@frozen
class Pause:
    """A pause that runs."""

    began: Trip
    """The round trip it is for."""
    until: datetime
    why: str


@frozen
class CooldownAfterLoss:
    """Closes what is opened or added in the pause after a loss; what was held before may stay.

    Round trips count as they end, over all contracts: partial exits and fees are in, a reversal ends
    one. A pause is computed from the day's trades, so a restart forgets none; the reset ends them.
    """

    name: ClassVar[str] = "cooldown_after_loss"
    triggers: ClassVar[frozenset[Trigger]] = EXPOSURE
    priority: ClassVar[Priority] = Priority.FREQUENCY
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = (
        "a contract was opened within `for` of a round trip whose result after fees <= -`loss`, or "
        "that was at least the `losses`-th below 0 in a row; of several pauses the longest"
    )

    tiers: tuple[Tier, ...] = field(
        default=(), metadata={"doc": "`{ loss, for }`: so long a pause after so large a loss"}
    )
    streaks: tuple[Streak, ...] = field(
        default=(), metadata={"doc": "`{ losses, for }`: so long a pause after so many in a row"}
    )

    def __attrs_post_init__(self) -> None:
        if not self.tiers and not self.streaks:
            raise ValueError("cooldown_after_loss needs tiers or streaks")
        for tier in self.tiers:
            require_positive(tier.loss, "tiers: loss")
        for streak in self.streaks:
            require_positive(streak.losses, "streaks: losses")
        spans = (
            ("tiers", [it.for_ for it in self.tiers]),
            ("streaks", [it.for_ for it in self.streaks]),
        )
        for name, lasts in spans:
            if any(not timedelta(0) < each <= _LONGEST for each in lasts):
                raise ValueError(f"{name}: for must be more than 0s and at most 24h")

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Close the increase while a pause runs, and say that it runs."""
        pauses = self.running(snapshot)
        if not pauses:
            return RuleAnswer()
        pause = max(pauses, key=lambda it: it.until)
        # What came in a pause is not forgiven because a further loss begins a longer one.
        first = min((it.began for it in pauses), key=lambda it: (it.closed_at, it.trade_id))
        until = wall(snapshot, pause.until)
        said = Alert(
            "cooldown",
            f"{snapshot.account}: {pause.why}, no new positions until {until}",
            about=pause.until.isoformat(),
        )
        return paused(
            self.name,
            snapshot,
            trigger,
            lambda holding, lot: came_with(holding, lot, first.closed_at, first.trade_id),
            until=pause.until,
            why=f"in a cooldown until {until} ({pause.why})",
            said=(said,),
        )

    def running(self, snapshot: Snapshot) -> list[Pause]:
        """The pauses that have begun and not ended."""
        if snapshot.now >= snapshot.day_ends:
            return []
        return [pause for pause in self._pauses(snapshot) if pause.until > snapshot.now]

    def _pauses(self, snapshot: Snapshot) -> Iterator[Pause]:
        """Of every round trip that can still matter, the newest first."""
        trips = self._recent(snapshot)
        for place, (holding, trip) in enumerate(trips):
            lost = holding.earned(trip)
            if lost is None or lost >= 0:
                continue
            for tier in self.tiers:
                if lost <= -tier.loss:
                    why = f"a round trip in {holding.name} ended at {dollars(lost)} <= {plain(-tier.loss)}"
                    yield _pause(snapshot, trip, tier.for_, why)
            for streak in self.streaks:
                row = trips[place : place + streak.losses]
                if len(row) == streak.losses and all(_lost(*each) for each in row):
                    yield _pause(
                        snapshot, trip, streak.for_, f"{streak.losses} losing round trips in a row"
                    )

    def _recent(self, snapshot: Snapshot) -> list[tuple[Holding, Trip]]:
        """Round trips whose pause may run, newest first, and those before that a streak looks back at."""
        longest = max((*(it.for_ for it in self.tiers), *(it.for_ for it in self.streaks)))
        newest = [it.holding.trips[-1] for it in snapshot.contracts.values() if it.holding.trips]
        if all(trip.closed_at + longest <= snapshot.now for trip in newest):
            return []
        further = max((each.losses for each in self.streaks), default=1) - 1
        recent: list[tuple[Holding, Trip]] = []
        for pair in _newest_first(snapshot):
            if pair[1].closed_at + longest <= snapshot.now:
                if further == 0:
                    break
                further -= 1
            recent.append(pair)
        return recent


def _pause(snapshot: Snapshot, trip: Trip, lasts: timedelta, why: str) -> Pause:
    until = min(trip.closed_at + lasts, snapshot.day_ends)
    return Pause(trip, until, f"{why}, {span(lasts)} of cooldown")


def _lost(holding: Holding, trip: Trip) -> bool:
    earned = holding.earned(trip)
    return earned is not None and earned < 0


def _newest_first(snapshot: Snapshot) -> Iterator[tuple[Holding, Trip]]:
    return heapq.merge(
        *(_backwards(view.holding) for view in snapshot.contracts.values()),
        key=_ended,
        reverse=True,
    )


def _backwards(holding: Holding) -> Iterator[tuple[Holding, Trip]]:
    return ((holding, trip) for trip in reversed(holding.trips))


def _ended(pair: tuple[Holding, Trip]) -> tuple[datetime, int]:
    return pair[1].closed_at, pair[1].trade_id
