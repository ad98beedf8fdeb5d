"""An asyncio loop inside the Trio run, for the SDK: it cannot end the daemon and it can be left.

trio-asyncio by itself lets an exception in any callback tear the loop down, and leaving its loop
waits for every asyncio task without a limit.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

import trio
import trio_asyncio  # type: ignore[import-untyped]

from broker.redaction import redact

T = TypeVar("T")

LEAVE_WITHIN = 3.0
"""Seconds granted to asyncio tasks that were cancelled when the loop is left."""

_log = logging.getLogger(__name__)


class Loop(Protocol):
    """What is used of the loop."""

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run an asyncio coroutine from any Trio task and give its result."""


class _Loop:
    def __init__(self, loop: Any) -> None:
        self._loop = loop

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        result: T = await self._loop.run_aio_coroutine(coroutine)
        return result


@asynccontextmanager
async def open_loop() -> AsyncIterator[Loop]:
    """An asyncio loop whose stray errors are logged; left within ``LEAVE_WITHIN`` seconds."""
    async with trio_asyncio.open_loop() as loop:
        loop.set_exception_handler(_note_stray)
        try:
            yield _Loop(loop)
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + LEAVE_WITHIN):
                await loop.run_aio_coroutine(_end_tasks())


async def _end_tasks() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=LEAVE_WITHIN)
    for task in others:
        if not task.done():
            _log.warning("an asyncio task would not end: %s", task.get_name())


def _note_stray(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    problem = context.get("exception") or ""
    _log.warning("in the SDK's loop: %s", redact(f"{context.get('message', '')} {problem!r}"))
