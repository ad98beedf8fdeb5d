"""Configurations for tests, and a way to load them."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from config import Config, ConfigErrors, Problem, load

TODAY = date(2026, 11, 22)
ENVIRONMENT = {"PROJECT_X_USERNAME": "trader", "PROJECT_X_API_KEY": "hush-hush-env"}

LOGIN = """\
[logins.topstep]
username_env = "PROJECT_X_USERNAME"
api_key_env = "PROJECT_X_API_KEY"
"""

SMALL = f"""\
{LOGIN}
[accounts.A]
login = "topstep"
"""

WHOLE = """\
[daemon]
state_dir = "state"
timezone  = "America/Chicago"
reset_at  = "17:00"
mode      = "enforce"
clock     = "system"

[logins.topstep]
username_env = "PROJECT_X_USERNAME"
api_key_env  = "PROJECT_X_API_KEY"
api_url        = "https://api.topstepx.com/api"
user_hub_url   = "https://rtc.topstepx.com/hubs/user"
market_hub_url = "https://rtc.topstepx.com/hubs/market"

[defaults.rules]
max_contracts = { limit = 5, count = "mini_equivalent" }
no_stop_loss  = { grace = "120s" }

[accounts.50KTC-A]
login   = "topstep"
profile = "topstep-combine-50k"
role    = "enforced"
seed    = { starting_balance = 50000, high_water = 50850, as_of = "2026-11-20" }
[accounts.50KTC-A.rules]
daily_loss          = { limit = 1000 }
unrealized_loss     = { limit = 200 }
cooldown_after_loss = { tiers = [ { loss = 100, for = "5m" }, { loss = 200, for = "15m" } ] }
symbol_block        = { symbols = ["GC"] }
session             = { days = ["mon", "tue", "wed", "thu", "fri"], times = ["08:30-15:00"] }

[groups.mine]
accounts = ["50KTC-A", "50KTC-B"]
[groups.mine.rules]
group_daily_loss = { limit = 1500 }

[notify]
discord = { url_env = "DISCORD_WEBHOOK" }
"""
"""Everything a file may hold, also what is not enforced yet."""


def loaded(
    folder: Path, text: str, environment: Mapping[str, str] = ENVIRONMENT, **options: Any
) -> Config:
    """Write ``seawall.toml`` into a folder and load it."""
    path = folder / "seawall.toml"
    path.write_text(text, "utf-8")
    return load(path, environment=environment, **({"today": TODAY} | options))


def refused(
    folder: Path, text: str, environment: Mapping[str, str] = ENVIRONMENT, **options: Any
) -> tuple[Problem, ...]:
    """The problems for which a text is refused; it must be."""
    try:
        loaded(folder, text, environment, **options)
    except ConfigErrors as errors:
        return errors.problems
    raise AssertionError("the configuration was accepted")


def only(problems: tuple[Problem, ...]) -> Problem:
    """The one problem there is."""
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]
