"""A run in virtual time, and, from a seed, in one order only.

On a clock that jumps as soon as everybody sleeps, an hour costs what happens in it. Trio shuffles
the tasks that are ready; with a seed it shuffles them by that seed, so a run can be repeated and
other seeds try other orders. This reaches into Trio, as its own plugin for Hypothesis does: there is
no public way.
"""

import math
import random
from collections.abc import Awaitable, Callable, Iterator, MutableSequence
from contextlib import contextmanager
from typing import Any

import trio
from trio._core import _run
from trio.testing import MockClock

DAY = 86_400.0


def run_virtual[R, *Ts](
    fn: Callable[[*Ts], Awaitable[R]],
    *args: *Ts,
    seed: int | None = None,
    shuffles: float = math.inf,
    within: float = DAY,
) -> R:
    """Run ``fn(*args)`` in a Trio run of its own, in virtual time, and return what it returns.

    With a ``seed`` the scheduling is that of the seed: the same program does the same things in the
    same order, in every process. After so many ``shuffles`` the youngest of the tasks that are ready
    always runs first: how few are enough tells what a failure needs.

    AssertionError when it is not over after ``within`` virtual seconds; where all wait for ever, that
    is at once. Made for property tests, whose body is not async: the clock of a fixture would be
    shared by all examples.
    """

    async def bounded() -> R:
        with trio.move_on_after(within):
            return await fn(*args)
        raise AssertionError(f"it is not over after {within} virtual seconds")

    with _scheduled_by(seed, shuffles):
        return trio.run(bounded, clock=_virtual_clock())


def _virtual_clock() -> MockClock:
    """A clock that jumps when everybody sleeps, and has nothing to do with the real one.

    Trio's own asks the real clock for each time, although none of it passes here, and needs one more
    round of the loop for each jump. A long run is some ten percent faster without.
    """
    clock = MockClock(autojump_threshold=0)

    def current_time() -> float:
        return clock._virtual_base

    def jump_to_next_deadline() -> None:
        deadlines = _run.GLOBAL_RUN_CONTEXT.runner.deadlines
        due = deadlines.next_deadline()
        if clock._virtual_base < due < math.inf:
            clock._virtual_base = due
            deadlines.expire(due)

    clock.current_time = current_time  # type: ignore[method-assign]
    clock._autojump = jump_to_next_deadline  # type: ignore[method-assign]
    return clock


@contextmanager
def _scheduled_by(seed: int | None, shuffles: float) -> Iterator[None]:
    if seed is None:
        yield
        return
    deterministic, chance = _run._ALLOW_DETERMINISTIC_SCHEDULING, _run._r
    _run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc]
    _run._r = random.Random(seed) if shuffles == math.inf else _Shuffles(seed, shuffles)  # noqa: S311
    try:
        yield
    finally:
        _run._ALLOW_DETERMINISTIC_SCHEDULING = deterministic  # type: ignore[misc]
        _run._r = chance


class _Shuffles(random.Random):
    """What Trio shuffles each batch of ready tasks by, so often and no more."""

    def __init__(self, seed: int, left: float) -> None:
        super().__init__(seed)
        self._left = left

    def shuffle(self, x: MutableSequence[Any]) -> None:
        """Leave it in order of age, once there were enough."""
        self._left -= 1
        if self._left >= 0:
            super().shuffle(x)
