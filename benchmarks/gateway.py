"""A simulated gateway in a process of its own, with a trader who acts on it over the public API."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

ROOT = Path(__file__).parent.parent
ACCOUNTS = {1000 + n: f"BENCH-{n:02}" for n in range(1, 21)}
"""Twenty accounts, by id."""
HELD = ("ES", "NQ", "RTY", "YM", "CL", "NG", "SI", "HG", "6E", "ZN")
"""Roots of which each account holds two."""
BLOCKED = "GC"
"""The root that may not be traded: a fill in it has to be closed at once."""
IDLE = 10.0
"""Quotes per second of an idle market: enough that no price is stale."""
END_WITHIN = 10.0
GATEWAYS_CORE, OTHER_CORE = 0, 1


@frozen
class Gateway:
    """Where it is, and how it is asked; one connection, one request at a time."""

    addresses: dict[str, str]
    _http: HTTPConnection
    _token: str
    contracts: dict[str, str]
    """Contract id by root."""

    def control(self, path: str, **body: Any) -> Any:
        """Ask a control endpoint; with a body it is a POST."""
        return _ask(self._http, "POST" if body else "GET", f"/control/{path}", body)

    def post(self, path: str, **body: Any) -> Any:
        """Ask the public API as the trader; a refusal is a RuntimeError."""
        return _ask(self._http, "POST", f"/api{path}", body, self._token)

    def buy(self, account_id: int, root: str, size: int = 1) -> None:
        """Let the trader buy at the market."""
        order = {"accountId": account_id, "contractId": self.contracts[root], "size": size}
        self.post("/Order/place", type=2, side=0, **order)

    def held(self, root: str) -> dict[int, int]:
        """Contracts of this root that are open, by account."""
        wanted = self.contracts[root]
        return {
            account["id"]: position["size"]
            for account in self.control("state")["accounts"]
            for position in account["positions"]
            if position["contractId"] == wanted
        }


@contextmanager
def running_gateway(quotes_per_second: float) -> Iterator[Gateway]:
    """Start one; every account holds two contracts, and no request is ever too many."""
    with TemporaryDirectory() as folder:
        scenario = Path(folder) / "scenario.json"
        accounts = [{"id": id_, "name": name} for id_, name in ACCOUNTS.items()]
        scenario.write_text(json.dumps({"accounts": accounts}), "utf-8")
        arguments = {
            "--scenario": str(scenario),
            "--contracts": ",".join((*HELD, BLOCKED)),
            # The blocked contract is quoted too, and nobody listens.
            "--quotes-per-second": str(quotes_per_second * (len(HELD) + 1) / len(HELD)),
        }
        flat = [part for pair in arguments.items() for part in pair]
        with _process("simulator", "--port", "0", "--json", *flat) as process:
            keep_to(process.pid, GATEWAYS_CORE)
            assert process.stdout is not None
            gateway = _met(json.loads(process.stdout.readline()))
            gateway.control("fault", fault="rate_limit", enabled=False)
            _stock(gateway)
            yield gateway


def keep_to(process: int, core: int) -> None:
    """Give a process (0: this one) a core, so that what is measured and its gateway never share one."""
    if sys.platform == "linux" and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(process, {core})


@contextmanager
def _process(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=END_WITHIN)


def _met(addresses: dict[str, str]) -> Gateway:
    http = HTTPConnection(urlsplit(addresses["url"]).netloc)
    login = {"userName": "trader", "apiKey": "any"}
    token = str(_ask(http, "POST", "/api/Auth/loginKey", login)["token"])
    offered = _ask(http, "POST", "/api/Contract/available", {"live": False}, token)["contracts"]
    return Gateway(addresses, http, token, {it["name"][:-2]: it["id"] for it in offered})


def _stock(gateway: Gateway) -> None:
    for n, account_id in enumerate(ACCOUNTS):
        for offset in (0, 1 + n // len(HELD)):
            gateway.buy(account_id, HELD[(n + offset) % len(HELD)])


def _ask(
    http: HTTPConnection, method: str, path: str, body: dict[str, Any], token: str = ""
) -> Any:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    http.request(method, path, json.dumps(body) if body else None, headers)
    response = http.getresponse()
    answer = json.loads(response.read())
    if response.status != 200 or answer.get("success") is False:
        raise RuntimeError(f"{path}: {response.status} {answer}")
    return answer
