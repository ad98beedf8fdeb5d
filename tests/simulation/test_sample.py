"""A sample of a campaign in every run of the tests: a handful of seeds of each kind must be clean."""

import pytest

from simulation.campaign import Campaign, run_seed
from simulation.coverage import LIVE_AT_LEAST
from simulation.report import again_of, what_failed

CAMPAIGN = Campaign()


@pytest.mark.parametrize("seed", range(100, 112))
def test_a_seed_breaks_no_promise(seed: int) -> None:
    """Under faults, and live most of the time; the message says how to see it again."""
    run = run_seed(CAMPAIGN, seed)
    assert run.clean, f"{what_failed(run)}; again: {again_of(run)}"
    assert run.coverage.live_share >= LIVE_AT_LEAST
    assert run.messages > 1_000
