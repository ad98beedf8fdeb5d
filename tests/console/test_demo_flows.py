"""How the demo judges what it measured."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from console.demo.flows import Distribution, Flows, Line, missed, verdict

KEPT = Flows(
    startup_s=0.8,
    fill_to_enforcement_ms=Distribution((12.0, 14.0, 499.0)),
    decision_ms=Distribution((1.0, 9.9)),
    quote_to_pnl_ms=Distribution((4.0, 99.0)),
    reconnect_to_reconciled_s=Distribution((0.3, 4.9)),
    daily_reset_offset_s=-5.0,
)


def wrong(flows: Flows) -> list[str]:
    return [line.what for line in verdict(flows) if line.missed]


def test_flows_within_their_targets_miss_none() -> None:
    """Each target is a bound of its own; the reset may be early or late by five seconds."""
    assert wrong(KEPT) == []
    assert missed(verdict(KEPT)) == ()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"startup_s": None}, "startup to every account live"),
        ({"fill_to_enforcement_ms": Distribution((500.0,))}, "fill to enforcement"),
        ({"decision_ms": Distribution((10.0,))}, "rule evaluation"),
        ({"quote_to_pnl_ms": Distribution((100.0,))}, "quote to P&L"),
        ({"reconnect_to_reconciled_s": Distribution((0.1, 5.0))}, "reconnect to reconciled"),
        ({"daily_reset_offset_s": 5.001}, "daily reset at 17:00:00 CT"),
        ({"daily_reset_offset_s": -5.001}, "daily reset at 17:00:00 CT"),
    ],
)
def test_a_target_that_is_reached_or_passed_is_missed(
    change: dict[str, Distribution | float | None], what: str
) -> None:
    """A bound is strict, and named in the table by its flow."""
    assert wrong(evolve(KEPT, **change)) == [what]  # type: ignore[arg-type]


def test_what_was_not_measured_is_missed() -> None:
    """No number is no success: a demo that measured nothing fails on every line."""
    lines = verdict(Flows())
    assert all(line.missed for line in lines)
    assert {line.measured for line in lines} == {"not measured"}


def test_a_slow_outlier_in_twenty_is_within_the_95th_percentile() -> None:
    """The original's target is a P95; reconnects are judged by the slowest."""
    mostly_quick = Distribution((10.0,) * 19 + (900.0,))
    assert wrong(evolve(KEPT, fill_to_enforcement_ms=mostly_quick)) == []


def test_a_missed_target_says_what_was_wanted() -> None:
    """The sentence names the flow, the measurement and the target."""
    line = Line("5", "daily reset", "within 5 s", "+9.000 s", missed=True)
    assert missed((line,)) == ("daily reset: +9.000 s, wanted within 5 s",)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.1, 100))
def test_a_percentile_is_a_measured_value_that_enough_do_not_exceed(
    values: list[float], share: float
) -> None:
    """Nearest rank: never interpolated, never below the share, and no smaller value would do."""
    found = Distribution(tuple(values)).percentile(share)
    assert found in values
    within = sum(value <= found for value in values)
    assert within * 100 >= share * len(values) * (1 - 1e-12)
    below = sum(value < found for value in values)
    assert below * 100 < share * len(values) * (1 + 1e-12)


def test_an_empty_distribution_has_no_figures() -> None:
    """Reports then say null, not zero."""
    assert Distribution().document() == {"n": 0, "p50": None, "p95": None, "max": None}


def test_the_report_has_the_promised_flows() -> None:
    """The keys and shapes that readers of the report rely on."""
    document = KEPT.document()
    assert list(document) == [
        "startup_s",
        "fill_to_enforcement_ms",
        "quote_to_pnl_ms",
        "reconnect_to_reconciled_s",
        "daily_reset_offset_s",
    ]
    assert document["fill_to_enforcement_ms"] == {"n": 3, "p50": 14.0, "p95": 499.0, "max": 499.0}
