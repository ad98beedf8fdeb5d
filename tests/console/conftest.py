"""Seawall as a process, a configuration for it, and a trader beside it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Gateway
from tests.console.world import Daemon, config_text


@pytest.fixture
def gateway(start_gateway: Callable[..., Gateway]) -> Gateway:
    """One whose time is a Wednesday morning, whatever the day of the test."""
    return start_gateway("--start", "2026-11-18T15:00:00+00:00", "--contracts", "MNQ")


@pytest.fixture
def config(tmp_path: Path, gateway: Gateway) -> Path:
    """A configuration of two accounts at a simulated gateway; the second is only watched."""
    path = tmp_path / "seawall.toml"
    path.write_text(config_text(gateway))
    return path


@pytest.fixture
def start_daemon(config: Path) -> Iterator[Callable[[], Daemon]]:
    """Start daemons of that configuration; what is left of them ends with the test."""
    started: list[Daemon] = []

    def start() -> Daemon:
        daemon = Daemon(config, config.with_name(f"log-{len(started)}"))
        started.append(daemon)
        return daemon

    yield start
    for daemon in started:
        daemon.kill()
