"""An actor crashed on purpose falls like any other, and takes no message with it."""

import random
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from supervision import (
    Actor,
    ChildSpec,
    Crashed,
    FaultInjected,
    Ref,
    SupervisionEvent,
    SupervisorSpec,
    System,
    open_system,
)
from supervision.testing import Probe, open_test_system, until


class Echo(Actor[str]):
    def __init__(self, log: Ref[object]) -> None:
        self._log = log

    async def handle(self, message: str) -> None:
        self._log.tell((self.context.generation, message))


def tree(echo: Ref[str], log: Ref[object]) -> SupervisorSpec:
    child = ChildSpec("echo", echo, lambda: Echo(log))
    return SupervisorSpec("root", (SupervisorSpec("room", (child,)), SupervisorSpec("roommate")))


async def restarted(system: System) -> None:
    await until(lambda: system.tree().children[0].children[0].generation == 2, within=1)


async def test_a_crash_on_purpose_restarts_the_actor_and_loses_nothing(
    autojump_clock: MockClock,
) -> None:
    """What is queued when it falls is handled by its successor; no letter is dead."""
    echo: Ref[str] = Ref("echo")
    log: Probe[object] = Probe("log")
    seen: list[SupervisionEvent] = []
    async with open_test_system(tree(echo, log.ref), observe=seen.append) as system:
        system.crash("root/room/echo", "a drill")
        echo.tell("still there?")
        assert await log.next(within=1) == (2, "still there?")
        assert system.dead_letters.total == 0
    (crashed,) = [event for event in seen if isinstance(event, Crashed)]
    assert crashed.path == "root/room/echo"
    assert isinstance(crashed.error, FaultInjected)
    assert str(crashed.error) == "a drill"


async def test_an_idle_actor_can_be_crashed_too(autojump_clock: MockClock) -> None:
    """It need not be told anything for the fault to strike."""
    log: Probe[object] = Probe("log")
    async with open_test_system(tree(Ref("echo"), log.ref)) as system:
        system.crash("root/room/echo", "a drill")
        await restarted(system)


@pytest.mark.parametrize(
    "path", ["root/room", "root/roommate/echo", "root/room/echo/x", "", "echo"]
)
async def test_only_an_actor_that_runs_can_be_crashed(path: str, autojump_clock: MockClock) -> None:
    """Supervisors, unknown paths and empty ones are refused by name."""
    log: Probe[object] = Probe("log")
    async with open_test_system(tree(Ref("echo"), log.ref)) as system:
        with pytest.raises(LookupError, match="no actor is running at"):
            system.crash(path, "a drill")
        system.crash("root/room/echo", "a drill")
        await restarted(system)


class Slowed(Actor[str]):
    """Lives in place of another, and lets it wait before each message."""

    def __init__(self, inner: Actor[str]) -> None:
        self._inner = inner

    async def started(self) -> None:
        self._inner.context = self.context
        await self._inner.started()

    async def handle(self, message: str) -> None:
        await trio.sleep(2)
        await self._inner.handle(message)


async def test_a_haunted_house_replaces_the_instances_it_chooses(
    autojump_clock: MockClock,
) -> None:
    """Every fresh one, after a restart too; the others are as they were."""
    echo: Ref[str] = Ref("echo")
    log: Probe[object] = Probe()
    seen: list[str] = []

    def haunt(path: str, actor: Actor[Any]) -> Actor[Any]:
        seen.append(path)
        return Slowed(actor) if path.endswith("echo") else actor

    chance = random.Random(0)
    async with open_system(tree(echo, log.ref), chance=chance, haunt=haunt) as system:
        for generation in (1, 2):
            echo.tell("hello")
            with pytest.raises(AssertionError):
                await log.next(within=1.9)
            assert await log.next(within=0.2) == (generation, "hello")
            system.crash("root/room/echo", "planned")
            await trio.sleep(0.1)
    assert seen == ["root/room/echo"] * 3
