"""Prove that the tests of the pure files see everything: change one small thing, and one must fail.

Each mutant of a file is tried against all pure tests, which together take two seconds or less. One
that no test notices has survived: a test is missing, the code is redundant, or nobody could tell the
difference, and then the ledger (survivors.toml) says why. The exit code is 0 exactly when every
survivor is explained and every explanation is needed.

Well-kept tools leave decorated functions and class bodies alone; here those are the predicates of a
child's state, and all defaults and validators, so they are just what must not be left out.
"""

import argparse
import ast
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from attrs import frozen

from .ledger import LEDGER, Ledger, read_ledger
from .mutants import Mutant, enums_of, mutants_of
from .trial import Trial, covered, passed, prepare

PATIENCE = 5.0
"""A mutant hangs when it takes so many times as long as the program, and is found by that."""


@frozen
class Tally:
    """What became of the mutants of one file."""

    mutants: int
    survivors: list[Mutant]
    seconds: float

    def row(self, file: str) -> str:
        """One line of the table."""
        killed = self.mutants - len(self.survivors)
        return f"{file:32} {self.mutants:7} {killed:7} {len(self.survivors):10} {self.seconds:8.1f}"


def main(words: Sequence[str]) -> int:
    """Run as a command."""
    arguments = _parser().parse_args(words)
    ledger = read_ledger(arguments.ledger)
    files = arguments.file or ledger.files
    if unknown := sorted(set(files) - set(ledger.files)):
        _say(f"not among the files to be mutated: {', '.join(unknown)}")
        return 2
    trees = {file: ast.parse(Path(file).read_text("utf-8")) for file in ledger.files}
    enums = enums_of(trees.values())
    mutants = {file: list(mutants_of(file, trees[file], enums)) for file in files}
    if arguments.list:
        for mutant in chain.from_iterable(mutants.values()):
            _say(f"{mutant.file}:{mutant.line} {mutant.name}")
        return 0
    return _run(trees, mutants, ledger, arguments.jobs)


def _run(
    trees: Mapping[str, ast.Module],
    mutants: Mapping[str, list[Mutant]],
    ledger: Ledger,
    jobs: int,
) -> int:
    prepare()
    start = time.monotonic()
    lines = covered(mutants, ledger.tests, within=60.0)
    took = time.monotonic() - start
    _say(f"the tests on the program as it is: {took:.1f} s, with coverage")
    _say(f"{'file':32} mutants  killed  survivors  seconds")
    tallies, complaints = [], 0
    for file, several in mutants.items():
        trial = Trial(file, trees[file], ledger.tests_for(file), within=PATIENCE * took)
        tally = _try_all(trial, several, lines[file], jobs)
        tallies.append(tally)
        _say(tally.row(file))
        for complaint in _complaints(file, tally.survivors, ledger):
            _say(complaint)
            complaints += 1
    everyone = list(chain.from_iterable(tally.survivors for tally in tallies))
    seconds = sum(tally.seconds for tally in tallies)
    _say(Tally(sum(tally.mutants for tally in tallies), everyone, seconds).row("all"))
    _say(f"{complaints} to be explained" if complaints else "every survivor is explained")
    return 1 if complaints else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.mutation", description=__doc__)
    parser.add_argument("file", nargs="*", help="supervision/decide.py; all of the ledger if none")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    parser.add_argument("--list", action="store_true", help="tell the mutants, try none")
    parser.add_argument("--ledger", type=Path, default=LEDGER, help=argparse.SUPPRESS)
    return parser


def _try_all(trial: Trial, mutants: list[Mutant], lines: set[int], jobs: int) -> Tally:
    """Try every mutant that a test gets to see; the others have survived already."""
    start = time.monotonic()
    survivors = [mutant for mutant in mutants if mutant.statement not in lines]
    at_work: dict[int, Mutant] = {}
    for mutant in mutants:
        if mutant.statement in lines:
            if len(at_work) >= jobs:
                survivors += _next_survivor(at_work)
            at_work[trial.begin(mutant)] = mutant
    while at_work:
        survivors += _next_survivor(at_work)
    survivors.sort(key=lambda mutant: mutant.line)
    return Tally(len(mutants), survivors, time.monotonic() - start)


def _next_survivor(at_work: dict[int, Mutant]) -> list[Mutant]:
    """Wait for one of them to end; it, if it has survived."""
    process, status = os.wait()
    mutant = at_work.pop(process)
    return [mutant] if passed(status) else []


def _complaints(file: str, survivors: list[Mutant], ledger: Ledger) -> Iterator[str]:
    for mutant in survivors:
        if (file, mutant.name) not in ledger.explained:
            yield f"  survived: line {mutant.line}, {mutant.name}"
    survived = {mutant.name for mutant in survivors}
    for explained, name in ledger.explained:
        if explained == file and name not in survived:
            yield f"  no survivor (any more): {name}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
