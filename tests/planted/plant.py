"""Plant one defect in a copy of the tree and let its finder loose on the copy."""

import enum
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from subprocess import STDOUT

import trio
from attrs import frozen

from .catalogue import Defect, Misfit

_LEFT_BEHIND = shutil.ignore_patterns(
    ".git", ".venv*", ".*_cache", ".hypothesis", ".coverage*", "__pycache__", "dist", "node_modules"
)
_FIRST_FAILURE = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
_NO_TESTS = {4, 5}
"""What pytest exits with when it was misused, or found no test."""


class Verdict(enum.Enum):
    """What became of a defect."""

    FOUND = "found"
    SURVIVED = "survived"
    MISFIT = "misfit"


@frozen
class Outcome:
    """What became of a defect, who or what says so, and how many seconds it took."""

    verdict: Verdict
    found_by: str
    seconds: float


@frozen
class Search:
    """One run of a finder; ``exit_code`` is None when it had to be killed."""

    command: tuple[str, ...]
    exit_code: int | None
    output: str
    seconds: float


async def try_defect(defect: Defect, root: Path) -> Outcome:
    """Plant it in a copy of the tree and see whether its finder notices."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        tree = Path(folder) / "tree"
        await trio.to_thread.run_sync(_copy, root, tree)
        try:
            for file, text in defect.planted_in(tree).items():
                file.write_text(text, "utf-8")
        except (Misfit, OSError) as error:
            return Outcome(Verdict.MISFIT, str(error), 0.0)
        return judge(await search(defect.command, tree, within=defect.within))


async def try_nothing(defects: Iterable[Defect], root: Path) -> Outcome:
    """Run all their finders on a copy without a defect: they must find nothing in it."""
    seconds = 0.0
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        tree = Path(folder) / "tree"
        await trio.to_thread.run_sync(_copy, root, tree)
        for command, within in _together(defects):
            found = judge(await search(command, tree, within=within))
            seconds += found.seconds
            if found.verdict is not Verdict.SURVIVED:
                return Outcome(Verdict.MISFIT, f"fails as it is: {found.found_by}", seconds)
    return Outcome(Verdict.SURVIVED, "no finder fails as it is", seconds)


def _together(defects: Iterable[Defect]) -> Iterator[tuple[tuple[str, ...], float]]:
    """The commands of all these, once each; those of pytest in one."""
    tests: dict[tuple[str, ...], dict[str, None]] = {}
    commands: dict[tuple[str, ...], float] = {}
    within = 0.0
    for defect in defects:
        if "pytest" in defect.finder:
            tests.setdefault(defect.finder, {}).update(dict.fromkeys(defect.found_by))
            within += defect.within
        else:
            commands[defect.command] = defect.within
    for finder, found_by in tests.items():
        yield (*finder, *found_by), within
    yield from commands.items()


def judge(found: Search) -> Outcome:
    """What a run of a finder says about the defect it ran on."""
    last = found.output.strip().rpartition("\n")[2]
    if found.exit_code is None:
        return Outcome(Verdict.FOUND, f"a hang: {_shortest(found.command)}", found.seconds)
    if found.exit_code == 0:
        return Outcome(Verdict.SURVIVED, last, found.seconds)
    if "pytest" in found.command and (
        found.exit_code in _NO_TESTS or "during collection" in found.output
    ):
        return Outcome(Verdict.MISFIT, f"no test ran: {last}", found.seconds)
    if found.exit_code < 0:
        how = f"died of {signal.Signals(-found.exit_code).name}: {_shortest(found.command)}"
        return Outcome(Verdict.FOUND, how, found.seconds)
    failure = _FIRST_FAILURE.search(found.output)
    if failure is None and "pytest" in found.command:
        last = f"no single test of {_shortest(found.command)}"
    return Outcome(Verdict.FOUND, failure[1] if failure else last, found.seconds)


def _shortest(command: tuple[str, ...]) -> str:
    """The last word, which tells most."""
    return command[-1]


async def search(command: tuple[str, ...], tree: Path, *, within: float) -> Search:
    """Run a finder in a tree; it and all it started are killed after ``within`` seconds."""
    begin = trio.current_time()
    words = [sys.executable if word == "python" else word for word in command]
    exit_code, output = None, b""
    with trio.move_on_after(within):
        process = await trio.run_process(
            words,
            cwd=tree,
            env=_surroundings(tree, os.environ),
            capture_stdout=True,
            stderr=STDOUT,
            check=False,
            start_new_session=True,
            deliver_cancel=_kill_family,
        )
        exit_code, output = process.returncode, process.stdout
    seconds = trio.current_time() - begin
    return Search(command, exit_code, output.decode("utf-8", "replace"), seconds)


async def _kill_family(process: trio.Process) -> None:
    os.killpg(process.pid, signal.SIGKILL)


def _surroundings(tree: Path, ours: Mapping[str, str]) -> dict[str, str]:
    """The copy comes first on the path, before the tree that may be installed; no test of ours."""
    kept = {key: value for key, value in ours.items() if not key.startswith(("PYTEST_", "COV_"))}
    return {**kept, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}


def _copy(root: Path, target: Path) -> None:
    shutil.copytree(root, target, ignore=_LEFT_BEHIND, symlinks=True)
