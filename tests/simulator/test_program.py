"""``python -m simulator`` as a process of its own."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulator", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_it_announces_its_addresses_and_stops_on_a_signal(tmp_path: Path) -> None:
    """One line of JSON, a scenario's prices, living quotes, exit code 0."""
    scenario = tmp_path / "day.toml"
    scenario.write_text('contracts = ["NQ"]\nprices = { NQ = 123.25 }\n')
    when = ["--start", "2026-11-20T16:58:00-06:00", "--speed", "0", "--quotes-per-second", "0"]
    day = ["--seed", "3", "--scenario", str(scenario)]
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", "--json", *day, *when],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    at = json.loads(process.stdout.readline())
    with httpx.Client(trust_env=False) as http:
        state = http.get(f"{at['url']}/control/state").json()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert at["api_url"] == f"{at['url']}/api"
    assert state["now"] == "2026-11-20T22:58:00+00:00"
    assert state["quotes"] == {
        "CON.F.US.ENQ.Z26": {"bid": 123.25, "ask": 123.5, "last": 123.25},
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[steps]]\nat = 1", "exactly one of"),
        ("nonsense = 1", "nonsense"),
        ('contracts = ["XX"]', "no contract with root XX"),
        ("prices = { XX = 1 }", "XX"),
        ("lot_method = 'lifo'", "lifo"),
        ("[[accounts]]\nid = 1\nname = 'a'\n[[accounts]]\nid = 1\nname = 'b'", "twice"),
        ("[[users]]\nname = 'a'\naccounts = [5]", "no account 5"),
        ("= 1", "day.toml"),
    ],
)
def test_a_bad_scenario_is_a_clear_error(tmp_path: Path, text: str, words: str) -> None:
    """What is wrong, and nothing starts."""
    from simulator import BadScenario, load_scenario

    path = tmp_path / "day.toml"
    path.write_text(text)
    with pytest.raises(BadScenario, match=words):
        load_scenario(path)


def test_bad_usage_is_exit_code_2(tmp_path: Path) -> None:
    """A scenario that is not there, and an unknown root."""
    missing = run("--scenario", str(tmp_path / "nix.toml"))
    assert missing.returncode == 2
    assert "nix.toml" in missing.stderr
    unknown = run("--contracts", "NQ,XX")
    assert unknown.returncode == 2
    assert "XX" in unknown.stderr
