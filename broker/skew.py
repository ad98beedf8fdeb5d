"""How far the broker's clock is from ours, from the Date headers of its answers.

A Date header names a whole second, so one answer leaves the difference uncertain by a second and a
round trip. Every further answer narrows it: the truth lies in all of the intervals.
"""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

_SECOND = timedelta(seconds=1)


class SkewEstimate:
    """Broker clock minus ours; None until the first answer."""

    def __init__(self) -> None:
        # The difference in seconds lies between these two.
        self._least: float | None = None
        self._most: float | None = None
        self.measured_at = float("-inf")

    @property
    def seconds(self) -> float | None:
        """Middle of what is still possible."""
        if self._least is None or self._most is None:
            return None
        return (self._least + self._most) / 2

    def note(self, date: str, sent: datetime, received: datetime, at: float) -> None:
        """Take a Date header into account; our clock read ``sent`` and ``received`` around it."""
        try:
            stamped = parsedate_to_datetime(date)
            least = (stamped - received).total_seconds()
            most = (stamped + _SECOND - sent).total_seconds()
        except (ValueError, TypeError):
            return
        self._narrow(least, most)
        self.measured_at = at

    def _narrow(self, least: float, most: float) -> None:
        if self._least is None or self._most is None or least > self._most or most < self._least:
            self._least, self._most = least, most
        else:
            self._least, self._most = max(self._least, least), min(self._most, most)
