"""The five flows: what was measured, and whether it keeps the promise. Pure."""

import math
from collections.abc import Sequence

from attrs import frozen


@frozen
class Distribution:
    """Some measurements of one thing, all in one unit."""

    values: tuple[float, ...] = ()

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.values)

    @property
    def max(self) -> float | None:
        """The largest; None when nothing was measured."""
        return max(self.values, default=None)

    def percentile(self, share: float) -> float | None:
        """The smallest value that at least ``share`` percent do not exceed (nearest rank)."""
        if not self.values:
            return None
        rank = max(math.ceil(self.n * share / 100), 1)
        return sorted(self.values)[rank - 1]

    def document(self) -> dict[str, float | int | None]:
        """As reports show it."""
        return {
            "n": self.n,
            "p50": _rounded(self.percentile(50)),
            "p95": _rounded(self.percentile(95)),
            "max": _rounded(self.max),
        }


@frozen
class Flows:
    """Everything that was measured; None and empty distributions were not."""

    startup_s: float | None = None
    """From the start of the daemon until every account was live."""
    fill_to_enforcement_ms: Distribution = Distribution()
    """From the receipt of the fill to the broker's answer to the close."""
    decision_ms: Distribution = Distribution()
    """From the receipt of an event to the verdict of all rules on it."""
    quote_to_pnl_ms: Distribution = Distribution()
    """From asking the gateway for a price to the account's picture that shows it."""
    reconnect_to_reconciled_s: Distribution = Distribution()
    """From the gateway's taking connections again until each account was live."""
    daily_reset_offset_s: float | None = None
    """Seconds after 17:00:00 in Chicago, on the gateway's clock."""

    def document(self) -> dict[str, object]:
        """The ``flows`` of a report."""
        return {
            "startup_s": _rounded(self.startup_s),
            "fill_to_enforcement_ms": self.fill_to_enforcement_ms.document(),
            "quote_to_pnl_ms": self.quote_to_pnl_ms.document(),
            "reconnect_to_reconciled_s": self.reconnect_to_reconciled_s.document(),
            "daily_reset_offset_s": _rounded(self.daily_reset_offset_s),
        }


@frozen
class Line:
    """One line of the final table."""

    flow: str
    what: str
    target: str
    measured: str
    missed: bool


def verdict(flows: Flows) -> tuple[Line, ...]:
    """Each flow against its target; what was not measured is missed."""
    return (
        _startup(flows.startup_s),
        _held("2", "fill to enforcement", flows.fill_to_enforcement_ms, "ms", 500, p95=True),
        _held("", "rule evaluation", flows.decision_ms, "ms", 10, p95=True),
        _held("3", "quote to P&L", flows.quote_to_pnl_ms, "ms", 100, p95=True),
        _held("4", "reconnect to reconciled", flows.reconnect_to_reconciled_s, "s", 5, p95=False),
        _reset(flows.daily_reset_offset_s),
    )


def missed(lines: Sequence[Line]) -> tuple[str, ...]:
    """What to say about targets that were not kept."""
    return tuple(
        f"{each.what}: {each.measured}, wanted {each.target}" for each in lines if each.missed
    )


def _startup(seconds: float | None) -> Line:
    measured = "not measured" if seconds is None else f"{seconds:.2f} s"
    return Line("1", "startup to every account live", "(none given)", measured, seconds is None)


def _held(
    flow: str, what: str, measured: Distribution, unit: str, limit: float, *, p95: bool
) -> Line:
    judged = measured.percentile(95) if p95 else measured.max
    target = f"{'p95' if p95 else 'max'} < {limit:g} {unit}"
    return Line(flow, what, target, _told(measured, unit), judged is None or judged >= limit)


def _told(measured: Distribution, unit: str) -> str:
    p50, p95, most = measured.percentile(50), measured.percentile(95), measured.max
    if p50 is None or p95 is None or most is None:
        return "not measured"
    digits = 1 if unit == "ms" else 2
    figures = f"p50 {p50:.{digits}f}  p95 {p95:.{digits}f}  max {most:.{digits}f} {unit}"
    return f"{figures}  (n={measured.n})"


def _reset(offset: float | None) -> Line:
    measured = "not measured" if offset is None else f"{offset:+.3f} s"
    wrong = offset is None or abs(offset) > 5
    return Line("5", "daily reset at 17:00:00 CT", "within 5 s", measured, wrong)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
