"""The trading day: 17:00 to 17:00 in Chicago, named by the date it ends on.

With the standard reset of 17:00 the market's week decides: Friday 17:00 to Monday 17:00 is one day,
Monday, because nothing resets on a Saturday or Sunday. Any other reset time means that every
calendar day has its own. Boundaries are computed from local dates, never by adding 24 hours, so a
day across a change of daylight saving time has 23 or 25 hours.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from attrs import field, frozen

MARKET_RESET = time(17, 0)
"""The exchange's own day boundary; only with it do weekends have no reset."""

_SATURDAY = 5
_ONE_DAY = timedelta(days=1)


@frozen
class TradingCalendar:
    """Maps instants to trading days and back; raises KeyError for an unknown time zone."""

    timezone: str = "America/Chicago"
    reset_at: time = MARKET_RESET
    _zone: ZoneInfo = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_zone", ZoneInfo(self.timezone))

    def day_of(self, instant: datetime) -> date:
        """The trading day an aware instant lies in; the reset itself belongs to the new day."""
        day = instant.astimezone(self._zone).date()
        if instant >= self._boundary(day):
            day += _ONE_DAY
        while self._skips(day):
            day += _ONE_DAY
        return day

    def starts(self, day: date) -> datetime:
        """The first instant of a trading day, aware UTC; ValueError for a day that is none."""
        self._require(day)
        before = day - _ONE_DAY
        while self._skips(before):
            before -= _ONE_DAY
        return self._boundary(before)

    def ends(self, day: date) -> datetime:
        """The first instant after a trading day, aware UTC; ValueError for a day that is none."""
        self._require(day)
        return self._boundary(day)

    def at(self, day: date, wall: time) -> datetime:
        """When the wall shows a time within a trading day, aware UTC.

        A time from the reset on is that of the evening on which the day begins.
        """
        self._require(day)
        if wall < self.reset_at:
            return datetime.combine(day, wall, self._zone).astimezone(UTC)
        evening = self.starts(day).astimezone(self._zone).date()
        if self.reset_at == MARKET_RESET:
            # The market does not open on the Friday evening on which Monday's day begins.
            evening = max(evening, day - _ONE_DAY)
        return datetime.combine(evening, wall, self._zone).astimezone(UTC)

    def next(self, day: date) -> date:
        """The trading day after one."""
        return self.day_of(self.ends(day))

    def local(self, instant: datetime) -> datetime:
        """An instant as the people at the exchange read it off the wall."""
        return instant.astimezone(self._zone)

    def _boundary(self, day: date) -> datetime:
        return datetime.combine(day, self.reset_at, self._zone).astimezone(UTC)

    def _skips(self, day: date) -> bool:
        return self.reset_at == MARKET_RESET and day.weekday() >= _SATURDAY

    def _require(self, day: date) -> None:
        if self._skips(day):
            raise ValueError(f"{day} is no trading day: it belongs to the Monday after it")
