"""From a fill that must not be to the complete close request, both seen by the gateway.

The clock is the gateway's: it starts just before the frames of the fill are written to the user hub
and stops when the last byte of ``Position/closeContract`` has arrived. Seawall (the program as it is
run, with its journal and all its rules) and the bare script take turns, each round with a fresh
gateway and a fresh process, so that whatever else the machine does hits both.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from attrs import frozen

from benchmarks.gateway import (
    ACCOUNTS,
    BLOCKED,
    GATEWAYS_CORE,
    HELD,
    IDLE,
    OTHER_CORE,
    ROOT,
    Gateway,
    keep_to,
    running_gateway,
)
from benchmarks.ours import write_configuration
from benchmarks.report import Finding, at_most, percentile, show

READY_WITHIN = 30.0
FLAT_WITHIN = 5.0
PACE = 0.028
"""Seconds between two fills, at the least: the one before has been dealt with."""
JITTER = 0.009
"""Spread of the pace, so that nothing beats in step with it."""
LOADS = {"idle": IDLE, "1,000 quotes/s": 1_000.0, "4,000 quotes/s": 4_000.0}
RATIO_AT_MOST = {"idle": 0.60, "1,000 quotes/s": 0.50}
P99_AT_MOST = {"idle": 2.0, "1,000 quotes/s": 2.0, "4,000 quotes/s": 3.0}
OURS, BARE = "Seawall", "bare script with the SDK"

Side = Callable[[Gateway, Path], list[str]]
"""The command of a process that closes what is blocked; it may write into a folder."""


@frozen
class Running:
    """A side's process."""

    pid: int
    folder: Path
    """What it keeps is in there."""


@frozen
class Sample:
    """One side in one round."""

    milliseconds: tuple[float, ...]
    unclosed: int
    """Accounts whose fill was still open in the end."""
    repeated: int
    """Close requests beyond one per fill."""


def ours(gateway: Gateway, folder: Path) -> list[str]:
    """The daemon."""
    return ["benchmarks.ours", str(write_configuration(folder, gateway.addresses))]


def bare(gateway: Gateway, folder: Path) -> list[str]:
    """The script."""
    del folder
    told = {
        "addresses": gateway.addresses,
        "blocked": gateway.contracts[BLOCKED],
        "contracts": [gateway.contracts[root] for root in HELD],
    }
    return ["benchmarks.bare", json.dumps(told)]


