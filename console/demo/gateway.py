"""The simulated gateway as a process of its own, and the hand on its controls."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import trio
from attrs import frozen

READY_WITHIN = 15.0
ENDED_WITHIN = 5.0
ANSWER_WITHIN = 10.0


class GatewayFailed(RuntimeError):
    """The simulated gateway did not start, or refused a control request."""


@frozen
class Addresses:
    """Where the gateway is to be found."""

    url: str
    api_url: str
    user_hub_url: str
    market_hub_url: str


@asynccontextmanager
async def open_gateway(
    folder: Path, scenario: dict[str, object], *, start: datetime, speed: float, seed: int
) -> AsyncIterator[Addresses]:
    """Run the gateway while the block runs; its complaints go to ``gateway.log`` in the folder."""
    played = folder / "scenario.json"
    played.write_text(json.dumps(scenario), "utf-8")
    command = [
        sys.executable,
        "-m",
        "simulator",
        "--json",
        "--until-eof",
        "--port",
        "0",
        "--scenario",
        str(played),
    ]
    command += ["--start", start.isoformat(), "--speed", str(speed), "--seed", str(seed)]
    with (folder / "gateway.log").open("wb") as complaints:
        process = await trio.lowlevel.open_process(
            command,
            # It ends with this program, however that ends.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            # Ctrl-C is for this program, which then ends the gateway after the daemon.
            process_group=0,
        )
    try:
        yield await _announced(process, folder)
    finally:
        with trio.CancelScope(shield=True):
            await _end(process)


async def _announced(process: trio.Process, folder: Path) -> Addresses:
    assert process.stdout is not None
    line = b""
    with trio.move_on_after(READY_WITHIN):
        while b"\n" not in line and (more := await process.stdout.receive_some()):
            line += more
    if b"\n" not in line:
        said = (folder / "gateway.log").read_text("utf-8", "replace").strip()
        raise GatewayFailed(f"the simulated gateway did not start: {said or 'it said nothing'}")
    return Addresses(**json.loads(line))


async def _end(process: trio.Process) -> None:
    process.terminate()
    with trio.move_on_after(ENDED_WITHIN):
        await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()


class Control:
    """Prices, clock, faults and the whole truth of a simulated gateway."""

    def __init__(self, addresses: Addresses, client: httpx.AsyncClient) -> None:
        self._url = f"{addresses.url}/control"
        self._client = client

    async def state(self) -> dict[str, Any]:
        """Accounts with positions, orders and trades, and the prices."""
        return _body(await self._client.get(f"{self._url}/state"))

    async def quote(self, contract_id: str, bid: object, ask: object) -> None:
        """Set a price, which then stays."""
        await self._post("quote", contractId=contract_id, bid=str(bid), ask=str(ask))

    async def slide(self, contract_id: str, bid: object, seconds: float) -> None:
        """Begin to move a price evenly, within so many real seconds."""
        slide = {"contractId": contract_id, "to": str(bid), "over": seconds}
        await self._post("scenario", steps=[{"slide": slide}])

    async def clock(self, *, now: datetime | None = None, speed: float) -> datetime:
        """Let time jump, run faster or slower; answers what the clock shows."""
        wanted: dict[str, object] = {"speed": speed}
        if now is not None:
            wanted["now"] = now.isoformat()
        return datetime.fromisoformat((await self._post("clock", **wanted))["now"])

    async def cut_network(self) -> None:
        """Break the hubs' connections, and refuse new ones."""
        await self._post("fault", fault="http", status=503, path="/hubs/*")
        await self._post("fault", fault="reset", hub="both")

    async def restore_network(self) -> None:
        """Take connections again."""
        await self._post("fault", clear="http")

    async def _post(self, what: str, **body: object) -> dict[str, Any]:
        return _body(await self._client.post(f"{self._url}/{what}", json=body))


def _body(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code != httpx.codes.OK:
        raise GatewayFailed(f"{answer.url.path}: {answer.status_code} {answer.text}")
    body: dict[str, Any] = answer.json()
    return body
