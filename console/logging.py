"""Where every log line goes: one stream, one shape, no secrets.

Lines of structlog, of the standard library (the SDK uses it) and Python's warnings take the same way:
names and times are added, secrets are blanked, and the line is pretty on a terminal and JSON in a
pipe. Writing happens in a thread, so that a pipe whose reader has stopped cannot stop the guard;
what then does not fit is dropped and counted.
"""

import io
import logging
import logging.handlers
import os
import queue
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from broker.redaction import HIDDEN, redact

LINES_WAITING = 10_000
"""Log lines that may wait for a slow reader."""
FLUSHED_WITHIN = 1.0
"""Seconds that the end of the program waits for them."""
CONTEXT = "seawall_context"
"""Attribute of a record: structlog's context variables where it was made."""
SECRET_KEYS = frozenset({"api_key", "apikey", "token", "access_token", "password", "authorization"})


@contextmanager
def logging_to(stream: TextIO | None = None, *, level: int = logging.INFO) -> Iterator[None]:
    """Log to a stream (stderr) while the block runs; what waits is written at its end."""
    stream = stream or sys.stderr
    waiting: queue.Queue[logging.LogRecord | None] = queue.Queue(LINES_WAITING)
    target = logging.StreamHandler(_unlocked(stream))
    target.setFormatter(_formatter(pretty=stream.isatty()))
    writer = _Writer(waiting, target)
    root = logging.getLogger()
    handlers, before = root.handlers[:], root.level
    root.handlers[:] = [Handover(waiting)]
    root.setLevel(level)
    logging.captureWarnings(True)
    _configure_structlog()
    writer.start()
    try:
        yield
    finally:
        writer.stop()
        logging.captureWarnings(False)
        root.handlers[:] = handlers
        root.setLevel(before)
        structlog.reset_defaults()


def critical_line(event: str, *, pretty: bool) -> str:
    """A line as the log has it, made here and now: no queue, no lock, no thread."""
    record = logging.LogRecord("seawall", logging.CRITICAL, "", 0, event, None, None)
    return _formatter(pretty=pretty).format(record)


def redacted(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Processor: no token, key or remembered secret is left in any value, however deep."""
    return {key: _clean(key, value) for key, value in event.items()}


def _clean(key: object, value: Any) -> Any:
    if isinstance(key, str) and key.lower() in SECRET_KEYS:
        return HIDDEN
    match value:
        case bool() | int() | float() | None:
            return value
        case str():
            return redact(value)
        case Mapping():
            return {str(each): _clean(each, inner) for each, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(None, each) for each in value]
        case _:
            return redact(str(value))


def _configure_structlog() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _formatter(*, pretty: bool) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            _as_it_was,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redacted,
            *(_for_people() if pretty else _for_programs()),
        ],
    )


def _for_people() -> Iterator[structlog.typing.Processor]:
    yield _without_noise
    yield structlog.dev.ConsoleRenderer(
        sort_keys=False, exception_formatter=structlog.dev.plain_traceback
    )


def _for_programs() -> Iterator[structlog.typing.Processor]:
    yield _first_things_first
    yield structlog.processors.JSONRenderer(ensure_ascii=False)


def _without_noise(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Who said it comes last and short; values that say nothing are left out."""
    said = {
        key: value
        for key, value in event.items()
        if value not in ("", None) and key not in ("actor", "generation", "logger")
    }
    actor, generation = event.get("actor"), event.get("generation")
    if actor:
        name = str(actor).removeprefix("seawall/")
        said["by"] = name if generation == 1 else f"{name}#{generation}"
    return said


def _as_it_was(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Time and context of a line of the standard library: when and where it was said."""
    record: logging.LogRecord = event["_record"]
    said = datetime.fromtimestamp(record.created, UTC)
    return {**getattr(record, CONTEXT, {}), **event, "timestamp": _iso(said)}


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _first_things_first(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    first = {key: event[key] for key in ("timestamp", "level", "event") if key in event}
    return {**first, **event}


class Handover(logging.handlers.QueueHandler):
    """Gives records to the writing thread as they are, and counts those that do not fit."""

    def __init__(self, waiting: "queue.Queue[logging.LogRecord | None]") -> None:
        super().__init__(waiting)
        self._dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Fix what would look different in the other thread, or later."""
        if not isinstance(record.msg, dict):
            record.msg, record.args = record.getMessage(), None
            setattr(record, CONTEXT, structlog.contextvars.get_contextvars())
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """Never wait, never raise."""
        if self._dropped:
            record.msg = _with_dropped(record.msg, self._dropped)
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self._dropped += 1
        else:
            self._dropped = 0


def _with_dropped(message: Any, dropped: int) -> Any:
    if isinstance(message, dict):
        return message | {"lines_lost_before": dropped}
    return f"{message} ({dropped} lines lost before)"


class _Unlocked(io.TextIOBase):
    """Writes to the file below a stream: a stuck write then holds no lock that the exit needs."""

    def __init__(self, file: int) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write all of it; when the reader has gone there is nobody to tell it to."""
        left = text.encode(errors="backslashreplace")
        with suppress(OSError):
            while left:
                left = left[os.write(self._file, left) :]
        return len(text)


def _unlocked(stream: TextIO) -> TextIO | _Unlocked:
    try:
        return _Unlocked(stream.fileno())
    except OSError:
        return stream


class _Writer(logging.handlers.QueueListener):
    """Writes in a daemon thread; a reader who never reads cannot keep the program from ending."""

    def handle(self, record: logging.LogRecord) -> None:
        """Write one line, without the lock that the exit would wait for."""
        for handler in self.handlers:
            handler.emit(record)

    def stop(self) -> None:
        """Write what waits, for as long as ``FLUSHED_WITHIN``."""
        with suppress(queue.Full):
            self.enqueue_sentinel()
        if self._thread is not None:
            self._thread.join(FLUSHED_WITHIN)
