"""A scenario alone determines its run: in every process, whatever the hash seed, on every Python.

``SEAWALL_OTHER_PYTHON`` may name an interpreter of another version that has the dependencies.
"""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

PROGRAM = """
import sys
from simulation.run import simulate
from simulation.scenario import generate
outcome = simulate(generate(int(sys.argv[1]), sys.argv[2], seconds=400.0))
print(outcome.trace_hash, outcome.messages, len(outcome.violations))
"""
OTHER = os.environ.get("SEAWALL_OTHER_PYTHON", sys.executable)


def run_of(python: str, hash_seed: str, seed: int, kind: str) -> str:
    """What a process of its own says of a run."""
    answer = subprocess.run(
        [python, "-c", PROGRAM, str(seed), kind],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return answer.stdout


@pytest.mark.parametrize(("seed", "kind"), [(7, "minutes"), (11, "reset")])
def test_two_processes_with_different_hash_seeds_run_alike(seed: int, kind: str) -> None:
    """To the last line of the timeline, under faults."""
    one = run_of(sys.executable, "1", seed, kind)
    assert one == run_of(OTHER, "4711", seed, kind)
    assert int(one.split()[1]) > 0
