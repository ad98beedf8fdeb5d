"""The differential campaign as a finder: it ends at the first tree that does what it must not.

``python -m tests.planted.campaign EXAMPLES`` fails as soon as one differs from the model, and says
after how many: a defect that few trees show is one that a short campaign would miss.
"""

import sys

from tests.supervision.model.__main__ import differs, make


def main(words: list[str]) -> int:
    """Run as a command; the exit code is 1 when an example differs."""
    (examples,) = map(int, words)
    for number in range(examples):
        if differs(make(0, number)):
            sys.stdout.write(f"tree {number + 1} of the campaign\n")
            return 1
    sys.stdout.write(f"none of {examples} trees of the campaign\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
