"""Scenarios that once broke something, made small, break nothing any more."""

from pathlib import Path

import pytest

from simulation.run import simulate
from simulation.shrink import Regression

FILES = sorted((Path(__file__).parent / "regressions").glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_was_once_found_is_not_found_again(path: Path) -> None:
    """Each file says what it showed when it was found."""
    regression = Regression.read(path)
    assert simulate(regression.scenario).violations == (), regression.found
