"""Who takes the signals is up before, and down after, everything that a signal must not tear."""

import random
from datetime import date
from pathlib import Path

import trio

from config import load
from console.service import Surroundings, open_daemon
from supervision import Started, Stopped, SupervisionEvent

TEXT = """\
[logins.sim]
username = "trader"
api_key_env = "SIM_KEY"
api_url = "http://127.0.0.1:1/api"
user_hub_url = "http://127.0.0.1:1/hubs/user"
market_hub_url = "http://127.0.0.1:1/hubs/market"
[accounts.A]
login = "sim"
"""


async def test_the_signals_are_the_first_to_start_and_the_last_to_stop(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Of all the actors of the daemon, also when nothing goes wrong."""
    path = tmp_path / "seawall.toml"
    path.write_text(TEXT)
    secrets = {"SIM_KEY": "some-key-1234"}
    config = load(path, environment=secrets, today=date(2026, 11, 18), for_run=True)
    seen: list[SupervisionEvent] = []
    around = Surroundings(random.Random(1), observe=seen.append, stuck_after=None)
    async with open_daemon(config, around):
        pass
    started = [event.path for event in seen if isinstance(event, Started)]
    stopped = [event.path for event in seen if isinstance(event, Stopped)]
    assert started[0] == "seawall/signals"
    assert stopped[-2:] == ["seawall/signals", "seawall"]
