"""The command line: ``main`` is what the ``seawall`` program calls.

Exit codes: 0 fine, 1 ran and failed, 2 bad usage or configuration.
"""

import sys
from typing import Annotated

import typer

from console.commands.check import check
from console.commands.demo import demo
from console.commands.gateway import gateway
from console.commands.run import run
from console.commands.simulate import simulate
from console.commands.status import status
from console.commands.trace import trace
from console.commands.tree import tree


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError
        from importlib.metadata import version as installed

        try:
            typer.echo(f"seawall {installed('seawall')}")
        except PackageNotFoundError:
            typer.echo("seawall, not installed")
        raise typer.Exit


def _seawall(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Risk manager for futures accounts on TopstepX: watches them and enforces their rules."""


def application() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="seawall",
        no_args_is_help=True,
        add_completion=False,
        # A traceback with local variables would show keys; a plain one is enough for a bug report.
        pretty_exceptions_enable=False,
        rich_markup_mode="rich" if sys.stdout.isatty() else None,
    )
    app.callback()(_seawall)
    for command in (demo, run, check, status, tree, gateway, simulate, trace):
        app.command()(command)
    return app


def main() -> None:
    """Run the command of this process's arguments; ends the process."""
    application()(prog_name="seawall")
