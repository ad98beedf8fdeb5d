"""The simulation as a finder: it ends at the first seed that breaks a promise.

``python -m tests.planted.simulation SEEDS`` runs the seeds from 0 on as a mixed campaign of twenty
minutes each would, and says which was the first to notice: a defect that few seeds show is one that
a short campaign would miss. Where a defect shows only under a trouble that few seeds hold,
``--with clock_jump:seconds=36000.0`` runs only those that hold it, and ``--kind`` only one kind: SEEDS
is then the number of these. Where troubles must come together that seldom do, ``--add`` puts one into
each seed, beside all that it holds, ``--rules`` has all accounts guarded by these, and ``--trader`` has
them traded by one kind of trader; ``--alone`` leaves out what trouble the seeds hold by themselves.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import count, islice
from typing import Any

from attrs import evolve

from simulation.campaign import MIXED, Campaign
from simulation.run import simulate
from simulation.scenario import KINDS, Scenario
from simulation.traders import KINDS as KINDS_OF_TRADERS
from simulation.trouble import Planned


def main(words: list[str]) -> int:
    """Run as a command; the exit code is 1 when a seed breaks a promise."""
    arguments = _parser().parse_args(words)
    campaign = Campaign(kind=arguments.kind)
    seeds = islice(_holding(campaign, arguments.holding), arguments.seeds)
    for number, seed in enumerate(seeds, 1):
        try:
            scenario = _aimed(campaign.scenario(seed), arguments)
            violations = simulate(scenario).violations
        except Exception as error:  # noqa: BLE001 - whatever a run raises is a find
            return _found(number, seed, f"it raises {error!r}")
        for it in violations[:1]:
            what = f"invariant {it.invariant} at {it.at:.3f} s, {it.account}: {it.text}"
            return _found(number, seed, what)
    sys.stdout.write(f"none of {arguments.seeds} seeds\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.planted.simulation", description=__doc__)
    parser.add_argument("seeds", type=int)
    parser.add_argument("--kind", choices=(MIXED, *KINDS), default=MIXED)
    parser.add_argument("--with", action="append", default=[], dest="holding", metavar="TROUBLE")
    parser.add_argument("--add", action="append", default=[], metavar="JSON", type=_planned)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--rules")
    parser.add_argument("--trader", choices=sorted(KINDS_OF_TRADERS.keys() - {"copier"}))
    return parser


def _planned(text: str) -> Planned:
    return Planned.of(json.loads(text))


def _aimed(scenario: Scenario, arguments: argparse.Namespace) -> Scenario:
    """The same with what the arguments put into it."""
    accounts = scenario.accounts
    if arguments.rules is not None:
        accounts = tuple(evolve(it, rules=arguments.rules) for it in accounts)
    if arguments.trader is not None:
        accounts = tuple(evolve(it, trader=arguments.trader) for it in accounts)
    held = () if arguments.alone else scenario.faults
    return evolve(scenario, accounts=accounts, faults=(*held, *arguments.add))


def _holding(campaign: Campaign, wanted: list[str]) -> Iterator[int]:
    """The seeds whose scenarios hold one of these troubles; all when none is named."""
    for seed in count(campaign.first):
        faults = [it.document() for it in campaign.scenario(seed).faults] if wanted else []
        if not wanted or any(_is(fault, it) for fault in faults for it in wanted):
            yield seed


def _is(fault: dict[str, Any], wanted: str) -> bool:
    """``upon:actor=store,then.fault=kill`` is a trouble of that name with such fields."""
    name, _, fields = wanted.partition(":")
    pairs = (it.split("=") for it in fields.split(",") if it)
    return fault["fault"] == name and all(_field(fault, key) == value for key, value in pairs)


def _field(fault: dict[str, Any], path: str) -> str:
    key, _, rest = path.partition(".")
    value = fault.get(key)
    return _field(value, rest) if rest and isinstance(value, dict) else str(value)


def _found(number: int, seed: int, what: str) -> int:
    sys.stdout.write(f"seed {number} of those that were run, {seed}: {' '.join(what.split())}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
