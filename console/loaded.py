"""Configurations as commands need them: loaded, or explained on stderr with exit code 2."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import typer

from config import Config, ConfigErrors, load


def load_or_exit(path: Path, *, for_run: bool = False) -> Config:
    """The configuration; ends the program with 2 when it cannot be used."""
    today = datetime.now(UTC).date()
    try:
        return load(path, environment=os.environ, today=today, for_run=for_run)
    except ConfigErrors as errors:
        print(errors, file=sys.stderr)  # noqa: T201
        raise typer.Exit(2) from errors
