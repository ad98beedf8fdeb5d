"""``seawall run`` with a fault in it: ``python -m tests.e2e.faulty_daemon CONFIG FAULT MARKER``.

The rules of the first account misbehave once, at the first position they are shown: the marker file
remembers it, so that the next life of the daemon is a healthy one. Patience is shortened, so that a
test need not wait for what takes seconds in earnest; everything else is the real program.
"""

import sys
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from functools import partial
from pathlib import Path

import trio

import actors.daemon
import console.daemon
import supervision.actor_body
import supervision.overseer
from actors.messages import Evaluate
from actors.rules import Rules
from console.loaded import load_or_exit
from console.service import Surroundings
from supervision import ChildSpec

FAULTY = "SIM-50K-1"
STUCK_AFTER = 2.0
"""Seconds without a sign of life from the loop."""


class Nothing:
    """An awaitable that does not yield."""

    def __await__(self) -> Generator[None]:
        yield from ()


async def blocks_the_loop() -> None:
    """Wait for something else than Trio."""
    time.sleep(30)  # noqa: ASYNC251 - the fault


async def never_checkpoints() -> None:
    """Go round and round, and look asynchronous."""
    while True:
        await Nothing()


async def swallows_cancellation() -> None:
    """Refuse to end."""
    while True:
        with suppress(trio.Cancelled):
            await trio.sleep(0.01)


FAULTS: dict[str, Callable[[], Awaitable[None]]] = {
    each.__name__: each for each in (blocks_the_loop, never_checkpoints, swallows_cancellation)
}


def first_time(marker: Path) -> bool:
    """Tell so once, whichever life asks."""
    if marker.exists():
        return False
    marker.touch()
    return True


def plant(fault: Callable[[], Awaitable[None]], marker: Path) -> None:
    """Have the first evaluation of a position on the faulty account go wrong."""
    healthy = Rules.handle

    async def handle(self: Rules, message: Evaluate) -> None:
        holds = bool(message.holdings.positions)
        if holds and FAULTY in self.context.self.path and first_time(marker):
            await fault()
        await healthy(self, message)

    Rules.handle = handle  # type: ignore[method-assign]


def shorten() -> None:
    """Less patience with the loop, with handlers, with what was cancelled."""
    vars(console.daemon)["Surroundings"] = partial(Surroundings, stuck_after=STUCK_AFTER)
    vars(actors.daemon)["ChildSpec"] = partial(ChildSpec, handle_within=0.5)
    supervision.overseer.PERIOD = 0.25
    supervision.actor_body.STUCK_AFTER = 0.5


if __name__ == "__main__":
    config, fault, marker = sys.argv[1:]
    shorten()
    if fault in FAULTS:
        plant(FAULTS[fault], Path(marker))
    sys.exit(console.daemon.guard(load_or_exit(Path(config), for_run=True)))
