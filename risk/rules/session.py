"""``session``: the days and hours in which positions may be open."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import ClassVar

from attrs import field, frozen

from risk.explain import exposure, wall
from risk.hours import Range, opening
from risk.instruments import require_known_root
from risk.rules.base import EXPOSURE, Priority, Trigger
from risk.rules.closed import open_account, open_contract
from risk.snapshot import Snapshot
from risk.verdict import RuleAnswer, Violation

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOOK_AHEAD = 10
"""Trading days after which a session must have opened again: a week, and a little."""
_LONGEST_FLATTEN = timedelta(hours=4)


def _lower(days: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(day.lower() for day in days)


def _upper(by_root: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({root.upper(): ranges for root, ranges in by_root.items()})


@frozen
class Session:
    """Closes what is open outside its hours; outside all hours it locks until the next begin."""

    name: ClassVar[str] = "session"
    triggers: ClassVar[frozenset[Trigger]] = EXPOSURE
    priority: ClassVar[Priority] = Priority.SESSION
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = (
        "now outside [start, end - `flatten_before_close`) of every range of the root, on a "
        "trading day of `days`; a range ends at an early close"
    )

    times: tuple[str, ...] = field(
        metadata={"doc": 'Chicago ranges such as "08:30-15:00", over midnight too'}
    )
    days: tuple[str, ...] = field(
        default=_WEEK[:5],
        converter=_lower,
        metadata={"doc": "trading days: Sunday evening is mon"},
    )
    by_root: Mapping[str, tuple[str, ...]] = field(
        factory=dict, converter=_upper, metadata={"doc": "ranges of their own for some roots"}
    )
    flatten_before_close: timedelta = field(
        default=timedelta(0), metadata={"doc": "how long before a range ends to be flat"}
    )

    def __attrs_post_init__(self) -> None:
        for day in self.days:
            if day not in _WEEK:
                raise ValueError(f"days must be of {', '.join(_WEEK)}, got {day}")
        if not self.days:
            raise ValueError("days must name one at least: without any nothing could ever be open")
        _check("times", self.times)
        for root, ranges in self.by_root.items():
            require_known_root(root)
            _check(f"by_root {root}", ranges)
        if not timedelta(0) <= self.flatten_before_close <= _LONGEST_FLATTEN:
            raise ValueError("flatten_before_close must be from 0s to 4h")

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """What is open outside its hours goes, and outside all hours everything does."""
        if snapshot.now >= snapshot.day_ends:
            return RuleAnswer()  # the account has not heard of the reset yet
        ends = {key: self._open_until(snapshot, key) for key in _exposed(snapshot)}
        closed = [key for key, end in ends.items() if end is None]
        wake_at = min((end for end in ends.values() if end is not None), default=None)
        if not closed:
            return RuleAnswer(wake_at=wake_at)
        if len(closed) == len(ends) and not self._any_open(snapshot):
            found = self._account(snapshot, trigger)
            return RuleAnswer(() if found is None else (found,))
        late = (self._contract(snapshot, trigger, key) for key in closed)
        return RuleAnswer(tuple(it for it in late if it is not None), wake_at=wake_at)

    def _open_until(self, snapshot: Snapshot, contract_id: str) -> datetime | None:
        """When a contract must be gone; None while nothing may be open in it."""
        roots = snapshot.contracts[contract_id].holding.roots
        ends = [self._end(snapshot, self._of(root), roots) for root in roots or ("",)]
        known = [end for end in ends if end is not None]
        return min(known) if len(known) == len(ends) else None  # of two roots the stricter

    def _of(self, root: str) -> tuple[str, ...]:
        return self.by_root.get(root, self.times)

    def _end(
        self, snapshot: Snapshot, ranges: tuple[str, ...], roots: tuple[str, ...] | None
    ) -> datetime | None:
        for start, end in self._spans(snapshot, snapshot.day, ranges, roots):
            last = self._over_the_reset(snapshot, ranges, roots, end)
            if start <= snapshot.now < last - self.flatten_before_close:
                return last - self.flatten_before_close
        return None

    def _over_the_reset(
        self,
        snapshot: Snapshot,
        ranges: tuple[str, ...],
        roots: tuple[str, ...] | None,
        end: datetime,
    ) -> datetime:
        """Hours that go on in the next trading day do not end with this one."""
        if end != snapshot.day_ends:
            return end
        following = self._spans(snapshot, snapshot.calendar.next(snapshot.day), ranges, roots)
        return next((last for start, last in following if start == end), end)

    def _spans(
        self,
        snapshot: Snapshot,
        day: date,
        ranges: tuple[str, ...],
        roots: tuple[str, ...] | None = None,
    ) -> Iterable[tuple[datetime, datetime]]:
        if _WEEK[day.weekday()] not in self.days:
            return ()
        return opening(_parsed(ranges), snapshot.calendar, day, roots)

    def _any_open(self, snapshot: Snapshot) -> bool:
        every = (self.times, *self.by_root.values())
        return any(self._end(snapshot, ranges, None) is not None for ranges in every)

    def _begins(self, snapshot: Snapshot) -> datetime:
        """When the next hours begin, of whatever product."""
        day = snapshot.day
        for _ in range(_LOOK_AHEAD):
            every = (self.times, *self.by_root.values())
            starts = [start for it in every for start, _ in self._spans(snapshot, day, it)]
            ahead = [start for start in starts if start > snapshot.now]
            if ahead:
                return min(ahead)
            day = snapshot.calendar.next(day)
        return snapshot.day_ends  # days that the calendar does not have, such as sat

    def _account(self, snapshot: Snapshot, trigger: Trigger) -> Violation | None:
        until = self._begins(snapshot)
        open_now = f"{exposure(snapshot)} at {wall(snapshot, snapshot.now)}"
        return open_account(
            self.name,
            snapshot,
            trigger,
            until=until,
            reason=f"outside its session ({self._hours()}): {open_now}",
            inputs={"opens": until.isoformat()},
        )

    def _contract(self, snapshot: Snapshot, trigger: Trigger, contract_id: str) -> Violation | None:
        holding = snapshot.contracts[contract_id].holding
        hours = ", ".join(range_ for root in holding.roots or ("",) for range_ in self._of(root))
        held_now = f"{holding.net:+d} held at {wall(snapshot, snapshot.now)}"
        return open_contract(
            self.name,
            snapshot,
            trigger,
            contract_id,
            reason=f"{holding.name} outside its session ({hours}): {held_now}",
            inputs={"roots": " ".join(holding.roots)},
        )

    def _hours(self) -> str:
        return f"{' '.join(self.days)} {', '.join(self.times)}"


def _exposed(snapshot: Snapshot) -> tuple[str, ...]:
    """Contracts in which something is held or working."""
    working = {order.contract_id for order in snapshot.orders}
    return tuple(
        key for key, view in snapshot.contracts.items() if view.holding.net or key in working
    )


@cache
def _parsed(ranges: tuple[str, ...]) -> tuple[Range, ...]:
    return tuple(Range.parse(text) for text in ranges)


def _check(key: str, ranges: tuple[str, ...]) -> None:
    try:
        if not _parsed(ranges):
            raise ValueError("a range at least")
    except ValueError as wrong:
        raise ValueError(f"{key} must have {wrong}") from None
