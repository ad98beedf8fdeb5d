"""The sides of the runtime's benchmark each do the whole work, and are compared round by round."""

import pytest

from benchmarks import supervision
from benchmarks.runtime.rounds import Samples, Way, interleaved

BURSTS = {**supervision.BURST, **supervision.URGENT}
SINGLES = {**supervision.ASK, **supervision.CHAIN, **supervision.CRASH}
TINY = supervision.Size(rounds=1, burst=20, singles=3, backlog=200, alarms=1)


@pytest.mark.parametrize("name", BURSTS)
def test_a_burst_is_one_sample(name: str) -> None:
    """It ends when the last message has been handled, and on every side it does end."""
    (seconds,) = BURSTS[name](50)
    assert seconds > 0


@pytest.mark.parametrize("name", SINGLES)
def test_what_is_done_one_at_a_time_is_a_sample_each(name: str) -> None:
    """On every side as many as were asked for."""
    seconds = SINGLES[name](5)
    assert len(seconds) == 5
    assert min(seconds) > 0


def test_each_round_begins_with_another_way_and_the_first_is_thrown_away() -> None:
    """Nobody always runs first, and nobody's warming up is counted."""
    order: list[str] = []

    def way(name: str) -> Way:
        def run(count: int) -> list[float]:
            order.append(name)
            return [float(len(order))] * count

        return run

    found = interleaved({name: way(name) for name in "abc"}, rounds=2, count=2)
    assert "".join(order) == "abcbcacab"
    assert found["a"] == Samples(([6.0, 6.0], [8.0, 8.0]))


def test_a_ratio_is_formed_within_a_round() -> None:
    """A round in which the machine was busy counts as much as any other."""
    mine = Samples(([1.0], [10.0, 10.0, 90.0], [3.0]))
    other = Samples(([2.0], [20.0], [2.0]))
    spread = mine.over(other)
    assert (spread.least, spread.middle, spread.most) == (0.5, 0.5, 1.5)
    assert str(spread) == "0.50 x (0.50 to 1.50)"


def test_the_fastest_rounds_are_compared_whenever_they_were() -> None:
    """On a machine that never rests they are what is left of the truth."""
    mine = Samples(([2.0], [1.0], [9.0]))
    other = Samples(([9.0], [8.0], [4.0]))
    assert mine.fastest_over(other) == 0.25


def test_a_late_sample_is_late_in_its_own_round() -> None:
    """One round in which the machine was busy does not speak for the others."""
    assert Samples(([1.0, 2.0], [3.0, 4.0], [8.0, 9.0])).late(0.99) == 4.0


def test_every_promise_is_judged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Burst, question, urgent word and restart each have a target."""
    monkeypatch.setattr(supervision, "QUICK", TINY)
    supervision.run(quick=True)
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.endswith((" met", " MISSED"))]) == 4
