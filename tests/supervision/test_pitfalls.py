"""The known ways in which actors on Trio go wrong, each with a test that fails without its cure.

Only what no other test states is here. The others are in the topics they belong to: the catalogue
``tests/planted/supervision.toml`` removes every cure in turn and names the test that notices.
"""

import ast
import contextvars
import random
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trio
from attrs import field, frozen
from trio.testing import MockClock

import supervision.incarnation
from supervision import (
    Actor,
    AskTimeout,
    ChildSpec,
    Crashed,
    HandlerStuck,
    Ref,
    Reply,
    StartTimeout,
    Stopped,
    Stuck,
    SupervisionEvent,
    SupervisorSpec,
    System,
    open_system,
)
from supervision.actor_body import STUCK_AFTER
from supervision.child import Child
from supervision.overseer import PERIOD
from supervision.testing import until

ROOT = Path(__file__).parents[2]


class Story:
    """Opens trees, and keeps what supervision reported with the time at which it did."""

    def __init__(self) -> None:
        self.events: list[tuple[float, SupervisionEvent]] = []

    @asynccontextmanager
    async def open(self, *children: ChildSpec[Any] | SupervisorSpec) -> AsyncIterator[System]:
        spec = SupervisorSpec("root", children)
        async with open_system(spec, chance=random.Random(1), observe=self._note) as system:
            yield system

    def _note(self, event: SupervisionEvent) -> None:
        self.events.append((trio.current_time(), event))

    def crashes(self, path: str) -> list[tuple[float, BaseException]]:
        return [
            (at, event.error)
            for at, event in self.events
            if isinstance(event, Crashed) and event.path == path
        ]

    def stopped(self) -> list[str]:
        return [event.path for _, event in self.events if isinstance(event, Stopped)]


@pytest.fixture
def story() -> Story:
    return Story()


def child(name: str, make: Callable[[], Actor[Any]], **limits: float) -> ChildSpec[Any]:
    return ChildSpec(name, Ref(name), make, **limits)  # type: ignore[arg-type]


class StartsForever(Actor[str]):
    async def started(self) -> None:
        await trio.sleep_forever()


class StopsForever(Actor[str]):
    async def stopping(self) -> None:
        await trio.sleep_forever()


# -- 1: a cancelled supervisor cancels its children at the same instant ---------------------------


async def test_pitfall_1_who_is_still_starting_is_not_shielded(
    story: Story, autojump_clock: MockClock
) -> None:
    """Shielded from the moment it is up, and not one earlier: nobody waits for an endless start."""
    with trio.move_on_after(5):
        async with story.open(child("endless", StartsForever, start_within=60)):
            pytest.fail("it must not be entered")
    assert trio.current_time() == pytest.approx(5)


async def test_pitfall_1_a_cancelled_supervisor_stops_its_children_within_its_own_bound(
    story: Story, autojump_clock: MockClock
) -> None:
    """What it does in its shielded clean-up ends after stop_within, whatever its children want."""
    slow = child("slow", StopsForever, stop_within=100)
    endless = child("endless", StartsForever, start_within=100)
    inner = SupervisorSpec("inner", (slow, endless), start_within=5, stop_within=3)
    with trio.move_on_after(9):
        async with story.open(inner):
            pytest.fail("it must not be entered")
    at, error = story.crashes("root/inner")[0]
    assert isinstance(error, StartTimeout)
    assert at == pytest.approx(5 + 3)


# -- 2: errors and cancellations come mixed, and wrapped ------------------------------------------


class TornBody:
    """Ends in an error of its own while it is being cancelled."""

    async def run(self, *_: Callable[[], None]) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("torn")


async def test_pitfall_2_the_boundary_takes_the_error_and_lets_the_cancellation_go_on() -> None:
    """A cancellation that was swallowed with the error would leave its scope not knowing of it."""
    torn = Child(child("torn", Actor), "torn", TornBody())  # type: ignore[arg-type]
    with trio.CancelScope() as scope:
        scope.cancel()
        await torn._survive(lambda *_: None)
    assert scope.cancelled_caught
    assert isinstance(torn.error, ValueError)


