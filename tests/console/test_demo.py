"""The demo as people run it: as a program of its own, in a pipe."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from attrs import evolve

from actors.enforced import Enforced
from console.demo import program
from console.demo.chronicle import Enforcement
from console.demo.flows import Distribution, Flows
from console.demo.play import Played
from console.demo.report import document, passed
from console.demo.stage import Noted
from tests.conftest import ROOT

WITHIN = 90
"""Seconds: several times of what it takes, for a machine that has other work."""
COMMAND = [sys.executable, "-m", "console", "demo", "--fast"]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder)}


def good() -> Played:
    quick = Distribution((1.0,))
    return Played(Noted(), Flows(1.0, quick, quick, quick, quick, 0.0), dead_letters=0)


def test_the_fast_demo_passes_and_writes_its_report(tmp_path: Path) -> None:
    """The whole story against a gateway in its own process: every target met, nothing left behind."""
    report, scratch = tmp_path / "r.json", tmp_path / "scratch"
    scratch.mkdir()
    ended = subprocess.run(
        [*COMMAND, "--report", str(report)],
        cwd=ROOT,
        env=environment(scratch),
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "\x1b" not in ended.stdout
    assert "Every target met, every invariant held." in ended.stdout
    assert list(scratch.glob("seawall-demo-*")) == []
    _check(json.loads(report.read_text()))


def _check(found: dict[str, object]) -> None:
    assert list(found) == [
        "flows",
        "accounts",
        "enforcements",
        "restarts",
        "dead_letters",
        "invariant_violations",
    ]
    assert found["invariant_violations"] == []
    assert found["dead_letters"] == 0
    accounts, enforcements = found["accounts"], found["enforcements"]
    assert isinstance(accounts, list)
    assert isinstance(enforcements, list)
    by_name = {each["name"]: each for each in accounts}
    assert [lock["rule"] for lock in by_name["TESS-50K"]["locks"]] == ["daily_loss"]
    assert by_name["TESS-50K"]["positions"] == []
    assert [each["net"] for each in by_name["OSCAR-50K"]["positions"]] == [5]
    assert {each["rule"] for each in enforcements} == {
        "max_contracts",
        "symbol_block",
        "unrealized_loss",
        "no_stop_loss",
        "daily_loss",
    }
    assert "DANA-50K" not in {each["account"] for each in enforcements}
    assert [each["reason"] for each in _rows(found["restarts"])] == ["killed by the demo"]


def _rows(value: object) -> list[dict[str, object]]:
    assert isinstance(value, list)
    return value


def test_a_signal_ends_the_demo_and_its_gateway(tmp_path: Path) -> None:
    """No process and no folder stays behind."""
    process = subprocess.Popen(
        COMMAND, cwd=ROOT, env=environment(tmp_path), stdout=subprocess.PIPE, text=True
    )
    try:
        output: IO[str] | None = process.stdout
        assert output is not None
        while "Too big" not in (line := output.readline()):
            assert line, f"it ended with {process.wait(10)} before the first breach"
        children = _children(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN) == program.INTERRUPTED
    finally:
        process.kill()
        process.communicate()
    assert children
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []
    assert list(tmp_path.glob("seawall-demo-*")) == []


def _children(pid: int) -> list[str]:
    """A child belongs to the thread that started it."""
    files = Path(f"/proc/{pid}/task").glob("*/children")
    return [child for each in files for child in each.read_text("utf-8").split()]


def test_a_report_that_cannot_be_written_is_bad_usage(tmp_path: Path) -> None:
    """Said before anything starts, with exit code 2."""
    ended = subprocess.run(
        [*COMMAND, "--report", str(tmp_path / "nowhere" / "r.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )
    assert ended.returncode == 2
    assert "there is no directory" in ended.stderr


@pytest.mark.parametrize("as_json", [True, False])
def test_a_missed_target_or_a_broken_invariant_gives_exit_code_1(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is printed, the exit code says it; and the words name it."""
    slow = evolve(good(), flows=evolve(good().flows, quote_to_pnl_ms=Distribution((250.0,))))
    wrong = evolve(good(), noted=Noted(violations=["DANA-50K was touched"]))
    assert program.told(good(), None, as_json=as_json) == 0
    assert program.told(slow, None, as_json=as_json) == 1
    assert program.told(wrong, None, as_json=as_json) == 1
    said = capsys.readouterr().out
    assert "DANA-50K was touched" in said
    if not as_json:
        assert "MISSED  quote to P&L" in said


def test_an_empty_demo_does_not_pass() -> None:
    """Nothing measured is nothing shown."""
    played = Played(Noted(), Flows(), dead_letters=0)
    assert not passed(played)
    assert document(played)["enforcements"] == []


def test_an_enforcement_is_told_with_names_and_reported_with_ids() -> None:
    """People say MNQ; programs get the contract id and the numbers."""
    enforced = Enforced(
        rule="max_contracts",
        contract="CON.F.US.MNQ.Z26",
        action="reduce CON.F.US.MNQ.Z26 to 5",
        observed="8",
        limit="5",
        reason="8 contracts > 5 (+8 MNQ)",
        latency_ms=12.3456,
        outcome="done",
        at="2026-11-17T22:43:00+00:00",
    )
    enforcement = Enforcement("OSCAR-50K", enforced)
    deed = enforcement.deed({"CON.F.US.MNQ.Z26": "MNQ"})
    assert str(deed) == (
        "OSCAR-50K: reduce MNQ to 5 (12 ms) because max_contracts: 8 contracts > 5 (+8 MNQ)"
    )
    assert enforcement.document() == {
        "account": "OSCAR-50K",
        "rule": "max_contracts",
        "contract": "CON.F.US.MNQ.Z26",
        "action": "reduce CON.F.US.MNQ.Z26 to 5",
        "observed": "8",
        "limit": "5",
        "latency_ms": 12.346,
        "outcome": "done",
    }
