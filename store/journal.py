"""The journal on a real disk: ``seawall.db`` and its spool in the state directory."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import trio
from attrs import evolve

from store.buffered import BufferedJournal, Recovered
from store.database import Database, DatabaseFailed, DatabaseHeld, DatabaseUnreadable
from store.entry import Entry
from store.port import BadRecordError
from store.projection import KINDS, Projection
from store.spool import Spool

DATABASE = "seawall.db"
SPOOL = "seawall.spool"
CLEAR_SPOOL_AT = 256 * 1024
"""Bytes of settled entries that the spool may carry along before it is cleared."""


async def open_journal(directory: Path, now: datetime) -> BufferedJournal:
    """Open the journal of a state directory, made when missing; ``now`` is aware wall time.

    The caller holds ``store.owner.claim`` on the directory. A journal whose content cannot be read
    is renamed, untouched, and a new one begun; a disk that fails gives a degraded journal: see
    ``findings`` and ``state``. Raises DatabaseHeld only, when a foreign program keeps the file
    locked: starting without the locks in it would be wrong, and putting it aside too.
    """
    disk = SqliteDisk(directory)
    recovered = await trio.to_thread.run_sync(disk.recover, now)
    journal = BufferedJournal(disk, recovered, now)
    await journal.commit()
    if not journal.state.degraded:
        disk.forget_spool()
    return journal


class SqliteDisk:
    """A ``store.buffered.Disk`` of two files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._database = Database(directory / DATABASE)
        self._spool = Spool(directory / SPOOL)
        self._one_writer = trio.CapacityLimiter(1)

    def spool(self, entry: Entry) -> None:
        """Append one entry to the spool."""
        self._spool.write(entry)

    async def write(self, batch: Sequence[Entry]) -> None:
        """Commit entries to the database, in a thread."""
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._database.write, batch, limiter=self._one_writer)

    def settled(self) -> None:
        """Clear the spool once it is worth it."""
        if self._spool.size > CLEAR_SPOOL_AT:
            self._spool.clear()

    def forget_spool(self) -> None:
        """Empty the spool, so that its old troubles are not found again at the next start."""
        # Not being able to is found, and told, by the next entry that wants to be spooled.
        with suppress(OSError):
            self._spool.clear()

    async def aclose(self) -> None:
        """Close both files."""
        self._spool.close()
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._database.close, limiter=self._one_writer)

    def recover(self, now: datetime) -> Recovered:
        """Read everything back; blocks. DatabaseHeld."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            return _unknown(str(problem), now)
        try:
            recovered = self._read(now)
        except DatabaseUnreadable as problem:
            recovered = self._begin_anew(problem, now)
        return self._with_spool(recovered)

    def _read(self, now: datetime) -> Recovered:
        try:
            return _read(self._database)
        except DatabaseHeld:
            raise
        except DatabaseFailed as problem:
            return self._read_alone(problem, now)

    def _read_alone(self, problem: DatabaseFailed, now: datetime) -> Recovered:
        path = self._directory / DATABASE
        if not path.exists():
            return _unknown(str(problem), now)
        database = Database(path, alone=True)
        try:
            return evolve(_read(database), problem=str(problem))
        except DatabaseFailed as still:
            raise DatabaseUnreadable(str(still)) from still
        finally:
            database.close()

    def _begin_anew(self, problem: DatabaseUnreadable, now: datetime) -> Recovered:
        self._database.close()
        finding = f"the journal cannot be read ({problem})"
        try:
            kept = self._put_aside(now)
        except OSError as trouble:
            finding += f" and cannot be renamed ({trouble}); this run starts without it"
            return evolve(_unknown(finding, now), findings=(finding,))
        finding += f"; it is kept as {kept}, and this run starts from what the broker says"
        return evolve(self._read(now), begun_anew=True, findings=(finding,))

    def _put_aside(self, now: datetime) -> Path:
        suffix = f".unreadable-{now:%Y%m%dT%H%M%S%f}"
        kept = self._directory / (DATABASE + suffix)
        for part in ("-wal", "-shm"):
            companion = self._directory / (DATABASE + part)
            if companion.exists():
                companion.rename(f"{kept}{part}")
        return (self._directory / DATABASE).rename(kept)

    def _with_spool(self, recovered: Recovered) -> Recovered:
        try:
            entries, torn = self._spool.read()
        except OSError as problem:
            finding = f"the spool cannot be read: {problem}"
            return evolve(recovered, findings=(*recovered.findings, finding))
        if torn:
            finding = f"{torn} torn line(s) in the spool were passed over"
            recovered = evolve(recovered, findings=(*recovered.findings, finding))
        newer = tuple(entry for entry in entries if entry.seq > recovered.durable)
        return evolve(recovered, spooled=newer)


def _read(database: Database) -> Recovered:
    projection = Projection()
    head = database.head()
    try:
        for entry in database.entries(KINDS):
            projection.apply(entry.record())
    except BadRecordError as problem:
        raise DatabaseUnreadable(str(problem)) from problem
    return Recovered(projection, head.seq)


def _unknown(problem: str, now: datetime) -> Recovered:
    # Whatever a file that cannot be seen holds, it holds fewer records than seconds have passed
    # since 1970: numbers from there on are new in it, should it come back.
    return Recovered(numbered=int(now.timestamp()), begun_anew=True, problem=problem)
