"""The daemon as a block: what it is made of, and how its failures end."""

import json
import random
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import trio

import actors.daemon
from config import Config, load
from console.daemon import run_daemon
from console.logging import logging_to
from console.service import Surroundings, open_daemon, plan_of
from store.journal import open_journal
from supervision import Actor

NOWHERE = "http://127.0.0.1:1"
"""Nobody listens there."""


def configuration(folder: Path, *more: str) -> Config:
    path = folder / "seawall.toml"
    path.write_text(
        "\n".join(
            [
                *more,
                "[logins.sim]",
                'username = "trader"',
                'api_key_env = "SIM_KEY"',
                f'api_url = "{NOWHERE}/api"',
                f'user_hub_url = "{NOWHERE}/hubs/user"',
                f'market_hub_url = "{NOWHERE}/hubs/market"',
                "[accounts.A]",
                'login = "sim"',
                '[accounts."*"]',
                'role = "watched"',
            ]
        )
    )
    environment = {"SIM_KEY": "some-key-1234"}
    return load(path, environment=environment, today=date(2026, 11, 18), for_run=True)


def test_an_account_that_nobody_named_is_taken_in_as_the_template_says(tmp_path: Path) -> None:
    """Under its own name and login, watched as the template is."""
    plan = plan_of(configuration(tmp_path))
    adopted = plan.adopt("sim", "B")
    assert adopted is not None
    assert (adopted.name, adopted.login, adopted.armed) == ("B", "sim", False)
    assert [(a.name, a.armed) for a in plan.accounts] == [("A", True)]


def test_shadow_mode_disarms_every_account(tmp_path: Path) -> None:
    """Decide and say so, send nothing."""
    plan = plan_of(configuration(tmp_path, "[daemon]", 'mode = "shadow"'))
    assert [a.armed for a in plan.accounts] == [False]


async def test_an_unreachable_gateway_does_not_keep_the_daemon_from_starting(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """It is up, its journal holds the configuration, and it knows that it guards nothing yet."""
    config = configuration(tmp_path)
    quiet = Surroundings(random.Random(1), signals=False, stuck_after=None)
    async with open_daemon(config, quiet) as system:
        assert system.tree().state == "running"
        assert (config.daemon.state_dir / "seawall.sock").exists()
    journal = await open_journal(config.daemon.state_dir, datetime.now(UTC))
    try:
        accepted = [each.fingerprint for each in journal.projection.configurations]
        assert accepted == [config.fingerprint()]
    finally:
        await journal.aclose()


class Broken(Actor[object]):
    async def started(self) -> None:
        raise RuntimeError("worn out")


async def test_a_part_that_everything_depends_on_ends_the_daemon_loudly(
    tmp_path: Path,
    autojump_clock: trio.testing.MockClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The last line says that nothing is guarded and what to do; the exit code is not 0."""
    monkeypatch.setattr(actors.daemon, "SessionClock", lambda calendar, clock: Broken())
    with logging_to():
        assert await run_daemon(configuration(tmp_path)) == 1
    last = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert last["level"] == "critical"
    assert last["event"].startswith("UNGUARDED: ")
    assert "'session clock' failed too often" in last["problem"]
