"""The actor that asyncio comes with: a task that reads a queue. It knows no failure and no lanes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter
from typing import Any

from benchmarks.runtime.words import HOPS, WITHIN, Finish, Step, Tally


@asynccontextmanager
async def _reading(
    queue: asyncio.Queue[Any], handle: Callable[[Any], object]
) -> AsyncIterator[None]:
    async def read() -> None:
        while True:
            handle(await queue.get())

    reader = asyncio.create_task(read())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        reader.cancel()


def burst(messages: int) -> list[float]:
    """``put_nowait`` all, wait until the last is handled: seconds per message."""
    return asyncio.run(_burst([Step(n) for n in range(messages)]))


async def _burst(steps: list[Step]) -> list[float]:
    done = asyncio.Event()
    queue = asyncio.Queue[Step]()
    async with _reading(queue, Tally(len(steps), done.set).take):
        began = perf_counter()
        for step in steps:
            queue.put_nowait(step)
        await done.wait()
        return [(perf_counter() - began) / len(steps)]


def asks(count: int) -> list[float]:
    """A future as reply, awaited by ``wait_for``: seconds each."""
    return asyncio.run(_asks(count))


async def _asks(count: int) -> list[float]:
    queue = asyncio.Queue[tuple[asyncio.Future[int], int]]()
    took: list[float] = []
    loop = asyncio.get_running_loop()
    async with _reading(queue, lambda asked: asked[0].set_result(asked[1])):
        for number in range(count):
            began = perf_counter()
            reply: asyncio.Future[int] = loop.create_future()
            queue.put_nowait((reply, number))
            answer = await asyncio.wait_for(reply, WITHIN)
            took.append(perf_counter() - began)
            assert answer == number
    return took


def chain(count: int) -> list[float]:
    """One message after the other through as many queues: seconds each."""
    return asyncio.run(_chain(count))


async def _chain(count: int) -> list[float]:
    queues = [asyncio.Queue[Step]() for _ in range(HOPS)]
    finish = Finish()
    onward: list[Callable[[Step], None]] = [queue.put_nowait for queue in queues[1:]]
    onward.append(lambda _: finish.arrive())
    took: list[float] = []
    async with AsyncExitStack() as stack:
        for queue, handle in zip(queues, onward, strict=True):
            await stack.enter_async_context(_reading(queue, handle))
        for number in range(count):
            arrived = asyncio.Event()
            finish.expect(arrived.set)
            began = perf_counter()
            queues[0].put_nowait(Step(number))
            await arrived.wait()
            took.append(finish.at - began)
    return took


def urgent(backlog: int) -> list[float]:
    """The last in one queue: seconds until it is handled."""
    return asyncio.run(_urgent(backlog))


async def _urgent(backlog: int) -> list[float]:
    seen = asyncio.Event()
    finish = Finish(seen.set)
    queue = asyncio.Queue[Step]()
    async with _reading(queue, Tally(backlog + 1, finish.arrive).take):
        for number in range(backlog):
            queue.put_nowait(Step(number))
        began = perf_counter()
        queue.put_nowait(Step(-1))
        await seen.wait()
    return [finish.at - began]
