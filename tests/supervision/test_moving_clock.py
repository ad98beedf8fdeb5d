"""Time passes while a supervisor thinks; virtual time, which stands still then, does not show it."""

import math
import random

import pytest
import trio

from supervision import Actor, Backoff, ChildSpec, Ref, SupervisorSpec, open_system


class _MovingClock(trio.abc.Clock):
    """A microsecond later at every look; sleeping takes no longer than it has to."""

    def __init__(self) -> None:
        self._now = 0.0

    def start_clock(self) -> None:
        pass

    def current_time(self) -> float:
        self._now += 1e-6
        return self._now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        if deadline < math.inf:
            self._now = max(self._now, deadline)
            return 0.0
        return math.inf


@pytest.mark.parametrize("microseconds", [0.5, 1.5, 2.5, 3.5, 4.5, 5.5])
def test_a_delay_that_ends_while_the_supervisor_thinks_is_not_missed(microseconds: float) -> None:
    """However short it is, the child is started again."""
    starts: list[float] = []

    class Mortal(Actor[str]):
        async def started(self) -> None:
            starts.append(trio.current_time())

        async def handle(self, message: str) -> None:
            raise RuntimeError(message)

    async def main() -> None:
        ref: Ref[str] = Ref("a")
        spec = ChildSpec("a", ref, Mortal)
        root = SupervisorSpec("root", (spec,), backoff=Backoff(initial=microseconds * 1e-6))
        async with open_system(root, chance=random.Random(1)):
            ref.tell("die")
            await trio.sleep(1)

    trio.run(main, clock=_MovingClock())
    assert len(starts) == 2
