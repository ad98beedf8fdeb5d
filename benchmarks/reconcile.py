"""From the return of a lost user hub until all twenty accounts are live again, and what they weigh."""

import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.fill_to_close import await_subscribed, ours, running
from benchmarks.gateway import ACCOUNTS, IDLE, Gateway, running_gateway
from benchmarks.report import Finding, at_most, show
from console.ask import ask

RECONCILED_WITHIN = 1.0
MEMORY_AT_MOST_MB = 130.0
LIVE_WITHIN = 20.0
DROPS_APART = 6.0
"""Seconds: a login reconciles in full at most once in five."""


def run(*, quick: bool) -> None:
    """Drop the hubs a few times."""
    drops = 2 if quick else 5
    with running_gateway(IDLE) as gateway, running(ours, gateway) as side:
        await_subscribed(gateway)
        state = side.folder / "state"
        _await_live(state)
        seconds = [_drop(gateway, state) for _ in range(drops)]
        resident = _resident_mb(side.pid)
    worst = at_most(
        "20 accounts live after the hub's return, worst", max(seconds), RECONCILED_WITHIN, "s"
    )
    middle = Finding("the same, median", f"n = {drops}", f"{median(seconds):.3f} s", None)
    show("reconcile", [middle, worst])
    show("memory", [_memory(resident)])


def _memory(resident: float | None) -> Finding:
    what = "resident, 20 accounts"
    if resident is None:
        return Finding(what, f"<= {MEMORY_AT_MOST_MB:g} MB", "not known on this system", None)
    return at_most(what, resident, MEMORY_AT_MOST_MB, "MB")


def _drop(gateway: Gateway, state: Path) -> float:
    """Cut both hubs once; seconds from the new link to the last account being live."""
    time.sleep(DROPS_APART)
    gateway.control("fault", fault="drop")
    time.sleep(0.2)
    await_subscribed(gateway)
    accounts = _await_live(state)
    return max(float(it["reconcile_s"]) for it in accounts)


def _await_live(state: Path) -> list[dict[str, Any]]:
    until = time.monotonic() + LIVE_WITHIN
    while time.monotonic() < until:
        accounts: list[dict[str, Any]] = ask(state, "status")["accounts"]
        if [it.get("phase") for it in accounts] == ["live"] * len(ACCOUNTS):
            return accounts
        time.sleep(0.05)
    raise AssertionError("the accounts did not become live")


def _resident_mb(pid: int) -> float | None:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    lines = dict(line.split(":", 1) for line in status.read_text("ascii").splitlines())
    return int(lines["VmRSS"].split()[0]) * 1024 / 1e6
