"""The journal as the actors see it: what happened, in order, so that a restart can go on.

Two implementations: ``store.journal`` (SQLite and a spool file) and ``store.memory`` (a simulated
disk). There are two ways in, because two promises are wanted:

* :meth:`Journal.spool` is for what must not be lost to a crash of this process: when it returns, the
  operating system has the record. It costs one append to a file and waits for no disk.
* :meth:`Journal.append` only buffers. :meth:`Journal.commit` then makes everything so far durable,
  against a power cut too, in one transaction off the loop's thread.

A disk that fails is a state, never an exception: enforcement must go on without it.
"""

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from attrs import frozen

if TYPE_CHECKING:
    from store.projection import Projection

type Json = bool | int | float | str | list[Json] | tuple[Json, ...] | Mapping[str, Json] | None

MAX_PENDING = 100_000
"""Records kept while the disk fails; beyond it the oldest that no recovery needs is given up."""


@frozen
class Record:
    """One thing that happened. The journal numbers it; see ``store.records`` for the kinds."""

    kind: str
    account: str | None
    """The broker's account name; None when it concerns the daemon as a whole."""
    at: datetime
    """Aware wall time."""
    body: Mapping[str, Json]
    """JSON-able; money and prices are decimal strings, instants are ISO 8601."""


class Condition(enum.Enum):
    """Whether the disk takes what it is given."""

    OK = "ok"
    DEGRADED = "degraded"


@frozen
class JournalState:
    """The journal's health, to be shown and alerted on."""

    condition: Condition = Condition.OK
    reason: str = ""
    """What failed, for people; empty when nothing did."""

    @property
    def degraded(self) -> bool:
        """True while records are kept in memory only."""
        return self.condition is Condition.DEGRADED


@frozen
class JournalStatistics:
    """Figures since the journal was opened; cheap to ask for."""

    last: int
    """Number of the newest record given in."""
    durable: int
    """Number of the newest record that survives a power cut."""
    pending: int
    """Records waiting for a commit."""
    given_up: int
    """Records lost because the disk failed for too long."""
    commits: int


class BadRecordError(ValueError):
    """A record whose body does not have the shape of its kind."""


class Journal(Protocol):
    """Append-only memory of the daemon."""

    @property
    def state(self) -> JournalState:
        """Present health."""

    @property
    def projection(self) -> "Projection":
        """What recovery needs, with every record given in so far applied."""

    @property
    def findings(self) -> tuple[str, ...]:
        """What opening found wrong, as sentences for a critical alert; usually empty."""

    def statistics(self) -> JournalStatistics:
        """Return a frozen picture of the figures."""

    def spool(self, record: Record) -> None:
        """Hand a record to the operating system before returning. BadRecordError; no disk errors."""

    def append(self, records: Iterable[Record]) -> None:
        """Buffer records for the next commit. BadRecordError; no disk errors."""

    async def commit(self) -> int:
        """Make everything given in so far durable; answer how many records that were.

        0 with :attr:`state` degraded means that the disk refused; the records are kept and tried
        again by the next commit.
        """

    async def aclose(self) -> None:
        """Commit what is pending and let go of the files. Nothing may be given in afterwards."""
