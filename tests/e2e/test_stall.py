"""A daemon that can no longer be trusted ends itself; its service manager brings every account back."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from attrs import frozen

from console.ask import NoAnswer, ask
from supervision.watchdog import EXIT_CODE
from tests.conftest import ROOT, Gateway
from tests.e2e.faulty_daemon import STUCK_AFTER
from tests.e2e.world import GC, GUARD, MNQ, Lines, World, open_world

type StartGateway = Callable[..., Gateway]

RULES = "seawall/logins/sim/accounts/SIM-50K-1/rules"
STALLED = (
    f"the event loop has not turned for {STUCK_AFTER:g} s: the task '{RULES}' does not let go of it"
)
REASONS = {
    "blocks_the_loop": STALLED,
    "never_checkpoints": STALLED,
    "swallows_cancellation": f"{RULES} was cancelled and goes on: it swallows its cancellation",
}
"""What the log says of each fault."""
ACCOUNTS = ("SIM-50K-1", "SIM-50K-2", "SIM-50K-3")

SERVICE_MANAGER = """
lives=0
while [ "$lives" -lt 3 ]; do
    "$@" 2>>"$0/log"
    code=$?
    echo "$code" >>"$0/codes"
    [ "$code" -eq 0 ] && exit 0
    lives=$((lives + 1))
done
exit 1
"""
"""Restart on failure, three times at most; arguments: a folder for log and exit codes, a command."""


@frozen
class Service:
    """A daemon under the care of a shell loop."""

    folder: Path
    manager: trio.Process

    @property
    def log(self) -> str:
        """Everything that all lives wrote."""
        return (self.folder / "log").read_text("utf-8")

    @property
    def codes(self) -> list[int]:
        """How each life so far ended."""
        codes = self.folder / "codes"
        return [int(code) for code in codes.read_text().split()] if codes.exists() else []

    @property
    def pid(self) -> int:
        """The process that guards at the moment."""
        return int((self.folder / "state" / "seawall.pid").read_text())

    async def accounts(self) -> dict[str, dict[str, Any]]:
        """What the daemon says of each account; nothing while it cannot be asked."""
        try:
            status = await trio.to_thread.run_sync(ask, self.folder / "state", "status")
        except NoAnswer:
            return {}
        return {account["account"]: account for account in status["accounts"]}

    async def live(self) -> bool:
        """Every account is guarded, by what the broker says."""
        accounts = await self.accounts()
        return [a for a in ACCOUNTS if accounts.get(a, {}).get("phase") == "live"] == [*ACCOUNTS]

    async def net(self, account: str) -> list[int]:
        """The positions that the daemon knows of."""
        positions = (await self.accounts()).get(account, {}).get("positions") or []
        return [int(position["net"]) for position in positions]


def configuration(gateway: Gateway) -> str:
    accounts = "\n".join(f'[accounts.{name}]\nlogin = "sim"' for name in ACCOUNTS)
    return f"""\
