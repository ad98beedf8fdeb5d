"""All timers of one incarnation in one task.

An actor that arms and disarms a timer at every message would pay a task for each. Here arming is a
push onto a heap and disarming a mark; the one task sleeps until the earliest, and not even woken
when an earlier one comes: it just sleeps less long.
"""

import heapq
import math
from collections.abc import Callable
from typing import Any

import trio

FEW = 64
"""So many timers are kept without asking which of them were cancelled."""


class Timer:
    """One timer; once cancelled it puts nothing into the mailbox (what it has put stays there)."""

    __slots__ = ("_cancelled",)

    def __init__(self) -> None:
        self._cancelled = False

    def cancel(self) -> None:
        """Let it not ring again; nothing happens when it has rung for the last time."""
        self._cancelled = True


class Timers:
    """The timers of one incarnation; ``ring`` takes what each has to say."""

    def __init__(self, ring: Callable[[Any], None]) -> None:
        self._ring = ring
        self._heap: list[tuple[float, int, float, Any, Timer]] = []
        self._number = 0
        self._sift_at = FEW
        self._sleep = trio.CancelScope()

    def add(self, due: float, period: float, message: object) -> Timer:
        """Ring at ``due`` (monotonic seconds) and then every ``period``, infinite for once."""
        timer = Timer()
        self._push(due, period, message, timer)
        self._sleep.deadline = min(self._sleep.deadline, due)
        return timer

    async def run(self) -> None:
        """Ring what is due, until cancelled."""
        while True:
            now = trio.current_time()
            while self._heap and (self._heap[0][0] <= now or self._heap[0][4]._cancelled):
                self._pop(now)
            due = self._heap[0][0] if self._heap else math.inf
            with trio.CancelScope(deadline=due) as self._sleep:
                await trio.sleep_forever()

    def _pop(self, now: float) -> None:
        due, _, period, message, timer = heapq.heappop(self._heap)
        if timer._cancelled:
            return
        self._ring(message)
        if period != math.inf:
            self._push(next_beat(due, period, now), period, message, timer)

    def _push(self, due: float, period: float, message: object, timer: Timer) -> None:
        if len(self._heap) >= self._sift_at:
            self._sift()
        self._number += 1
        heapq.heappush(self._heap, (due, self._number, period, message, timer))

    def _sift(self) -> None:
        """Let go of those that were cancelled long before they are due."""
        self._heap = [entry for entry in self._heap if not entry[4]._cancelled]
        heapq.heapify(self._heap)
        self._sift_at = max(FEW, 2 * len(self._heap))


def next_beat(due: float, period: float, now: float) -> float:
    """The next beat that lies ahead; those that were missed are left out."""
    missed = max(0, math.floor((now - due) / period))
    beat = due + (missed + 1) * period
    # Fractions round: a beat at this very moment has been rung already.
    return beat if beat > now else beat + period
