"""A process that stood still for a while: time has passed, but nobody had it."""

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from supervision import Actor, ChildSpec, HandlerStuck, Ref, Stuck, SupervisionEvent, SupervisorSpec
from supervision.overseer import PERIOD
from supervision.testing import open_test_system

PATH = "root/actor"
SUSPENDED = 60.0


class Waits(Actor[trio.Event]):
    """Handles an event by waiting for it, whatever it is told meanwhile."""

    async def handle(self, message: trio.Event) -> None:
        await message.wait()


class Deaf(Actor[trio.Event]):
    """Cannot be cancelled."""

    async def handle(self, message: trio.Event) -> None:
        with trio.CancelScope(shield=True):
            await message.wait()


async def pass_time(clock: MockClock, seconds: float) -> None:
    """At one go, as a suspended process sees it, or a busy one."""
    await wait_all_tasks_blocked()
    clock.jump(seconds)
    await wait_all_tasks_blocked()


async def test_a_handler_is_not_blamed_for_the_time_of_a_suspension(mock_clock: MockClock) -> None:
    """It was in the middle of something; it finishes that, and nothing has crashed."""
    ref: Ref[trio.Event] = Ref("actor")
    spec = ChildSpec("actor", ref, Waits, handle_within=5.0)
    async with open_test_system(SupervisorSpec("root", (spec,))) as system:
        done = trio.Event()
        ref.tell(done)
        await pass_time(mock_clock, SUSPENDED)
        done.set()
        await pass_time(mock_clock, PERIOD)
        assert system.tree().children[0].generation == 1
    assert ref.statistics().handled == 1


async def test_a_loop_that_is_always_late_is_looked_after_all_the_same(
    mock_clock: MockClock,
) -> None:
    """Only one look is left out, so a handler that never comes back is found out then."""
    ref: Ref[trio.Event] = Ref("actor")
    spec = ChildSpec("actor", ref, Waits, handle_within=5.0)
    async with open_test_system(SupervisorSpec("root", (spec,)), expect={PATH}) as system:
        ref.tell(trio.Event())
        await pass_time(mock_clock, SUSPENDED)
        assert system.tree().children[0].generation == 1
        await pass_time(mock_clock, SUSPENDED)
        assert system.tree().children[0].last_error.startswith(HandlerStuck.__name__)


async def test_whoever_is_being_cancelled_when_it_begins_is_not_stuck(
    mock_clock: MockClock,
) -> None:
    """What cleans up under a shield gets time to do so after the resumption."""
    events: list[SupervisionEvent] = []
    ref: Ref[trio.Event] = Ref("actor")
    spec = ChildSpec("actor", ref, Deaf, handle_within=5.0)
    root = SupervisorSpec("root", (spec,))
    async with open_test_system(root, expect={PATH}, observe=events.append):
        done = trio.Event()
        ref.tell(done)
        for _ in range(3):  # until it is cancelled
            await pass_time(mock_clock, PERIOD)
        await pass_time(mock_clock, SUSPENDED)
        done.set()
        await pass_time(mock_clock, PERIOD)
    assert [event for event in events if isinstance(event, Stuck)] == []
