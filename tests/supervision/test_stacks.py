"""The stacks of Trio tasks, which no thread's stack shows."""

import re
from collections.abc import AsyncIterator

import pytest
import trio
from trio.lowlevel import current_root_task, current_task
from trio.testing import wait_all_tasks_blocked

from supervision import stacks
from supervision.stacks import running_task, task_stacks


async def _inner() -> None:
    await trio.sleep_forever()


async def _outer() -> None:
    await _inner()


async def _deep(depth: int) -> None:
    if depth:
        await _deep(depth - 1)
    else:
        await trio.sleep_forever()


async def _numbers() -> AsyncIterator[int]:
    await trio.Event().wait()
    yield 1


async def _consumes() -> None:
    async for _ in _numbers():
        pass


async def _stack_of(fn: object, *args: object) -> str:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fn, *args, name="it")  # type: ignore[arg-type]
        await wait_all_tasks_blocked()
        (found,) = (s for s in task_stacks(current_root_task()) if s.startswith("Task 'it'"))
        nursery.cancel_scope.cancel()
    return found


async def test_a_waiting_task_is_shown_from_where_it_waits_to_where_it_began() -> None:
    """Innermost frame first, each with file, line and qualified name."""
    head, *frames = (await _stack_of(_outer)).splitlines()
    assert head == "Task 'it' (most recent call first):"
    names = [frame.rsplit(" in ", 1)[1] for frame in frames]
    assert names[-3:] == ["sleep_forever", "_inner", "_outer"]
    assert frames[-1].startswith(f'  File "{__file__}", line ')


async def test_asynchronous_generators_are_looked_through() -> None:
    """A reader that waits in a loop over messages is no dead end."""
    assert " in _numbers\n" in await _stack_of(_consumes)


async def test_of_a_deep_task_the_innermost_frames_are_shown_and_the_rest_counted() -> None:
    """What it waits for matters more than how it got there."""
    _, *frames, more = (await _stack_of(_deep, 60)).splitlines()
    assert len(frames) == stacks.FRAMES_SHOWN
    assert frames[-1].endswith(" in _deep")
    waiting = sum(not frame.endswith(" in _deep") for frame in frames)
    assert more == f"  ... {61 + waiting - stacks.FRAMES_SHOWN} more"


async def test_suspects_come_first_whatever_the_order_of_the_tree() -> None:
    """All of them, that is the tasks of one actor; without one nothing is moved."""
    async with trio.open_nursery() as nursery:
        for name in ("root/a", "root/b", "root/b: timers", "root/c"):
            nursery.start_soon(trio.sleep_forever, name=name)
        first = [s.splitlines()[0] for s in task_stacks(current_root_task(), "root/b")]
        usual = [s.splitlines()[0] for s in task_stacks(current_root_task())]
        nursery.cancel_scope.cancel()
    assert {story.split("'")[1] for story in first[:2]} == {"root/b", "root/b: timers"}
    assert sorted(first) == sorted(usual)


async def test_too_many_tasks_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of a process in trouble has bounds too."""
    monkeypatch.setattr(stacks, "TASKS_SHOWN", 3)
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(trio.sleep_forever)
        shown = list(task_stacks(current_root_task()))
        nursery.cancel_scope.cancel()
    assert len(shown) == stacks.TASKS_SHOWN + 1
    assert re.fullmatch(r"\.\.\. and \d+ more tasks\n", shown[-1])


async def test_the_running_task_is_named_without_its_frames() -> None:
    """They belong to its thread, which goes on while it is looked at."""
    me = current_task().name
    assert running_task(current_root_task()) == me
    assert f"Task {me!r} is running: see its thread\n" in list(task_stacks(current_root_task()))


def test_without_a_loop_there_is_nothing_to_show() -> None:
    """A watchdog may bark before the loop has begun."""
    assert list(task_stacks(None)) == []
    assert running_task(None) == ""


async def test_while_no_task_runs_none_is_named() -> None:
    """Seen from another thread while the loop waits."""
    root = current_root_task()
    assert await trio.to_thread.run_sync(running_task, root) == ""
