"""A disk that fails is a state; a journal that cannot be read is kept; a kill loses no lock."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
from attrs import define, field

from store import records
from store.buffered import BufferedJournal, Recovered
from store.database import DatabaseHeld
from store.entry import Entry
from store.journal import open_journal
from store.memory import MemoryDisk
from store.owner import StateDirectoryTaken, claim
from store.port import JournalState
from tests.conftest import ROOT
from tests.store.strategies import example_intent, example_lock, example_trade

NOW = datetime(2026, 11, 20, 16, tzinfo=UTC)
LOCK = records.lock("A", NOW, example_lock())


def python(script: str, *arguments: str) -> subprocess.Popen[str]:
    """A process of its own that runs a script with the project importable."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


# ---- killed -------------------------------------------------------------------------------------

WRITER = """
import sys, trio
from datetime import UTC, datetime
from pathlib import Path
from store import records
from store.journal import open_journal
from tests.store.strategies import example_intent, example_lock, example_trade

async def main():
    now = datetime(2026, 11, 20, 16, tzinfo=UTC)
    journal = await open_journal(Path(sys.argv[1]), now)
    async with trio.open_nursery() as nursery:
        for number in range(1, 1_000_000):
            journal.append([records.fill("A", now, example_trade(number))])
            journal.spool(records.intent("A", now, example_intent(str(number), example_lock())))
            print(number, flush=True)
            if number % 7 == 0:
                nursery.start_soon(journal.commit)
            await trio.lowlevel.checkpoint()

trio.run(main)
"""


@pytest.mark.parametrize("after", [1, 6, 100])
async def test_kill_9_loses_no_spooled_record(tmp_path: Path, after: int) -> None:
    """Whatever the writer said it had spooled before it was killed is there, once, in order."""
    writer = python(WRITER, str(tmp_path))
    assert writer.stdout is not None
    said = [int(writer.stdout.readline()) for _ in range(after)]
    writer.send_signal(signal.SIGKILL)
    said += [int(line) for line in writer.stdout.read().split() if line]
    writer.wait()
    writer.stdout.close()
    journal = await open_journal(tmp_path, NOW)
    image = journal.projection.account("A")
    found = [int(intent.id) for intent in image.open_intents]
    assert found[: len(said)] == list(range(1, said[-1] + 1))
    assert len(found) - len(said) <= 1
    assert image.locks == (example_lock(),)
    assert journal.findings == ()
    await journal.aclose()


async def test_a_torn_line_at_the_end_of_the_spool_is_passed_over(tmp_path: Path) -> None:
    """Half a record was never promised; it is told once, and the rest counts."""
    journal = await open_journal(tmp_path, NOW)
    journal.spool(LOCK)
    with (tmp_path / "seawall.spool").open("ab") as spool:
        spool.write(b'\n[2,"2026-11-20T16:00:00+00:00","lock","A","{\\"ru')
    journal = await open_journal(tmp_path, NOW)
    assert journal.projection.account("A").locks == (example_lock(),)
    assert len(journal.findings) == 1
    assert "torn" in journal.findings[0]
    assert (await open_journal(tmp_path, NOW)).findings == ()


async def test_a_torn_line_spoils_only_itself(tmp_path: Path) -> None:
    """What is spooled after a torn line is whole again."""
    journal = await open_journal(tmp_path, NOW)
    with (tmp_path / "seawall.spool").open("ab") as spool:
        spool.write(b'\n[1,"2026')
    journal.spool(LOCK)
    assert (await open_journal(tmp_path, NOW)).projection.account("A").locks == (example_lock(),)


# ---- a disk that fails --------------------------------------------------------------------------


@define
class StubbornDisk:
    """Refuses while told to; keeps what it took."""

    refusing: str = ""
    taken: list[Entry] = field(factory=list)

    def spool(self, _entry: Entry) -> None:
        """Refuse or ignore."""
        if self.refusing:
            raise OSError(self.refusing)

    async def write(self, batch: Sequence[Entry]) -> None:
        """Refuse or keep."""
        await trio.lowlevel.checkpoint()
        if self.refusing:
            raise OSError(self.refusing)
        self.taken.extend(batch)

    def settled(self) -> None:
        """Nothing to clear."""

    async def aclose(self) -> None:
        """Nothing to close."""
        await trio.lowlevel.checkpoint()


