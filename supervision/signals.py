"""Ctrl-C and termination as messages.

The default KeyboardInterrupt is raised wherever the program happens to be, also in the middle of a
supervisor's bookkeeping. This actor takes the signals over; it belongs first in the tree, so that it
is up before and down after everything that a signal must not tear.
"""

import os
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any, Never

import trio

from .actor import Actor


class Signals(Actor[Never]):
    """Calls ``on_first`` at the first SIGINT or SIGTERM; at the second one ``exit_hard``.

    ``exit_hard`` gets 128 + the signal's number, the shell's convention. Needs the main thread.
    """

    def __init__(
        self,
        on_first: Callable[[signal.Signals], object],
        *,
        exit_hard: Callable[[int], object] = os._exit,
    ) -> None:
        self._on_first = on_first
        self._exit_hard = exit_hard

    async def started(self) -> None:
        """Take the signals over."""
        taken = trio.Event()
        self.context.start_task(self._receive, taken)
        await taken.wait()

    async def _receive(self, taken: trio.Event) -> None:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as arrivals:
            taken.set()
            await self._obey(arrivals)

    async def _obey(self, arrivals: AsyncIterator[Any]) -> None:
        first = True
        async for number in arrivals:
            if first:
                self._on_first(signal.Signals(number))
            else:
                self._exit_hard(128 + number)
            first = False
