"""The command line from outside: exit codes, words, and what it does not load."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.console.world import seawall

HEAVY = ("project_x_py", "polars", "hypercorn", "trio", "rich", "structlog", "simulator.gateway")


def test_the_command_line_itself_loads_nothing_heavy() -> None:
    """A plain command answers at once; what a command needs, it imports when it runs."""
    code = "import sys, console.app, console.ask; print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(HEAVY) & set(ended.stdout.split()) == set()


def test_every_command_is_in_the_help() -> None:
    """With one line about each."""
    ended = seawall("--help")
    assert ended.returncode == 0
    for command in ("run", "check", "status", "tree", "gateway"):
        assert f"\n  {command} " in ended.stdout


def test_it_knows_its_version() -> None:
    """On stdout, with exit code 0."""
    ended = seawall("--version")
    assert (ended.returncode, ended.stdout.split()[0].rstrip(",")) == (0, "seawall")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["statsu"], "Did you mean 'status'"),
        (["status", "--jsno"], "--json"),
        (["gateway", "--port", "many"], "Invalid value for '--port'"),
        (["status", "-c", "no/such.toml"], "no/such.toml"),
        (["check", "-c", "no/such.toml"], "no/such.toml:1:1: cannot be read"),
        (["run", "-c", "no/such.toml"], "no/such.toml:1:1: cannot be read"),
    ],
)
def test_bad_usage_is_exit_code_2_with_a_hint(arguments: list[str], words: str) -> None:
    """On stderr; stdout stays empty for programs."""
    ended = seawall(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["status", "tree"])
def test_without_a_daemon_the_answer_is_how_to_start_one(command: str, tmp_path: Path) -> None:
    """Exit code 1, also when the configuration itself could not be run."""
    config = tmp_path / "seawall.toml"
    config.write_text("[daemon]\nstate_dir = 'here'\n[nonsense]\n")
    ended = seawall(command, "-c", config)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"no daemon answers in {tmp_path}/here" in ended.stderr
    assert f"./seawall run -c {config}" in ended.stderr


def test_the_default_configuration_is_the_one_in_this_folder(tmp_path: Path) -> None:
    """``seawall.toml``, found where one stands, explained where there is none."""
    ended = seawall("check", cwd=tmp_path, environment={"PYTHONPATH": str(ROOT)})
    assert ended.returncode == 2
    assert ended.stderr.startswith("seawall.toml:1:1: ")


def test_the_gateway_command_is_the_simulator() -> None:
    """Same options, same announcement, same end."""
    with subprocess.Popen(
        [sys.executable, "-m", "console", "gateway", "--json", "--seed", "2", "--speed", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        announced = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert announced["api_url"].startswith("http://127.0.0.1:")