def test_pitfall_2_the_boundary_is_an_except_star() -> None:
    """Python itself refuses one that returns, breaks or continues; ``except`` it would accept."""
    tree = ast.parse((ROOT / "supervision" / "child.py").read_text("utf-8"))
    kinds = [type(node) for node in ast.walk(tree) if getattr(node, "handlers", None)]
    assert kinds == [ast.TryStar]
    for leave in ("return", "break", "continue"):
        source = f"def f():\n while 1:\n  try: g()\n  except* Exception: {leave}\n"
        with pytest.raises(SyntaxError, match=r"except\*"):
            compile(source, "boundary", "exec")


OOPS = KeyError("oops")


class Faulty(Actor[str]):
    """Fails at one place of its life."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.fail_at("made")

    def fail_at(self, place: str) -> None:
        if place == self.place:
            raise OOPS

    async def started(self) -> None:
        self.context.start_task(self.work)
        self.fail_at("started")

    async def work(self) -> None:
        self.fail_at("task")

    async def handle(self, message: str) -> None:  # noqa: ARG002 - any message will do
        self.fail_at("handle")

    async def stopping(self) -> None:
        self.fail_at("stopping")


@pytest.mark.parametrize("place", ["made", "started", "task", "handle", "stopping"])
async def test_pitfall_2_an_error_is_reported_bare_wherever_it_was_raised(
    place: str, story: Story, autojump_clock: MockClock
) -> None:
    """Some ways lead through nurseries, which wrap, and some do not; nobody can tell them apart."""
    places = iter([place])
    faulty = child("faulty", lambda: Faulty(next(places, "")))
    async with story.open(faulty):
        faulty.ref.tell("work")
        await trio.sleep(1)
    assert [error for _, error in story.crashes("root/faulty")] == [OOPS]


# -- 3 and 4: what the linters must find ----------------------------------------------------------

SWALLOWED = """\
import trio


async def guard() -> None:
    try:
        await trio.sleep(1)
    except trio.Cancelled:
        pass
"""
UNSHIELDED = """\
import trio


async def leave() -> None:
    try:
        await trio.sleep(1)
    finally:
        await trio.sleep(2)
"""


def found(linter: str, source: str, tmp_path: Path) -> list[str]:
    """The ASYNC rules that a linter, as it is set up here, finds broken in a source."""
    file = tmp_path / "source.py"
    file.write_text(source)
    words = {
        "flake8": ["--config", str(ROOT / ".flake8"), "--format", "%(code)s"],
        "ruff": ["check", "--config", str(ROOT / "pyproject.toml"), "--output-format", "concise"],
    }
    command = [sys.executable, "-m", linter, *words[linter], str(file)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode in {0, 1}, run.stderr
    return [word for word in run.stdout.split() if word.startswith("ASYNC")]


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        pytest.param(SWALLOWED, "ASYNC103", id="3-swallowed-cancellation"),
        pytest.param(UNSHIELDED, "ASYNC102", id="4-unshielded-clean-up"),
    ],
)
def test_pitfalls_3_and_4_flake8_finds_what_ruff_does_not(
    source: str, rule: str, tmp_path: Path
) -> None:
    """That is why both run; when ruff learns it, this test says that one of them can go."""
    assert found("flake8", source, tmp_path) == [rule]
    assert found("ruff", source, tmp_path) == []


def test_pitfall_3_make_lint_runs_both() -> None:
    """A linter that nobody runs finds nothing."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipe = makefile.partition("\nlint:")[2].partition("\n\n")[0]
    lines = [line.strip() for line in recipe.splitlines()]
    assert {"$(BIN)/ruff check .", "$(BIN)/flake8 ."} <= set(lines)


