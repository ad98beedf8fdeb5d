"""What the world does of its own accord, in the order of its times: prices, traders' steps.

One task runs it. While the daemon's machine is suspended the world goes on without that task: see
:meth:`Agenda.catch_up`.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from math import inf

import trio


class Agenda:
    """Actions, each at its time on Trio's clock; those of one time in the order they were added."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._wake = trio.Event()
        self._next = inf

    def at(self, due: float, action: Callable[[], None]) -> None:
        """Do it then; at once when that has passed."""
        heappush(self._entries, (due, next(self._numbers), action))
        if due < self._next:
            self._wake.set()

    def clear(self) -> None:
        """Nothing more happens."""
        self._entries.clear()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._act(trio.current_time())
            self._next = self._entries[0][0] if self._entries else inf
            with trio.move_on_at(self._next):
                await self._wake.wait()
            self._wake = trio.Event()
            self._next = -inf

    def catch_up(self, until: float, jump: Callable[[float], None]) -> None:
        """Do everything up to a time, ``jump(seconds)`` moving the clock from each to the next."""
        while self._entries and self._entries[0][0] <= until:
            ahead = self._entries[0][0] - trio.current_time()
            if ahead > 0:
                jump(ahead)
            heappop(self._entries)[2]()
        jump(max(until - trio.current_time(), 0.0))

    def _act(self, now: float) -> None:
        entries = self._entries
        while entries and entries[0][0] <= now:
            heappop(entries)[2]()
