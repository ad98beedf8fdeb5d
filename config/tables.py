"""The tables of ``seawall.toml`` as attrs classes: their keys, types and defaults.

What stands in a rule table is said by the rule's own class, so ``rules`` is read as it is here.
"""

from datetime import date, time
from decimal import Decimal
from typing import Literal

from attrs import field, frozen

from risk.past import Seed
from risk.trading_day import MARKET_RESET

TOPSTEPX = {
    "api_url": "https://api.topstepx.com/api",
    "user_hub_url": "https://rtc.topstepx.com/hubs/user",
    "market_hub_url": "https://rtc.topstepx.com/hubs/market",
}
"""Where a login goes that names no addresses."""

EVERY = "*"
"""As an account: those that are not configured by name. As a login: any of them."""


@frozen
class DaemonTable:
    """``[daemon]``."""

    state_dir: str = "state"
    timezone: str = "America/Chicago"
    reset_at: time = MARKET_RESET
    mode: Literal["enforce", "shadow"] = "enforce"
    clock: Literal["system", "gateway"] = "system"


@frozen
class LoginTable:
    """``[logins.NAME]``."""

    username: str | None = None
    username_env: str | None = None
    api_key_env: str | None = None
    api_key_file: str | None = None
    api_url: str | None = None
    user_hub_url: str | None = None
    market_hub_url: str | None = None


@frozen
class AccountTable:
    """``[accounts.NAME]``."""

    login: str | None = None
    profile: str | None = None
    role: Literal["enforced", "watched"] = "enforced"
    seed: Seed | None = None
    leader: str | None = None
    on_partial_refused: Literal["alert", "close"] = "alert"
    guard_lost: Literal["alert", "flatten"] = "alert"
    rules: object = None


@frozen
class DefaultsTable:
    """``[defaults]``."""

    rules: object = None


@frozen
class GroupTable:
    """``[groups.NAME]``."""

    accounts: tuple[str, ...]
    rules: object = None


@frozen
class AddressTable:
    """A place to send messages to; its address is a credential, so only its variable is named."""

    url_env: str


@frozen
class NotifyTable:
    """``[notify]``."""

    discord: AddressTable | None = None


@frozen
class FileTable:
    """The whole file."""

    daemon: object = None
    logins: object = None
    defaults: object = None
    accounts: object = None
    groups: object = None
    notify: object = None


@frozen
class ProfileTable:
    """A profile's data file."""

    source: str
    """Where the firm says so."""
    verified_on: date
    """When somebody last compared."""
    certainty: Literal["official", "two sources", "one source"]
    """What the weakest of its numbers rests on."""
    starting_balance: Decimal
    """Dollars with which such an account begins."""
    rules: object = field(factory=dict)
