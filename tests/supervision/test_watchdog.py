"""The thread that ends a process whose loop hangs, and the actor that keeps it content."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import trio

from supervision import ChildSpec, Ref, SupervisorSpec
from supervision.testing import open_test_system, until
from supervision.watchdog import EXIT_CODE, LoopLag, Watchdog

ROOT = Path(__file__).parents[2]


class Alarm:
    """Stands in for the end of the process."""

    def __init__(self) -> None:
        self.story: list[object] = []
        self.rung = threading.Event()

    def dump(self) -> None:
        self.story.append("dump")

    def end(self, code: int) -> None:
        self.story.append(code)
        self.rung.set()


def test_a_watchdog_that_is_not_petted_dumps_and_exits() -> None:
    """First the stacks, then the end, with the exit code of an internal failure."""
    alarm = Alarm()
    Watchdog(within=0.01, end=alarm.end, dump=alarm.dump).start()
    assert alarm.rung.wait(10)
    assert alarm.story == ["dump", EXIT_CODE]


def test_a_dump_that_fails_does_not_prevent_the_end() -> None:
    """A closed stderr is no reason to hang on."""
    alarm = Alarm()

    def broken() -> None:
        raise OSError("no stderr")

    seen: list[object] = []
    hook, threading.excepthook = threading.excepthook, seen.append
    try:
        watchdog = Watchdog(within=0.01, end=alarm.end, dump=broken)
        watchdog.start()
        watchdog._thread.join(10)
    finally:
        threading.excepthook = hook
    assert alarm.story == [EXIT_CODE]
    assert len(seen) == 1


def test_a_dismissed_watchdog_does_nothing() -> None:
    """An orderly end of the program is no hang."""
    alarm = Alarm()
    watchdog = Watchdog(within=60, end=alarm.end, dump=alarm.dump)
    watchdog.start()
    watchdog.pet()
    watchdog.stop()
    assert alarm.story == []
    assert not watchdog._thread.is_alive()


def test_a_watchdog_needs_some_patience() -> None:
    """Zero seconds would end every process at once."""
    with pytest.raises(ValueError, match="positive"):
        Watchdog(within=0)


async def test_the_actor_pets_as_long_as_the_loop_turns() -> None:
    """Pets come again and again, and the tree shows how late they were."""
    pets: list[float] = []

    class Counted(Watchdog):
        def pet(self) -> None:
            pets.append(trio.current_time())

    watchdog = Counted(within=60)
    spec = ChildSpec("lag", Ref("lag"), lambda: LoopLag(watchdog, every=0.001))
    async with open_test_system(SupervisorSpec("root", (spec,))) as system:
        await until(lambda: len(pets) > 5, within=10)
        status = system.tree().children[0].status
        assert status["worst_lag"] >= status["lag"] >= 0  # type: ignore[operator]


HANGING = """
import random, time, trio
from supervision import Actor, ChildSpec, Ref, SupervisorSpec, open_system
from supervision.watchdog import LoopLag, Watchdog

class Stuck(Actor):
    async def handle(self, message):
        stuck_here()

def stuck_here():
    time.sleep(60)

async def main():
    watchdog = Watchdog(within=0.5)
    watchdog.start()
    ref = Ref("stuck")
    children = (ChildSpec("lag", Ref("lag"), lambda: LoopLag(watchdog, every=0.05)),
                ChildSpec("stuck", ref, Stuck))
    async with open_system(SupervisorSpec("root", children), chance=random.Random(0)) as system:
        await trio.sleep(0.2)
        ref.tell(1)
        await system.wait()

trio.run(main)
"""


def test_a_handler_that_blocks_the_loop_ends_the_process_and_is_named() -> None:
    """The real thing: exit code 70 and a stack that shows where it hung."""
    done = subprocess.run(
        [sys.executable, "-c", HANGING],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == EXIT_CODE
    assert "stuck_here" in done.stderr
