"""The simulated disk fails in the ways a machine's disk does, and forgets what a death forgets."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import trio
from trio.testing import MockClock

from risk.verdict import Lock
from store import records
from store.memory import MemoryDisk
from store.port import Record

NOW = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)


def lock(rule: str) -> Record:
    return records.lock("A", NOW, Lock(rule, NOW.replace(hour=23), NOW, "too much"))


def locked(disk: MemoryDisk) -> list[str]:
    return [it.rule for it in disk.open(NOW).projection.account("A").locks]


def run(story: Callable[[], Awaitable[None]]) -> None:
    trio.run(story, clock=MockClock(autojump_threshold=0))


def test_a_dead_process_writes_nothing() -> None:
    """What still runs of it in the simulation reaches the disk no more, without an error."""

    async def story() -> None:
        disk = MemoryDisk()
        journal = disk.open(NOW)
        journal.spool(lock("before"))
        disk.process_dies()
        journal.spool(lock("after"))
        await journal.commit()
        assert disk.durable == []
        assert locked(disk) == ["before"]

    run(story)


def test_a_process_that_dies_in_a_commit_leaves_nothing_of_it() -> None:
    """A transaction is written whole or not at all; the spool has the locks all the same."""

    async def story() -> None:
        disk = MemoryDisk(write_takes=2.0)
        journal = disk.open(NOW)
        journal.spool(lock("spooled"))
        journal.append([lock("appended")])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(journal.commit)
            await trio.sleep(1)
            disk.process_dies()
        assert disk.durable == []
        assert locked(disk) == ["spooled"]

    run(story)


def test_a_power_cut_may_spare_the_oldest_and_tear_the_next() -> None:
    """What the operating system had flushed is there; a torn line is passed over and told."""

    async def story() -> None:
        disk = MemoryDisk()
        journal = disk.open(NOW)
        for rule in ("first", "second", "third"):
            journal.spool(lock(rule))
        disk.lose_power(kept=1, torn=True)
        opened = disk.open(NOW)
        assert [it.rule for it in opened.projection.account("A").locks] == ["first"]
        assert opened.findings == ("1 torn line(s) in the spool were passed over",)
        await opened.commit()
        assert disk.open(NOW).findings == ()

    run(story)


def test_half_a_disk_can_fail() -> None:
    """A spool that takes what the journal refuses keeps the locks, and the other way round."""

    async def story() -> None:
        disk = MemoryDisk(refusing="locked", refusing_half="journal")
        journal = disk.open(NOW)
        journal.spool(lock("spooled"))
        assert await journal.commit() == 0
        assert locked(disk) == ["spooled"]
        disk.refusing_half = "spool"
        journal = disk.open(NOW)
        journal.spool(lock("only committed"))
        assert [it.body["rule"] for e in disk.cached for it in [e.record()]] == ["spooled"]
        assert await journal.commit() == 2
        assert locked(disk) == ["spooled", "only committed"]

    run(story)
