"""Hours of a trading day: ranges on the wall, and the days on which the exchange closes early."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from types import MappingProxyType

from attrs import frozen

from risk.trading_day import TradingCalendar

_RANGE = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)

_CLASSES: Mapping[str, str] = {
    "equity": "ES NQ RTY YM EMD NKD MES MNQ M2K MYM",
    "commodity": "CL RB HO NG QM QG GC SI HG PL MCL MNG MGC SIL MHG",
    "rates": "ZB UB ZN TN ZF ZT",
    "currency": "6E 6B 6J 6A 6C 6S 6N 6M E7 M6E M6A M6B",
}
_CLASS_OF = {root: name for name, roots in _CLASSES.items() for root in roots.split()}

_EARLY_CLOSES: Mapping[date, Mapping[str, time]] = MappingProxyType(
    {
        date(2026, 11, 26): {
            "equity": time(12, 0),
            "commodity": time(13, 30),
            "rates": time(12, 0),
            "currency": time(12, 0),
        },
        date(2026, 11, 27): {
            "equity": time(12, 15),
            "commodity": time(13, 45),
            "rates": time(12, 15),
            "currency": time(12, 15),
        },
        date(2026, 12, 24): {
            "equity": time(12, 15),
            "commodity": time(12, 45),
            "rates": time(12, 15),
            "currency": time(12, 15),
        },
    }
)
"""Chicago time of CME's early closes by product class, from its holiday calendar of 2026; a product
of no class here closes with the earliest."""


EARLY_CLOSES_UNTIL = date(2026, 12, 31)
"""Beyond it nobody here knows which days end early."""


def early_close(day: date, roots: tuple[str, ...]) -> time | None:
    """When the exchange closes a product early on this trading day; None on an ordinary day."""
    closes = _EARLY_CLOSES.get(day)
    if closes is None:
        return None
    classes = [_CLASS_OF.get(root) for root in roots] or [None]
    return min(min(closes.values()) if name is None else closes[name] for name in classes)


@frozen
class Range:
    """From a time on the wall to another, both in Chicago; over the reset when it ends earlier."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> "Range":
        """``08:30-15:00``; ValueError for anything else, and for a range of no length."""
        found = _RANGE.fullmatch(text)
        if found is None:
            raise ValueError(f'a range such as "08:30-15:00", not "{text}"')
        start, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
        if start == end:
            raise ValueError(f'a range that ends when it begins: "{text}"')
        return cls(start, end)

    def within(self, calendar: TradingCalendar, day: date) -> Iterator[tuple[datetime, datetime]]:
        """Its parts in one trading day, aware UTC; the end is not part of it."""
        start = calendar.at(day, self.start)
        to_reset = self.end == calendar.reset_at  # the one on which this day ends
        end = calendar.ends(day) if to_reset else calendar.at(day, self.end)
        if start < end:
            yield start, end
        else:
            yield calendar.starts(day), end
            yield start, calendar.ends(day)


@lru_cache(maxsize=1024)
def opening(
    ranges: tuple[Range, ...], calendar: TradingCalendar, day: date, roots: tuple[str, ...] | None
) -> tuple[tuple[datetime, datetime], ...]:
    """When a product may be held on a trading day: joined, in order, cut at an early close.

    Without roots no early close is heeded.
    """
    close = None if roots is None else early_close(day, roots)
    last = calendar.ends(day) if close is None else calendar.at(day, close)
    spans: list[tuple[datetime, datetime]] = []
    parts = (part for each in ranges for part in each.within(calendar, day))
    for start, end in sorted((start, min(end, last)) for start, end in parts):
        if start >= end:
            continue
        if spans and start <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], end)
        else:
            spans.append((start, end))
    return tuple(spans)
