"""Looks at times for what supervision by messages cannot see: handlers that do not come back.

A deadline around every message would cost more than the message. So a task of the system looks at
all actors every few seconds; a handler that is over its time by then is cancelled, and what does not
even obey that is reported as stuck, for whoever can end the process.
"""

import trio

from .child import Child

PERIOD = 2.5
"""Seconds between two looks: a handler may be late by that much."""


async def oversee(root: Child, ended: trio.Event) -> None:
    """Look after the tree until it has ended, also while it stops because of a cancellation."""
    with trio.CancelScope(shield=True):
        while not ended.is_set():
            with trio.move_on_after(PERIOD):
                await ended.wait()
            root.body.oversee(root, trio.current_time())
