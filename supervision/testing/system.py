"""A system that must come through a test without a loss that the test did not ask for."""

import random
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

import trio

from supervision.dead_letters import Cause, DeadLetter, DeadLetters
from supervision.errors import FaultInjected
from supervision.events import Crashed, EscalatedEvent, Parked, Quarantined, Stuck, SupervisionEvent
from supervision.specs import SupervisorSpec
from supervision.system import System, open_system

from .tasks import no_leaked_tasks

type _Failure = Crashed | EscalatedEvent | Parked | Quarantined | Stuck
"""What supervision heals or puts up with, but no test should pass over."""


@asynccontextmanager
async def open_test_system(
    root: SupervisorSpec,
    *,
    expect: Collection[str] = (),
    seed: int = 0,
    observe: Callable[[SupervisionEvent], None] | None = None,
) -> AsyncIterator[System]:
    """Like ``open_system``, with seeded chance and with checks, once the block has passed.

    AssertionError tells everything that went wrong: messages that nobody handled; crashes,
    escalations, parked, quarantined and stuck actors; tasks left behind. ``expect`` names the paths
    at which the test makes things go wrong: none of this counts there (tasks always do), and it is
    an error when nothing went wrong. What ``System.crash`` does is expected without being named.
    """
    failures: list[_Failure] = []

    def look(event: SupervisionEvent) -> None:
        match event:
            case Crashed() | EscalatedEvent() | Parked() | Quarantined() | Stuck():
                failures.append(event)
            case _:
                pass
        if observe is not None:
            observe(event)

    chance = random.Random(seed)  # noqa: S311 - backoff, not secrets
    async with no_leaked_tasks():
        async with open_system(root, chance=chance, observe=look) as system:
            yield system
        _judge(failures, system.dead_letters, frozenset(expect))


def assert_no_dead_letters(letters: DeadLetters, *, expect: Collection[str] = ()) -> None:
    """AssertionError naming every unhandled message, but for those of actors at ``expect``.

    What was told to a stopped actor in the course of an ordered shutdown is not counted.
    """
    lost = _lost(letters, expect)
    if lost:
        raise AssertionError(_obituary(lost, letters.recent))


async def until(condition: Callable[[], bool], *, within: float) -> None:
    """Let the others run until something holds; AssertionError after ``within`` seconds."""
    deadline = trio.current_time() + within
    while not condition():
        if trio.current_time() >= deadline:
            raise AssertionError(f"it did not come true within {within} s")
        await trio.sleep(0.001)


def _judge(failures: list[_Failure], letters: DeadLetters, expect: frozenset[str]) -> None:
    complaints = []
    unexpected = [event for event in failures if event.path not in expect and not _injected(event)]
    if unexpected:
        listed = "\n".join(f"  {event}" for event in unexpected)
        complaints.append(f"failures that the test did not expect:\n{listed}")
    lost = _lost(letters, expect)
    if lost:
        complaints.append(_obituary(lost, letters.recent))
    went_wrong = {event.path for event in failures} | {path for path, _, _ in _lost(letters, ())}
    missing = sorted(expect - went_wrong)
    if missing:
        complaints.append(f"nothing went wrong, as was expected, at {', '.join(missing)}")
    if complaints:
        raise AssertionError("\n".join(complaints))


def _injected(event: _Failure) -> bool:
    return isinstance(event, Crashed) and isinstance(event.error, FaultInjected)


def _lost(letters: DeadLetters, expect: Collection[str]) -> dict[tuple[str, str, Cause], int]:
    return {
        key: count
        for key, count in letters.counts.items()
        if key[2] is not Cause.SHUTDOWN and key[0] not in expect
    }


def _obituary(lost: dict[tuple[str, str, Cause], int], recent: tuple[DeadLetter, ...]) -> str:
    named = "\n".join(
        f"  {count} x {kind} to {path}: {cause}" for (path, kind, cause), count in lost.items()
    )
    paths = {path for path, _, _ in lost}
    stories = "\n".join(each.traceback for each in recent if each.traceback and each.path in paths)
    return f"messages that nobody handled:\n{named}\n{stories}"
