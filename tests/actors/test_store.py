"""The store on a disk that is not always there."""

import trio

from tests.actors.world import World, run


def test_that_a_disk_can_be_written_again_reaches_that_disk_unasked() -> None:
    """The alert is the last record for a while; nobody would bring it there later."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            await trio.sleep(2)
            world.disk.refusing = "full"
            world.trade(1001, 1)
            await trio.sleep(3)
            world.disk.refusing = ""
            await trio.sleep(1.5)
            records = [it.record() for it in world.disk.durable]
            codes = [it.body["code"] for it in records if it.kind == "alert"]
            assert codes[-2:] == ["journal_degraded", "journal_recovered"]

    run(story)
