"""Secrets never reach a log: tokens by their shape, keys by their value.

``redact`` works on any text; ``RedactingFilter`` applies it to records of the standard logging
tree, and a structlog processor can call ``redact`` on the rendered event.
"""

import logging
import re

HIDDEN = "[hidden]"

_SHAPES = (
    (re.compile(r"eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"), HIDDEN),
    (re.compile(r"(access_token=)[^&\s\"'`<>]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(Bearer\s+)[^\s\"'`,;<>]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"([\"']?(?:api_?key|password|token)[\"']?\s*[:=]\s*[\"']?)[^\s\"',}&]+", re.IGNORECASE
        ),
        rf"\1{HIDDEN}",
    ),
)
_SHORTEST_SECRET = 4
_secrets: set[str] = set()


def hide(secret: str) -> None:
    """Remember an exact value that ``redact`` must blank out wherever it appears."""
    if len(secret) >= _SHORTEST_SECRET:
        _secrets.add(secret)


def redact(text: str) -> str:
    """The text without tokens, keys and remembered secrets."""
    for secret in _secrets:
        text = text.replace(secret, HIDDEN)
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


class RedactingFilter(logging.Filter):
    """Renders a record's message and arguments into one redacted text."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Never drops a record."""
        record.msg = redact(record.getMessage())
        record.args = None
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True
