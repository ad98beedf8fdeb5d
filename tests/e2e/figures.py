"""What the flows measured, beside the original's targets: collected by tests, printed at the end.

A figure is a property of its test's report, which is how it comes home from an xdist worker.
"""

import statistics
from collections.abc import Sequence

import pytest
from attrs import frozen

PROPERTY = "measured"


@frozen
class Figures:
    """Where a test puts what it measured."""

    node: pytest.Item

    def add(
        self,
        flow: int,
        what: str,
        values: Sequence[float],
        unit: str,
        *,
        target: float | None = None,
    ) -> None:
        """Report values of which the 95th percentile is to be at most ``target``, if there is one."""
        p95 = percentile(values, 95)
        verdict = "no target" if target is None else f"target <= {target:g} {unit}"
        if target is not None:
            verdict += "  met" if p95 <= target else "  MISSED"
        line = (
            f"flow {flow}  {what:<44} n={len(values):<3} p50={statistics.median(values):<7.3g} "
            f"p95={p95:<7.3g} max={max(values):<7.3g} {unit:<3} {verdict}"
        )
        self.node.user_properties.append((PROPERTY, line))


def percentile(values: Sequence[float], share: int) -> float:
    """The smallest value that ``share`` percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(-(-len(ordered) * share // 100) - 1, 0)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each figure, in the order of the flows."""
    lines = {
        line
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, line in getattr(report, "user_properties", ())
        if name == PROPERTY
    }
    if lines:
        terminalreporter.section("measured against the targets of the five flows")
        for line in sorted(lines):
            terminalreporter.line(line)
