"""A gateway that was started as a child ends with its parent."""

import subprocess
import sys

from tests.conftest import ROOT


def test_it_ends_in_order_when_its_standard_input_does() -> None:
    """However the parent ended, the pipe it held is closed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", "--json", "--until-eof", "--contracts", "NQ"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        assert "api_url" in process.stdout.readline()
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
