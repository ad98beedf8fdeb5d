"""The exchange's wall clock, and that of the trader's machine, which can be wrong.

Both are functions of Trio's clock, so they are as deterministic as a run is.
"""

from datetime import datetime, timedelta

import trio

from broker.clock import Clock

NONE = timedelta(0)


class TrueClock:
    """What time it is: runs with Trio's clock, and on while that one stands still."""

    speed = 1.0

    def __init__(self, start: datetime) -> None:
        """It shows ``start`` now; to be made inside the run."""
        self._start = start
        # Asked some hundred times per virtual second: without the way through Trio.
        self._time = trio.lowlevel.current_clock().current_time
        self._origin = self._time()
        self._read_at = self._origin
        self._shown = start

    def now(self) -> datetime:
        """Aware UTC."""
        at = self._time()
        if at != self._read_at:  # it is asked far more often than time passes
            self._read_at = at
            self._shown = self._start + timedelta(seconds=at - self._origin)
        return self._shown

    def sleep_through(self, seconds: float) -> None:
        """Time passes that no deadline sees, as on a machine whose monotonic clock is suspended."""
        self._start += timedelta(seconds=seconds)
        self._shown += timedelta(seconds=seconds)


class MachineClock:
    """The clock of the trader's machine: the true one, put wrong or running wrong."""

    speed = 1.0

    def __init__(self, truth: Clock) -> None:
        self._truth = truth
        self._ahead = NONE
        self._rate = 0.0
        """Seconds gained in each second since ``_since``."""
        self._since = 0.0

    def now(self) -> datetime:
        """Aware UTC, as the daemon is told."""
        now = self._truth.now()
        if self._rate:
            now += timedelta(seconds=self._gained())
        return now + self._ahead if self._ahead else now

    @property
    def wrong_by(self) -> float:
        """Seconds by which it is ahead of the truth."""
        return self._ahead.total_seconds() + self._gained()

    def jump(self, seconds: float) -> None:
        """Somebody sets it."""
        self._ahead += timedelta(seconds=seconds)

    def drift(self, rate: float) -> None:
        """From now on it gains ``rate`` seconds in each second; negative: it loses them."""
        self._ahead += timedelta(seconds=self._gained())
        self._rate, self._since = rate, trio.current_time()

    def set_right(self) -> None:
        """It shows the true time again, and keeps it."""
        self._ahead, self._rate = NONE, 0.0

    def _gained(self) -> float:
        return (trio.current_time() - self._since) * self._rate if self._rate else 0.0
