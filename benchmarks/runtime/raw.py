"""Bare Trio: tasks and memory channels, nothing around them."""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from itertools import pairwise
from math import inf
from time import perf_counter

import trio

from benchmarks.runtime.words import HOPS, WITHIN, Finish, Step, Tally

type _Send = trio.MemorySendChannel[Step]
type _Receive = trio.MemoryReceiveChannel[Step]


def burst_awaited(messages: int) -> list[float]:
    """``await send`` and ``await receive`` for each message, room for all: seconds per message."""
    return trio.run(_burst, messages, messages, _send_awaited, _receive_awaited)


def burst_handed_over(messages: int) -> list[float]:
    """The same without room: each message is handed from task to task."""
    return trio.run(_burst, messages, 0, _send_awaited, _receive_awaited)


def burst_nowait(messages: int) -> list[float]:
    """``send_nowait`` all of them; the reader still awaits each."""
    return trio.run(_burst, messages, messages, _send_nowait, _receive_awaited)


def burst_drained(messages: int) -> list[float]:
    """``send_nowait`` all of them; the reader awaits one and takes the rest without a checkpoint."""
    return trio.run(_burst, messages, messages, _send_nowait, _receive_drained)


async def _burst(
    messages: int,
    room: int,
    write: Callable[[_Send, list[Step]], Awaitable[None] | None],
    read: Callable[[_Receive, Tally], Awaitable[None]],
) -> list[float]:
    steps = [Step(n) for n in range(messages)]
    done = trio.Event()
    send, receive = trio.open_memory_channel[Step](room)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(read, receive, Tally(messages, done.set))
        await trio.lowlevel.checkpoint()
        began = perf_counter()
        if (writing := write(send, steps)) is not None:
            await writing
        await done.wait()
        took = perf_counter() - began
        nursery.cancel_scope.cancel()
    return [took / messages]


async def _send_awaited(send: _Send, steps: list[Step]) -> None:
    for step in steps:
        await send.send(step)


def _send_nowait(send: _Send, steps: list[Step]) -> None:
    for step in steps:
        send.send_nowait(step)


async def _receive_awaited(receive: _Receive, tally: Tally) -> None:
    while True:
        tally.take(await receive.receive())


async def _receive_drained(receive: _Receive, tally: Tally) -> None:
    while True:
        tally.take(await receive.receive())
        try:
            while True:
                tally.take(receive.receive_nowait())
        except trio.WouldBlock:
            pass


def asks(count: int) -> list[float]:
    """There and back over two channels between two tasks: seconds each."""
    return trio.run(_asks, count, False)


def asks_with_deadline(count: int) -> list[float]:
    """The same, each time under ``move_on_after``."""
    return trio.run(_asks, count, True)


async def _asks(count: int, bounded: bool) -> list[float]:
    ask, asked = trio.open_memory_channel[int](1)
    answer, answered = trio.open_memory_channel[int](1)
    took: list[float] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_answer, asked, answer)
        for number in range(count):
            began = perf_counter()
            with trio.move_on_after(WITHIN) if bounded else nullcontext():
                await ask.send(number)
                assert await answered.receive() == number
            took.append(perf_counter() - began)
        nursery.cancel_scope.cancel()
    return took


async def _answer(
    asked: trio.MemoryReceiveChannel[int], answer: trio.MemorySendChannel[int]
) -> None:
    while True:
        await answer.send(await asked.receive())


def chain(count: int) -> list[float]:
    """One message after the other through as many tasks: seconds each."""
    return trio.run(_chain, count)


async def _chain(count: int) -> list[float]:
    channels = [trio.open_memory_channel[Step](1) for _ in range(HOPS)]
    finish = Finish()
    took: list[float] = []
    async with trio.open_nursery() as nursery:
        for (_, receive), (send, _) in pairwise(channels):
            nursery.start_soon(_pass_on, receive, send)
        nursery.start_soon(_arrive, channels[-1][1], finish)
        for number in range(count):
            arrived = trio.Event()
            finish.expect(arrived.set)
            began = perf_counter()
            await channels[0][0].send(Step(number))
            await arrived.wait()
            took.append(finish.at - began)
        nursery.cancel_scope.cancel()
    return took


async def _pass_on(receive: _Receive, send: _Send) -> None:
    while True:
        await send.send(await receive.receive())


async def _arrive(receive: _Receive, finish: Finish) -> None:
    while True:
        await receive.receive()
        finish.arrive()


def urgent(backlog: int) -> list[float]:
    """One channel; the urgent message is the last in it: seconds until it is handled."""
    return trio.run(_urgent, backlog)


async def _urgent(backlog: int) -> list[float]:
    seen = trio.Event()
    finish = Finish(seen.set)
    tally = Tally(backlog + 1, finish.arrive)
    send, receive = trio.open_memory_channel[Step](inf)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_receive_drained, receive, tally)
        for number in range(backlog):
            send.send_nowait(Step(number))
        began = perf_counter()
        send.send_nowait(Step(-1))
        await seen.wait()
        nursery.cancel_scope.cancel()
    return [finish.at - began]


def crashes(count: int) -> list[float]:
    """A task fails, a sleeping one is cancelled with it, both are started anew: seconds each."""
    return trio.run(_crashes, count)


async def _crashes(count: int) -> list[float]:
    broke, took = list[float](), list[float]()
    for _ in range(count + 1):
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                nursery.start_soon(_break, broke, took)
        except* RuntimeError:
            pass
    return took


async def _break(broke: list[float], took: list[float]) -> None:
    if broke:
        took.append(perf_counter() - broke[-1])
    await trio.lowlevel.checkpoint()
    broke.append(perf_counter())
    raise RuntimeError("broken")
