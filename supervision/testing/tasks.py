"""Tasks that outlive what started them.

Trio's nurseries make it hard to leave a task behind, and yet it happens: an actor is given a
nursery from outside, or somebody starts a system task. So the whole task tree is compared, system
tasks included. Blocks that overlap in one run would see each other's tasks; they are judged
together, when the last one is over.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import trio
from attrs import define

TURNS = 100
"""Turns of the scheduler that a task which was cancelled already gets to end."""


@define
class _Watch:
    """The blocks that are open in this run, and the tasks there were before the first."""

    before: frozenset[trio.lowlevel.Task]
    blocks: int = 0


_watch: trio.lowlevel.RunVar[_Watch | None] = trio.lowlevel.RunVar("leaked tasks", None)


@asynccontextmanager
async def no_leaked_tasks() -> AsyncIterator[None]:
    """AssertionError naming every task that came up since, anywhere, and is still alive.

    Nothing is looked for when the block fails by itself.
    """
    watch = _watch.get()
    if watch is None or not watch.blocks:
        watch = _Watch(frozenset(_tasks()))
        _watch.set(watch)
    watch.blocks += 1
    try:
        yield
    finally:
        watch.blocks -= 1
    if not watch.blocks:
        await _assert_nothing_new(watch.before)


async def _assert_nothing_new(before: frozenset[trio.lowlevel.Task]) -> None:
    turns = 0
    while leaked := [task for task in _tasks() if task not in before]:
        if turns == TURNS:
            named = "\n".join(f"  {_name(task)}" for task in leaked)
            raise AssertionError(f"tasks left behind:\n{named}")
        turns += 1
        await trio.lowlevel.checkpoint()


def _tasks() -> Iterator[trio.lowlevel.Task]:
    root = trio.lowlevel.current_root_task()
    assert root is not None  # there is a run
    waiting = [root]
    while waiting:
        task = waiting.pop()
        yield task
        waiting.extend(each for nursery in task.child_nurseries for each in nursery.child_tasks)


def _name(task: trio.lowlevel.Task) -> str:
    nursery = task.parent_nursery
    if nursery is None or nursery.parent_task is trio.lowlevel.current_root_task():
        return f"{task.name}, a system task"
    return f"{task.name}, in a nursery of {nursery.parent_task.name}"
