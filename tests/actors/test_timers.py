"""Retries under trouble that lasts: as many as one at a time makes, however long it lasts."""

import trio

from simulator.faults import HttpStatus
from tests.actors.world import World, run


def test_looks_at_the_account_list_do_not_multiply_while_they_fail() -> None:
    """After twenty minutes of server errors there are as many looks a minute as after one."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.broker.inject(HttpStatus(status=500, path="/api/Account/search"))
            await trio.sleep(20 * 60)
            assert world.broker.traffic["trader"].count(trio.current_time()) < 60

    run(story)


def test_commits_do_not_multiply_while_the_disk_refuses() -> None:
    """Each record tries the disk once; after that it is tried once a second."""

    async def story() -> None:
        world = World()
        world.begin()
        async with world.daemon():
            world.disk.refusing = "no space left"
            for _ in range(40):
                world.trade(1001, 1)
                world.trade(1001, -1)
                await trio.sleep(0.37)
            await trio.sleep(5)
            store = world.system.at("seawall/store")
            assert store is not None
            before = store.statistics().handled
            await trio.sleep(20)
            assert store.statistics().handled - before < 4 * 20 + 10
            world.disk.refusing = ""
            await trio.sleep(2)

    run(story)
