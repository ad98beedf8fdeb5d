"""Wall time as a port: what day, session, grace and cooldown are judged by.

Deadlines, staleness and latencies never use it; they use ``trio.current_time``.
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol

import trio
from attrs import frozen


class Clock(Protocol):
    """Tells wall time and how fast it runs against Trio's clock."""

    def now(self) -> datetime:
        """Aware UTC."""

    @property
    def speed(self) -> float:
        """Wall seconds per second of ``trio.current_time``; 1 except for a simulated gateway."""


@frozen
class SystemClock:
    """The machine's clock."""

    speed: float = 1.0

    def now(self) -> datetime:
        """Aware UTC from the operating system."""
        return datetime.now(UTC)


@frozen
class SimulatedClock:
    """Wall time as a function of Trio's clock: ``start`` when that clock showed ``origin``."""

    start: datetime
    origin: float
    speed: float = 1.0

    def now(self) -> datetime:
        """Aware UTC; deterministic under ``trio.testing.MockClock``."""
        return self.start + timedelta(seconds=(trio.current_time() - self.origin) * self.speed)
