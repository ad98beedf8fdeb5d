"""The last resort: a thread that ends the process when its event loop no longer turns.

Trio cannot end a task that blocks or that swallows its cancellation, and a risk manager that hangs
is worse than one that is restarted. So an actor pets a daemon thread; when it stops doing so, the
thread writes the stacks of all threads and exits. The service manager starts the process again.
"""

import faulthandler
import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Never

import trio

from .actor import Actor

EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h: an internal failure."""


def _dump_stacks() -> None:
    faulthandler.dump_traceback(file=sys.__stderr__ or sys.stderr, all_threads=True)


class Watchdog:
    """A thread that wants to be petted at least every ``within`` seconds of real time.

    ``end`` is called with the exit code after ``dump``; both run in the thread, once.
    """

    def __init__(
        self,
        *,
        within: float,
        end: Callable[[int], object] = os._exit,
        dump: Callable[[], object] = _dump_stacks,
    ) -> None:
        if within <= 0:
            raise ValueError(f"a watchdog needs a positive number of seconds, not {within}")
        self._within = within
        self._end = end
        self._dump = dump
        self._petted = threading.Event()
        self._dismissed = False
        self._thread = threading.Thread(target=self._guard, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch; the first pet is due ``within`` seconds from now."""
        self._thread.start()

    def pet(self) -> None:
        """Show that the loop still turns; cheap, from any thread."""
        self._petted.set()

    def stop(self) -> None:
        """Stop watching; returns when the thread has ended."""
        self._dismissed = True
        self._petted.set()
        self._thread.join()

    def _guard(self) -> None:
        while self._petted.wait(self._within):
            if self._dismissed:
                return
            self._petted.clear()
        try:
            self._dump()
        finally:
            self._end(EXIT_CODE)


class LoopLag(Actor[Never]):
    """Pets a watchdog every ``every`` seconds and measures how late the loop lets it.

    Lags are in seconds: how long after its time a sleeping task got to run.
    """

    def __init__(self, watchdog: Watchdog, *, every: float = 0.5) -> None:
        self._watchdog = watchdog
        self._every = every
        self._lag = 0.0
        self._worst = 0.0

    async def started(self) -> None:
        """Begin to pet."""
        self._watchdog.pet()
        self.context.start_task(self._beat)

    def status(self) -> Mapping[str, object]:
        """The latest and the worst lag."""
        return {"lag": self._lag, "worst_lag": self._worst}

    async def _beat(self) -> None:
        while True:
            due = trio.current_time() + self._every
            await trio.sleep_until(due)
            self._lag = trio.current_time() - due
            self._worst = max(self._worst, self._lag)
            self._watchdog.pet()
