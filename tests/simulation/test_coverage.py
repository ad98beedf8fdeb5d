"""What a campaign has reached, and what it must reach."""

from simulation.coverage import Coverage, Floors


def reached() -> Coverage:
    """A little of everything."""
    coverage = Coverage(seconds=100.0, live=90.0)
    coverage.saw("lock set")
    coverage.faults["drop"] += 2
    return coverage


def test_runs_add_up() -> None:
    """Sums of seconds, faults and states."""
    total = Coverage()
    for _ in range(3):
        total.merge(reached())
    assert (total.live_share, total.faults["drop"], total.sometimes["lock set"]) == (0.9, 6, 3)


def test_what_was_not_reached_is_named() -> None:
    """Live time, faults and states, each as a sentence."""
    floors = Floors(0.95, frozenset({"drop", "kill"}), {"lock set": 1, "power cut": 1})
    assert floors.missed(reached()) == (
        "live 0.90 of the time, below 0.95",
        "no kill struck",
        "power cut: 0 times, below 1",
    )


def test_what_was_reached_is_not() -> None:
    """Nothing to say."""
    assert Floors(0.5, frozenset({"drop"}), {"lock set": 1}).missed(reached()) == ()
