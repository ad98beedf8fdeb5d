"""Prove that tests can fail: plant known defects, one at a time, and see that each is found."""

import argparse
import sys
from collections.abc import Iterator

import trio

from .catalogue import ROOT, Defect, catalogues, read_catalogue
from .plant import Outcome, Verdict, try_defect, try_nothing

NOTHING = "(nothing planted)"


def main(words: list[str]) -> int:
    """Run as a command; the exit code is 1 when a defect survives or does not fit."""
    arguments = _parser().parse_args(words)
    try:
        defects = _chosen(arguments.catalogue, arguments.only)
    except LookupError as error:
        _say(str(error.args[0]))
        return 2
    if arguments.list:
        for defect in defects:
            _say(f"{defect.name}: {defect.wrong}")
        return 0
    outcomes = trio.run(_try_all, defects, arguments.jobs)
    return _conclude(outcomes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.planted", description=__doc__)
    parser.add_argument("catalogue", nargs="*", help="names of catalogues; all when none is named")
    parser.add_argument("--only", action="append", metavar="NAME", help="this defect (repeatable)")
    parser.add_argument("--list", action="store_true", help="tell what there is, plant nothing")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    return parser


def _chosen(names: list[str], only: list[str] | None) -> list[Defect]:
    paths = catalogues(names).values()
    defects = [defect for path in paths for defect in read_catalogue(path)]
    unknown = set(only or ()) - {defect.name for defect in defects}
    if unknown:
        raise LookupError(f"no defect named {', '.join(sorted(unknown))}")
    return [defect for defect in defects if only is None or defect.name in only]


async def _try_all(defects: list[Defect], jobs: int) -> dict[str, Outcome]:
    """Try each, and print its row as soon as it is known; the bare tree comes first."""
    width = max(len(name) for name in (NOTHING, *(defect.name for defect in defects)))
    outcomes: dict[str, Outcome] = {}

    def note(name: str, outcome: Outcome) -> None:
        outcomes[name] = outcome
        found = outcome.verdict is Verdict.FOUND or name == NOTHING
        by = outcome.found_by if found else f"{outcome.verdict.name}: {outcome.found_by}"
        _say(f"{name:{width}}  {outcome.seconds:7.1f}  {by}")

    async def work(queue: Iterator[Defect]) -> None:
        for defect in queue:
            note(defect.name, await try_defect(defect, ROOT))

    _say(f"{'defect':{width}}  seconds  found by")
    note(NOTHING, await try_nothing(defects, ROOT))
    if outcomes[NOTHING].verdict is Verdict.SURVIVED:
        queue = iter(defects)
        async with trio.open_nursery() as nursery:
            for _ in range(jobs):
                nursery.start_soon(work, queue)
    return outcomes


def _conclude(outcomes: dict[str, Outcome]) -> int:
    nothing = outcomes.pop(NOTHING)
    if nothing.verdict is Verdict.MISFIT:
        _say("A finder fails without a defect, so it proves nothing with one.")
        return 1
    missed = [name for name, outcome in outcomes.items() if outcome.verdict is not Verdict.FOUND]
    _say(f"{len(outcomes)} planted, {len(missed)} not found")
    for name in missed:
        _say(f"  not found: {name}")
    return 1 if missed else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
