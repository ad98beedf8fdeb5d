"""Where everything is, as text, for a process that is about to be ended.

The stacks of threads (faulthandler) show what runs; a Trio task that waits is on none of them, and it
is the one of interest when an actor swallows its cancellation. The text has faulthandler's shape, no
source lines: reading those takes files and locks, which the last minute of a process may not have.
"""

from collections.abc import Iterator
from itertools import islice
from types import CodeType

import trio

TASKS_SHOWN = 500
FRAMES_SHOWN = 50
"""Of one task, innermost; what is left out is counted."""


def task_stacks(root: trio.lowlevel.Task | None, suspect: str = "") -> Iterator[str]:
    """Each task below ``root`` with its frames, innermost first; one text per task.

    Tasks whose names begin with ``suspect`` come first. Reads what the loop's thread owns: call it
    there, or where that thread hangs. A task that is running is named and no more: its frames
    belong to a thread.
    """
    tasks = sorted(_below(root), key=lambda task: not _is(task, suspect))
    for task in islice(tasks, TASKS_SHOWN):
        yield _story(task)
    if len(tasks) > TASKS_SHOWN:
        yield f"... and {len(tasks) - TASKS_SHOWN} more tasks\n"


def running_task(root: trio.lowlevel.Task | None) -> str:
    """Name of the task that keeps the loop at this moment; empty when none does."""
    return next((task.name for task in _below(root) if _runs(task)), "")


def _below(root: trio.lowlevel.Task | None) -> Iterator[trio.lowlevel.Task]:
    waiting = [] if root is None else [root]
    while waiting:
        task = waiting.pop()
        yield task
        # Both are copies: the loop may go on after all, and change them.
        for nursery in task.child_nurseries:
            waiting += nursery.child_tasks


def _is(task: trio.lowlevel.Task, suspect: str) -> bool:
    return bool(suspect) and task.name.startswith(suspect)


def _runs(task: trio.lowlevel.Task) -> bool:
    return bool(getattr(task.coro, "cr_running", False))


def _story(task: trio.lowlevel.Task) -> str:
    if _runs(task):
        return f"Task {task.name!r} is running: see its thread\n"
    frames = [_place(frame.f_code, line) for frame, line in task.iter_await_frames()]
    shown = "".join(frames[: -FRAMES_SHOWN - 1 : -1])
    more = f"  ... {len(frames) - FRAMES_SHOWN} more\n" if len(frames) > FRAMES_SHOWN else ""
    return f"Task {task.name!r} (most recent call first):\n{shown}{more}"


def _place(code: CodeType, line: int) -> str:
    return f'  File "{code.co_filename}", line {line} in {code.co_qualname}\n'
