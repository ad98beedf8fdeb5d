"""The benchmarks run, and say of each promise whether it was kept."""

import pytest

from benchmarks import fill_to_close, rules
from benchmarks.report import at_least, at_most, percentile, show


def test_each_promise_is_judged_in_its_own_direction() -> None:
    """A latency is kept by being small, a throughput by being large."""
    assert at_most("", 1.0, 2.0, "ms").kept is True
    assert at_most("", 3.0, 2.0, "ms").kept is False
    assert at_least("", 3.0, 2.0, "/s").kept is True
    assert at_least("", 1.0, 2.0, "/s").kept is False


def test_a_percentile_is_a_value_of_the_sample() -> None:
    """By nearest rank, whatever the order."""
    values = [float(n) for n in range(100, 0, -1)]
    assert percentile(values, 0.5) == 51.0
    assert percentile(values, 0.99) == 100.0
    assert percentile([7.0], 0.5) == 7.0


def test_what_was_missed_is_said_loudly(capsys: pytest.CaptureFixture[str]) -> None:
    """A reader finds it without comparing numbers."""
    show("speed", [at_most("close", 3.0, 2.0, "ms"), at_most("lock", 1.0, 2.0, "ms")])
    title, close, lock = capsys.readouterr().out.strip().splitlines()
    assert title == "speed"
    assert close.endswith("MISSED")
    assert lock.endswith("met")


def test_a_close_belongs_to_the_fill_before_it() -> None:
    """A fill that was never closed takes no other fill's close."""
    pairs = fill_to_close.pairs(written=[1.0, 2.0, 3.0], closed=[1.5, 3.25, 3.5])
    assert list(pairs) == [(1.0, 1.5), (3.0, 3.25)]


def test_the_measured_account_is_judged_and_breaks_nothing() -> None:
    """What the rules cost is measured on an account with a day behind it and two open positions."""
    state = rules.account()
    assert [it.net for it in state.positions()] == [1, 1]
    assert not state.disagreements()
