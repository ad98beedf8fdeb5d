"""What the package shows, and the test kit it ships."""

import ast
import sys
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

import supervision
from supervision import Actor, ChildSpec, Ref, SupervisorSpec
from supervision.testing import Probe, open_test_system

ALLOWED = {"attrs", "trio", "structlog", "supervision"}


def test_every_public_name_is_there_and_documented() -> None:
    """The list in __init__ is the surface; each name on it says what it is for."""
    assert supervision.__all__ == sorted(supervision.__all__)
    for name in supervision.__all__:
        assert hasattr(supervision, name)
        assert getattr(supervision, name).__doc__ or name == "SupervisionEvent"


def test_supervision_imports_nothing_of_the_house() -> None:
    """It could leave with its folder alone: attrs, trio and structlog is all it needs."""
    for path in Path(supervision.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                roots = {(node.module or "").split(".")[0]}
            elif isinstance(node, ast.Import):
                roots = {alias.name.split(".")[0] for alias in node.names}
            else:
                continue
            assert roots <= ALLOWED | set(sys.stdlib_module_names), path.name


async def test_a_probe_reads_what_it_was_told_with_and_without_a_tree(
    autojump_clock: MockClock,
) -> None:
    """In order, by class, all at once, or nothing within a time."""
    alone: Probe[object] = Probe("alone")
    member: Probe[object] = Probe("member")
    async with open_test_system(SupervisorSpec("root", (member.child(),))):
        for probe in (alone, member):
            for message in (1, "two", 3):
                probe.ref.tell(message)
            assert await probe.next(within=1) == 1
            assert await probe.next_of(int, within=1) == 3
            await probe.silence(for_seconds=5)
            with pytest.raises(AssertionError, match="nothing within 2 s"):
                await probe.next(within=2)
            probe.ref.tell(4)
            with pytest.raises(AssertionError, match="was told 4"):
                await probe.silence(for_seconds=5)
        alone.ref.tell(5)
        assert alone.drain() == [5]


async def test_a_test_system_fails_on_dead_letters() -> None:
    """A message that nobody handled fails the test, by name and with its traceback."""

    class Bad(Actor[str]):
        async def handle(self, message: str) -> None:
            raise RuntimeError(f"cannot do {message}")

    async def lose() -> None:
        ref: Ref[str] = Ref("bad")
        async with open_test_system(SupervisorSpec("root", (ChildSpec("bad", ref, Bad),))):
            ref.tell("this")
            await trio.testing.wait_all_tasks_blocked()

    with pytest.raises(AssertionError, match=r"1 x str to root/bad: crashed[\s\S]*cannot do this"):
        await lose()


async def test_what_is_told_in_the_course_of_a_shutdown_is_no_failure() -> None:
    """When all stop in order, the last ones up may still speak to those already gone."""
    gone: Probe[str] = Probe("gone")

    class Talker(Actor[str]):
        async def stopping(self) -> None:
            gone.ref.tell("good night")

    talker = ChildSpec("talker", Ref("talker"), Talker)
    async with open_test_system(SupervisorSpec("root", (talker, gone.child()))) as system:
        pass
    assert system.dead_letters.total == 1
