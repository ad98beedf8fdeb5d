"""One way to tell the trader something and to remember it: a log line he can read, a record that stays."""

from typing import Any

import structlog

from actors.store import Commit
from broker.clock import Clock
from risk.verdict import Alert
from store import records
from store.port import Journal, Record
from supervision import Ref

log = structlog.get_logger("seawall")


class Desk:
    """Where an actor leaves its paper: alerts and records of one account, or of none."""

    def __init__(
        self, journal: Journal, clock: Clock, store: Ref[Commit], account: str | None = None
    ) -> None:
        self.journal = journal
        self._clock = clock
        self._store = store
        self._account = account
        self._standing: set[tuple[str, str | None, str]] = set()
        """Alerts already given whose cause still stands."""

    def record(self, *written: Record) -> None:
        """Give records to the journal; they become durable with the next commit."""
        self.journal.append(written)
        self._store.tell(Commit())

    def alert(self, alert: Alert, **details: Any) -> None:
        """Log an alert and record it."""
        write = log.critical if alert.critical else log.warning
        if alert.contract_id is not None:
            details["contract"] = alert.contract_id
        if self._account is not None:
            details["account"] = self._account
        write(alert.message, code=alert.code, **details)
        self.record(records.alert(self._account, self._clock.now(), alert))

    def alert_once(self, alert: Alert, about: str = "") -> None:
        """Alert, but only once until :meth:`settled` says that the cause is gone."""
        key = (alert.code, alert.contract_id, about or alert.about)
        if key not in self._standing:
            self._standing.add(key)
            self.alert(alert)

    def begin_day(self) -> None:
        """What still stands on a new trading day is told again, once."""
        self._standing.clear()

    def settled(self, code: str) -> None:
        """The cause of these alerts is gone: should it return, it is news again."""
        self._standing = {key for key in self._standing if key[0] != code}
