"""Whole runs: the daemon guards its traders in virtual time, the same way each time."""

from attrs import evolve

from actors.enforced import Enforced
from simulation.run import simulate
from simulation.scenario import AccountPlan, Scenario
from simulation.watcher import Watcher

QUIET = Scenario(5, seconds=300.0, pace=8.0)


def test_a_quiet_run_is_lived_in_one_life() -> None:
    """Without faults the daemon comes up once, and stays."""
    outcome = simulate(QUIET)
    assert outcome.lives == 1
    assert outcome.virtual_seconds == 375.0


def test_the_same_scenario_is_the_same_run() -> None:
    """Two runs of one process."""
    assert simulate(QUIET).trace_hash == simulate(QUIET).trace_hash


def test_another_seed_is_another_run() -> None:
    """Chance comes from the seed."""
    assert simulate(QUIET).trace_hash != simulate(evolve(QUIET, seed=6)).trace_hash


class Enforcements(Watcher):
    """What the daemon says it did."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def enforced(self, account: str, enforced: Enforced) -> None:
        self.seen.append((account, enforced.rule))


def test_a_breach_is_enforced_and_watchers_are_told() -> None:
    """Too many contracts on an account of an oversized trader do not stay."""
    oversized = AccountPlan(1002, "SIM-50K-2", "oversized", "max_contracts=1 no_stop_loss=60")
    disciplined = AccountPlan(1001, "SIM-50K-1", "disciplined")
    watcher = Enforcements()
    scenario = Scenario(1, seconds=600.0, pace=8.0, accounts=(disciplined, oversized))
    simulate(scenario, watching=lambda: (watcher,))
    assert ("SIM-50K-2", "max_contracts") in watcher.seen
    assert not [rule for account, rule in watcher.seen if account == "SIM-50K-1"]
