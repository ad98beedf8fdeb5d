"""``python -m benchmarks [NAME ...] [--quick] [--heavy]``: the named benchmarks, or all of them."""

import argparse
import sys
from collections.abc import Callable
from functools import partial

from benchmarks import cli, events, fill_to_close, reconcile, rulebook, rules, supervision


def main() -> int:
    """Run what was asked for; a missed target is printed and is no failure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="fewer samples")
    parser.add_argument("--heavy", action="store_true", help="fill_to_close also at 4,000 quotes/s")
    known: dict[str, Callable[..., None]] = {
        "rules": rules.run,
        "rulebook": rulebook.run,
        "events": events.run,
        "reconcile": reconcile.run,
        "cli": cli.run,
        "supervision": supervision.run,
    }
    names = [*known, "fill_to_close"]
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    arguments = parser.parse_args()
    known["fill_to_close"] = partial(fill_to_close.run, heavy=arguments.heavy)
    if unknown := [name for name in arguments.names if name not in known]:
        parser.error(f"no benchmark is called {unknown[0]}; there are {', '.join(names)}")
    for name in arguments.names or names:
        known[name](quick=arguments.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
