"""Hours in which nothing may be open, and until when an account is locked then (RULES, sections 1, 2)."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol

from attrs import frozen

from simulation.trading_days import RESET, day_of, last_reset, next_reset, shown_on

FLAT_BY, SESSION, NEWS = "flat_by", "session", "news_blackout"

EARLY_CLOSES = {
    date(2026, 11, 27): (
        (time(12, 15), frozenset({"ES", "NQ", "MES", "MNQ"})),
        (time(13, 45), frozenset({"CL", "GC", "MGC", "SI"})),
    )
}
"""Of the products that the simulated exchange lists, on the only such day that a scenario reaches."""


class Hours(Protocol):
    """What one rule says of each instant."""

    @property
    def rule(self) -> str:
        """Its name."""

    def locks(self, wall: datetime) -> datetime | None:
        """Until when an account is locked in which anything is open; None: not the whole account."""

    def shuts(self, root: str, wall: datetime) -> bool:
        """Whether nothing may be open in this product, though it may be in others."""

    def turns(self, wall: datetime) -> datetime:
        """When any of that can be different, after this instant."""


@frozen
class FlatBy:
    """Flat a margin before a time of day, and before the exchange closes early."""

    at: time
    margin: timedelta
    rule: str = FLAT_BY

    def locks(self, wall: datetime) -> datetime | None:
        """To the reset, from the margin on."""
        return next_reset(wall) if self._deadline(wall) <= wall else None

    def shuts(self, root: str, wall: datetime) -> bool:
        """From the margin before its early close on."""
        day = day_of(wall)
        closes = early_close(day, root)
        return closes is not None and shown_on(day, closes) - self.margin <= wall

    def turns(self, wall: datetime) -> datetime:
        """At a deadline, or at the reset."""
        day = day_of(wall)
        early = (shown_on(day, closes) - self.margin for closes, _ in EARLY_CLOSES.get(day, ()))
        moments = (self._deadline(wall), *early, next_reset(wall))
        return min(it for it in moments if it > wall)

    def _deadline(self, wall: datetime) -> datetime:
        return shown_on(day_of(wall), self.at) - self.margin


type Clocks = tuple[time, time]
"""From one time on the wall to another; over the reset when that is the earlier one of the trading day."""
type Span = tuple[datetime, datetime]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
OPENS_WITHIN = 10
"""Trading days in which hours that are over must have begun again: a week, and some."""


@frozen
class Session:
    """Open in ranges of some trading days alone, which a product may have of its own."""

    ranges: tuple[Clocks, ...]
    by_root: tuple[tuple[str, tuple[Clocks, ...]], ...] = ()
    days: tuple[str, ...] = WEEKDAYS
    margin: timedelta = timedelta(0)
    """How long before a range is over all must be gone."""
    rule: str = SESSION

    def locks(self, wall: datetime) -> datetime | None:
        """While no product may be open, until the next range begins."""
        if any(self._is_open(it, wall) for it in self._every()):
            return None
        instant = wall
        for _ in range(OPENS_WITHIN):
            spans = (span for it in self._every() for span in self._spans(it, instant))
            ahead = [start for start, _ in spans if start > wall]
            if ahead:
                return min(ahead)
            instant = next_reset(instant)
        return next_reset(wall)

    def shuts(self, root: str, wall: datetime) -> bool:
        """Outside the ranges of the product, or of all."""
        return not self._is_open(dict(self.by_root).get(root, self.ranges), wall, root)

    def turns(self, wall: datetime) -> datetime:
        """Where a range begins or must be left, or at the reset."""
        reset, early = next_reset(wall), EARLY_CLOSES.get(day_of(wall), ())
        products = ["", *(min(roots) for _, roots in early)]
        moments = [reset]
        for ranges in self._every():
            for instant in (wall, reset):
                for root in products:
                    spans = self._spans(ranges, instant, root)
                    moments += (it for start, end in spans for it in (start, end - self.margin))
        return min(it for it in moments if it > wall)

    def _every(self) -> tuple[tuple[Clocks, ...], ...]:
        return (self.ranges, *(it for _, it in self.by_root))

    def _is_open(self, ranges: tuple[Clocks, ...], wall: datetime, root: str = "") -> bool:
        """Also of a range that goes on in the next trading day its end counts."""
        reset = next_reset(wall)
        for start, end in self._spans(ranges, wall, root):
            goes_on = dict(self._spans(ranges, reset, root)) if end == reset else {}
            if start <= wall < goes_on.get(end, end) - self.margin:
                return True
        return False

    def _spans(
        self, ranges: tuple[Clocks, ...], instant: datetime, root: str = ""
    ) -> tuple[Span, ...]:
        """Of the trading day of this instant."""
        allowed = WEEKDAYS[day_of(instant).weekday()] in self.days
        return spans_of(ranges, last_reset(instant), root) if allowed else ()


@lru_cache(maxsize=256)
def spans_of(ranges: tuple[Clocks, ...], begins: datetime, root: str) -> tuple[Span, ...]:
    """When ranges are on in the trading day that begins then; ones that meet are one.

    A product ends them all where it closes early; no product does not.
    """
    day, ends = day_of(begins), next_reset(begins)
    closes = early_close(day, root)
    last = ends if closes is None else shown_on(day, closes)
    parts = []
    for opens, over in ranges:
        start, end = shown_on(day, opens), ends if over == RESET else shown_on(day, over)
        parts += [(start, end)] if start < end else [(begins, end), (start, ends)]
    spans: list[Span] = []
    for start, end in sorted((start, min(end, last)) for start, end in parts):
        if spans and start <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], end)
        elif start < end:
            spans.append((start, end))
    return tuple(spans)


@frozen
class Window:
    """Around some news."""

    start: datetime
    end: datetime
    roots: frozenset[str] = frozenset()
    """Products that must be flat; empty: all, and the account is locked."""


@frozen
class News:
    """Flat while the news come out."""

    windows: tuple[Window, ...]
    rule: str = NEWS

    def locks(self, wall: datetime) -> datetime | None:
        """To the end of the longest window that names no products."""
        return max((it.end for it in self._on(wall) if not it.roots), default=None)

    def shuts(self, root: str, wall: datetime) -> bool:
        """In a window that names it."""
        return any(root in it.roots for it in self._on(wall))

    def turns(self, wall: datetime) -> datetime:
        """Where a window begins or ends."""
        moments = (it for window in self.windows for it in (window.start, window.end))
        return min((it for it in moments if it > wall), default=next_reset(wall))

    def _on(self, wall: datetime) -> Iterator[Window]:
        return (it for it in self.windows if it.start <= wall < it.end)


def early_close(day: date, root: str) -> time | None:
    """When the exchange closes a product early; None when it does not."""
    return next((closes for closes, roots in EARLY_CLOSES.get(day, ()) if root in roots), None)
