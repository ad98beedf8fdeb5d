"""Who plays: six traders with one rule book, and the configuration that guards them."""

from decimal import Decimal
from enum import Enum

from attrs import field, frozen

MAX_CONTRACTS = 5
BLOCKED = "GC"
OPEN_LOSS = 300
DAY_LOSS = 600
GRACE_S = 20
"""Seconds of the gateway's clock that a position may be without a stop."""
BALANCE = Decimal(50_000)

LOGIN = "demo"
KEY_VARIABLE = "SEAWALL_DEMO_KEY"
KEY = "demo-key-of-a-gateway-that-takes-any"


@frozen
class Trader:
    """One account and whoever trades it."""

    name: str
    character: str
    account_id: int
    root: str
    """The contract he trades."""
    account: str = field(init=False)
    """As the broker calls the account."""

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "account", f"{self.name.upper()}-50K")


class Cast(Enum):
    """Everybody on stage."""

    DANA = Trader("Dana", "disciplined", 1001, "MES")
    OSCAR = Trader("Oscar", "oversized", 1002, "MNQ")
    GINA = Trader("Gina", "in gold", 1003, BLOCKED)
    NORA = Trader("Nora", "no stop", 1004, "M2K")
    HUGO = Trader("Hugo", "hopes on", 1005, "CL")
    TESS = Trader("Tess", "tilted", 1006, "NQ")


TRADERS: tuple[Trader, ...] = tuple(each.value for each in Cast)
ROOTS: tuple[str, ...] = tuple(trader.root for trader in TRADERS)
RULE_BOOK = (
    f"at most {MAX_CONTRACTS} contracts; no {BLOCKED} (gold); every position needs a stop within "
    f"{GRACE_S} s; an open loss of ${OPEN_LOSS} closes it; a day's loss of ${DAY_LOSS} ends the day"
)


def scenario() -> dict[str, object]:
    """What the simulated gateway opens with."""
    return {
        "contracts": list(ROOTS),
        "accounts": [
            {"id": each.account_id, "name": each.account, "balance": int(BALANCE)}
            for each in TRADERS
        ],
    }


def configuration(api_url: str, user_hub_url: str, market_hub_url: str) -> str:
    """The ``seawall.toml`` that the daemon is started with."""
    accounts = "\n".join(f'[accounts.{each.account}]\nlogin = "{LOGIN}"' for each in TRADERS)
    return f"""\
[daemon]
state_dir = "state"
clock = "gateway"

[logins.{LOGIN}]
username = "seawall"
api_key_env = "{KEY_VARIABLE}"
api_url = "{api_url}"
user_hub_url = "{user_hub_url}"
market_hub_url = "{market_hub_url}"

[defaults.rules]
max_contracts = {{ limit = {MAX_CONTRACTS} }}
symbol_block = {{ symbols = ["{BLOCKED}"] }}
unrealized_loss = {{ limit = {OPEN_LOSS} }}
daily_loss = {{ limit = {DAY_LOSS} }}
no_stop_loss = {{ grace = "{GRACE_S}s" }}

{accounts}
"""
