"""Fixtures for tests of actors: ``pytest_plugins = ["supervision.pytest_plugin"]`` in a conftest.

They need pytest-trio, and are nothing that a program should import.
"""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial
from typing import Protocol

import pytest
import trio

from .errors import sole
from .events import SupervisionEvent
from .specs import SupervisorSpec
from .system import System
from .testing import open_test_system


class OpenActors(Protocol):
    """Opens a tree for the rest of the test."""

    async def __call__(
        self,
        root: SupervisorSpec,
        *,
        expect: Collection[str] = (),
        seed: int = 0,
        observe: Callable[[SupervisionEvent], None] | None = None,
    ) -> System:
        """Return the system once it has started; the arguments are those of open_test_system."""


class _Host:
    """A task in which a system lives, whoever opened it."""

    def __init__(self) -> None:
        self._test_over = trio.Event()
        self._ended = trio.Event()

    async def run(
        self,
        root: SupervisorSpec,
        expect: Collection[str],
        seed: int,
        observe: Callable[[SupervisionEvent], None] | None,
        task_status: trio.TaskStatus[System],
    ) -> None:
        try:
            async with open_test_system(root, expect=expect, seed=seed, observe=observe) as system:
                task_status.started(system)
                await self._test_over.wait()
        finally:
            self._ended.set()

    async def end(self) -> None:
        self._test_over.set()
        await self._ended.wait()


@asynccontextmanager
async def opening() -> AsyncIterator[OpenActors]:
    """What the fixture gives: a way to open systems that end, and are judged, with the block."""
    hosts: list[_Host] = []

    async def opened(
        root: SupervisorSpec,
        *,
        expect: Collection[str] = (),
        seed: int = 0,
        observe: Callable[[SupervisionEvent], None] | None = None,
    ) -> System:
        hosts.append(_Host())
        system: System = await nursery.start(
            partial(hosts[-1].run, root, expect, seed, observe), name="a system under test"
        )
        return system

    try:
        async with trio.open_nursery() as nursery:
            yield opened
            for host in reversed(hosts):
                await host.end()
    except BaseExceptionGroup as group:
        raise sole(group) from None


@pytest.fixture
async def open_actors() -> AsyncIterator[OpenActors]:
    """Open systems from within a test, without a block; they are checked when it is over.

    ``system = await open_actors(root, expect={"root/a"})``. The systems of a test stop one after
    the other, the youngest first, and fail the test on what ``open_test_system`` fails on.
    """
    async with opening() as opened:
        yield opened
