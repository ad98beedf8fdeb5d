"""The types reject wrong messages, and the proof of that can itself fail.

``typed.py`` is checked with everything else: a wrong line in it carries an ignore with the error it
must cause, and an ignore that nothing needs is an error. Here the ignores are taken away, to see
that each of them stands for an error of that very kind, and that nothing else is wrong.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from supervision import Ref, SupervisorSpec
from tests.conftest import ROOT

PROGRAMS = ROOT / "tests" / "supervision" / "typed.py"
IGNORE = re.compile(r"  # type: ignore\[([\w-]+)\]$")
ERROR = re.compile(r":(\d+): error: .*\[([\w-]+)\]$")


def marked(source: str) -> set[tuple[int, str]]:
    """Number and error code of every line that says it must be rejected."""
    lines = enumerate(source.splitlines(), start=1)
    return {(number, found[1]) for number, line in lines if (found := IGNORE.search(line))}


def without_marks(source: str) -> str:
    """The same program, every line in its place, taken for a good one."""
    return "".join(IGNORE.sub("", line) + "\n" for line in source.splitlines())


def rejected(output: str) -> Iterator[tuple[int, str]]:
    """Number and error code of every line that mypy complained about."""
    for line in output.splitlines():
        found = ERROR.search(line)
        if found:
            yield int(found[1]), found[2]


def verdict(folder: Path) -> str:
    """What mypy, as this project runs it, says of the programs without their ignores."""
    shutil.copytree(ROOT / "supervision", folder / "supervision")
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "typed.py").write_text(without_marks(PROGRAMS.read_text("utf-8")))
    command = [sys.executable, "-m", "mypy", "--no-incremental", "--cache-dir=/dev/null"]
    done = subprocess.run(
        [*command, "--hide-error-context", "--no-pretty", "typed.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_exactly_the_marked_lines_are_rejected(tmp_path: Path) -> None:
    """For the reason that each gives; whatever else is in the file is accepted."""
    expected, complaints = marked(PROGRAMS.read_text("utf-8")), verdict(tmp_path)
    assert set(rejected(complaints)) == expected, complaints
    assert len(expected) > 30
    forgotten = 'Argument 1 to "assert_never" has incompatible type "Closed"'
    assert forgotten in complaints  # whoever adds a message is led to the handlers that miss it


def test_what_is_no_child_is_refused_at_run_time_too() -> None:
    """For those who do not check types."""
    with pytest.raises(TypeError, match="actors and supervisors"):
        SupervisorSpec("root", (cast(Any, Ref("a")),))


def test_the_marks_are_read_and_taken_away() -> None:
    """Only whole marks at the end of a line; every line keeps its number."""
    source = "a = 1\nb = 2  # type: ignore[misc]\n# a type: ignore[misc] in a sentence\n"
    assert marked(source) == {(2, "misc")}
    assert without_marks(source) == source.replace("  # type: ignore[misc]", "")


def test_complaints_are_read() -> None:
    """Errors with their codes; notes and the summary are none."""
    output = "x.py:3: error: No [list] is it  [arg-type]\nx.py:3: note: See [misc]\nFound 1 error\n"
    assert list(rejected(output)) == [(3, "arg-type")]
