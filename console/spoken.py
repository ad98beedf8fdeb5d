"""Values of the daemon as traders say them."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

UNKNOWN = "?"
EXCHANGE = ZoneInfo("America/Chicago")


def exchange_time(iso: str | None) -> str:
    """An instant in Chicago: ``Mon 23 Nov 17:00 CT``."""
    if iso is None:
        return UNKNOWN
    return datetime.fromisoformat(iso).astimezone(EXCHANGE).strftime("%a %d %b %H:%M CT")


def dollars(amount: str | None) -> str:
    """An amount to the cent: ``-1,234.50``."""
    return UNKNOWN if amount is None else f"{Decimal(amount):,.2f}"


def short_contract(contract_id: str) -> str:
    """``MNQ Z26`` of ``CON.F.US.MNQ.Z26``; anything else as it is."""
    parts = contract_id.split(".")
    return " ".join(parts[3:]) if contract_id.startswith("CON.") and len(parts) > 4 else contract_id