[daemon]
clock = "gateway"
[logins.sim]
username = "{GUARD}"
api_key_env = "SIM_KEY"
api_url = "{gateway.api_url}"
user_hub_url = "{gateway.user_hub_url}"
market_hub_url = "{gateway.market_hub_url}"
[defaults.rules]
max_contracts = {{ limit = 5 }}
symbol_block = {{ symbols = ["GC"] }}
{accounts}
"""


def _gateway(start_gateway: StartGateway) -> Gateway:
    """On a Wednesday morning, with prices that stand still."""
    return start_gateway("--start", "2026-11-18T15:00:00+00:00", "--quotes-per-second", "0")


@asynccontextmanager
async def serving(world: World, folder: Path, fault: str = "") -> AsyncIterator[Service]:
    """The daemon with a fault in its first life, every account live; stopped in order at the end."""
    config = folder / "seawall.toml"
    config.write_text(configuration(world.gateway))
    daemon = [sys.executable, "-m", "tests.e2e.faulty_daemon", config, fault, folder / "marker"]
    manager = await trio.lowlevel.open_process(
        ["sh", "-c", SERVICE_MANAGER, folder, *map(str, daemon)],
        cwd=ROOT,
        env={**os.environ, "SIM_KEY": "a key of the guard"},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    service = Service(folder, manager)
    try:
        await world.until(service.live)
        yield service
        os.kill(service.pid, signal.SIGTERM)
        with trio.fail_after(10):
            assert await manager.wait() == 0
    finally:
        if manager.returncode is None:
            os.killpg(manager.pid, signal.SIGKILL)
            with trio.move_on_after(10, shield=True):
                await manager.wait()
            print(service.log)  # noqa: T201 - for the report of a test that failed


async def test_a_faulty_handler_ends_the_process_and_the_restart_recovers_every_account(
    start_gateway: StartGateway, tmp_path: Path, lines: Lines
) -> None:
    """Three faults side by side: exit code 70, all stacks in the log, what was missed is judged."""

    async def tell(fault: str, reason: str) -> None:
        folder = tmp_path / fault
        folder.mkdir()
        async with open_world(_gateway(start_gateway), folder, lines) as world:
            await _recovers(world, folder, fault, reason)

    async with trio.open_nursery() as nursery:
        for fault, reason in REASONS.items():
            nursery.start_soon(tell, fault, reason)


async def _recovers(world: World, folder: Path, fault: str, reason: str) -> None:
    async with serving(world, folder, fault) as service:
        first = service.pid
        await world.trade(1001, 1)
        await world.until((folder / "marker").exists)
        # Too much where the fault is, a forbidden contract, and one lot that nobody minds.
        await world.trade(1001, 6)
        await world.trade(1002, 1, GC)
        await world.trade(1003, 1)
        await world.until(lambda: service.codes == [EXIT_CODE])
        await world.until(service.live)
        assert service.pid != first
        await world.until(lambda: world.flat(1002))
        await world.until(lambda: _holds_at_most(world, 1001, 5))
        assert await service.net("SIM-50K-3") == [await world.held(1003)] == [1]
    assert service.codes == [EXIT_CODE, 0]
    _told_what_and_where(service.log, fault, reason)


async def _holds_at_most(world: World, account_id: int, size: int) -> bool:
    return await world.held(account_id, MNQ) <= size


def _told_what_and_where(log: str, fault: str, reason: str) -> None:
    (words,) = (line for line in log.splitlines() if '"UNGUARDED until the restart: ' in line)
    told = json.loads(words)
    assert told["level"] == "critical"
    assert told["event"].startswith(f"UNGUARDED until the restart: {reason}. Seawall ends itself")
    stacks = log[log.index(words) + len(words) :]
    assert f" in {fault}\n" in stacks
    assert stacks.count("hread 0x") >= 2
    for task in ("watchdog: _beat", "store", "logins/sim/accounts/SIM-50K-3/enforcement"):
        assert f"\nTask 'seawall/{task}' (most recent call first):\n" in stacks


async def test_a_suspended_daemon_lives_on_and_finds_what_it_missed(
    start_gateway: StartGateway, tmp_path: Path, lines: Lines
) -> None:
    """Stopped for longer than all patience, its hubs cut meanwhile: the same process reconciles."""
    async with (
        open_world(_gateway(start_gateway), tmp_path, lines) as world,
        serving(world, tmp_path) as service,
    ):
        pid = service.pid
        os.kill(pid, signal.SIGSTOP)
        await world.fault("reset")
        await world.trade(1001, 1)
        await world.trade(1002, 1, GC)
        await trio.sleep(STUCK_AFTER + 1)
        assert not await world.flat(1002)
        os.kill(pid, signal.SIGCONT)
        await world.until(lambda: world.flat(1002))
        await world.until(service.live)
        assert service.pid == pid
        assert await service.net("SIM-50K-1") == [1]
    assert service.codes == [0]
    assert "UNGUARDED until" not in service.log
