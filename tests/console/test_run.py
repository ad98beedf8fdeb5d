"""``seawall run`` as a trader runs it: a process, a gateway process, signals, kills."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Gateway
from tests.console.world import KEY, Daemon, Trader, eventually, seawall

MNQ = "CON.F.US.MNQ.Z26"


def test_a_stop_is_ordered_and_says_what_it_means(start_daemon: Callable[[], Daemon]) -> None:
    """SIGTERM ends it with 0, and the log tells what was guarded and that it no longer is."""
    daemon = start_daemon()
    daemon.wait_live("SIM-50K-1")
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(10) == 0
    said = [line["event"] for line in daemon.lines()]
    assert "guarding SIM-50K-1" in said
    assert "watching SIM-50K-2 only: breaches are told, nothing is closed" in said
    assert said[-1] == "stopped in order; nothing is guarded any more, locks are kept"
    assert seawall("status", "-c", daemon.config).returncode == 1


def test_two_daemons_never_share_a_state_directory(start_daemon: Callable[[], Daemon]) -> None:
    """The second one names the first and ends with 1; the first goes on, until Ctrl-C ends it well."""
    first = start_daemon()
    first.wait_live("SIM-50K-1")
    second = start_daemon()
    assert second.process.wait(20) == 1
    assert f"in use by process {first.process.pid}" in second.lines()[-1]["event"]
    assert first.account("SIM-50K-1") is not None
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(10) == 0
    assert "Traceback" not in first.output


def test_a_state_directory_that_cannot_be_made_is_explained(
    start_daemon: Callable[[], Daemon], config: Path
) -> None:
    """Without it no lock would survive, so nothing starts."""
    config.with_name("state").write_text("a file is in the way")
    daemon = start_daemon()
    assert daemon.process.wait(20) == 1
    assert daemon.lines()[-1]["event"].startswith("not started, the state cannot be kept")


def test_a_kill_in_the_middle_of_a_lock_loses_neither_lock_nor_close(
    start_daemon: Callable[[], Daemon], gateway: Gateway
) -> None:
    """The next start knows the lock, and closes what the first could not."""
    first = start_daemon()
    first.wait_live("SIM-50K-1")
    with Trader(gateway, 1001) as trader:
        trader.price(MNQ, "25000")
        trader.fault(fault="refuse_close", account_id=1001, code=5, message="try later")
        trader.buy(MNQ, 3)
        trader.price(MNQ, "24900")
        eventually(lambda: _locks(first) or None, "the lock")
        first.kill()
        assert trader.held() == 3
        trader.fault(clear=True)
        second = start_daemon()
        second.wait_live("SIM-50K-1")
        eventually(lambda: True if trader.held() == 0 else None, "a flat account")
    answer = seawall("status", "--json", "-c", second.config)
    account = json.loads(answer.stdout)["accounts"][0]
    assert [lock["rule"] for lock in account["locks"]] == ["daily_loss"]
    assert account["positions"] == []


def test_an_account_that_is_only_watched_is_told_about_and_left_alone(
    start_daemon: Callable[[], Daemon], gateway: Gateway
) -> None:
    """A breach there is in the log; the position stays."""
    daemon = start_daemon()
    daemon.wait_live("SIM-50K-2")
    with Trader(gateway, 1002) as trader:
        trader.buy(MNQ, 3)
        eventually(lambda: "max_contracts" in _breaches(daemon) or None, "the breach in the log")
        assert trader.held() == 3


def test_no_secret_is_ever_written(
    start_daemon: Callable[[], Daemon], gateway: Gateway, config: Path
) -> None:
    """Neither key nor token: not in the log of lost hubs and rejected logins, not in the state."""
    daemon = start_daemon()
    daemon.wait_live("SIM-50K-1")
    with Trader(gateway, 1001) as trader:
        trader.fault(fault="reject_login", duration=2)
        trader.fault(fault="revoke_tokens")
        trader.fault(fault="reset")
        eventually(lambda: _seen(daemon, "hub down"), "the lost hub")
    daemon.process.send_signal(signal.SIGTERM)
    daemon.process.wait(10)
    state = b"".join(file.read_bytes() for file in (config.parent / "state").iterdir())
    for secret in (KEY, "eyJ", "access_token="):
        assert secret not in daemon.output
        assert secret.encode() not in state


def test_a_key_that_is_not_there_is_a_configuration_error(config: Path) -> None:
    """With its place, exit code 2, and before anything is started."""
    ended = seawall("run", "-c", config)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"{config}:6:")
    assert "SIM_KEY" in ended.stderr
    assert not (config.parent / "state").exists()


def _locks(daemon: Daemon) -> list[dict[str, str]]:
    accounts = (daemon.status() or {}).get("accounts", [])
    return next((a.get("locks", []) for a in accounts if a["account"] == "SIM-50K-1"), [])


def _breaches(daemon: Daemon) -> set[str]:
    return {line["rule"] for line in daemon.lines() if "rule" in line}


def _seen(daemon: Daemon, words: str) -> bool | None:
    return any(words in line["event"] for line in daemon.lines()) or None
