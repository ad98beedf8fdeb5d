"""The trading day over weekends, daylight saving time and other reset times."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.trading_day import TradingCalendar

CHICAGO = ZoneInfo("America/Chicago")
STANDARD = TradingCalendar()
FIRST, LAST = datetime(2024, 1, 1), datetime(2030, 12, 31)  # noqa: DTZ001 - the zone is added below
INSTANTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
RESETS = st.sampled_from([time(17), time(0), time(2, 30), time(16, 10), time(18)])


@pytest.mark.parametrize(
    ("local", "day"),
    [
        ("2026-11-18 16:59:59", "2026-11-18"),
        ("2026-11-18 17:00:00", "2026-11-19"),
        ("2026-11-20 16:59:59", "2026-11-20"),
        ("2026-11-20 17:00:00", "2026-11-23"),
        ("2026-11-21 12:00:00", "2026-11-23"),
        ("2026-11-22 17:00:00", "2026-11-23"),
        ("2026-11-23 16:59:59", "2026-11-23"),
        ("2026-12-31 17:00:00", "2027-01-01"),
    ],
)
def test_a_day_is_named_by_the_date_it_ends_on(local: str, day: str) -> None:
    """Friday evening, Saturday and Sunday belong to Monday."""
    instant = datetime.fromisoformat(local).replace(tzinfo=CHICAGO)
    assert STANDARD.day_of(instant) == date.fromisoformat(day)


@given(INSTANTS, RESETS)
def test_every_instant_lies_in_exactly_the_day_it_is_given(instant: datetime, reset: time) -> None:
    """Days neither overlap nor leave gaps, over every change of daylight saving time."""
    calendar = TradingCalendar(reset_at=reset)
    day = calendar.day_of(instant)
    starts, ends = calendar.starts(day), calendar.ends(day)
    assert starts <= instant < ends
    assert calendar.day_of(starts) == day
    assert calendar.day_of(ends - timedelta(microseconds=1)) == day
    following = calendar.day_of(ends)
    assert calendar.starts(following) == ends


def test_the_reset_is_at_1700_in_chicago_on_every_weekday_of_seven_years() -> None:
    """Mistake of earlier systems: 24 hours added to the last reset drift with the clock change."""
    first = date(2024, 1, 1)
    calendar_days = [first + timedelta(days=n) for n in range(7 * 365 + 2)]
    resets = [STANDARD.ends(day) for day in calendar_days if day.weekday() < 5]
    assert {reset.astimezone(CHICAGO).time() for reset in resets} == {time(17)}
    walked = [resets[0]]
    while walked[-1] < resets[-1]:
        walked.append(STANDARD.ends(STANDARD.day_of(walked[-1])))
    assert walked == resets


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 9), 71), (date(2026, 11, 2), 73), (date(2026, 3, 10), 24)],
)
def test_the_weekend_of_a_clock_change_is_an_hour_off(day: date, hours: int) -> None:
    """Three calendar days, less or more the hour."""
    assert STANDARD.ends(day) - STANDARD.starts(day) == timedelta(hours=hours)


def test_another_reset_time_has_a_reset_on_saturday_too() -> None:
    """Only the exchange's own boundary knows weekends."""
    calendar = TradingCalendar(reset_at=time(16))
    saturday = datetime(2026, 11, 21, 15, 59, tzinfo=CHICAGO)
    assert calendar.day_of(saturday) == date(2026, 11, 21)
    assert calendar.ends(date(2026, 11, 21)) - calendar.starts(date(2026, 11, 21)) == timedelta(1)


def test_a_day_that_is_none_is_refused() -> None:
    """There is no trading day called Saturday."""
    with pytest.raises(ValueError, match="belongs to the Monday"):
        STANDARD.ends(date(2026, 11, 21))
