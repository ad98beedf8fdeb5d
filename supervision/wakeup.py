"""One sleeping task, woken at once.

The owner keeps the condition (a queue that is not empty, a flag) and looks at it again after every
wake-up, so nothing is handed over while waking and nothing can be lost when the sleeper is cancelled
in the same instant.
"""

import trio


class Wakeup:
    """Lets a single task sleep until somebody wakes it; waking nobody does nothing."""

    __slots__ = ("_sleeper",)

    def __init__(self) -> None:
        self._sleeper: trio.lowlevel.Task | None = None

    def wake(self) -> None:
        """Schedule the sleeper, if there is one."""
        sleeper = self._sleeper
        if sleeper is not None:
            self._sleeper = None
            trio.lowlevel.reschedule(sleeper)

    async def sleep(self) -> None:
        """Sleep until woken; a checkpoint. Only one task may sleep here at a time."""
        if self._sleeper is not None:
            raise RuntimeError("another task already sleeps here")
        self._sleeper = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._forget)

    def _forget(self, _: object) -> trio.lowlevel.Abort:
        self._sleeper = None
        return trio.lowlevel.Abort.SUCCEEDED
