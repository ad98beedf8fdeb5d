"""Seawall's own actors, each under a supervisor, as they run in the daemon."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from time import perf_counter, thread_time
from typing import Any

import trio

from benchmarks.runtime.words import HOPS, WITHIN, Alarm, Finish, Question, Quote, Step, Tally
from supervision import (
    Actor,
    Backoff,
    ChildSpec,
    Intensity,
    Ref,
    SupervisorSpec,
    open_system,
)

_OFTEN = Intensity(restarts=1_000, period=0.01)
"""Seconds: a budget that a crash every 0.1 ms does not use up."""
_AT_ONCE = Backoff(initial=0.0, calm=1e-9)
"""Every restart is a first one."""


class _Counter(Actor[Step | Quote]):
    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    async def handle(self, message: Step | Quote) -> None:
        self._tally.take(message)


class _Answering(Actor[Question]):
    async def handle(self, message: Question) -> None:
        message.reply.send(message.number)


class _Link(Actor[Step]):
    def __init__(self, onward: Callable[[Step], None]) -> None:
        self._onward = onward

    async def handle(self, message: Step) -> None:
        self._onward(message)


class _Guard(Actor[Step | Quote | Alarm]):
    def __init__(self, tally: Tally, finish: Finish) -> None:
        self._tally = tally
        self._finish = finish

    async def handle(self, message: Step | Quote | Alarm) -> None:
        if isinstance(message, Alarm) or message.number < 0:
            self._finish.arrive()
        else:
            self._tally.take(message)


class _Fragile(Actor[Step]):
    """Notes when it broke, and in its next incarnation when it was back."""

    def __init__(self, broke: Finish, back: Finish) -> None:
        self._broke = broke
        self._back = back

    async def started(self) -> None:
        self._back.arrive()

    async def handle(self, message: Step) -> None:
        self._broke.arrive()
        raise RuntimeError(f"broken by {message.number}")


@asynccontextmanager
async def _running(*children: ChildSpec[Any]) -> AsyncIterator[None]:
    root = SupervisorSpec("measured", children, intensity=_OFTEN, backoff=_AT_ONCE)
    async with open_system(root, chance=random.Random(1)):
        yield


def burst(messages: int) -> list[float]:
    """Tell them all at once, wait until the last is handled: seconds per message."""
    return trio.run(_burst, [Step(n) for n in range(messages)])


async def _burst(steps: list[Step]) -> list[float]:
    done = trio.Event()
    tally = Tally(len(steps), done.set)
    ref: Ref[Step | Quote] = Ref("reader", capacity=len(steps))
    async with _running(ChildSpec("reader", ref, lambda: _Counter(tally))):
        began = perf_counter()
        for step in steps:
            ref.tell(step)
        await done.wait()
        return [(perf_counter() - began) / len(steps)]


def asks(count: int) -> list[float]:
    """Ask one question after the other, each with a deadline: seconds each."""
    return trio.run(_asks, count)


async def _asks(count: int) -> list[float]:
    ref: Ref[Question] = Ref("answering")
    took: list[float] = []
    async with _running(ChildSpec("answering", ref, _Answering)):
        for number in range(count):
            began = perf_counter()
            answer = await ref.ask(partial(Question, number=number), within=WITHIN)
            took.append(perf_counter() - began)
            assert answer == number
    return took


def chain(count: int) -> list[float]:
    """Send one message after the other through the chain: seconds each."""
    return trio.run(_chain, count)


async def _chain(count: int) -> list[float]:
    refs = [Ref[Step](f"link {n}") for n in range(HOPS)]
    finish = Finish()
    onward: list[Callable[[Step], None]] = [ref.tell for ref in refs[1:]]
    onward.append(lambda _: finish.arrive())
    links = [
        ChildSpec(f"link {n}", ref, partial(_Link, tell))
        for n, (ref, tell) in enumerate(zip(refs, onward, strict=True))
    ]
    took: list[float] = []
    async with _running(*links):
        for number in range(count):
            arrived = trio.Event()
            finish.expect(arrived.set)
            began = perf_counter()
            refs[0].tell(Step(number))
            await arrived.wait()
            took.append(finish.at - began)
    return took


def urgent_by_lane(backlog: int) -> list[float]:
    """An alarm on the control lane, told while quotes of so many keys are being handled."""
    return trio.run(_urgent, [Quote(n) for n in range(backlog)], Alarm())


def urgent_from_due(backlog: int) -> list[float]:
    """The same, counted from the instant at which a timer should have told it.

    What is being handled just then delays the one who tells, too: on a loop that takes turns this
    is as much the price of a turn as of the mailbox, so it is shown without a target.
    """
    return trio.run(partial(_urgent, due_in=0.0005), [Quote(n) for n in range(backlog)], Alarm())


def urgent_in_line(backlog: int) -> list[float]:
    """The same word in the same lane as everything before it."""
    return trio.run(_urgent, [Step(n) for n in range(backlog)], Step(-1))


async def _urgent(
    backlog: list[Step] | list[Quote], urgent: Step | Alarm, due_in: float = 0.0
) -> list[float]:
    drained, seen = trio.Event(), trio.Event()
    tally, finish = Tally(len(backlog), drained.set), Finish(seen.set)
    ref: Ref[Step | Quote | Alarm] = Ref("guard", capacity=len(backlog) + 1)
    async with _running(ChildSpec("guard", ref, lambda: _Guard(tally, finish))):
        for message in backlog:
            ref.tell(message)
        due = perf_counter() + due_in
        await trio.sleep(due_in)
        began = due if due_in else perf_counter()
        ref.tell(urgent)
        await seen.wait()
        await drained.wait()
        return [finish.at - began]


def crashes(count: int) -> list[float]:
    """From the raise in a handler until ``started`` of the next incarnation is done: seconds each."""
    return trio.run(_crashes, count, perf_counter)


def crashes_worked(count: int) -> list[float]:
    """The same in seconds of the processor: what it takes when nobody else has it meanwhile."""
    return trio.run(_crashes, count, thread_time)


async def _crashes(count: int, clock: Callable[[], float]) -> list[float]:
    broke, back = Finish(clock=clock), Finish(clock=clock)
    refs = [Ref[Step](f"child {n}") for n in range(HOPS)]
    children = [
        ChildSpec(f"child {n}", ref, lambda: _Fragile(broke, back)) for n, ref in enumerate(refs)
    ]
    took: list[float] = []
    async with _running(*children):
        for number in range(count):
            restarted = trio.Event()
            back.expect(restarted.set)
            refs[number % HOPS].tell(Step(number))
            await restarted.wait()
            took.append(back.at - broke.at)
    return took
