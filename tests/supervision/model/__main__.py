"""Compare the runtime with the model: ``python -m tests.supervision.model --examples 100000``."""

import argparse
import multiprocessing
import random
import sys
import time
from functools import partial

from .build import CLIMATES, plan_from
from .compare import difference
from .drive import drive
from .mail import mail_plan_from
from .mail_drive import drive_mail
from .mail_model import Reader, side_by_side
from .plan import Plan
from .shrink import smaller


def make(campaign: int, number: int) -> Plan:
    """The plan of one example."""
    climate = CLIMATES[number % len(CLIMATES)]
    return plan_from(random.Random(f"{campaign}/{number}"), climate)


def differs(plan: Plan) -> bool:
    """Whether the runtime does something with this plan that the model does not allow."""
    return difference(plan, drive(plan)) is not None


def _judge(campaign: int, mail: bool, number: int) -> tuple[int, str]:
    if not mail:
        return number, "tree" if differs(make(campaign, number)) else ""
    plan = mail_plan_from(random.Random(f"{campaign}/{number}"))
    run, model = drive_mail(plan), Reader(plan).run()
    if run == model:
        return number, ""
    return number, (
        f"Example {number}:\n\n{plan}\n\n{side_by_side(run, model)}\n\nagain: python -m"
        f" tests.supervision.model --mail --seed {campaign} --first {number} --examples 1\n\n"
    )


def _story(campaign: int, number: int) -> str:
    plan = smaller(make(campaign, number), differs)
    return (
        f"Example {number}, made smaller:\n\n{plan}\n\n{difference(plan, drive(plan))}\n\n"
        f"again: python -m tests.supervision.model"
        f" --seed {campaign} --first {number} --examples 1\n\n"
    )


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def main() -> int:
    """Run the examples; the exit code tells whether any differed."""
    parser = argparse.ArgumentParser(prog="python -m tests.supervision.model", description=__doc__)
    parser.add_argument("--examples", type=int, default=2000, help="how many to run")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--seed", type=int, default=0, help="of the whole campaign")
    parser.add_argument("--jobs", type=int, default=1, help="processes to run them in")
    parser.add_argument("--show", type=int, default=3, help="differences to make small and show")
    parser.add_argument("--mail", action="store_true", help="mailboxes instead of trees")
    arguments = parser.parse_args()
    numbers = range(arguments.first, arguments.first + arguments.examples)
    begin, differing = time.perf_counter(), list[int]()
    with multiprocessing.Pool(arguments.jobs) as pool:
        judge = partial(_judge, arguments.seed, arguments.mail)
        for number, different in pool.imap_unordered(judge, numbers, chunksize=20):
            if different:
                differing.append(number)
                if len(differing) <= arguments.show:
                    _say(different if arguments.mail else _story(arguments.seed, number))
    took = time.perf_counter() - begin
    _say(
        f"{len(numbers)} examples in {took:.1f} s ({len(numbers) / took:.0f}/s),"
        f" {len(differing)} differ: {sorted(differing)[:20]}\n"
    )
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
