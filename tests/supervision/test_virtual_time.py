"""When virtual time jumps, and when it has nowhere to go."""

import math
import threading

import trio

from supervision.testing import run_virtual


async def _wait_outside() -> float:
    """The virtual seconds that a thread takes for its work."""
    before = trio.current_time()
    await trio.to_thread.run_sync(threading.Event().wait, 0.01)
    return trio.current_time() - before


def test_time_stands_still_while_all_wait_for_the_world_outside() -> None:
    """Without a deadline there is nothing to jump to."""
    assert run_virtual(_wait_outside, within=math.inf) == 0.0


def test_time_jumps_from_one_deadline_to_the_next() -> None:
    """To each of them in turn, however far apart they are."""
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await trio.sleep(seconds)
        woken.append(trio.current_time())

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for seconds in (3600.0, 0.001, 2.0):
                nursery.start_soon(sleeper, seconds)

    run_virtual(main)
    assert woken == [0.001, 2.0, 3600.0]


async def _who_runs_first() -> str:
    """The order of three tasks, ready at once, over twenty rounds."""
    told = ""

    async def player(name: str) -> None:
        nonlocal told
        for _ in range(20):
            told += name
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        for name in "abc":
            nursery.start_soon(player, name)
    return told


def test_a_seed_shuffles_as_often_as_it_may() -> None:
    """The same way each time; afterwards the youngest runs first."""
    always = run_virtual(_who_runs_first, seed=5)
    assert run_virtual(_who_runs_first, seed=5) == always
    assert run_virtual(_who_runs_first, seed=5, shuffles=0) == "cba" * 20
    some = run_virtual(_who_runs_first, seed=5, shuffles=14)
    assert some[:24] == always[:24]
    assert some[-24:] == "cba" * 8 != always[-24:]
