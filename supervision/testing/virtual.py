"""A run in virtual time, and, from a seed, in one order only.

On a clock that jumps as soon as everybody sleeps, an hour costs what happens in it. Trio shuffles
the tasks that are ready; with a seed it shuffles them by that seed, so a run can be repeated and
other seeds try other orders. This reaches into Trio, as its own plugin for Hypothesis does: there is
no public way.
"""

import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import trio
from trio._core import _run
from trio.testing import MockClock

DAY = 86_400.0


def run_virtual[R, *Ts](
    fn: Callable[[*Ts], Awaitable[R]], *args: *Ts, seed: int | None = None, within: float = DAY
) -> R:
    """Run ``fn(*args)`` in a Trio run of its own, in virtual time, and return what it returns.

    With a ``seed`` the scheduling is that of the seed: the same program does the same things in the
    same order, in every process. AssertionError when it is not over after ``within`` virtual
    seconds; where all wait for ever, that is at once. Made for property tests, whose body is not
    async: the clock of a fixture would be shared by all examples.
    """

    async def bounded() -> R:
        with trio.move_on_after(within):
            return await fn(*args)
        raise AssertionError(f"it is not over after {within} virtual seconds")

    with _scheduled_by(seed):
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
def _scheduled_by(seed: int | None) -> Iterator[None]:
    if seed is None:
        yield
        return
    deterministic, state = _run._ALLOW_DETERMINISTIC_SCHEDULING, _run._r.getstate()
    _run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc]
    _run._r.seed(seed)
    try:
        yield
    finally:
        _run._ALLOW_DETERMINISTIC_SCHEDULING = deterministic  # type: ignore[misc]
        _run._r.setstate(state)