async def test_a_failing_disk_is_a_state_and_nothing_is_lost() -> None:
    """Records are kept in order and written as soon as the disk takes them again."""
    disk = StubbornDisk(refusing="no space left on device")
    journal = BufferedJournal(disk, Recovered(), NOW)
    journal.spool(LOCK)
    journal.append([records.fill("A", NOW, example_trade())])
    assert await journal.commit() == 0
    assert journal.state.degraded
    assert "no space left" in journal.state.reason
    assert journal.statistics().pending == 2
    assert journal.projection.account("A").locks == (example_lock(),)
    disk.refusing = ""
    journal.spool(LOCK)
    assert await journal.commit() == 3
    assert journal.state == JournalState()
    assert [entry.seq for entry in disk.taken] == [1, 2, 3]


async def test_a_disk_that_fails_for_long_costs_the_least_important_first() -> None:
    """The buffer is bounded; locks outlast decisions, and what went is counted."""
    disk = StubbornDisk(refusing="gone")
    journal = BufferedJournal(disk, Recovered(), NOW, limit=10)
    journal.spool(LOCK)
    journal.append(records.difference("A", NOW, {"n": n}) for n in range(50))
    await journal.commit()
    assert journal.statistics().given_up == 41
    disk.refusing = ""
    assert await journal.commit() == 10
    assert [entry.kind for entry in disk.taken] == ["lock", *["difference"] * 9]


SMALL_DISK = """
import resource, sys, trio
from datetime import UTC, datetime
from pathlib import Path
from store import records
from store.journal import open_journal
from tests.store.strategies import example_lock

async def main():
    now = datetime(2026, 11, 20, 16, tzinfo=UTC)
    journal = await open_journal(Path(sys.argv[1]), now)
    lock = records.lock("A", now, example_lock())
    journal.spool(lock)
    await journal.commit()
    assert not journal.state.degraded, journal.state
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    journal.spool(lock)
    assert "spool" in journal.state.reason, journal.state
    assert await journal.commit() == 0
    assert "journal" in journal.state.reason, journal.state
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    journal.spool(lock)
    assert await journal.commit() == 2
    assert not journal.state.degraded, journal.state
    await journal.aclose()

trio.run(main)
"""


async def test_a_real_file_system_that_refuses_and_recovers(tmp_path: Path) -> None:
    """SQLite and the spool meet a limit of the operating system, and go on when it is lifted."""
    child = python(SMALL_DISK, str(tmp_path))
    child.communicate(timeout=30)
    assert child.returncode == 0
    journal = await open_journal(tmp_path, NOW)
    assert journal.statistics().durable == 3
    await journal.aclose()


async def test_a_directory_that_cannot_be_made_degrades(tmp_path: Path) -> None:
    """The daemon starts, says so, and keeps everything in memory."""
    (tmp_path / "file").write_text("in the way")
    journal = await open_journal(tmp_path / "file" / "state", NOW)
    assert journal.state.degraded
    journal.spool(LOCK)
    assert await journal.commit() == 0
    assert journal.projection.account("A").locks == (example_lock(),)
    await journal.aclose()


FULL_AT_START = """
import resource, sys, trio
from datetime import UTC, datetime
from pathlib import Path
from store import records
from store.journal import open_journal
from tests.store.strategies import example_lock

async def main():
    now = datetime(2026, 11, 20, 16, tzinfo=UTC)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    journal = await open_journal(Path(sys.argv[1]), now)
    assert journal.projection.account("A").locks == (example_lock(),), journal.findings
    assert journal.state.degraded
    journal.append([records.lock("A", now, example_lock())])
    assert await journal.commit() == 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert await journal.commit() == 1
    assert not journal.state.degraded, journal.state
    await journal.aclose()

trio.run(main)
"""


async def test_a_full_disk_at_start_hides_no_lock(tmp_path: Path) -> None:
    """The journal is read without SQLite's shared memory file when that cannot be made."""
    journal = await open_journal(tmp_path, NOW)
    journal.append([LOCK])
    await journal.aclose()
    child = python(FULL_AT_START, str(tmp_path))
    child.communicate(timeout=30)
    assert child.returncode == 0
    journal = await open_journal(tmp_path, NOW)
    assert journal.statistics().durable == 2
    await journal.aclose()


