"""Options that mean the same in every command."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_CONFIG = Path("seawall.toml")

ConfigFile = Annotated[
    Path, typer.Option("-c", "--config", metavar="FILE", help="The configuration.")
]
Json = Annotated[bool, typer.Option("--json", help="For programs: JSON instead of text.")]
