"""``python -m simulator``: the simulated gateway alone, for any ProjectX client."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import trio

from simulator.build import build_gateway
from simulator.scenario import Scenario, load_scenario
from simulator.server import Addresses, serve


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulator", description="A simulated ProjectX Gateway.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--json", action="store_true", help="print the addresses as one JSON line")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=_instant, help="simulated wall time, ISO 8601")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds per second")
    parser.add_argument("--scenario", type=Path, help="TOML or JSON file")
    parser.add_argument("--quotes-per-second", type=float, default=40.0, help="of all contracts")
    parser.add_argument(
        "--until-eof", action="store_true", help="end when standard input does, as a child should"
    )
    parser.add_argument("--contracts", help="roots such as NQ,ES; all of them when missing")
    return parser.parse_args(argv)


def _scenario(arguments: argparse.Namespace) -> Scenario:
    scenario = load_scenario(arguments.scenario) if arguments.scenario else Scenario()
    if arguments.contracts:
        roots = tuple(it.strip() for it in arguments.contracts.split(","))
        scenario = scenario.only(roots)
    scenario.listings()
    return scenario


async def _stop_on_signal(scope: trio.CancelScope, task_status: trio.TaskStatus[None]) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            scope.cancel()


async def _stop_at_eof(scope: trio.CancelScope) -> None:
    async with trio.lowlevel.FdStream(os.dup(sys.stdin.fileno())) as stream:
        async for _ in stream:
            pass
    scope.cancel()


async def _run(arguments: argparse.Namespace, scenario: Scenario) -> None:
    gateway = build_gateway(
        datetime.now(UTC),
        seed=arguments.seed,
        start=arguments.start,
        speed=arguments.speed,
        scenario=scenario,
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(_stop_on_signal, nursery.cancel_scope)
        if arguments.until_eof:
            nursery.start_soon(_stop_at_eof, nursery.cancel_scope)
        serving = partial(
            serve,
            gateway,
            port=arguments.port,
            quotes_per_second=arguments.quotes_per_second,
            steps=scenario.steps,
        )
        addresses: Addresses = await nursery.start(serving)
        _announce(addresses, as_json=arguments.json)


def _announce(addresses: Addresses, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(addresses.as_json()), flush=True)  # noqa: T201
        return
    print(f"api         {addresses.api_url}")  # noqa: T201
    print(f"user hub    {addresses.user_hub_url}")  # noqa: T201
    print(f"market hub  {addresses.market_hub_url}", flush=True)  # noqa: T201


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal; 2 for bad usage, 1 when the port is taken."""
    arguments = _arguments(argv)
    try:
        scenario = _scenario(arguments)
    except (ValueError, OSError) as error:
        print(f"gateway: {error}", file=sys.stderr)  # noqa: T201
        return 2
    status = 0
    try:
        trio.run(_run, arguments, scenario)
    except* OSError as errors:
        print(f"gateway: {errors.exceptions[0]}", file=sys.stderr)  # noqa: T201
        status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
