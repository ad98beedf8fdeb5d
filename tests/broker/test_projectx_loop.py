"""The asyncio loop inside the Trio run: what trio-asyncio does by itself, and what the adapter adds."""

import ast
import asyncio
import gc
import logging
import subprocess
import sys
import tomllib
from contextlib import suppress
from typing import NoReturn

import pytest
import trio
import trio_asyncio  # type: ignore[import-untyped]
from trio.testing import MockClock

from broker.projectx_loop import LEAVE_WITHIN, open_loop
from tests.conftest import ROOT


def fail() -> NoReturn:
    raise ValueError("stray")


async def fail_soon() -> None:
    await asyncio.sleep(0)
    fail()


async def call_back() -> None:
    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0.01)


async def answer() -> int:
    await asyncio.sleep(0)
    return 42


async def test_an_error_in_a_callback_is_logged_and_the_loop_lives(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Left alone it ends the loop and everything that runs in it."""
    with caplog.at_level(logging.WARNING):
        async with open_loop() as loop:
            await loop.run(call_back())
            assert await loop.run(answer()) == 42
    (line,) = caplog.messages
    assert "ValueError('stray')" in line


async def test_an_orphan_task_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody awaits it; its error is told as soon as nobody can any more."""

    async def orphan() -> None:
        asyncio.ensure_future(fail_soon())  # noqa: RUF006 - kept by nobody, on purpose
        await asyncio.sleep(0.01)
        gc.collect()

    with caplog.at_level(logging.WARNING):
        async with open_loop() as loop:
            await loop.run(orphan())
            assert await loop.run(answer()) == 42
    (line,) = caplog.messages
    assert "never retrieved" in line
    assert "ValueError('stray')" in line


async def test_leaving_ends_the_tasks_that_still_run(autojump_clock: MockClock) -> None:
    """They are asked to end, and are gone when the block is left."""
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.sleep(1_000_000)
        finally:
            ended.append("endless")

    async def start() -> "asyncio.Task[None]":
        task = asyncio.ensure_future(endless())
        await asyncio.sleep(0)
        return task

    async with open_loop() as loop:
        kept = await loop.run(start())
    assert ended == ["endless"]
    assert kept.cancelled()
    assert trio.current_time() < LEAVE_WITHIN


async def test_a_task_that_refuses_to_end_is_named_at_the_deadline(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Asking has a bound; who is to blame for the rest of the wait is in the log."""

    async def stubborn() -> None:
        for _ in range(2):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(2 * LEAVE_WITHIN)

    async def start() -> "asyncio.Task[None]":
        task = asyncio.ensure_future(stubborn())
        task.set_name("stubborn")
        await asyncio.sleep(0)
        return task

    with caplog.at_level(logging.WARNING):
        async with open_loop() as loop:
            await loop.run(start())
    assert "an asyncio task would not end: stubborn" in caplog.messages


async def test_a_loop_can_be_opened_again_after_a_crash() -> None:
    """A session that failed is followed by another one in the same run."""
    for _ in range(2):
        with pytest.raises(ValueError, match="stray"):
            async with open_loop() as loop:
                await loop.run(fail_soon())
    async with open_loop() as loop:
        assert await loop.run(answer()) == 42


async def test_asyncio_sleeps_on_the_virtual_clock(autojump_clock: MockClock) -> None:
    """An hour of the SDK's patience costs nothing."""
    async with open_loop() as loop:
        await loop.run(asyncio.sleep(3600))
    assert trio.current_time() == pytest.approx(3600, abs=1)


def test_python_is_one_that_trio_asyncio_can_be_imported_on() -> None:
    """It subclasses what Python 3.14 removed; before that it only warns, and only about that."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["requires-python"] == ">=3.12,<3.14"
    command = [sys.executable, "-W", "error", "-c", "import trio_asyncio"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "'AbstractChildWatcher' is deprecated" in run.stderr


def test_nobody_opens_a_bare_loop() -> None:
    """trio_asyncio.open_loop is called in one place, which adds what it lacks."""
    users = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "broker").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import)
        and any(alias.name == trio_asyncio.__name__ for alias in node.names)
    ]
    assert users == ["broker/projectx_loop.py"]
