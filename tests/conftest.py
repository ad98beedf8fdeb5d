"""What every test shares: no way out of this machine, reproducible examples, a gateway to talk to."""

import gc
import importlib
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import IO

import pytest
from attrs import frozen
from hypothesis import HealthCheck, settings

from tests.e2e.figures import pytest_terminal_summary  # noqa: F401  pytest finds it by its name

pytest_plugins = ["supervision.pytest_plugin"]

ROOT = Path(__file__).parent.parent

_guard_folder = str(Path(__file__).parent / "guard")
os.environ["PYTHONPATH"] = os.pathsep.join(
    dict.fromkeys(
        [_guard_folder, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    )
)


def _load_guard() -> ModuleType:
    present = sys.modules.get("sitecustomize")
    if present is not None and hasattr(present, "OutsideNetworkBlocked"):
        return present  # an xdist worker came up with it
    sys.modules.pop("sitecustomize", None)  # the interpreter's own, if it has one
    sys.path.insert(0, _guard_folder)
    guard = importlib.import_module("sitecustomize")
    sys.path.remove(_guard_folder)
    return guard


network_guard = _load_guard()

settings.register_profile(
    "fixed",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


@pytest.fixture(autouse=True)
def loopback_only() -> Iterator[None]:
    """Fail the test that tried to leave this machine, even when it swallowed the error."""
    network_guard.violations.clear()
    yield
    attempts = list(network_guard.violations)
    network_guard.violations.clear()
    assert attempts == []


@frozen
class Gateway:
    """A simulated gateway in a process of its own."""

    url: str
    """Base address, such as ``http://127.0.0.1:40123``."""
    pid: int
    announced: dict[str, object]
    """Everything its first line said."""

    @property
    def api_url(self) -> str:
        return f"{self.url}/api"

    @property
    def user_hub_url(self) -> str:
        return f"{self.url}/hubs/user"

    @property
    def market_hub_url(self) -> str:
        return f"{self.url}/hubs/market"


def _first_line(process: subprocess.Popen[str]) -> dict[str, object]:
    output: IO[str] | None = process.stdout
    assert output is not None
    line = output.readline()
    assert line, f"the gateway ended with {process.wait(10)} before it was ready"
    announced = json.loads(line)
    assert isinstance(announced, dict)
    return announced


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate(timeout=10)


@pytest.fixture
def start_gateway() -> Iterator[Callable[..., Gateway]]:
    """Start simulated gateways, with further command line arguments; they end with the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> Gateway:
        process = subprocess.Popen(
            [sys.executable, "-m", "simulator", "--port", "0", "--json", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        announced = _first_line(process)
        return Gateway(str(announced["url"]).rstrip("/"), process.pid, announced)

    yield start
    for process in processes:
        _end(process)


@pytest.fixture
def gateway(start_gateway: Callable[..., Gateway]) -> Gateway:
    """One simulated gateway with its defaults."""
    return start_gateway()


@pytest.fixture(scope="module", autouse=True)
def nothing_cut_off_is_left_to_others(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where the SDK is cut off in the middle of a connect, its socket is the collector's.

    It is collected at the end of the tests that use the SDK, not in the middle of somebody else's.
    """
    yield
    if request.path.parent.name in ("e2e", "console", "simulator", "broker"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
