"""The log: one shape for everything, no secrets, and never in the way of the guard."""

import io
import json
import logging
import queue
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from broker.redaction import hide
from console.logging import LINES_WAITING, Handover, logging_to, redacted
from tests.conftest import ROOT

log = structlog.get_logger("seawall.test")
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0cmFkZXIifQ.c2lnbmF0dXJl"


def logged(say: Callable[[], object]) -> list[dict[str, Any]]:
    """The lines that came of it."""
    stream = io.StringIO()
    with logging_to(stream):
        say()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_time_level_and_event_first() -> None:
    """Times are UTC; the rest is what was given."""
    [line] = logged(lambda: log.info("account %s", "live", account="A", net=Decimal("1.50")))
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert line["timestamp"].endswith("Z")
    assert line["event"] == "account live"
    assert (line["level"], line["logger"]) == ("info", "seawall.test")
    assert (line["account"], line["net"]) == ("A", "1.50")


def test_whoever_logs_is_named() -> None:
    """The context in which a line was said comes along, also for the standard library's."""

    def say() -> None:
        with structlog.contextvars.bound_contextvars(actor="seawall/store", generation=3):
            log.warning("own")
            logging.getLogger("project_x_py.client").warning("of the %s", "SDK")

    own, foreign = logged(say)
    assert (own["actor"], own["generation"]) == ("seawall/store", 3)
    assert (foreign["actor"], foreign["generation"]) == ("seawall/store", 3)
    assert foreign["event"] == "of the SDK"
    assert foreign["logger"] == "project_x_py.client"
    assert foreign["timestamp"].endswith("Z")


def test_warnings_of_python_are_lines_too() -> None:
    """A deprecation must not tear the JSON apart."""

    def say() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old ways", stacklevel=1)

    [line] = logged(say)
    assert "old ways" in line["event"]
    assert line["logger"] == "py.warnings"


def _raise(text: str) -> None:
    raise ValueError(text)


def _crash() -> None:
    try:
        _raise(f"Bearer {TOKEN}")
    except ValueError as error:
        log.error("crashed", exc_info=error)


@pytest.mark.parametrize(
    "say",
    [
        lambda: log.info("connecting with %s", TOKEN),
        lambda: log.info("connecting", url=f"wss://host/hubs/user?access_token={TOKEN}"),
        lambda: log.info("login", nested={"body": [{"text": f'{{"token": "{TOKEN}"}}'}]}),
        lambda: log.info("login", apiKey=TOKEN, token=TOKEN, Password=TOKEN),
        lambda: log.info("login", answer=ValueError(TOKEN)),
        lambda: logging.getLogger("httpx").warning("GET %s", {"access_token": TOKEN}),
        _crash,
    ],
)
def test_a_token_is_blanked_wherever_it_is(say: Callable[[], object]) -> None:
    """In messages, values, nested values, errors and tracebacks, of every logger."""
    [line] = logged(say)
    assert TOKEN not in json.dumps(line)
    assert "[hidden]" in json.dumps(line)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just("xx kEy-To-Hide-42 xx"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(value=_values)
def test_a_known_secret_is_blanked_in_any_value(value: object) -> None:
    """However deep, and what is left is still JSON."""
    hide("kEy-To-Hide-42")
    text = json.dumps(redacted(None, "info", {"event": "x", "value": value}))
    assert "kEy-To-Hide-42" not in text


class Terminal(io.StringIO):
    """A stream with a person in front of it."""

    def isatty(self) -> bool:
        return True


def test_a_person_reads_who_said_it_last_and_nothing_empty() -> None:
    """The same words as the JSON, without what only programs need."""
    terminal = Terminal()
    with logging_to(terminal), structlog.contextvars.bound_contextvars(actor="seawall/a/b"):
        log.warning("hub down", reason="", hub="user", generation=2, token=TOKEN)
    line = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())
    assert re.fullmatch(r"\S+Z \[warning  \] hub down +hub=user token=\[hidden\] by=a/b#2\n", line)


def test_a_reader_that_stops_reading_stops_nobody() -> None:
    """Lines are dropped instead, and the end of the program does not wait for him either."""
    code = f"""
import sys
from console.logging import logging_to
import structlog
log = structlog.get_logger()
with logging_to(sys.stderr):
    for _ in range({2 * LINES_WAITING}):
        log.info("x" * 200)
print("through")
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.wait(30) == 0
        assert process.stdout is not None
        assert process.stdout.read() == b"through\n"


def test_lines_that_were_lost_are_counted() -> None:
    """The next line that gets through says how many are missing before it."""
    waiting: queue.Queue[logging.LogRecord | None] = queue.Queue(1)
    handover = Handover(waiting)
    for text in ("kept", "lost", "lost too"):
        handover.handle(logging.makeLogRecord({"msg": text}))
    waiting.get()
    handover.handle(logging.makeLogRecord({"msg": {"event": "next"}}))
    record = waiting.get()
    assert record is not None
    assert record.msg == {"event": "next", "lines_lost_before": 2}
