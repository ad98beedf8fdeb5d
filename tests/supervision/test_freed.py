"""What an actor knew goes with it, and does not wait for the garbage collector."""

import gc
import random
import weakref

import trio
from trio.testing import MockClock

from supervision import Actor, ChildSpec, Ref, SupervisorSpec, open_system


def test_a_crashed_actor_is_freed_when_its_successor_runs() -> None:
    """With a heap that rarely changes, a full collection may be hours away."""
    lives: list[weakref.ref[Actor[str]]] = []

    class Mortal(Actor[str]):
        async def started(self) -> None:
            lives.append(weakref.ref(self))

        async def handle(self, message: str) -> None:
            raise RuntimeError(message)

    async def main() -> None:
        ref: Ref[str] = Ref("a")
        root = SupervisorSpec("root", (ChildSpec("a", ref, Mortal),))
        async with open_system(root, chance=random.Random(1)):
            ref.tell("die")
            await trio.sleep(1)
            assert [life() is not None for life in lives] == [False, True]

    gc.disable()
    try:
        trio.run(main, clock=MockClock(autojump_threshold=0))
    finally:
        gc.enable()
