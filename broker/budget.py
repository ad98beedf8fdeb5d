"""A login's request budget: 200 in any 60 seconds, with a reserve that only enforcement may touch.

Requests that close or cancel are counted but never wait. Everything else waits in the lane of its
priority until the lane has room; a lower lane runs dry first, so what is urgent finds room left.
"""

from collections import deque

import trio

from broker.port import Priority

WINDOW = 60.0
"""Seconds."""

LIMITS = {Priority.ENFORCEMENT: 198, Priority.RECONCILE: 190, Priority.HOUSEKEEPING: 110}
"""Requests in a window up to which a lane may add one; the gateway allows 200 in all.

A hub lost every three seconds costs five accounts, two of them exposed, 176 in a minute, pings
included, and 189 in the first one. Pings carry no credentials, so the gateway hardly counts them.
"""


class RequestBudget:
    """Counts requests in a sliding window and makes the patient ones wait."""

    def __init__(self) -> None:
        # Monotonic instants of the requests of the last window, oldest first.
        self._sent: deque[float] = deque()
        self._lanes = {priority: trio.Lock() for priority in Priority}

    def note(self) -> None:
        """Count a request that does not wait."""
        self._sent.append(trio.current_time())

    def used(self) -> int:
        """Requests in the last 60 seconds."""
        oldest = trio.current_time() - WINDOW
        while self._sent and self._sent[0] <= oldest:
            self._sent.popleft()
        return len(self._sent)

    async def acquire(self, priority: Priority) -> None:
        """Count a request as soon as the lane has room for it; first come, first served in a lane."""
        async with self._lanes[priority]:
            while (used := self.used()) >= LIMITS[priority]:
                frees_it = self._sent[used - LIMITS[priority]]
                await trio.sleep_until(frees_it + WINDOW)
            self.note()
