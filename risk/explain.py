"""Sentences for people: what was done, why, and how fast."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from risk.snapshot import Totals

_CENT = Decimal("0.01")


def dollars(amount: Decimal) -> str:
    """Two decimals, and more only where a cent would hide the difference."""
    cents = amount.quantize(_CENT)
    return f"{cents:f}" if cents == amount else f"{amount.normalize():f}"


def plain(number: Decimal) -> str:
    """A number without needless zeros: a limit as it was written."""
    return f"{number.normalize():f}" if number else "0"


def made_of(totals: Totals) -> str:
    """The parts of the day's net, and whether any of them is an estimate."""
    parts = (
        f"realised {dollars(totals.realised)}, open {dollars(totals.open)}, "
        f"fees {dollars(totals.fees)}"
    )
    return f"{parts}, estimated" if totals.estimated else parts


def enforced(done: str, at: datetime, reason: str, *, latency_ms: float, trigger: str) -> str:
    """The whole sentence, such as ``closed 1 MNQ at 10:03:12: net day ... , 143 ms after the fill``.

    ``at`` is local time of the exchange; ``done`` says what was achieved, without a time.
    """
    return f"{done} at {at:%H:%M:%S}: {reason}, {latency_ms:.0f} ms after the {_event(trigger)}"


_EVENTS: Mapping[str, str] = {
    "position": "position update",
    "order": "order update",
    "mark": "quote",
    "account": "account update",
    "timer": "deadline",
    "full": "regular check",
    "start": "reading at start-up",
}


def _event(trigger: str) -> str:
    return _EVENTS.get(trigger, trigger)
