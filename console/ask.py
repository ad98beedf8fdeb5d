"""Questions to the running daemon, over the socket in its state directory.

Needs neither a valid configuration nor its secrets: only where the state directory is.
"""

import json
import socket
import tomllib
from pathlib import Path
from typing import Any

import typer

from actors.address import SOCKET_NAME, socket_address
from console.output import complain

DEFAULT_STATE = "state"
ANSWER_WITHIN = 5.0
"""Seconds a daemon may take to answer."""


class NoAnswer(Exception):
    """Nobody listens there, or what it says is no answer."""


def state_directory(config: Path) -> Path:
    """``[daemon] state_dir`` of a file; OSError when it cannot be read, ValueError when it is no TOML."""
    daemon = tomllib.loads(config.read_text("utf-8")).get("daemon", {})
    named = daemon.get("state_dir", DEFAULT_STATE) if isinstance(daemon, dict) else DEFAULT_STATE
    return config.parent / str(named)


def ask(directory: Path, question: str) -> dict[str, Any]:
    """The daemon's answer; NoAnswer when there is none."""
    try:
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream,
            socket_address(directory / SOCKET_NAME) as address,
        ):
            stream.settimeout(ANSWER_WITHIN)
            stream.connect(address)
            stream.sendall(json.dumps({"ask": question}).encode() + b"\n")
            answer = json.loads(stream.makefile("rb").readline() or b"null")
    except (OSError, ValueError) as problem:
        raise NoAnswer(str(problem)) from problem
    if not isinstance(answer, dict):
        raise NoAnswer("the answer was cut short")
    return answer


def answer_or_exit(config: Path, question: str) -> dict[str, Any]:
    """The answer for a command: explains on stderr, and exits with 1 or 2, when there is none."""
    try:
        directory = state_directory(config)
    except (OSError, ValueError) as problem:
        complain(f"{config}: {getattr(problem, 'strerror', None) or problem}")
        raise typer.Exit(2) from problem
    try:
        return ask(directory, question)
    except NoAnswer as silence:
        complain(
            f"no daemon answers in {directory}; is the daemon running? "
            f"Start it with: ./seawall run -c {config}"
        )
        raise typer.Exit(1) from silence
