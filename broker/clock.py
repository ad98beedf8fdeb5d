"""Wall time as a port: what day, session, grace and cooldown are judged by.

Deadlines, staleness and latencies never use it; they use ``trio.current_time``.
"""

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

import trio
from attrs import frozen

from broker.hosts import is_loopback
from broker.pool import Answer, Pool

_log = logging.getLogger(__name__)


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


class GatewayClock:
    """The clock of a simulated gateway, followed by asking for ``GET /control/clock``.

    Between answers, and while the gateway does not answer, time runs on at the speed it last told.
    Before the first answer it is the machine's time.
    """

    ASK_EVERY = 1.0
    ANSWER_WITHIN = 2.0

    def __init__(self, url: str) -> None:
        """``url`` is any address of the gateway; ValueError when it is not on this machine."""
        if not is_loopback(url):
            raise ValueError(
                f"only a simulated gateway on this machine has a clock to follow: {url}"
            )
        parts = urlsplit(url)
        self._pool = Pool(f"{parts.scheme}://{parts.netloc}", size=0)
        # What the gateway's clock showed, and the instant of Trio's clock at which it did.
        self._told: SimulatedClock | None = None

    @property
    def speed(self) -> float:
        """Wall seconds per second of ``trio.current_time``."""
        return 1.0 if self._told is None else self._told.speed

    def now(self) -> datetime:
        """Aware UTC, as the gateway sees it."""
        return datetime.now(UTC) if self._told is None else self._told.now()

    async def look(self) -> None:
        """Ask at once: for whoever has just changed that clock and knows it."""
        await self._ask()

    async def follow(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep asking until cancelled; started when the gateway has answered for the first time."""
        started = False
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._pool.run)
            while True:
                if await self._ask() and not started:
                    started = True
                    task_status.started()
                await trio.sleep(self.ASK_EVERY)

    async def _ask(self) -> bool:
        asked = trio.current_time()
        answer = await self._pool.get("/control/clock", self.ANSWER_WITHIN)
        told = _told(answer) if isinstance(answer, Answer) else None
        if told is not None:
            now, speed = told
            # The answer was true about half-way between question and answer.
            self._told = SimulatedClock(now, (asked + trio.current_time()) / 2, speed)
        return told is not None


def _told(answer: Answer) -> tuple[datetime, float] | None:
    try:
        said = json.loads(answer.body)
        now, speed = datetime.fromisoformat(said["now"]), float(said["speed"])
    except (ValueError, TypeError, KeyError):
        _log.warning("the gateway's clock gave an answer that is not a time (%d)", answer.status)
        return None
    return now.replace(tzinfo=now.tzinfo or UTC).astimezone(UTC), speed
