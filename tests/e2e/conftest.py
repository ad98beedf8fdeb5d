"""Worlds for the end-to-end tests, and where their figures go."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.conftest import Gateway
from tests.e2e.figures import Figures
from tests.e2e.world import Lines, World, open_world

StartGateway = Callable[..., Gateway]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Every log line, printed at the end for the report of a test that failed."""
    with capture_logs() as captured:
        yield captured
    for line in captured:
        print(line)  # noqa: T201


@pytest.fixture
async def world(start_gateway: StartGateway, tmp_path: Path, lines: Lines) -> AsyncIterator[World]:
    """A gateway whose prices stand still unless they are moved."""
    gateway = start_gateway("--quotes-per-second", "0")
    async with open_world(gateway, tmp_path / "state", lines) as world:
        yield world


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Where to put what was measured."""
    return Figures(request.node)
