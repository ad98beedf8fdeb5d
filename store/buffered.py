"""The journal proper, over any disk: numbering, buffering, group commit, health.

Everything but the writing happens on the loop's thread, so the order of calls is the order of
records. The disk below fails with OSError; here that becomes a state.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

import trio
from attrs import field, frozen

from store import records
from store.backlog import Backlog
from store.entry import Entry, seal
from store.port import (
    MAX_PENDING,
    Condition,
    JournalState,
    JournalStatistics,
    Record,
)
from store.projection import Projection
from store.records import Kind

ESSENTIAL = frozenset(
    {
        Kind.LOCK,
        Kind.INTENT,
        Kind.INTENT_DONE,
        Kind.FILL,
        Kind.RESET,
        Kind.CONFIG,
        Kind.ACCOUNT_SEEN,
        Kind.OPENING,
    }
)
"""The last to be given up while a disk fails; of the other kinds that a start needs, the next record
says again all that an earlier one did."""


class Disk(Protocol):
    """Where entries go. Every method fails with OSError."""

    def spool(self, entry: Entry) -> None:
        """Hand one entry to the operating system."""

    async def write(self, batch: Sequence[Entry]) -> None:
        """Make entries durable, all or none; those it already has are not written twice.

        Must not be interrupted half-way by a cancellation.
        """

    def settled(self) -> None:
        """Everything that was spooled is durable now: the spool may be cleared."""

    async def aclose(self) -> None:
        """Let go of everything."""


@frozen
class Recovered:
    """What a disk held when it was opened."""

    projection: Projection = field(factory=Projection)
    """Of everything durable."""
    durable: int = 0
    """Number of the newest durable entry; 0 when there is none or it is not known."""
    numbered: int = 0
    """New entries are numbered above this, and above ``durable``."""
    spooled: tuple[Entry, ...] = ()
    """What only the spool has."""
    begun_anew: bool = False
    """There was a journal, or may have been, whose content is not known."""
    problem: str = ""
    """Why the disk cannot be written now; empty when it can."""
    findings: tuple[str, ...] = ()


class BufferedJournal:
    """A ``store.port.Journal``."""

    def __init__(
        self, disk: Disk, recovered: Recovered, now: datetime, *, limit: int = MAX_PENDING
    ) -> None:
        self._disk = disk
        self._backlog = Backlog(limit, ESSENTIAL)
        self._projection = recovered.projection
        self._findings = recovered.findings
        self._durable = recovered.durable
        self._last = max(recovered.durable, recovered.numbered)
        self._spooled = 0
        """Number of the newest entry in the spool."""
        self._in_flight = 0
        self._commits = 0
        self._commit_problem = recovered.problem
        self._spool_problem = ""
        self._committing = trio.Lock()
        self._resume(recovered, now)

    def _resume(self, recovered: Recovered, now: datetime) -> None:
        for entry in recovered.spooled:
            self._projection.apply(entry.record())
            self._backlog.add(entry)
            self._last = max(self._last, entry.seq)
            self._spooled = entry.seq
        if recovered.begun_anew:
            # What says that they were done may have been in the journal that is gone. The broker's
            # truth and a full evaluation find again whatever is still in breach.
            for name in self._projection.accounts:
                self.append(
                    records.intent_done(name, now, intent.id, "journal lost")
                    for intent in self._projection.account(name).open_intents
                )

    @property
    def state(self) -> JournalState:
        """Present health."""
        reasons = [reason for reason in (self._commit_problem, self._spool_problem) if reason]
        if not reasons:
            return JournalState()
        return JournalState(Condition.DEGRADED, "; ".join(reasons))

    @property
    def projection(self) -> Projection:
        """What recovery needs, with every record given in so far applied."""
        return self._projection

    @property
    def findings(self) -> tuple[str, ...]:
        """What opening found wrong, as sentences for a critical alert."""
        return self._findings

    def statistics(self) -> JournalStatistics:
        """Return a frozen picture of the figures."""
        return JournalStatistics(
            last=self._last,
            durable=self._durable,
            pending=len(self._backlog) + self._in_flight,
            given_up=self._backlog.given_up,
            commits=self._commits,
        )

    def spool(self, record: Record) -> None:
        """Hand a record to the operating system before returning."""
        entry = self._take_in(record)
        try:
            self._disk.spool(entry)
        except OSError as problem:
            self._spool_problem = f"the spool cannot be written: {problem}"
        else:
            self._spool_problem = ""
            self._spooled = entry.seq

    def append(self, records: Iterable[Record]) -> None:
        """Buffer records for the next commit."""
        for record in records:
            self._take_in(record)

    async def commit(self) -> int:
        """Make everything given in so far durable; answer how many records that were."""
        async with self._committing:
            batch = self._backlog.take()
            if not batch:
                return 0
            self._in_flight = len(batch)
            try:
                await self._disk.write(batch)
            except OSError as problem:
                self._backlog.give_back(batch)
                self._commit_problem = f"the journal cannot be written: {problem}"
                return 0
            finally:
                self._in_flight = 0
            self._committed(batch)
            return len(batch)

    async def aclose(self) -> None:
        """Commit what is pending and let go of the files."""
        await self.commit()
        await self._disk.aclose()

    def _take_in(self, record: Record) -> Entry:
        entry = seal(self._last + 1, record)
        self._projection.apply(record)
        self._last = entry.seq
        self._backlog.add(entry)
        return entry

    def _committed(self, batch: Sequence[Entry]) -> None:
        self._commits += 1
        self._commit_problem = ""
        self._durable = batch[-1].seq
        if self._spooled <= self._durable:
            try:
                self._disk.settled()
            except OSError as problem:
                self._spool_problem = f"the spool cannot be cleared: {problem}"
