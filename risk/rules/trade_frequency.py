"""``trade_frequency``: how many entry orders in a minute, an hour, a trading day."""

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import ClassVar

from attrs import field, frozen

from risk.explain import wall
from risk.ledger import Entry, Lot
from risk.rules.base import EXPOSURE, Priority, Trigger, require_positive
from risk.rules.pause import paused
from risk.snapshot import Holding, Snapshot
from risk.verdict import Alert, RuleAnswer


@frozen
class Window:
    """A stretch of time in which so many entry orders are allowed."""

    word: str
    allowed: int
    lasts: timedelta | None
    """None: the trading day."""

    def until(self, snapshot: Snapshot) -> datetime | None:
        """When the next entry is allowed; None when one is now."""
        if self._count(snapshot) < self.allowed:
            return None
        if self.lasts is None:
            return snapshot.day_ends
        oldest = next(islice(_newest_first(snapshot), self.allowed - 1, None))
        return min(oldest.at + self.lasts, snapshot.day_ends)

    def _count(self, snapshot: Snapshot) -> int:
        """Entries that the window holds now."""
        entries = [view.holding.entries for view in snapshot.contracts.values()]
        count = sum(map(len, entries))
        if self.lasts is None or count < self.allowed:
            return count
        since = snapshot.now - self.lasts
        return sum(len(it) - bisect_right(it, since, key=_at) for it in entries if it)

    def is_full(self, snapshot: Snapshot, entry: Entry) -> bool:
        """Whether an entry came when as many as are allowed had come before it."""
        since = None if self.lasts is None else entry.at - self.lasts
        before = 0
        for view in snapshot.contracts.values():
            entries = view.holding.entries
            last = bisect_left(entries, _place(entry), key=_place)
            first = 0 if since is None else bisect_right(entries, since, key=_at)
            before += max(last - first, 0)
        return before >= self.allowed


@frozen
class TradeFrequency:
    """Closes what an entry order opened or added when too many had come before it.

    Entries are orders whose fill opens, adds or reverses; many fills of one order are one entry, and
    orders that only reduce are free. A window rolls: it counts back from each entry. Entries that were
    closed for being too many count as well. What nobody closed while the window was full stays when
    there was room again.
    """

    name: ClassVar[str] = "trade_frequency"
    triggers: ClassVar[frozenset[Trigger]] = EXPOSURE
    priority: ClassVar[Priority] = Priority.FREQUENCY
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = (
        "entry orders within the 60 s (`minute`), the hour (`hour`) or the trading day (`session`) "
        "that ends with one of them > the number allowed"
    )

    minute: int | None = field(default=None, metadata={"doc": "entry orders in any 60 s"})
    hour: int | None = field(default=None, metadata={"doc": "entry orders in any 60 minutes"})
    session: int | None = field(default=None, metadata={"doc": "entry orders in a trading day"})

    def __attrs_post_init__(self) -> None:
        given = {"minute": self.minute, "hour": self.hour, "session": self.session}
        if all(number is None for number in given.values()):
            raise ValueError("trade_frequency needs minute, hour or session")
        for key, number in given.items():
            if number is not None:
                require_positive(number, key)

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Close what came too often, and say until when nothing more may come."""
        if snapshot.now >= snapshot.day_ends:
            return RuleAnswer()
        ends = ((it, it.until(snapshot)) for it in self._windows())
        full = {window: until for window, until in ends if until is not None}
        if not full:
            return RuleAnswer()
        last = max(full, key=lambda it: full[it])
        end = wall(snapshot, full[last])
        return paused(
            self.name,
            snapshot,
            trigger,
            lambda holding, lot: any(_beyond(snapshot, it, holding, lot) for it in full),
            until=full[last],
            why=f"after {last.allowed} entries {last.word}, no new ones until {end}",
            said=tuple(_said(self.name, snapshot, *it) for it in full.items()),
        )

    def _windows(self) -> Iterator[Window]:
        if self.minute is not None:
            yield Window("in a minute", self.minute, timedelta(minutes=1))
        if self.hour is not None:
            yield Window("in an hour", self.hour, timedelta(hours=1))
        if self.session is not None:
            yield Window("in a day", self.session, None)


def _said(rule: str, snapshot: Snapshot, window: Window, until: datetime) -> Alert:
    return Alert(
        "cooldown",
        f"{snapshot.account}: {window.allowed} entries {window.word}, no new ones until "
        f"{wall(snapshot, until)}",
        about=f"{rule} {window.word} {until.isoformat()}",
    )


def _beyond(snapshot: Snapshot, window: Window, holding: Holding, lot: Lot) -> bool:
    """Whether a lot came with an entry for which there was no room in a window.

    What was carried in has no entry today; of what no trade explains yet nobody knows the order.
    """
    if not lot.order_id:
        return False
    entry = next((it for it in reversed(holding.entries) if it.order_id == lot.order_id), None)
    if entry is None or not window.is_full(snapshot, entry):
        return False
    # An entry for which there was room has ended the pause before it, and what stood then stays.
    later = takewhile(lambda it: _place(it) > _place(entry), _newest_first(snapshot))
    return all(window.is_full(snapshot, it) for it in later)


def _newest_first(snapshot: Snapshot) -> Iterator[Entry]:
    each = (reversed(view.holding.entries) for view in snapshot.contracts.values())
    return heapq.merge(*each, key=_place, reverse=True)


def _place(entry: Entry) -> tuple[datetime, int]:
    return entry.at, entry.order_id


def _at(entry: Entry) -> datetime:
    return entry.at
