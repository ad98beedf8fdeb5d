"""Pykka: an actor is a thread with a queue. It knows no supervision: an actor that fails is gone."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event
from time import perf_counter
from typing import Any

from pykka import ActorRef, ThreadingActor

from benchmarks.runtime.words import HOPS, WITHIN, Finish, Step, Tally


class _Handling(ThreadingActor):
    def __init__(self, handle: Callable[[Any], Any]) -> None:
        super().__init__()
        self._handle = handle

    def on_receive(self, message: Any) -> Any:
        return self._handle(message)


@contextmanager
def _reading(handle: Callable[[Any], Any]) -> Iterator[ActorRef[_Handling]]:
    ref = _Handling.start(handle)
    try:
        yield ref
    finally:
        ref.stop()


def burst(messages: int) -> list[float]:
    """Tell them all at once, wait until the last is handled: seconds per message."""
    steps = [Step(n) for n in range(messages)]
    done = Event()
    with _reading(Tally(messages, done.set).take) as ref:
        began = perf_counter()
        for step in steps:
            ref.tell(step)
        done.wait()
        return [(perf_counter() - began) / messages]


def asks(count: int) -> list[float]:
    """Ask one question after the other, each with a timeout: seconds each."""
    took: list[float] = []
    with _reading(lambda number: number) as ref:
        for number in range(count):
            began = perf_counter()
            answer = ref.ask(number, timeout=WITHIN)
            took.append(perf_counter() - began)
            assert answer == number
    return took


def chain(count: int) -> list[float]:
    """One message after the other through as many threads: seconds each."""
    arrived = Event()
    finish = Finish(arrived.set)
    took: list[float] = []
    with ExitStack() as stack:
        first = stack.enter_context(_reading(lambda _: finish.arrive()))
        for _ in range(HOPS - 1):
            first = stack.enter_context(_reading(first.tell))
        for number in range(count):
            arrived.clear()
            began = perf_counter()
            first.tell(Step(number))
            arrived.wait()
            took.append(finish.at - began)
    return took


def urgent(backlog: int) -> list[float]:
    """The last in one queue: seconds until it is handled."""
    seen = Event()
    finish = Finish(seen.set)
    with _reading(Tally(backlog + 1, finish.arrive).take) as ref:
        for number in range(backlog):
            ref.tell(Step(number))
        began = perf_counter()
        ref.tell(Step(-1))
        seen.wait()
    return [finish.at - began]
