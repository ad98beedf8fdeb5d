"""The store actor: asks the journal to make durable what others gave it, many records at a time."""

from collections.abc import Mapping
from typing import Any

import structlog
from attrs import frozen

from broker.clock import Clock
from risk.verdict import Alert
from store import records
from store.port import Journal
from supervision import Actor, Lane, Timer, mailbox_policy

log = structlog.get_logger("seawall.store")

GATHER_FOR = 0.02
"""Seconds from a record to the commit that takes it: a commit is work for a thread, and thread work
beside the fill that caused it would slow that fill's close. Locks are with the operating system
already."""
RETRY_AFTER = 1.0
"""Seconds between tries while the disk refuses."""


@mailbox_policy(lane=Lane.CONFLATED, key=lambda m: None)
@frozen
class Commit:
    """Something was given to the journal: make it durable soon."""


@frozen
class Committed:
    """A commit ended; ``records`` are durable now."""

    records: int


@frozen
class Gathered:
    """What came within a moment of the first record is one group."""


StoreMessage = Commit | Gathered | Committed


class Store(Actor[StoreMessage]):
    """Runs at most one commit at a time; what arrives meanwhile is the next group."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._committing = False
        self._more = False
        self._gathering = False
        self._degraded = False
        self._retry: Timer | None = None
        """The one timer after a failed commit."""

    async def started(self) -> None:
        """Tell what opening the journal found, and commit what an earlier incarnation left."""
        for finding in self._journal.findings if self.context.generation == 1 else ():
            self._alert(Alert("journal_damaged", finding, critical=True))
        self._begin()

    async def handle(self, message: StoreMessage) -> None:
        """Begin a commit, or note that one ended."""
        match message:
            case Commit():
                if not self._gathering:
                    self._gathering = True
                    self.context.after(GATHER_FOR, Gathered())
            case Gathered():
                self._gathering = False
                self._begin()
            case Committed():
                self._committing = False
                self._watch_disk()
                if self._more and not self._degraded:
                    self._begin()

    async def stopping(self) -> None:
        """The last records reach the disk before the process ends."""
        await self._journal.commit()

    def status(self) -> Mapping[str, Any]:
        """Health and figures of the journal."""
        figures = self._journal.statistics()
        state = self._journal.state
        return {
            "condition": state.condition.value,
            "reason": state.reason,
            "records": figures.last,
            "durable": figures.durable,
            "pending": figures.pending,
        }

    def _begin(self) -> None:
        self._more = True
        if not self._committing:
            self._committing, self._more = True, False
            self.context.request(self._journal.commit, Committed, lost=Committed(0))

    def _watch_disk(self) -> None:
        state = self._journal.state
        if self._retry is not None:
            self._retry.cancel()
        if state.degraded:
            self._retry = self.context.after(RETRY_AFTER, Commit())
        if state.degraded == self._degraded:
            return
        self._degraded = state.degraded
        if state.degraded:
            self._alert(
                Alert(
                    "journal_degraded",
                    f"the journal cannot be written ({state.reason}); enforcement goes on from "
                    "memory, but a crash now would forget today's locks: free the disk",
                    critical=True,
                )
            )
        else:
            self._alert(
                Alert("journal_recovered", "the journal is written again; nothing was lost")
            )
            self._more = True  # that it can be written is itself a record, and the last for a while

    def _alert(self, alert: Alert) -> None:
        write = log.critical if alert.critical else log.warning
        write(alert.message, code=alert.code)
        self._journal.append([records.alert(None, self._clock.now(), alert)])
