"""An asyncio loop inside the Trio run, for the SDK: it cannot end the daemon and it can be left.

trio-asyncio by itself lets an exception in any callback tear the loop down, and leaving its loop
waits for every asyncio task without a limit.
"""

import asyncio
import logging
import sys
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


def patch_earlier_imports() -> None:
    """Give modules that were imported before trio-asyncio the functions it replaced.

    It patches ``asyncio`` itself, but ``from asyncio import current_task`` in a module that came
    first (anyio's asyncio backend, say) keeps the original, which sees no running loop in Trio.
    """
    import _asyncio

    for module in list(sys.modules.values()):
        for name in ("current_task", "get_running_loop"):
            original = getattr(_asyncio, name)
            if module is not _asyncio and vars(module).get(name) is original:
                setattr(module, name, getattr(asyncio, name))


patch_earlier_imports()


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
    """An asyncio loop whose stray errors are logged; its tasks are asked to end when it is left.

    They get ``LEAVE_WITHIN`` seconds. One that still runs then is named in the log, for whoever
    wonders: trio-asyncio waits for it without a limit, and only the end of the process ends that.
    A single error of the body leaves bare, not in the groups of the nurseries in between.
    """
    try:
        async with trio_asyncio.open_loop() as loop:
            loop.set_exception_handler(_note_stray)
            try:
                yield _Loop(loop)
            finally:
                # A little longer than the wait itself, which still has to name who did not end.
                with trio.CancelScope(shield=True, deadline=trio.current_time() + LEAVE_WITHIN + 1):
                    await loop.run_aio_coroutine(_end_tasks())
    except BaseExceptionGroup as group:
        error = _only_error(group)
        if error is None:
            raise
        raise error from error.__cause__


def _only_error(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        if len(error.exceptions) != 1:
            return None
        error = error.exceptions[0]
    return error


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
