"""``python -m benchmarks [NAME ...] [--quick] [--heavy]``: the named benchmarks, or all of them."""

import argparse
import sys

from benchmarks import fill_to_close


def main() -> int:
    """Run what was asked for; a missed target is printed and is no failure."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: under a minute")
    parser.add_argument("--heavy", action="store_true", help="fill_to_close also at 4,000 quotes/s")
    arguments = parser.parse_args()
    fill_to_close.run(quick=arguments.quick, heavy=arguments.heavy)
    return 0


if __name__ == "__main__":
    sys.exit(main())
