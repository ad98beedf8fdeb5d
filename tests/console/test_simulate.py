"""``seawall simulate`` and ``seawall trace``: a run from a seed, and its timeline for people."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import evolve
from typer.testing import CliRunner

from console.app import application
from console.simulated import campaign as shown
from simulation import run as simulation_run
from simulation.campaign import Campaign, Run
from simulation.coverage import Coverage
from simulation.invariants import Violation
from simulation.run import Outcome
from simulation.shrink import Regression

runner = CliRunner()
LIVE = Coverage(seconds=60.0, live=60.0)


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
        ("simulate", "--campaign", "0"),
        ("simulate", "--campaign", "2", "--jobs", "0"),
        ("simulate", "--campaign", "2", "--trace", "run.jsonl"),
        ("simulate", "--campaign", "2", "--report", "no/such/directory/report.md"),
        ("simulate", "--report", "report.md"),
        ("trace", "there-is-no-such-file"),
    ],
)
def test_nonsense_is_bad_usage(arguments: tuple[str, ...]) -> None:
    """Exit code 2."""
    assert said(*arguments)[0] == 2


def test_a_campaign_tells_its_totals() -> None:
    """Several seeds over processes of their own, for programs."""
    code, text = said(
        "simulate", "--seed", "3", "--campaign", "2", "--minutes", "1", "--jobs", "2", "--json"
    )
    document = json.loads(text)
    assert code == 0
    assert (document["first_seed"], document["seeds"], document["done"]) == (3, 2, 2)
    assert document["virtual_hours"] == pytest.approx(2 * 135 / 3600, abs=0.001)
    assert document["violations"] == {str(n): 0 for n in range(1, 12)}
    assert document["failed"] == []


def broken_at(at: int) -> Callable[..., Iterator[Run]]:
    """A campaign one of whose seeds breaks a promise."""

    def runs(plan: Campaign, *, jobs: int) -> Iterator[Run]:
        for seed in plan.numbers:
            broken = (Violation(12.5, 1, "SIM-50K-2", "still long"),) if seed == at else ()
            yield Run(seed, plan.kind_of(seed), 60.0, violations=broken, coverage=LIVE)

    return runs


def test_a_failing_seed_of_a_campaign_can_be_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, and the one command that shows it."""
    monkeypatch.setattr(shown, "runs", broken_at(19))
    code, text = said("simulate", "--seed", "15", "--campaign", "10", "--minutes", "1")
    assert code == 1
    assert "seed 19: invariant 1 at 12.500 s, SIM-50K-2: still long" in text
    assert "again: seawall simulate --seed 19 --minutes 1 --kind night" in text


def test_a_campaign_of_days_has_whole_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind alone lasts as long as it usually does: days of twenty minutes say little."""
    plans: list[Campaign] = []

    def runs(plan: Campaign, *, jobs: int) -> Iterator[Run]:
        plans.append(plan)
        yield from ()

    monkeypatch.setattr(shown, "runs", runs)
    for length in ((), ("--minutes", "20"), ("--days", "1")):
        said("simulate", "--campaign", "1", "--kind", "day", *length)
    assert [it.scenario(1).seconds for it in plans] == [10_800.0, 1_200.0, 10_800.0]


def test_a_campaign_is_reported_in_both_forms(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A page for people that names its command, or JSON by the name of the file."""
    monkeypatch.setattr(shown, "runs", broken_at(-1))
    page, document = tmp_path / "report.md", tmp_path / "report.json"
    for file in (page, document):
        code, _ = said("simulate", "--campaign", "3", "--minutes", "1", "--report", str(file))
        assert code == 0
    assert "--campaign 3 --minutes 1 --kind mixed --jobs 2" in page.read_text()
    assert "**No promise was broken.**" in page.read_text()
    assert str(tmp_path) not in page.read_text()
    assert json.loads(document.read_text())["done"] == 3


def test_an_interrupted_campaign_tells_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """And does not pass for one that came to its end."""

    def runs(plan: Campaign, *, jobs: int) -> Iterator[Run]:
        yield Run(plan.first, "minutes", 60.0, coverage=LIVE)
        raise KeyboardInterrupt

    monkeypatch.setattr(shown, "runs", runs)
    code, text = said("simulate", "--campaign", "10", "--minutes", "1")
    assert code == 1
    assert "interrupted after 1 seeds" in text


def test_what_fails_is_made_small_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """``--shrink`` writes the file that the tests run, here where there is no place for them."""
    honest = simulation_run.simulate

    def broken(*arguments: object, **options: object) -> Outcome:
        outcome = honest(*arguments, **options)  # type: ignore[arg-type]
        return evolve(outcome, violations=(Violation(1.0, 1, "SIM-50K-2", "still long"),))

    monkeypatch.setattr(simulation_run, "simulate", broken)
    monkeypatch.chdir(tmp_path)
    code, text = said("simulate", "--seed", "3", "--minutes", "0.2", "--shrink")
    kept = Regression.read(tmp_path / "minutes-3-invariant-1.json")
    assert code == 1
    assert "minutes-3-invariant-1.json: 0 troubles" in text
    assert kept.found == "SIM-50K-2: still long"
    assert len(kept.scenario.accounts) == 1


def test_the_timeline_of_one_account(tmp_path: Path) -> None:
    """By the trader's name for it or by the broker's number, with the questions about it."""
    file = tmp_path / "run.jsonl"
    said("simulate", "--seed", "3", "--minutes", "1", "--trace", str(file))
    _, by_name = said("trace", str(file), "--all", "--account", "SIM-50K-1")
    _, by_number = said("trace", str(file), "--all", "--account", "1001")
    assert by_name == by_number
    assert "positions  1001" in by_name
    assert " answered " in by_name
    assert "SIM-50K-2" not in by_name


def test_the_timeline_of_one_kind(tmp_path: Path) -> None:
    """Also of those that are usually left out."""
    file = tmp_path / "run.jsonl"
    said("simulate", "--seed", "3", "--minutes", "1", "--trace", str(file))
    _, text = said("trace", str(file), "--kind", "quote", "--kind", "life", "--json")
    assert {kind for _, kind, *_ in json.loads(text)} == {"quote", "life"}
    assert said("trace", str(file), "--kind", "tea")[0] == 2
    assert said("trace", str(file), "--account", "77")[0] == 2
