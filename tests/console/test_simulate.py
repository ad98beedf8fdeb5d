"""``seawall simulate`` and ``seawall trace``: a run from a seed, and its timeline for people."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.app import application
from simulation import run as simulation_run
from simulation.invariants import Violation
from simulation.run import Outcome

runner = CliRunner()


def said(*arguments: str) -> tuple[int, str]:
    result = runner.invoke(application(), list(arguments))
    return result.exit_code, result.output


def test_a_run_is_told_to_programs() -> None:
    """The documented keys, and exit code 0 when nothing was broken."""
    code, text = said("simulate", "--seed", "3", "--minutes", "1", "--json")
    document = json.loads(text)
    assert code == 0
    assert set(document) == {
        "seed",
        "trace_sha256",
        "messages",
        "virtual_s",
        "wall_s",
        "violations",
        "coverage",
    }
    assert document["seed"] == 3
    assert document["virtual_s"] >= 60


def test_the_timeline_is_written_and_shown(tmp_path: Path) -> None:
    """A trace file, and the lines that tell most of it."""
    file = tmp_path / "run.jsonl"
    said("simulate", "--seed", "3", "--minutes", "1", "--trace", str(file))
    code, short = said("trace", str(file))
    assert code == 0
    assert "the daemon is up" in short
    _, long = said("trace", str(file), "--all")
    assert len(long.splitlines()) > len(short.splitlines())
    _, some = said("trace", str(file), "--all", "--since", "10", "--until", "20", "--json")
    assert {10 <= at <= 20 for at, *_ in json.loads(some)} == {True}


def test_a_broken_promise_names_the_command_that_shows_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit code 1, the violation, and how to repeat it."""
    honest = simulation_run.simulate

    def broken(*arguments: object, **options: object) -> Outcome:
        from attrs import evolve

        outcome = honest(*arguments, **options)  # type: ignore[arg-type]
        return evolve(outcome, violations=(Violation(12.5, 1, "SIM-50K-2", "still long"),))

    monkeypatch.setattr(simulation_run, "simulate", broken)
    code, text = said("simulate", "--seed", "3", "--minutes", "1", "--kind", "reset")
    assert code == 1
    assert "invariant 1, SIM-50K-2: still long" in text
    assert "again: seawall simulate --seed 3 --minutes 1 --kind reset" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ("simulate", "--days", "1", "--minutes", "1"),
        ("simulate", "--minutes", "-1"),
        ("simulate", "--kind", "century"),
        ("trace", "there-is-no-such-file"),
    ],
)
def test_nonsense_is_bad_usage(arguments: tuple[str, ...]) -> None:
    """Exit code 2."""
    assert said(*arguments)[0] == 2
