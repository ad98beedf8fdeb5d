"""The gateway's wall time: where it started, plus what has passed, times its speed."""

from collections.abc import Callable
from datetime import datetime, timedelta

MAX_SPEED = 100_000.0


class GatewayTime:
    """Wall time on top of a monotonic clock; it can jump and change speed."""

    def __init__(
        self, start: datetime, monotonic: Callable[[], float], *, speed: float = 1.0
    ) -> None:
        self._monotonic = monotonic
        self._base = start
        self._since = monotonic()
        self._speed = speed

    @property
    def speed(self) -> float:
        """Wall seconds per monotonic second."""
        return self._speed

    def now(self) -> datetime:
        """Aware UTC."""
        return self._base + timedelta(seconds=(self._monotonic() - self._since) * self._speed)

    def set(self, *, now: datetime | None = None, speed: float | None = None) -> None:
        """Jump, change speed, or both; ValueError for a naive instant or an impossible speed."""
        if now is not None and now.tzinfo is None:
            raise ValueError("now needs a UTC offset, such as 2026-11-20T16:58:00-06:00")
        if speed is not None and not 0 <= speed <= MAX_SPEED:
            raise ValueError(f"speed must be between 0 and {MAX_SPEED:g}")
        self._base = self.now() if now is None else now.astimezone(self._base.tzinfo)
        self._since = self._monotonic()
        self._speed = self._speed if speed is None else speed
