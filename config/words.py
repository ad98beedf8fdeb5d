"""Values as they are written in a file: durations, money, times of day; read and written exactly."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

import attrs

_SPANS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_SPAN = re.compile(r"(\d{1,7})(ms|s|m|h|d)", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_MONEY = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
MOST = 10**12
"""No amount or count is larger, whatever its sign."""
_FINEST_MONEY = -8


class Misread(ValueError):
    """A value that does not say what it should."""


DURATION = 'a duration such as "30s", "5m" or "1h30m"'
INSTANT = "a date and time such as 2026-12-09T13:00:00, by the wall in Chicago"
_CHICAGO = ZoneInfo("America/Chicago")
MONEY = "an amount in dollars such as 1000 or 1000.50"
TIME = 'a time of day such as "17:00"'


def duration(value: object) -> timedelta:
    """``"1h30m"``; Misread for anything else, also for a number without a unit."""
    if not isinstance(value, str):
        raise Misread(f"must be {DURATION}, in quotes and with its unit")
    parts = _SPAN.findall(value)
    units = [unit for _, unit in parts]
    whole = "".join(number + unit for number, unit in parts)
    if not parts or whole != value or len(set(units)) != len(units):
        raise Misread(f"must be {DURATION}")
    return sum((int(number) * _SPANS[unit] for number, unit in parts), timedelta())


def money(value: object) -> Decimal:
    """Dollars from an integer, a decimal or a string, exact; Misread for anything else."""
    if isinstance(value, str) and _MONEY.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Misread(f"must be {MONEY}")
    amount = Decimal(value)
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < _FINEST_MONEY or abs(amount) > MOST:
        raise Misread(f"must be {MONEY}")
    return Decimal(format(amount, "f"))


def whole(value: object) -> int:
    """An integer; Misread for anything else, also for true, false and 5.0."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MOST:
        raise Misread("must be a whole number")
    return value


def flag(value: object) -> bool:
    """True or false, nothing that only looks like it."""
    if not isinstance(value, bool):
        raise Misread("must be true or false")
    return value


def text(value: object) -> str:
    """A string with something in it and without control characters."""
    if not isinstance(value, str):
        raise Misread("must be a text in quotes")
    if not value.strip() or not value.isprintable():
        raise Misread("must not be empty and must not hold control characters")
    return value


def time_of_day(value: object) -> time:
    """``"17:00"``, or TOML's own local time on a full minute."""
    if isinstance(value, time) and value.tzinfo is None and not (value.second or value.microsecond):
        return value
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Misread(f"must be {TIME}")
    return time(int(found[1]), int(found[2]))


def day(value: object) -> date:
    """``"2026-11-20"`` or TOML's own local date."""
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise Misread('must be a date such as "2026-11-20"') from None


def instant(value: object) -> datetime:
    """TOML's own date and time, or the same in quotes; without an offset it is Chicago's. UTC."""
    try:
        value = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise Misread(f"must be {INSTANT}") from None
    if not isinstance(value, datetime):
        raise Misread(f"must be {INSTANT}")
    return (value if value.tzinfo else value.replace(tzinfo=_CHICAGO)).astimezone(UTC)


def key(name: str) -> str:
    """How a field is written in a file: ``for_`` as ``for``."""
    return name.removesuffix("_")


def plain(value: object) -> Any:
    """A value as JSON has it, such that equal values look equal: money and durations are text."""
    match value:
        case Decimal():
            return format(value.normalize() if value else Decimal(0), "f")
        case timedelta():
            return _span_text(value)
        case time():
            return value.strftime("%H:%M")
        case date():  # and datetime
            return value.isoformat()
        case tuple() | list():
            return [plain(each) for each in value]
        case Mapping():
            return {str(k): plain(each) for k, each in value.items()}
        case _ if attrs.has(type(value)):
            return {
                key(f.name): plain(getattr(value, f.name))
                for f in attrs.fields(cast(Any, type(value)))
            }
        case _:
            return value


def spoken(value: object) -> str:
    """A value for a line of a table: ``none``, ``yes``, ``50, 80``, ``120s``; of a file its name."""
    if getattr(value, "from_file", False):
        return str(getattr(value, "name", ""))
    match plain(value):
        case None:
            return "none"
        case bool(yes):
            return "yes" if yes else "no"
        case list(items):
            return ", ".join(map(spoken, items)) or "none"
        case dict(table):
            return ", ".join(f"{key} {spoken(each)}" for key, each in table.items()) or "none"
        case other:
            return str(other)


def _span_text(span: timedelta) -> str:
    """In the one unit that needs no other: ``120s``, not ``2m``; below a second ``500ms``."""
    if span % _SPANS["s"]:
        return f"{span // _SPANS['ms']}ms"
    return f"{span // _SPANS['s']}s"
