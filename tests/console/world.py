"""What the console's tests have in common."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import httpx

from console.ask import NoAnswer, ask
from tests.conftest import ROOT, Gateway

KEY = "kEy-of-The-trader-0123456789"
"""The API key in the daemon's environment; it must never be seen again."""
PATIENCE = 30.0
"""Seconds after which something that should have happened did not; nothing is that slow."""


def config_text(gateway: Gateway) -> str:
    return f"""\
[daemon]
clock = "gateway"

[logins.sim]
username = "trader"
api_key_env = "SIM_KEY"
api_url = "{gateway.api_url}"
user_hub_url = "{gateway.user_hub_url}"
market_hub_url = "{gateway.market_hub_url}"

[accounts.SIM-50K-1]
login = "sim"
[accounts.SIM-50K-1.rules]
daily_loss = {{ limit = 500 }}

[accounts.SIM-50K-2]
login = "sim"
role = "watched"
[accounts.SIM-50K-2.rules]
max_contracts = {{ limit = 2 }}
"""


def seawall(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "console", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": _path(), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _path() -> str:
    return os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])


def eventually[T](look: Callable[[], T | None], what: str) -> T:
    """What ``look`` finds, as soon as it finds something."""
    give_up = time.monotonic() + PATIENCE
    while (found := look()) is None:
        assert time.monotonic() < give_up, f"never seen: {what}"
        time.sleep(0.05)
    return found


class Daemon:
    """``seawall run`` as a process."""

    def __init__(self, config: Path, log: Path) -> None:
        self.config = config
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "console", "run", "-c", str(config)],
                cwd=ROOT,
                env={**os.environ, "SIM_KEY": KEY},
                stdout=output,
                stderr=output,
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def lines(self) -> list[dict[str, Any]]:
        """Everything it logged."""
        return [json.loads(line) for line in self.output.splitlines()]

    def status(self) -> dict[str, Any] | None:
        try:
            return ask(self.config.parent / "state", "status")
        except NoAnswer:
            return None

    def account(self, name: str) -> dict[str, Any] | None:
        """What status says of one account, once it is live."""
        accounts = (self.status() or {}).get("accounts", [])
        return next(
            (a for a in accounts if a["account"] == name and a.get("phase") == "live"), None
        )

    def wait_live(self, name: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            assert self.process.poll() is None, self.output
            return self.account(name)

        return eventually(look, f"{name} live")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


class Trader:
    """Acts at the gateway like any other client of it."""

    def __init__(self, gateway: Gateway, account_id: int) -> None:
        self._http = httpx.Client(base_url=gateway.url, trust_env=False, timeout=10)
        self._account_id = account_id
        token = self._post("/api/Auth/loginKey", userName="hand", apiKey="other")["token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def buy(self, contract: str, size: int) -> None:
        answer = self._post(
            "/api/Order/place",
            accountId=self._account_id,
            contractId=contract,
            type=2,
            side=0,
            size=size,
        )
        assert answer["success"], answer

    def held(self) -> int:
        """Open contracts of all kinds."""
        found = self._post("/api/Position/searchOpen", accountId=self._account_id)["positions"]
        return sum(position["size"] for position in found)

    def price(self, contract: str, bid: str) -> None:
        self._post("/control/quote", contractId=contract, bid=bid, ask=bid)

    def fault(self, **fault: object) -> None:
        self._post("/control/fault", **fault)

    def _post(self, path: str, **body: object) -> dict[str, Any]:
        answer: dict[str, Any] = self._http.post(path, json=body).raise_for_status().json()
        return answer
