"""The journal's promises, kept on both disks: the real one and the simulated one."""

import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import trio

from risk.cover import Cover
from risk.domain import BrokerAccount, Episode, Side
from risk.morning import Listing
from risk.past import Peaks
from store import records
from store.buffered import BufferedJournal
from store.chain import first_break
from store.entry import Entry
from store.journal import CLEAR_SPOOL_AT, open_journal
from store.memory import MemoryDisk
from store.port import BadRecordError, Journal, Record
from store.projection import KINDS
from tests.store.strategies import example_intent, example_lock, example_trade

NOW = datetime(2026, 11, 20, 16, tzinfo=UTC)
TODAY = date(2026, 11, 20)
LOCK = records.lock("A", NOW, example_lock())

Opener = Callable[[], Awaitable[BufferedJournal]]


@pytest.fixture(params=["sqlite", "memory"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Start on the same disk as before; the earlier journal is simply not closed, as in a kill."""
    disk = MemoryDisk()

    async def start() -> BufferedJournal:
        if request.param == "sqlite":
            return await open_journal(tmp_path / "state", NOW)
        return disk.open(NOW)

    return start


def rows(directory: Path) -> list[tuple[Entry, str, str]]:
    """The whole table, read by someone else."""
    connection = sqlite3.connect(directory / "seawall.db")
    found = connection.execute("SELECT * FROM journal ORDER BY seq").fetchall()
    connection.close()
    return [(Entry(*row[:5]), row[5], row[6]) for row in found]


async def test_it_satisfies_the_port(reopen: Opener) -> None:
    """Actors see no more than the protocol."""
    journal: Journal = await reopen()
    assert not journal.state.degraded
    assert journal.findings == ()
    await journal.aclose()


async def test_a_committed_record_is_there_after_a_restart(reopen: Opener) -> None:
    """Durable is durable."""
    journal = await reopen()
    journal.append([LOCK, records.fill("A", NOW, example_trade())])
    assert await journal.commit() == 2
    image = (await reopen()).projection.account("A")
    assert image.locks == (example_lock(),)
    assert image.trades == {1: example_trade()}


async def test_all_that_a_start_needs_comes_back(reopen: Opener) -> None:
    """Locks and trades, and what nobody but the journal knows: peaks, mornings, times without a stop."""
    listing = Listing(Decimal("49880.1"), NOW, NOW + timedelta(seconds=0.05))
    lot = records.OpenLot(1, Decimal(25000), Decimal(24990))
    episode = Episode(77, NOW, Side.BUY)
    told = [
        records.config(NOW, "a fingerprint", {"accounts": []}),
        records.account_seen(NOW, BrokerAccount(1001, "A", Decimal(50000), can_trade=True)),
        records.reset("A", NOW, records.DayStart(TODAY, NOW, {"CON.F.US.MNQ.Z26": lot})),
        records.opening("A", NOW, records.Opening(TODAY, Decimal("49900.10"), listing)),
        records.peaks("A", NOW, TODAY, Peaks(Decimal(200), Decimal(50300), Decimal(50100))),
        records.cover("A", NOW, "CON.F.US.MNQ.Z26", Cover(episode, 2, 1, NOW, NOW)),
        records.fill("A", NOW, example_trade()),
        records.intent("A", NOW, example_intent("A/1-1")),
        records.intent("A", NOW, example_intent("A/1-2")),
        records.intent_done("A", NOW, "A/1-1", "flat"),
        LOCK,
    ]
    assert {record.kind for record in told} == KINDS
    journal = await reopen()
    journal.append(told)
    await journal.commit()
    known, again = journal.projection, (await reopen()).projection
    assert again.account("A") == known.account("A")
    assert again.configurations == known.configurations
    assert again.account("A").peaks is not None
    assert again.account("A").covers


async def test_a_spooled_record_is_there_without_a_commit(reopen: Opener) -> None:
    """The operating system has it, which a dying process cannot take back."""
    journal = await reopen()
    journal.spool(records.intent("A", NOW, example_intent(lock=example_lock())))
    image = (await reopen()).projection.account("A")
    assert image.locks == (example_lock(),)
    assert image.open_intents == (example_intent(lock=example_lock()),)


async def test_a_buffered_record_is_not_promised(reopen: Opener) -> None:
    """Neither spooled nor committed is lost with the process, and the next one starts clean."""
    (await reopen()).append([LOCK])
    journal = await reopen()
    assert journal.projection.accounts == ()
    assert journal.statistics().last == 0


async def test_a_record_spooled_and_committed_is_one_record(reopen: Opener) -> None:
    """The spool's copy is known by its number."""
    journal = await reopen()
    journal.append([LOCK])
    journal.spool(records.intent("A", NOW, example_intent("1")))
    journal.append([records.intent_done("A", NOW, "1", "flat")])
    assert await journal.commit() == 3
    again = await reopen()
    assert again.statistics().last == 3
    assert await again.commit() == 0
    assert again.projection.account("A").open_intents == ()


async def test_the_projection_is_ahead_of_the_disk(reopen: Opener) -> None:
    """An account that restarts at once finds what it has just given in."""
    journal = await reopen()
    journal.append([LOCK])
    assert journal.projection.account("A").locks == (example_lock(),)


async def test_a_malformed_record_takes_no_number(reopen: Opener) -> None:
    """It is the caller's mistake, and nothing of it stays."""
    journal = await reopen()
    for give in (journal.spool, lambda record: journal.append([record])):
        with pytest.raises(BadRecordError):
            give(Record("lock", "A", NOW, {"rule": "x"}))
    assert journal.statistics().last == 0
    assert await journal.commit() == 0


async def test_many_commits_at_once_write_everything_once(reopen: Opener) -> None:
    """Whoever waits behind another commit finds its records written."""
    journal = await reopen()
    committed: list[int] = []

    async def one(number: int) -> None:
        journal.append([records.fill("A", NOW, example_trade(number))])
        committed.append(await journal.commit())

    async with trio.open_nursery() as nursery:
        for number in range(1, 31):
            nursery.start_soon(one, number)
    assert sum(committed) == 30
    assert journal.statistics().durable == 30
    assert set((await reopen()).projection.account("A").trades) == set(range(1, 31))


async def test_a_cancelled_commit_is_finished_or_not_begun(reopen: Opener) -> None:
    """Cancelling never tears a batch, and what was not written is still pending."""
    journal = await reopen()
    journal.append([LOCK])
    with trio.CancelScope() as scope:
        scope.cancel()
        await journal.commit()
    statistics = journal.statistics()
    assert statistics.pending + statistics.durable == 1
    await journal.commit()
    assert journal.statistics().durable == 1


async def test_closing_commits(reopen: Opener) -> None:
    """An orderly stop leaves nothing behind."""
    journal = await reopen()
    journal.append([LOCK])
    await journal.aclose()
    assert (await reopen()).statistics().durable == 1


async def test_the_chain_is_intact_over_restarts(tmp_path: Path) -> None:
    """Each row names the hash before it, whichever process wrote it and however it came in."""
    for round_number in range(3):
        journal = await open_journal(tmp_path, NOW)
        journal.append([LOCK, records.fill("A", NOW, example_trade(round_number))])
        await journal.commit()
        journal.spool(records.intent("A", NOW, example_intent(str(round_number))))
    await (await open_journal(tmp_path, NOW)).aclose()
    written = rows(tmp_path)
    assert [entry.seq for entry, _, _ in written] == list(range(1, 10))
    assert first_break(written) is None


async def test_a_changed_row_breaks_the_chain(tmp_path: Path) -> None:
    """Whatever is changed, the first row that does not fit is named."""
    journal = await open_journal(tmp_path, NOW)
    journal.append(records.fill("A", NOW, example_trade(n)) for n in range(1, 6))
    await journal.aclose()
    written = rows(tmp_path)
    changed = Entry(3, written[2][0].at, "fill", "A", written[2][0].body.replace("0.37", "0.00"))
    assert first_break([*written[:2], (changed, *written[2][1:]), *written[3:]]) == 3
    assert first_break(written[:2] + written[3:]) == 4


async def test_the_spool_is_cleared_at_leisure(tmp_path: Path) -> None:
    """It does not grow for ever, and nothing in it is needed by then."""
    journal = await open_journal(tmp_path, NOW)
    spool = tmp_path / "seawall.spool"
    for number in range(1000):
        journal.spool(records.intent("A", NOW, example_intent(str(number), example_lock())))
        if number % 50 == 0:
            await journal.commit()
            assert spool.stat().st_size < CLEAR_SPOOL_AT + 100_000
    assert len((await open_journal(tmp_path, NOW)).projection.account("A").open_intents) == 1000
    assert spool.stat().st_size == 0


def test_a_power_cut_takes_what_was_not_synced() -> None:
    """The simulated disk loses the spool with the power, and nothing else."""

    async def story() -> None:
        disk = MemoryDisk()
        journal = disk.open(NOW)
        journal.append([records.fill("A", NOW, example_trade())])
        await journal.commit()
        journal.spool(LOCK)
        disk.lose_power()
        image = disk.open(NOW).projection.account("A")
        assert (set(image.trades), image.locks) == ({1}, ())

    trio.run(story)
