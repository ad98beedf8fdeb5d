"""Seawall as it is compared: ``python -m benchmarks.ours FILE`` is ``seawall run -c FILE``.

All twenty accounts, all five rules, the journal on disk; the limits are so wide that only the blocked
contract is ever enforced. One thing differs from the program: a login's budget of 200 requests a
minute is lifted, as the gateway's and the script's are, or a round would last for minutes.
"""

import sys
from pathlib import Path

from benchmarks.gateway import ACCOUNTS, BLOCKED
from broker.budget import LIMITS
from console.app import application

CONFIGURATION = """
[daemon]
state_dir = "state"

[logins.bench]
username     = "seawall"
api_key_file = "key"
api_url        = "{api_url}"
user_hub_url   = "{user_hub_url}"
market_hub_url = "{market_hub_url}"

[defaults.rules]
max_contracts   = {{ limit = 100, count = "mini_equivalent" }}
daily_loss      = {{ limit = 1_000_000 }}
unrealized_loss = {{ limit = 1_000_000 }}
no_stop_loss    = {{ grace = "5m" }}
symbol_block    = {{ symbols = ["{blocked}"] }}
"""


def write_configuration(folder: Path, addresses: dict[str, str]) -> Path:
    """A ``seawall.toml`` that guards every account of the gateway, with its key beside it."""
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_text("any", "ascii")
    accounts = "".join(f'[accounts.{name}]\nlogin = "bench"\n' for name in ACCOUNTS.values())
    path = folder / "seawall.toml"
    path.write_text(CONFIGURATION.format(**addresses, blocked=BLOCKED) + accounts, "utf-8")
    return path


if __name__ == "__main__":
    LIMITS.update(dict.fromkeys(LIMITS, sys.maxsize))
    application()(["run", "-c", sys.argv[1]])
