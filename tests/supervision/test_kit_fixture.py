"""The fixture of the kit, in a pytest run of its own, as somebody else would use it."""

import os
import subprocess
import sys

import pytest
from trio.testing import MockClock

from supervision import ActorStopped, SupervisorSpec
from supervision.pytest_plugin import OpenActors, opening
from supervision.testing import Probe
from tests.conftest import ROOT

THEIRS = """
import pytest, trio
from supervision import Actor, ChildSpec, Escalated, Intensity, Ref, SupervisorSpec
from supervision.testing import until

pytestmark = pytest.mark.trio


class Fragile(Actor):
    async def started(self):
        if self.context.generation == 1:
            raise RuntimeError("a bad start")


class Strong(Actor):
    async def handle(self, message):
        message()

    async def stopping(self):
        order.append(self.context.self.path)


order = []


def tree(actor=Strong, ref=None, root="root", **options):
    return SupervisorSpec(root, (ChildSpec("a", ref or Ref("a"), actor),), **options)


async def test_healthy(open_actors, autojump_clock):
    system = await open_actors(tree())
    assert system.tree().children[0].state == "running"


async def test_expected_crash(open_actors, autojump_clock):
    await open_actors(tree(Fragile), expect={"root/a"})


async def test_unexpected_crash(open_actors, autojump_clock):
    await open_actors(tree(Fragile))


async def test_missing_crash(open_actors):
    await open_actors(tree(), expect={"root/a"})


async def test_leak(open_actors):
    ref = Ref("a")
    await open_actors(tree(ref=ref))
    ref.tell(lambda: trio.lowlevel.spawn_system_task(trio.sleep_forever, name="the leak"))


async def test_root_gives_up(open_actors, autojump_clock):
    await open_actors(tree(), expect={"root", "root/a"})
    ref = Ref("a")
    await open_actors(tree(ref=ref, root="other", intensity=Intensity(restarts=0)))
    ref.tell(0)
    await trio.sleep_forever()


async def test_the_order_of_the_stop(open_actors):
    order.clear()
    await open_actors(tree(root="elder"))
    await open_actors(tree(root="younger"))


async def test_after_that_order():
    assert order == ["younger/a", "elder/a"]


async def test_failing_by_itself(open_actors):
    await open_actors(tree())
    raise KeyError("mine")
"""

EXPECTED = {
    "test_healthy": "PASSED",
    "test_expected_crash": "PASSED",
    "test_unexpected_crash": "FAILED",
    "test_missing_crash": "FAILED",
    "test_leak": "FAILED",
    "test_root_gives_up": "FAILED",
    "test_the_order_of_the_stop": "PASSED",
    "test_after_that_order": "PASSED",
    "test_failing_by_itself": "FAILED",
}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest said of a foreign test file that loads the plugin by its name."""
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "test_theirs.py").write_text(THEIRS)
    (folder / "conftest.py").write_text('pytest_plugins = ["supervision.pytest_plugin"]\n')
    (folder / "pytest.ini").write_text("[pytest]\n")
    paths = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "--tb=short", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize("test", EXPECTED)
def test_the_checks_run_when_a_test_is_over(test: str, theirs: str) -> None:
    """A system opened by the fixture fails the test that opened it, and no other."""
    assert f"{EXPECTED[test]} test_theirs.py::{test}" in theirs, theirs


@pytest.mark.parametrize(
    "complaint",
    [
        "AssertionError: failures that the test did not expect:",
        "AssertionError: nothing went wrong, as was expected, at root/a",
        "the leak, a system task",
        "Escalated: other gave up",
        "KeyError: 'mine'",
    ],
)
def test_the_complaints_arrive_bare(complaint: str, theirs: str) -> None:
    """Each is told once, not wrapped in the nursery in which the system lived."""
    assert complaint in theirs, theirs


async def test_a_system_lives_until_the_test_is_over(
    open_actors: OpenActors, autojump_clock: MockClock
) -> None:
    """Several may be open at once; the test needs no block around each."""
    probes: list[Probe[int]] = [Probe("ear") for _ in range(2)]
    for number, probe in enumerate(probes):
        await open_actors(SupervisorSpec(f"root-{number}", (probe.child(),)))
    for number, probe in enumerate(probes):
        probe.ref.tell(number)
        assert await probe.next(within=1) == number


async def test_a_tree_that_cannot_be_opened_says_so_at_once(open_actors: OpenActors) -> None:
    """To the one who opens it."""
    probe: Probe[int] = Probe("ear")
    with pytest.raises(ValueError, match="only once"):
        await open_actors(SupervisorSpec("root", (probe.child("a"), probe.child("b"))))


async def test_a_complaint_comes_bare_and_the_first_one_is_told() -> None:
    """The nursery around the systems is nobody's business; the elder ones stop all the same."""
    elder: Probe[int] = Probe("ear")

    async def expect_in_vain() -> None:
        async with opening() as opened:
            await opened(SupervisorSpec("elder", (elder.child(),)), expect={"elder/ear"})
            await opened(SupervisorSpec("younger"), expect={"younger/a"})

    with pytest.raises(AssertionError, match="as was expected, at younger/a"):
        await expect_in_vain()
    with pytest.raises(ActorStopped):
        await elder.ref.ask(lambda _: 0, within=1)
