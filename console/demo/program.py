"""The demo as a program: where it is shown, what it prints at the end, its exit code."""

import json
import shutil
import signal
import tempfile
from pathlib import Path

import httpx
import trio

from console.demo.gateway import GatewayFailed
from console.demo.lines import Lines, Silence, stdout_is_a_terminal
from console.demo.play import FAST, FULL, Audience, Played, play
from console.demo.report import document, passed, summary
from console.logging import logging_to
from console.output import complain, show
from simulator.trader import OrderRefused
from supervision import Escalated

INTERRUPTED = 130


class Interrupted(Exception):
    """A signal ended the demo."""


def run(*, fast: bool, report: Path | None, as_json: bool) -> int:
    """Play the demo; 0 when every target was met and every invariant held, else 1."""
    folder = Path(tempfile.mkdtemp(prefix="seawall-demo-"))
    status, played = 1, None
    try:
        played = _performed(folder, fast=fast, as_json=as_json)
    except* Interrupted:
        status = INTERRUPTED
    except* (GatewayFailed, OrderRefused, httpx.HTTPError, Escalated, OSError) as failed:
        complain(f"the demo could not be played: {_first(failed)}")
    if played is not None:
        status = told(played, report, as_json=as_json)
    if status == 1:
        complain(f"logs and journal of this run are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return status


def told(played: Played, report: Path | None, *, as_json: bool) -> int:
    """Print and write what came of it; answers the exit code."""
    show(document(played), *summary(played), as_json=as_json)
    if report is not None:
        report.write_text(json.dumps(document(played), indent=2) + "\n", "utf-8")
    return 0 if passed(played) else 1


def _performed(folder: Path, *, fast: bool, as_json: bool) -> Played:
    with (folder / "daemon.log").open("w", encoding="utf-8") as log, logging_to(log):
        return trio.run(_until_a_signal, folder, fast, _audience(as_json=as_json))


def _audience(*, as_json: bool) -> Audience:
    if as_json:
        return Silence()
    from console.demo.screen import COLUMNS, ROWS, Screen

    if not stdout_is_a_terminal(COLUMNS, ROWS):
        return Lines()
    print("Starting a simulated gateway, and Seawall against it ...", flush=True)  # noqa: T201
    return Screen()


async def _until_a_signal(folder: Path, fast: bool, audience: Audience) -> Played:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_wait_for_a_signal)
        played = await play(folder, FAST if fast else FULL, audience)
        nursery.cancel_scope.cancel(reason="the demo is over")
    return played


async def _wait_for_a_signal() -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as received:
        async for number in received:
            raise Interrupted(signal.Signals(number).name)


def _first(group: BaseExceptionGroup) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
