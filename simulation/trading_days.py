"""When a trading day ends, and what the wall shows in it, from RULES alone.

It ends at 17:00 in Chicago, Monday to Friday.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

CHICAGO = ZoneInfo("America/Chicago")
RESET = time(17)
SATURDAY = 5
FOR_GOOD = 9999
"""The year of a lock without an end."""


@lru_cache(maxsize=64)
def _reset_of(day: date) -> datetime:
    return datetime.combine(day, RESET, CHICAGO).astimezone(UTC)


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


def last_reset(instant: datetime) -> datetime:
    """When the trading day of an instant began."""
    ends = next_reset(instant)
    days = (ends.astimezone(CHICAGO).date() - timedelta(days=it) for it in (1, 2, 3))
    return next(_reset_of(it) for it in days if it.weekday() < SATURDAY)


def day_name(instant: datetime) -> str:
    """The trading day an instant lies in: the date it ends on."""
    return day_of(instant).isoformat()


def day_of(instant: datetime) -> date:
    """The same as a date."""
    return next_reset(instant).astimezone(CHICAGO).date()


@lru_cache(maxsize=1024)
def shown_on(day: date, clock: time) -> datetime:
    """When the wall shows this in a trading day; from the reset on it is the evening before."""
    if clock >= RESET:
        day -= timedelta(days=1)
    return datetime.combine(day, clock, CHICAGO).astimezone(UTC)
