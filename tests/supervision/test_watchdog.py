"""The thread that ends a process whose loop hangs, and the actor that keeps it content."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trio

import supervision.watchdog
from supervision import ChildSpec, Ref, SupervisorSpec
from supervision.testing import open_test_system, until
from supervision.watchdog import EXIT_CODE, SLICES, LoopLag, Watchdog

ROOT = Path(__file__).parents[2]
SIGN, NOTHING = True, False


class Log:
    """Stands in for stderr, and for the end of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT)
        self.codes: list[int] = []
        self.ended = threading.Event()

    @property
    def text(self) -> str:
        return self._path.read_text()

    def end(self, code: int) -> None:
        self.codes.append(code)
        self.ended.set()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """A log file of its own."""
    log = Log(tmp_path / "log")
    yield log
    os.close(log.file)


class Slices:
    """What happens in each slice of patience; ``seconds`` are what was asked for each."""

    def __init__(self, outcomes: Iterable[bool], then: Callable[[], object]) -> None:
        self._outcomes = iter(outcomes)
        self._then = then
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        for outcome in self._outcomes:
            return outcome
        self._then()
        return SIGN


@pytest.mark.parametrize(
    "outcomes",
    [
        [NOTHING] * SLICES,
        [*[NOTHING] * (SLICES - 1), SIGN, *[NOTHING] * SLICES],
        [*[SIGN, NOTHING] * 50, *[NOTHING] * (SLICES - 1)],
    ],
    ids=["never", "a pet in the last slice", "pets every other slice"],
)
def test_all_slices_in_a_row_must_pass_without_a_sign(log: Log, outcomes: list[bool]) -> None:
    """The process ends in the slice that completes the row, and not before."""
    slices = Slices(outcomes, then=lambda: pytest.fail("not ended"))
    Watchdog(within=30, file=log.file, end=log.end, wait=slices).start()
    assert log.ended.wait(10)
    assert log.codes == [EXIT_CODE]
    assert slices.seconds == [30 / SLICES] * len(outcomes)


def test_a_row_that_is_broken_ends_nothing(log: Log) -> None:
    """One slice less than all of them, again and again, is a slow loop and no stall."""
    watchdog: Watchdog
    slices = Slices([*[NOTHING] * (SLICES - 1), SIGN] * 3, then=lambda: _dismiss(watchdog))
    watchdog = Watchdog(within=30, file=log.file, end=log.end, wait=slices)
    watchdog.start()
    watchdog._thread.join(10)
    assert log.codes == []


def _dismiss(watchdog: Watchdog) -> None:
    watchdog._dismissed = True


def test_what_it_writes_says_what_happened_and_where_every_thread_is(log: Log) -> None:
    """First the words, as the program puts them, then the stacks; the end comes last."""
    watchdog = Watchdog(
        within=0.01, announce=lambda reason: f"Alas, {reason}!", file=log.file, end=log.end
    )
    watchdog.start()
    assert log.ended.wait(10)
    first, rest = log.text.split("\n", 1)
    assert first == "Alas, the event loop has not turned for 0.01 s!"
    assert "most recent call first" in rest
    assert "test_what_it_writes_says_what_happened" in rest


def test_without_words_of_its_own_the_program_gets_plain_ones(log: Log) -> None:
    """Whoever reads them learns that a restart is due."""
    Watchdog(within=0.01, file=log.file, end=log.end).start()
    assert log.ended.wait(10)
    assert log.text.startswith(
        "watchdog: the event loop has not turned for 0.01 s; "
        "the process ends itself with exit code 70, to be restarted\n"
    )


