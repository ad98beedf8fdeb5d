"""One actor's picture without the rest of the tree."""

import pytest
import trio
import trio.testing

from supervision import Actor, ChildSpec, Ref, SupervisorSpec
from supervision.testing import open_test_system


class Counting(Actor[int]):
    """Sums up what it is told."""

    total = 0

    async def handle(self, message: int) -> None:
        self.total += message

    def status(self) -> dict[str, object]:
        return {"total": self.total}


async def test_one_actor_is_looked_at_alone() -> None:
    """The same picture as in the whole tree, and none of what is not there."""
    ref: Ref[int] = Ref("counting")
    inner = SupervisorSpec("inner", (ChildSpec("counting", ref, Counting),))
    async with open_test_system(SupervisorSpec("root", (inner,))) as system:
        ref.tell(3)
        await trio.testing.wait_all_tasks_blocked()
        picture = system.look_at("root/inner/counting")
        assert picture.status == {"total": 3}
        assert picture == system.tree().children[0].children[0]
        with pytest.raises(LookupError):
            system.look_at("root/inner/nobody")
