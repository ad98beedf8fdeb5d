"""The last resort: a thread that ends the process when its event loop can no longer be trusted.

Trio cannot end a task that blocks or that swallows its cancellation, and a program that hangs while
others rely on it is worse than one that is restarted. So an actor pets a daemon thread; when it stops
doing so, the thread writes where everything is and exits. The service manager starts the process
again. Whoever finds out that the loop turns but cannot be cleaned up condemns the process himself.

Patience is counted in slices and not in seconds: of a process that was suspended (SIGSTOP, a machine
that sleeps) the clock goes on, and to judge by it would end a healthy process at the moment it
resumes. However long the suspension, it is one slice, and the loop has the rest to show itself.

What is written goes to the file descriptor, past the program's logging: a lock that the stuck loop
holds cannot stop it. A reader that has stopped can, so writing has a time limit of its own.
"""

import faulthandler
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Never

import trio
from attrs import frozen

from .actor import Actor
from .cpu_alarm import CpuAlarm
from .stacks import running_task, task_stacks

EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h: an internal failure."""
SLICES = 10
"""Slices of patience; all of them must pass without a sign of life."""
WRITTEN_WITHIN = 5.0
"""Seconds that the stacks may take to be written before the process ends without them."""


def in_words(reason: str) -> str:
    """What is written above the stacks, unless the program has its own words."""
    return (
        f"watchdog: {reason}; the process ends itself with exit code {EXIT_CODE}, to be restarted"
    )


@frozen
class _Verdict:
    reason: str
    tasks: str
    """Stacks of the Trio tasks; empty when they are still to be taken."""


class Watchdog:
    """A thread that wants to be petted at least every ``within`` seconds of real time.

    When it is not, or when told to :meth:`condemn`, it writes ``announce(reason)`` and the stacks of
    all threads and Trio tasks to a file descriptor (that of stderr), and calls ``end`` with the
    exit code. All of that happens once, in threads of its own; ``announce`` must not wait for
    anything. ``wait`` is for tests: it sleeps so many seconds or until a sign of life (True).

    With ``cpu_within`` the kernel watches the thread: see :mod:`supervision.cpu_alarm`.
    """

    def __init__(
        self,
        *,
        within: float,
        cpu_within: float | None = None,
        announce: Callable[[str], str] = in_words,
        file: int | None = None,
        end: Callable[[int], object] = os._exit,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        if within <= 0:
            raise ValueError(f"a watchdog needs a positive number of seconds, not {within}")
        self._within = within
        self._announce = announce
        self._file = _stderr() if file is None else file
        self._alarm = None if cpu_within is None else CpuAlarm(within=cpu_within, file=self._file)
        self._end = end
        self._sign = threading.Event()
        self._wait = wait or self._sign.wait
        self._dismissed = False
        self._verdict: _Verdict | None = None
        self._root: trio.lowlevel.Task | None = None
        self._thread = threading.Thread(target=self._guard, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch; the first pet is due ``within`` seconds from now."""
        self._thread.start()

    def attend(self, root: trio.lowlevel.Task | None) -> None:
        """Tell whose tasks to show when the loop hangs: those of this root task."""
        self._root = root

    def pet(self) -> None:
        """Show that the loop still turns; cheap, from any thread."""
        self._sign.set()

    def condemn(self, reason: str, suspect: str = "") -> None:
        """End the process although its loop turns; from the loop's thread, the first call counts.

        ``reason`` is a clause without its full stop. The Trio tasks whose names begin with
        ``suspect`` come first among the stacks, which are those of this very moment.
        """
        if self._verdict is not None:
            return
        tasks = ""
        try:
            tasks = "".join(task_stacks(trio.lowlevel.current_root_task(), suspect))
        finally:
            self._verdict = _Verdict(reason, tasks)
            self._sign.set()

    def stop(self) -> None:
        """Stop watching; returns when the thread has ended."""
        self._dismissed = True
        self._sign.set()
        self._thread.join()

    def _guard(self) -> None:
        with self._alarm or nullcontext():
            if self._loses_patience():
                self._leave()

    def _loses_patience(self) -> bool:
        """Wait for that; False when dismissed before."""
        missed = 0
        while missed < SLICES and self._verdict is None:
            if self._alarm is not None:
                self._alarm.postpone()
            if self._wait(self._within / SLICES):
                # Before looking at what it meant, or the next sign could be wiped out unseen.
                self._sign.clear()
                missed = 0
                if self._dismissed and self._verdict is None:
                    return False
            else:
                missed += 1
        return True

    def _leave(self) -> None:
        try:
            writer = threading.Thread(target=self._write, name="last words", daemon=True)
            writer.start()
            writer.join(WRITTEN_WITHIN)
        finally:
            self._end(EXIT_CODE)

    def _write(self) -> None:
        verdict = self._verdict or _Verdict(self._stalled(), "")
        try:
            _put(self._file, f"{self._announce(verdict.reason)}\n")
        finally:
            faulthandler.dump_traceback(self._file, all_threads=True)
        _put(self._file, verdict.tasks or "".join(task_stacks(self._root)))

    def _stalled(self) -> str:
        reason = f"the event loop has not turned for {self._within:g} s"
        task = running_task(self._root)
        return f"{reason}: the task {task!r} does not let go of it" if task else reason


def _stderr() -> int:
    """Where the interpreter's errors went at its start; nowhere when that was closed."""
    stream = sys.__stderr__
    return os.open(os.devnull, os.O_WRONLY) if stream is None else stream.fileno()


def _put(file: int, text: str) -> None:
    left = text.encode(errors="backslashreplace")
    while left:
        left = left[os.write(file, left) :]


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
        self._watchdog.attend(trio.lowlevel.current_root_task())
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
