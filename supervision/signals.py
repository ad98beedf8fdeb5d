"""Ctrl-C and termination as messages.

The default KeyboardInterrupt is raised wherever the program happens to be, also in the middle of a
supervisor's bookkeeping. This actor takes the signals over; it belongs first in the tree, so that it
is up before and down after everything that a signal must not tear.
"""

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any, Never

import trio

from .actor import Actor


class Signals(Actor[Never]):
    """Calls ``on_first`` at the first SIGINT or SIGTERM; at the second one ``exit_hard``.

    ``exit_hard`` gets 128 + the signal's number, the shell's convention. ``on_dump`` is called at
    every SIGUSR1, where there is one: to show the tree in the log. Needs the main thread.
    """

    def __init__(
        self,
        on_first: Callable[[signal.Signals], object],
        *,
        exit_hard: Callable[[int], object] = os._exit,
        on_dump: Callable[[], object] | None = None,
    ) -> None:
        self._on_first = on_first
        self._exit_hard = exit_hard
        self._on_dump = on_dump
        self._taken: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)
        if on_dump is not None and sys.platform != "win32":
            self._taken += (signal.SIGUSR1,)

    async def started(self) -> None:
        """Take the signals over."""
        taken = trio.Event()
        self.context.start_task(self._receive, taken)
        await taken.wait()

    async def _receive(self, taken: trio.Event) -> None:
        with trio.open_signal_receiver(*self._taken) as arrivals:
            taken.set()
            await self._obey(arrivals)

    async def _obey(self, arrivals: AsyncIterator[Any]) -> None:
        first = True
        async for number in arrivals:
            if self._on_dump is not None and number not in (signal.SIGINT, signal.SIGTERM):
                self._on_dump()
                continue
            if first:
                self._on_first(signal.Signals(number))
            else:
                self._exit_hard(128 + number)
            first = False
