"""When a trading day ends, computed from RULES alone: 17:00 in Chicago, Monday to Friday."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

CHICAGO = ZoneInfo("America/Chicago")
SATURDAY = 5
FOR_GOOD = 9999
"""The year of a lock without an end."""


@lru_cache(maxsize=64)
def _reset_of(day: date) -> datetime:
    return datetime.combine(day, time(17), CHICAGO).astimezone(UTC)


def next_reset(instant: datetime) -> datetime:
    """The first end of a trading day after an instant; that instant itself begins the new day."""
    day = instant.astimezone(CHICAGO).date()
    while day.weekday() >= SATURDAY or _reset_of(day) <= instant:
        day += timedelta(days=1)
    return _reset_of(day)


def week_end(instant: datetime) -> datetime:
    """The first end of a trading week after an instant: 17:00 in Chicago on a Friday."""
    reset = next_reset(instant)
    while reset.astimezone(CHICAGO).weekday() != SATURDAY - 1:
        reset = next_reset(reset)
    return reset


def day_name(instant: datetime) -> str:
    """The trading day an instant lies in: the date it ends on."""
    return next_reset(instant).astimezone(CHICAGO).date().isoformat()