def test_words_that_fail_prevent_neither_the_stacks_nor_the_end(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the program's, and may be as broken as the rest of it."""

    def broken(reason: str) -> str:
        raise OSError("no words")

    seen: list[object] = []
    monkeypatch.setattr(threading, "excepthook", seen.append)
    Watchdog(within=0.01, announce=broken, file=log.file, end=log.end).start()
    assert log.ended.wait(10)
    assert log.codes == [EXIT_CODE]
    assert "most recent call first" in log.text
    assert len(seen) == 1


def test_a_reader_that_has_stopped_does_not_prevent_the_end(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full pipe takes no more words; then the process ends without them."""
    monkeypatch.setattr(supervision.watchdog, "WRITTEN_WITHIN", 0.05)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    Watchdog(within=0.01, file=writing, end=log.end).start()
    assert log.ended.wait(10)
    writers = [each for each in threading.enumerate() if each.name == "last words"]
    assert len(writers) == 1
    os.set_blocking(reading, False)  # the writer may end between a look at it and a read
    while writers[0].is_alive():
        with suppress(BlockingIOError):
            os.read(reading, 65536)
        writers[0].join(0.01)
    for end in (reading, writing):
        os.close(end)


def test_a_process_without_stderr_is_ended_all_the_same(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon may have closed it."""
    monkeypatch.setattr(sys, "__stderr__", None)
    watchdog = Watchdog(within=0.01, end=log.end)
    watchdog.start()
    assert log.ended.wait(10)
    assert log.codes == [EXIT_CODE]
    os.close(watchdog._file)


def test_a_dismissed_watchdog_does_nothing(log: Log) -> None:
    """An orderly end of the program is no hang."""
    watchdog = Watchdog(within=60, file=log.file, end=log.end)
    watchdog.start()
    watchdog.pet()
    watchdog.stop()
    assert log.codes == []
    assert not watchdog._thread.is_alive()


def test_a_watchdog_needs_some_patience() -> None:
    """Zero seconds would end every process at once."""
    with pytest.raises(ValueError, match="positive"):
        Watchdog(within=0)


async def test_the_condemned_process_ends_although_its_loop_turns(log: Log) -> None:
    """At once, with the reason, the stacks of the waiting tasks, the suspect's first, and threads."""
    watchdog = Watchdog(within=3600, file=log.file, end=log.end)
    watchdog.start()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever, name="root/other")
        nursery.start_soon(_sulk, name="root/stubborn")
        await trio.testing.wait_all_tasks_blocked()
        watchdog.condemn("it would not leave", "root/stubborn")
        watchdog.condemn("a second reason", "root/other")
        watchdog.pet()
        await trio.to_thread.run_sync(log.ended.wait, 10)
        nursery.cancel_scope.cancel()
    watchdog.stop()
    assert log.codes == [EXIT_CODE]
    assert log.text.startswith("watchdog: it would not leave; the process ends")
    assert "a second reason" not in log.text
    assert log.text.count("Thread 0x") + log.text.count("Current thread 0x") >= 2
    tasks = log.text[log.text.index("Task ") :]
    assert tasks.startswith("Task 'root/stubborn' (most recent call first):\n")
    assert "in _sulk\n" in tasks.split("Task ")[1]
    assert "Task 'root/other'" in tasks


async def _sulk() -> None:
    await trio.sleep_forever()


def test_outside_of_a_loop_condemning_is_an_error_that_still_ends_the_process(log: Log) -> None:
    """There are no tasks to show, and no reason to live on."""
    watchdog = Watchdog(within=3600, file=log.file, end=log.end)
    with pytest.raises(RuntimeError, match="async context"):
        watchdog.condemn("nobody is there")
    watchdog.start()
    assert log.ended.wait(10)
    assert log.text.startswith("watchdog: nobody is there;")


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


PROGRAM = """
import itertools, random, signal, sys, time, trio
import supervision.actor_body, supervision.overseer
from supervision import Actor, ChildSpec, Ref, Stuck, SupervisorSpec, open_system
from supervision.watchdog import LoopLag, Watchdog

supervision.overseer.PERIOD = supervision.actor_body.STUCK_AFTER = 0.1

class Nothing:
    def __await__(self):
        return iter(())

async def blocks():
    time.sleep(30)

async def never_checkpoints():
    while True:
        await Nothing()

async def keeps_the_interpreter():
    sum(itertools.count())

async def swallows_cancellation():
    while True:
        try:
            await trio.sleep(0.01)
        except trio.Cancelled:
            pass

async def behaves():
    # Whoever wakes needs a moment: without it the loop sometimes wins the race against the thread.
    signal.signal(signal.SIGCONT, lambda *_: time.sleep(0.2))
    await trio.sleep(0.11)  # between two pets
    print("up", flush=True)

class Culprit(Actor):
    async def handle(self, message):
        await globals()[message]()

async def main(handler, within, handle_within, stop_after):
    watchdog = Watchdog(within=float(within), cpu_within=4 * float(within))
    watchdog.start()

    def observe(event):
        if isinstance(event, Stuck):
            watchdog.condemn(event.path + " cannot be ended", event.path)

    ref = Ref("culprit")
    children = (ChildSpec("lag", Ref("lag"), lambda: LoopLag(watchdog, every=0.02)),
                ChildSpec("culprit", ref, Culprit, stop_within=0.1,
                          handle_within=float(handle_within)))
    root = SupervisorSpec("root", children)
    async with open_system(root, chance=random.Random(0), observe=observe) as system:
        ref.tell(handler)
        with trio.move_on_after(float(stop_after)):
            await system.wait()

trio.run(main, *sys.argv[1:])
"""


def program(
    handler: str, within: float, *, handle_within: float = 60.0, stop_after: float = 60.0
) -> subprocess.Popen[str]:
    """A program with a watchdog, and an actor that handles one message like that."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, handler, *map(str, (within, handle_within, stop_after))],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("handler", ["blocks", "never_checkpoints"])
def test_a_handler_that_keeps_the_loop_ends_the_process_and_is_named(handler: str) -> None:
    """The real thing: exit code 70, the task in the words and the frame among the stacks."""
    process = program(handler, within=0.3)
    _, said = process.communicate(timeout=50)
    assert process.returncode == EXIT_CODE
    assert said.startswith(
        "watchdog: the event loop has not turned for 0.3 s: "
        "the task 'root/culprit' does not let go of it; the process ends itself"
    )
    running = said[said.index("Current thread 0x") if False else 0 :]
    assert f"in {handler}\n" in running
    assert "Task 'root/culprit' is running: see its thread" in said
    assert "Task 'root/lag: _beat' (most recent call first):" in said


def test_a_handler_that_never_lets_go_of_the_interpreter_is_ended_by_the_kernel() -> None:
    """No thread gets to run any more, so there are no words; the stacks name it all the same."""
    process = program("keeps_the_interpreter", within=0.3)
    _, said = process.communicate(timeout=50)
    assert process.returncode == -signal.SIGVTALRM
    assert " in keeps_the_interpreter\n" in said


@pytest.mark.parametrize(
    "when", [{"handle_within": 0.1}, {"stop_after": 0.1}], ids=["overseen", "asked to stop"]
)
def test_a_handler_that_swallows_its_cancellation_ends_the_process_and_is_named(
    when: dict[str, float],
) -> None:
    """The loop turns, so the watchdog has no reason of its own; the task is on no thread's stack."""
    process = program("swallows_cancellation", within=60, **when)
    _, said = process.communicate(timeout=50)
    assert process.returncode == EXIT_CODE
    assert said.startswith("watchdog: root/culprit cannot be ended; the process ends itself")
    culprit = said[said.index("Task 'root/culprit'") :].split("\nTask ")[0]
    assert " in swallows_cancellation\n" in culprit
    assert " in Culprit.handle\n" in culprit


def test_a_process_that_was_suspended_lives_on() -> None:
    """Stopped for longer than the whole patience, it goes on afterwards as if nothing had been."""
    process = program("behaves", within=0.8)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.send_signal(signal.SIGCONT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
    finally:
        process.kill()
        _, said = process.communicate(timeout=10)
    assert said == ""
