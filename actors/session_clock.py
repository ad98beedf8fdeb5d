"""The session clock: says which trading day it is, once to each that asks and at each change."""

from collections.abc import Mapping
from datetime import UTC, date
from typing import Any

import structlog

from actors.clock_messages import ClockJoin, DayTurned
from actors.messages import ClockMessage, Wake
from broker.clock import Clock
from risk.trading_day import TradingCalendar
from supervision import Actor, Ref

LOOK_EVERY = 4.0
"""Seconds: a wall clock may jump, so the end of the day is never slept for in one piece. A day that a
jump has begun is told well within the five seconds in which its reset is due."""

log = structlog.get_logger("seawall.session_clock")


class SessionClock(Actor[ClockMessage]):
    """Tells its members each new trading day; being told twice is harmless to them."""

    def __init__(self, calendar: TradingCalendar, clock: Clock) -> None:
        self._calendar = calendar
        self._clock = clock
        self._begin(calendar.day_of(clock.now()))
        self._members: dict[str, Ref[DayTurned]] = {}
        self._offset: float | None = None

    async def started(self) -> None:
        """Begin to look at the clock."""
        self._plan()

    async def handle(self, message: ClockMessage) -> None:
        """Take in a member, or look at the clock."""
        match message:
            case ClockJoin(name, reply_to):
                self._members[name] = reply_to
                reply_to.tell(DayTurned(self._day))
            case Wake():
                self._look()
                self._plan()

    def status(self) -> Mapping[str, Any]:
        """The trading day, its end and how late the last reset was noticed."""
        return {
            "trading_day": self._day.isoformat(),
            "resets_at": self._ends.astimezone(UTC).isoformat(),
            "last_reset_offset_s": self._offset,
        }

    def _begin(self, day: date) -> None:
        self._day, self._starts, self._ends = (
            day,
            self._calendar.starts(day),
            self._calendar.ends(day),
        )

    def _look(self) -> None:
        now = self._clock.now()
        if self._starts <= now < self._ends:
            return
        day = self._calendar.day_of(now)
        if day <= self._day:
            # Less when a clock that was ahead is set right: its day is still to come, and to be told.
            self._begin(day)
            return
        self._offset = (now - self._calendar.starts(day)).total_seconds()
        log.info("trading day begins", day=day.isoformat(), offset_s=round(self._offset, 3))
        self._begin(day)
        for member in self._members.values():
            member.tell(DayTurned(day))

    def _plan(self) -> None:
        left = (self._ends - self._clock.now()).total_seconds()
        self.context.after(min(max(left / self._clock.speed, 0.001), LOOK_EVERY), Wake("look"))