# ---- a journal that cannot be read ----------------------------------------------------------------


def _overwrite(path: Path) -> None:
    path.write_bytes(b"this was a database once " * 200)


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()


def _foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()


def _spoil_a_body(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE journal SET body = '{\"rule\"' WHERE kind = 'lock'")
    connection.close()


@pytest.mark.parametrize("damage", [_overwrite, _newer, _foreign, _spoil_a_body])
async def test_an_unreadable_journal_is_kept_and_a_new_one_begun(
    tmp_path: Path, damage: object
) -> None:
    """It is renamed byte for byte, a critical finding names the place, and the journal works."""
    assert callable(damage)
    journal = await open_journal(tmp_path, NOW)
    journal.append([LOCK])
    await journal.aclose()
    damage(tmp_path / "seawall.db")
    before = (tmp_path / "seawall.db").read_bytes()
    journal = await open_journal(tmp_path, NOW)
    kept = tmp_path / "seawall.db.unreadable-20261120T160000000000"
    assert kept.read_bytes() == before
    assert len(journal.findings) == 1
    assert str(kept) in journal.findings[0]
    assert not journal.state.degraded
    assert journal.projection.accounts == ()
    journal.append([LOCK])
    assert await journal.commit() == 1
    await journal.aclose()


async def test_the_spool_saves_its_locks_from_an_unreadable_journal(tmp_path: Path) -> None:
    """Locks come back; intents do not, because what ended them may have been in the lost part."""
    journal = await open_journal(tmp_path, NOW)
    journal.spool(records.intent("A", NOW, example_intent(lock=example_lock())))
    await journal.commit()
    _overwrite(tmp_path / "seawall.db")
    for part in ("-wal", "-shm"):
        (tmp_path / f"seawall.db{part}").unlink(missing_ok=True)
    image = (await open_journal(tmp_path, NOW)).projection.account("A")
    assert image.locks == (example_lock(),)
    assert image.open_intents == ()


async def test_a_journal_held_by_a_foreign_program_is_not_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Starting without its locks would be wrong; the error says who to look for."""
    monkeypatch.setattr("store.database.BUSY_WITHIN", 0.01)
    await (await open_journal(tmp_path, NOW)).aclose()
    holder = sqlite3.connect(tmp_path / "seawall.db")
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseHeld, match="another program"):
        await open_journal(tmp_path, NOW)
    holder.close()


async def test_a_reading_program_disturbs_nobody(tmp_path: Path) -> None:
    """Someone who looks into the journal meanwhile sees a consistent past; commits go on."""
    journal = await open_journal(tmp_path, NOW)
    journal.append([LOCK])
    await journal.commit()
    reader = sqlite3.connect(tmp_path / "seawall.db")
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM journal").fetchone() == (1,)
    journal.append([LOCK])
    assert await journal.commit() == 1
    assert reader.execute("SELECT count(*) FROM journal").fetchone() == (1,)
    reader.close()
    await journal.aclose()


def test_the_simulated_disk_refuses_like_a_real_one() -> None:
    """Simulations can break and mend it."""

    async def story() -> None:
        disk = MemoryDisk(refusing="broken")
        journal = disk.open(NOW)
        assert journal.state.degraded
        journal.spool(LOCK)
        assert await journal.commit() == 0
        disk.refusing = ""
        assert await journal.commit() == 1
        assert [entry.seq for entry in disk.durable] == [1]

    trio.run(story)


# ---- one owner ------------------------------------------------------------------------------------

OWNER = """
import sys, time
from pathlib import Path
from store.owner import claim
with claim(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


def test_a_second_daemon_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    """Two daemons on one state would fight over the same accounts."""
    state = tmp_path / "state"
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(state)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "mine\n"
    with pytest.raises(StateDirectoryTaken, match=str(owner.pid)) as refusal, claim(state):
        pass
    assert refusal.value.pid == owner.pid
    owner.kill()
    owner.communicate()
    with claim(state):
        assert (state / "seawall.pid").read_text() == f"{os.getpid()}\n"


def test_a_claim_ends_with_its_block(tmp_path: Path) -> None:
    """A daemon that has stopped is not in the way, not even after an error."""
    with pytest.raises(ZeroDivisionError), claim(tmp_path):
        raise ZeroDivisionError
    with claim(tmp_path):
        pass