async def test_pitfall_3_who_swallows_its_cancellation_is_reported_as_stuck(
    story: Story, autojump_clock: MockClock
) -> None:
    """No timeout can end it, so it is told once, with the time since which nothing helps."""
    released = trio.Event()

    class Stubborn(Actor[str]):
        async def handle(self, message: str) -> None:  # noqa: ARG002 - any message will do
            with suppress(trio.Cancelled):
                await trio.sleep_forever()
            with trio.CancelScope(shield=True):
                await released.wait()

    stubborn = child("stubborn", Stubborn, handle_within=3)
    async with story.open(stubborn):
        stubborn.ref.tell("hang")
        await trio.sleep(60)
        told = [(at, event) for at, event in story.events if isinstance(event, Stuck)]
        released.set()
    ((at, stuck),) = told
    assert (stuck.path, stuck.generation) == ("root/stubborn", 1)
    assert 3 <= stuck.since <= 3 + PERIOD
    assert stuck.since + STUCK_AFTER <= at <= stuck.since + STUCK_AFTER + PERIOD
    ((_, error),) = story.crashes("root/stubborn")
    assert isinstance(error, HandlerStuck)


async def test_pitfall_4_an_error_in_clean_up_is_told_and_tears_nothing(
    story: Story, autojump_clock: MockClock
) -> None:
    """It replaces the cancellation that it interrupts; the child has crashed, the others go on."""

    class Clumsy(StopsForever):
        async def stopping(self) -> None:
            try:
                await super().stopping()
            finally:
                raise OOPS

    clumsy = child("clumsy", Clumsy, stop_within=2)
    async with story.open(child("before", Actor), clumsy, child("after", Actor)):
        pass
    ((at, error),) = story.crashes("root/clumsy")
    assert at == pytest.approx(2)
    assert error is OOPS
    assert story.stopped() == ["root/after", "root/before", "root"]


# -- 5: waiting inside a handler ------------------------------------------------------------------


@frozen
class Question:
    reply: Reply[str]


@frozen
class Go:
    other: Ref[Any]
    outcomes: list[type[Exception]] = field(factory=list)


class Asker(Actor[object]):
    """Does what nobody should: asks from within a handler."""

    async def handle(self, message: object) -> None:
        if isinstance(message, Go):
            try:
                await message.other.ask(Question, within=2)
            except AskTimeout as error:
                message.outcomes.append(type(error))
        elif isinstance(message, Question):
            message.reply.send("fine")


async def test_pitfall_5_asking_oneself_ends_at_the_deadline(
    story: Story, autojump_clock: MockClock
) -> None:
    """Nobody can answer while the question is being waited for: it is taken back, life goes on."""
    asker = child("asker", Asker)
    async with story.open(asker) as system:
        go = Go(asker.ref)
        asker.ref.tell(go)
        with trio.fail_after(3):
            await until(lambda: go.outcomes == [AskTimeout], within=3)
        assert asker.ref.statistics().depth == 0
        assert await asker.ref.ask(Question, within=1) == "fine"
        assert system.dead_letters.total == 0


async def test_pitfall_5_two_that_ask_each_other_end_at_the_deadline(
    story: Story, autojump_clock: MockClock
) -> None:
    """A cycle of questions is slow and wrong, but it is no deadlock."""
    left, right = child("left", Asker), child("right", Asker)
    async with story.open(left, right):
        there, back = Go(right.ref), Go(left.ref)
        left.ref.tell(there)
        right.ref.tell(back)
        with trio.fail_after(3):
            await until(lambda: len(there.outcomes + back.outcomes) == 2, within=3)
        for each in (left, right):
            assert await each.ref.ask(Question, within=1) == "fine"


# -- 6: a reader that is cancelled in the instant in which it is woken -----------------------------


