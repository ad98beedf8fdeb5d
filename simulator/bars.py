"""Price history: one-minute bars built from quotes, put together to longer ones on request."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from attrs import define

KEPT = 4 * 24 * 60
"""Minutes kept per contract."""
UNITS = {
    2: timedelta(minutes=1),
    3: timedelta(hours=1),
    4: timedelta(days=1),
    5: timedelta(weeks=1),
}
"""Length of History/retrieveBars' units; 1 (seconds) and 6 (months) are not kept."""
_EPOCH = datetime(1970, 1, 4, 22, tzinfo=UTC)


@define(eq=False)
class Bar:
    """Prices of one span of time, in points."""

    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int

    def note(self, price: Decimal) -> None:
        """A price was made in this span."""
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.close = price
        self.volume += 1

    def merge(self, later: "Bar") -> None:
        """Take in a bar that follows this one."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume

    def payload(self) -> dict[str, Any]:
        """As History/retrieveBars shows it."""
        return {
            "t": self.start.isoformat(),
            "o": self.open,
            "h": self.high,
            "l": self.low,
            "c": self.close,
            "v": self.volume,
        }


class Bars:
    """The one-minute bars of one contract."""

    def __init__(self) -> None:
        self._minutes: OrderedDict[datetime, Bar] = OrderedDict()

    def note(self, price: Decimal, now: datetime) -> None:
        """A price was made."""
        start = now.replace(second=0, microsecond=0)
        if bar := self._minutes.get(start):
            bar.note(price)
            return
        self._minutes[start] = Bar(start, price, price, price, price, 1)
        if len(self._minutes) > KEPT:
            self._minutes.popitem(last=False)

    def newest(self) -> Decimal | None:
        """The latest close, the running bar included; None without bars."""
        return next(reversed(self._minutes.values())).close if self._minutes else None

    def ended_by(self, instant: datetime) -> Decimal | None:
        """The close of the newest bar that was over by then; None when there is none."""
        latest = instant - UNITS[2]
        bars = reversed(self._minutes.values())
        return next((bar.close for bar in bars if bar.start <= latest), None)

    def between(
        self, start: datetime, end: datetime, span: timedelta, now: datetime, partial: bool
    ) -> list[Bar]:
        """Bars of length ``span`` that begin in [start, end], oldest first.

        The running bar is left out unless ``partial``.
        """
        inside = (bar for bar in self._minutes.values() if start <= bar.start <= end)
        bars = list(_joined(inside, span))
        return [bar for bar in bars if partial or bar.start + span <= now]


def _joined(minutes: Iterable[Bar], span: timedelta) -> Iterable[Bar]:
    joined: dict[datetime, Bar] = {}
    for minute in minutes:
        start = minute.start - (minute.start - _EPOCH) % span
        if bar := joined.get(start):
            bar.merge(minute)
        else:
            joined[start] = Bar(
                start, minute.open, minute.high, minute.low, minute.close, minute.volume
            )
    return joined.values()
