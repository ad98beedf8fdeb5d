"""A record as it is kept: numbered, and frozen into text at the moment it was given in."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from attrs import frozen

from store.port import BadRecordError, Record


@frozen
class Entry:
    """One row of the journal, one line of the spool."""

    seq: int
    """Rising from 1; a gap means that records were given up or lost before they were durable."""
    at: str
    """ISO 8601 in UTC."""
    kind: str
    account: str | None
    body: str
    """JSON."""

    def record(self) -> Record:
        """Return what was given in; BadRecordError when the text has been damaged."""
        try:
            body = msgspec.json.decode(self.body, type=dict[str, Any])
            return Record(self.kind, self.account, datetime.fromisoformat(self.at), body)
        except ValueError as problem:
            raise BadRecordError(f"record {self.seq} cannot be read: {problem}") from problem

    def line(self) -> bytes:
        """Return one line of JSON without its line end; what the chain's hashes cover, too."""
        return msgspec.json.encode((self.seq, self.at, self.kind, self.account, self.body))


def seal(seq: int, record: Record) -> Entry:
    """Freeze a record under its number; BadRecordError when it is naive in time or not JSON-able."""
    if record.at.tzinfo is None:
        raise BadRecordError(f"{record.kind}: the instant has no zone: {record.at}")
    try:
        body = msgspec.json.encode(record.body).decode()
    except (TypeError, ValueError, ArithmeticError) as problem:
        raise BadRecordError(f"{record.kind}: {problem}") from problem
    return Entry(seq, record.at.astimezone(UTC).isoformat(), str(record.kind), record.account, body)


def from_line(line: bytes) -> Entry:
    """Read a line back; ValueError when it is torn or not one of ours."""
    return Entry(*msgspec.json.decode(line, type=tuple[int, str, str, str | None, str]))