@contextmanager
def running(side: Side, gateway: Gateway) -> Iterator[Running]:
    """Run a side's process until the block ends; what it said is shown only when that fails."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "said").open("wb") as said:
            command = [sys.executable, "-m", *side(gateway, folder)]
            process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
            keep_to(process.pid, OTHER_CORE)
            try:
                yield Running(process.pid, folder)
            except AssertionError:
                print((folder / "said").read_text("utf-8")[-3000:], file=sys.stderr)
                raise
            finally:
                process.terminate()
                process.wait(10.0)


def await_flat(gateway: Gateway, within: float) -> int:
    """Wait until nothing blocked is open; how many accounts still hold some."""
    until = time.monotonic() + within
    while (held := gateway.held(BLOCKED)) and time.monotonic() < until:
        time.sleep(0.05)
    return len(held)


def await_subscribed(gateway: Gateway) -> None:
    """Wait until all accounts and all held contracts are listened to."""
    wanted = {"user": 3 * len(ACCOUNTS) + 1, "market": len(HELD)}
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        links = gateway.control("state")["connections"]
        if {link["hub"]: len(link["subscriptions"]) for link in links} == wanted:
            return
        time.sleep(0.1)
    raise AssertionError("it never subscribed what it needs")


def warm_up(gateway: Gateway) -> None:
    """One fill on each account, so that none of those that count meets a cold path."""
    await_subscribed(gateway)
    for account in ACCOUNTS:
        gateway.buy(account, BLOCKED)
    assert await_flat(gateway, READY_WITHIN) == 0, "it never closed what is blocked"
    time.sleep(1.0)  # the reads that confirm the closes
    gateway.control("reset-record", forget=True)


def sample(side: Side, quotes_per_second: float, fills: int) -> Sample:
    """One side in a round of its own."""
    with running_gateway(quotes_per_second) as gateway, running(side, gateway):
        warm_up(gateway)
        accounts = list(ACCOUNTS)
        for n in range(fills):
            gateway.buy(accounts[n % len(accounts)], BLOCKED)
            time.sleep(PACE + JITTER * (n * 0.618 % 1.0))
        unclosed = await_flat(gateway, FLAT_WITHIN)
        time.sleep(0.7)  # a repetition would come about now
        return _measured(gateway, fills, unclosed)


def _measured(gateway: Gateway, fills: int, unclosed: int) -> Sample:
    blocked = gateway.contracts[BLOCKED]
    remembered = gateway.control("latency")
    pushed: dict[int, dict[int, float]] = {account: {} for account in ACCOUNTS}
    for push in remembered["pushes"]:
        if push["event"] == "GatewayUserPosition" and push["contract_id"] == blocked:
            pushed[push["account_id"]].setdefault(push["id"], push["written"])
    closes: dict[int, list[float]] = {account: [] for account in ACCOUNTS}
    for request in remembered["requests"]:
        if request["path"].endswith("/closeContract"):
            closes[request["subject"]["accountId"]].append(request["received"])
    times = [
        (closed - written) * 1000
        for account in ACCOUNTS
        for written, closed in pairs(sorted(pushed[account].values()), closes[account])
    ]
    return Sample(tuple(times), unclosed, sum(map(len, closes.values())) - fills)


def pairs(written: list[float], closed: list[float]) -> Iterator[tuple[float, float]]:
    """Each fill with the first close after it and before the next."""
    for start, end in pairwise([*written, float("inf")]):
        first = next((it for it in closed if start <= it < end), None)
        if first is not None:
            yield start, first


def compare(load: str, rounds: int, fills: int) -> Iterator[Finding]:
    """Take turns; what was promised for this load."""
    found: dict[str, list[Sample]] = {OURS: [], BARE: []}
    for n in range(rounds):
        turns: Sequence[tuple[str, Side]] = ((OURS, ours), (BARE, bare))
        for name, side in turns if n % 2 == 0 else turns[::-1]:
            found[name].append(sample(side, LOADS[load], fills))
    for name, samples in found.items():
        yield _figures(f"{load}: {name}", samples)
    ratios = [
        median(a.milliseconds) / median(b.milliseconds)
        for a, b in zip(found[OURS], found[BARE], strict=True)
    ]
    yield _ratio(load, found, ratios)
    all_ours = [it for each in found[OURS] for it in each.milliseconds]
    yield at_most(f"{load}: Seawall p99", percentile(all_ours, 0.99), P99_AT_MOST[load], "ms")
    wrong = sum(it.unclosed + abs(it.repeated) for it in found[OURS])
    yield Finding(f"{load}: not closed, or closed twice", "0", str(wrong), wrong == 0)


def _figures(what: str, samples: list[Sample]) -> Finding:
    times = [it for each in samples for it in each.milliseconds]
    p50, p95, p99 = (percentile(times, part) for part in (0.5, 0.95, 0.99))
    text = f"p50 {p50:.2f} p95 {p95:.2f} p99 {p99:.2f} ms"
    return Finding(what, f"n = {len(times)}", text, None)


def _ratio(load: str, found: dict[str, list[Sample]], ratios: list[float]) -> Finding:
    ours_all, bare_all = (
        median([it for each in found[name] for it in each.milliseconds]) for name in (OURS, BARE)
    )
    limit = RATIO_AT_MOST.get(load)
    ratio = ours_all / bare_all
    return Finding(
        f"{load}: ratio of the medians",
        "-" if limit is None else f"<= {limit:.2f}",
        f"{ratio:.2f} (rounds {min(ratios):.2f} to {max(ratios):.2f})",
        None if limit is None else ratio <= limit,
    )


def run(*, quick: bool, heavy: bool = False) -> None:
    """Idle and at 1,000 quotes a second, ``heavy`` also at 4,000; ``quick`` in under a minute."""
    rounds, fills = (2, 60) if quick else (3, 200)
    keep_to(0, GATEWAYS_CORE)
    loads = list(LOADS) if heavy else list(LOADS)[:2]
    for load in loads:
        show(f"fill to close, {load}", compare(load, rounds, fills))
