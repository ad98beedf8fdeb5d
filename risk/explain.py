"""Sentences for people: what was done, why, and how fast."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from risk.snapshot import Snapshot, Totals

_CENT = Decimal("0.01")
NEVER_COMES = 9999
"""The year of a lock that only the operator ends."""


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


def exposure(snapshot: Snapshot) -> str:
    """Such as ``+1 MNQ, -2 ES open``, or ``2 orders working`` where nothing is held."""
    held = [
        f"{view.holding.net:+d} {view.holding.name}"
        for view in snapshot.contracts.values()
        if view.holding.net
    ]
    if held:
        return f"{', '.join(held)} open"
    orders = len(snapshot.orders)
    return f"{orders} order{'s' * (orders != 1)} working"


def span(duration: timedelta) -> str:
    """``3 min``, or seconds where minutes would not be exact."""
    seconds = duration // timedelta(seconds=1)
    return f"{seconds} s" if seconds % 60 else f"{seconds // 60} min"


def wall(snapshot: Snapshot, instant: datetime) -> str:
    """An instant as the exchange's people read it off the wall; one that never comes by what it is."""
    if instant.year == NEVER_COMES:
        return "a new seed"
    return f"{snapshot.calendar.local(instant):%Y-%m-%d %H:%M %Z}"


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
