"""Ctrl-C and termination arrive as calls, not as exceptions in odd places."""

import os
import random
import signal

import pytest
import trio

from supervision import Actor, ChildSpec, Ref, SupervisorSpec, open_system
from supervision.signals import Signals
from supervision.testing import open_test_system, until


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_first_signal_asks_and_the_second_ends(number: signal.Signals) -> None:
    """One is a request for an ordered stop; two mean now, with the shell's exit code."""
    asked: list[signal.Signals] = []
    ended: list[int] = []
    spec = ChildSpec(
        "signals", Ref("signals"), lambda: Signals(asked.append, exit_hard=ended.append)
    )
    async with open_test_system(SupervisorSpec("root", (spec,))):
        send(number)
        await until(lambda: len(asked) == 1, within=10)
        assert ended == []
        send(number)
        await until(lambda: len(ended) == 1, within=10)
    assert asked == [number]
    assert ended == [128 + number]


async def test_a_signal_stops_the_tree_in_order_and_the_actor_goes_last() -> None:
    """First up, last down: a signal during the stop of the others is still heard."""
    diary: list[str] = []
    stop = trio.Event()

    class Work(Actor[str]):
        async def stopping(self) -> None:
            send(signal.SIGINT)
            await until(lambda: "hard" in diary, within=10)
            diary.append("stopped")

    def note(_: int) -> None:
        diary.append("hard")

    children = (
        ChildSpec("signals", Ref("signals"), lambda: Signals(lambda _: stop.set(), exit_hard=note)),
        ChildSpec("work", Ref("work"), Work, stop_within=30),
    )
    async with open_system(SupervisorSpec("root", children), chance=random.Random(0)):
        send(signal.SIGTERM)
        await stop.wait()
    assert diary == ["hard", "stopped"]


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this platform has no SIGUSR1")
async def test_a_signal_shows_the_tree_as_often_as_one_likes_and_ends_nothing() -> None:
    """The others still mean what they mean."""
    asked: list[signal.Signals] = []
    dumps: list[int] = []
    spec = ChildSpec(
        "signals", Ref("signals"), lambda: Signals(asked.append, on_dump=lambda: dumps.append(1))
    )
    async with open_test_system(SupervisorSpec("root", (spec,))):
        for count in (1, 2):
            send(signal.SIGUSR1)
            await until(lambda: len(dumps) >= count, within=10)  # noqa: B023 - used in here
        send(signal.SIGTERM)
        await until(lambda: asked == [signal.SIGTERM], within=10)
    assert len(dumps) == 2
