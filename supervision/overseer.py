"""Looks at times for what supervision by messages cannot see: handlers that do not come back.

A deadline around every message would cost more than the message. So a task of the system looks at
all actors every few seconds; a handler that is over its time by then is cancelled, and what does not
even obey that is reported as stuck, for whoever can end the process.

A look that comes much too late means that the whole process stood still (suspended, or the machine
slept): the handlers had no more of that time than the overseer. So everything that goes on then is
taken to have begun at that look; but never at two looks in a row, or a loop that is always late would
never be looked after.
"""

import math

import trio

from .child import Child

PERIOD = 2.5
"""Seconds between two looks: a handler may be late by that much."""


async def oversee(root: Child, ended: trio.Event) -> None:
    """Look after the tree until it has ended, also while it stops because of a cancellation."""
    late = False
    since = -math.inf
    with trio.CancelScope(shield=True):
        while not ended.is_set():
            due = trio.current_time() + PERIOD
            with trio.move_on_at(due):
                await ended.wait()
            now = trio.current_time()
            late = now > due + PERIOD and not late
            if late:
                since = now
            root.body.oversee(root, now, since)
