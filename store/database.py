"""The SQLite file: one connection, one writer, every commit synced.

Used from one thread at a time. After any failure the connection is thrown away and made anew by the
next write, which then looks where the file really ends: a commit that reported an error may have
happened all the same.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import frozen

from store.chain import GENESIS, digest
from store.entry import Entry
from store.migrations import MIGRATIONS

BUSY_WITHIN = 5.0
"""Seconds to wait for a foreign program that holds the file."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_HELD = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class DatabaseFailed(OSError):
    """The disk, or what holds the file, does not let us; the content is not in question."""


class DatabaseHeld(DatabaseFailed):
    """A foreign program keeps the file locked."""


class DatabaseUnreadable(ValueError):
    """The content is damaged, foreign, or of a newer version."""


@frozen
class Head:
    """Where the journal ends."""

    seq: int = 0
    hash: str = GENESIS


class Database:
    """The file at ``path``; made when missing.

    ``alone`` keeps SQLite's shared memory out of the file system, so that a journal can still be read
    when the disk is full; no other program can read it meanwhile.
    """

    def __init__(self, path: Path, *, alone: bool = False) -> None:
        self._path = path
        self._alone = alone
        self._connection: sqlite3.Connection | None = None
        self._head = Head()

    def head(self) -> Head:
        """Return where the journal ends. DatabaseFailed, DatabaseUnreadable."""
        try:
            self._connected()
        except sqlite3.Error as problem:
            raise self._failure(problem) from problem
        return self._head

    def entries(self, kinds: Iterable[str]) -> Iterable[Entry]:
        """Yield the entries of these kinds in order. DatabaseFailed, DatabaseUnreadable."""
        wanted = sorted(kinds)
        marks = ",".join("?" * len(wanted))
        query = f"SELECT seq, at, kind, account, body FROM journal WHERE kind IN ({marks})"  # noqa: S608 (only question marks)
        try:
            for row in self._connected().execute(f"{query} ORDER BY seq", wanted):
                yield Entry(*row)
        except sqlite3.Error as problem:
            raise self._failure(problem) from problem

    def write(self, batch: Sequence[Entry]) -> None:
        """Add entries in one synced transaction; those it has are skipped. DatabaseFailed."""
        try:
            self._insert(batch)
        except DatabaseUnreadable as problem:
            raise DatabaseFailed(str(problem)) from problem

    def close(self) -> None:
        """Let go of the file; an unfinished transaction is rolled back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _insert(self, batch: Sequence[Entry]) -> None:
        try:
            connection = self._connected()
            rows, head = self._rows(batch)
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
        except sqlite3.Error as problem:
            raise self._failure(problem) from problem
        self._head = head

    def _rows(self, batch: Sequence[Entry]) -> tuple[list[tuple[object, ...]], Head]:
        head, rows = self._head, list[tuple[object, ...]]()
        for entry in batch:
            if entry.seq <= head.seq:
                continue
            own = digest(head.hash, entry)
            rows.append(
                (entry.seq, entry.at, entry.kind, entry.account, entry.body, head.hash, own)
            )
            head = Head(entry.seq, own)
        return rows, head

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            # Not bound to a thread: Trio's worker threads take turns.
            connection = sqlite3.connect(
                self._path, timeout=BUSY_WITHIN, isolation_level=None, check_same_thread=False
            )
            try:
                self._head = self._prepare(connection)
            except (sqlite3.Error, DatabaseUnreadable):
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> Head:
        if self._alone:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        version = _version(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection, version)
        last = connection.execute(
            "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        return Head(*last) if last else Head()

    def _failure(self, problem: sqlite3.Error) -> Exception:
        self.close()
        code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
        if code in _HELD:
            return DatabaseHeld(f"{self._path}: another program holds it: {problem}")
        if code in _DAMAGED or not isinstance(problem, sqlite3.OperationalError):
            return DatabaseUnreadable(f"{self._path}: {problem}")
        return DatabaseFailed(f"{self._path}: {problem}")


def _version(connection: sqlite3.Connection) -> int:
    # Looks only: a file that is not ours is not even switched to WAL.
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise DatabaseUnreadable(
            f"written by a newer Seawall (schema {version}, known up to {len(MIGRATIONS)})"
        )
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise DatabaseUnreadable("not a journal of Seawall")
    return version


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    for number, step in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(step)
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
