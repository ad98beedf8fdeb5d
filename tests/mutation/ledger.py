"""What is mutated, which tests must notice, and which mutants are explained; all in one TOML file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

LEDGER = Path(__file__).with_name("survivors.toml")


@frozen
class Ledger:
    """Paths are relative to the root of the project."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    explained: Mapping[tuple[str, str], str]
    """Why no test can tell a mutant from the program, by its file and name."""

    def tests_for(self, file: str) -> list[str]:
        """All of them, beginning with those that are named after the file."""
        stem = Path(file).stem
        return sorted(self.tests, key=lambda test: stem not in Path(test).stem)


def read_ledger(path: Path = LEDGER) -> Ledger:
    """Read it; KeyError when an entry lacks a part, ValueError when it is there twice or empty."""
    data = tomllib.loads(path.read_text("utf-8"))
    explained: dict[tuple[str, str], str] = {}
    for entry in data.get("survivor", []):
        place = entry["file"], entry["mutant"]
        if place in explained or not entry["why"]:
            raise ValueError(f"{place} needs one explanation, and one only")
        explained[place] = entry["why"]
    return Ledger(tuple(data["files"]), tuple(data["tests"]), explained)