async def test_pitfall_6_the_last_word_of_a_dying_actor_is_for_its_successor(
    story: Story, autojump_clock: MockClock
) -> None:
    """Had the dying one begun to handle it, it would be a dead letter: cut off in its handler."""
    heard: list[tuple[int, str]] = []

    class Doomed(Actor[str]):
        async def started(self) -> None:
            self.context.start_task(self.die)

        async def die(self) -> None:
            await trio.sleep(1)
            self.context.self.tell(f"last word of {self.context.generation}")
            raise RuntimeError("die")

        async def handle(self, message: str) -> None:
            await trio.lowlevel.checkpoint()
            heard.append((self.context.generation, message))

    async with story.open(child("doomed", Doomed)) as system:
        await until(lambda: len(heard) == 3, within=30)
        assert heard == [(number + 1, f"last word of {number}") for number in (1, 2, 3)]
        assert system.dead_letters.total == 0


# -- 8: where actors live, and what they know of it -----------------------------------------------


def packages() -> Iterator[tuple[str, ast.Module]]:
    """Every source file of the program, parsed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def names(tree: ast.AST) -> set[str]:
    """Every name that is used, imported or looked up."""
    return {
        getattr(node, "attr", "") or getattr(node, "id", "") or getattr(node, "name", "") or ""
        for node in ast.walk(tree)
    }


def test_pitfall_8_nothing_runs_in_a_system_task() -> None:
    """An error there would end the whole run as an internal one, and no supervisor would see it."""
    assert [path for path, tree in packages() if "spawn_system_task" in names(tree)] == []


async def test_pitfall_8_the_names_for_the_log_are_bound_once_per_incarnation(
    story: Story, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Per message it would cost more than the message."""
    bound: list[object] = []
    monkeypatch.setattr(
        supervision.incarnation, "bind_contextvars", lambda **names: bound.append(names)
    )

    class Mortal(Actor[str]):
        async def handle(self, message: str) -> None:
            if message == "crash":
                raise RuntimeError(message)

    mortal = child("mortal", Mortal)
    async with story.open(mortal):
        for message in ("work", "work", "crash", "work", "work"):
            mortal.ref.tell(message)
        await trio.sleep(1)
    assert mortal.ref.statistics().handled == 4
    assert bound == [{"actor": "root/mortal", "generation": number} for number in (1, 2)]


speaker: contextvars.ContextVar[str] = contextvars.ContextVar("speaker", default="nobody")


async def test_pitfall_8_a_context_variable_does_not_cross_a_mailbox(story: Story) -> None:
    """What a handler must know travels in the message; the sender's surroundings stay with him."""
    heard: list[str] = []

    class Listener(Actor[str]):
        async def handle(self, message: str) -> None:  # noqa: ARG002 - any message will do
            heard.append(speaker.get())

    listener = child("listener", Listener)
    async with story.open(listener):
        speaker.set("somebody")
        listener.ref.tell("hello")
        await until(lambda: bool(heard), within=5)
    assert heard == ["nobody"]


# -- 10: hypothesis and trio ----------------------------------------------------------------------


def given_tests() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every test that Hypothesis drives, here and in the other rooms."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                calls = [each.func for each in node.decorator_list if isinstance(each, ast.Call)]
                if any(isinstance(func, ast.Name) and func.id == "given" for func in calls):
                    yield f"{path.relative_to(ROOT)}::{node.name}", node


def test_pitfall_10_every_property_runs_trio_itself() -> None:
    """An async one would not run at all, or all its examples in one run on one clock."""
    tests = list(given_tests())
    assert len(tests) > 10
    assert [name for name, node in tests if isinstance(node, ast.AsyncFunctionDef)] == []
    fixtures = {"autojump_clock", "mock_clock", "nursery"}
    for name, node in tests:
        assert not fixtures & {argument.arg for argument in node.args.args}, name


def test_pitfall_10_the_broken_bridge_is_not_used() -> None:
    """hypothesis-trio is neither asked for nor brought along."""
    for file in ("pyproject.toml", "requirements.lock"):
        assert "hypothesis-trio" not in (ROOT / file).read_text("utf-8")
