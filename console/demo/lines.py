"""The story as plain lines, for pipes and small terminals."""

import os
import shutil
import sys
from zoneinfo import ZoneInfo

import trio

from console.demo.chronicle import Kind, Told
from console.demo.stage import Stage

CHICAGO = ZoneInfo("America/Chicago")
MARKS = {
    Kind.SCENE: "==",
    Kind.SENTENCE: "  ",
    Kind.ENFORCED: "->",
    Kind.FALL: "**",
    Kind.PROBLEM: "!!",
}


class Lines:
    """One line for each thing told, with the gateway's time in Chicago."""

    def show(self, told: Told) -> None:
        """Print it."""
        if told.kind is Kind.SCENE:
            print(flush=True)  # noqa: T201
        time = told.at.astimezone(CHICAGO)
        print(f"{time:%H:%M:%S} {MARKS[told.kind]} {told.text}", flush=True)  # noqa: T201

    async def watch(self, _: Stage) -> None:
        """Lines need no watching."""
        await trio.sleep_forever()


class Silence:
    """Tells nothing: the report is all that is wanted."""

    def show(self, _: Told) -> None:
        """Nothing is shown."""

    async def watch(self, _: Stage) -> None:
        """Nothing is watched."""
        await trio.sleep_forever()


def stdout_is_a_terminal(width: int, height: int) -> bool:
    """Whether standard output can be drawn on, with at least this many columns and rows."""
    if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return False
    size = shutil.get_terminal_size()
    return size.columns >= width and size.lines >= height
