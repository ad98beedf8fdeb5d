"""The simulation as a finder: it ends at the first seed that breaks a promise.

``python -m tests.planted.simulation SEEDS`` runs the seeds from 0 on as a mixed campaign of twenty
minutes each would, and says which was the first to notice: a defect that few seeds show is one that
a short campaign would miss.
"""

import sys

from simulation.campaign import Campaign, run_seed
from simulation.report import what_failed


def main(words: list[str]) -> int:
    """Run as a command; the exit code is 1 when a seed breaks a promise."""
    (seeds,) = map(int, words)
    campaign = Campaign(0, seeds)
    for seed in campaign.numbers:
        try:
            run = run_seed(campaign, seed)
        except Exception as error:  # noqa: BLE001 - whatever a run raises is a find
            return _found(seed, f"it raises {error!r}")
        if not run.clean:
            return _found(seed, what_failed(run))
    sys.stdout.write(f"none of {seeds} seeds\n")
    return 0


def _found(seed: int, what: str) -> int:
    sys.stdout.write(f"seed {seed}: {' '.join(what.split())}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
