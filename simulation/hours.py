"""Hours in which nothing may be open, and until when an account is locked then (RULES, sections 1, 2)."""

from datetime import date, datetime, time, timedelta
from typing import Protocol

from attrs import frozen

from simulation.trading_days import day_of, next_reset, shown_on

FLAT_BY = "flat_by"

EARLY_CLOSES = {
    date(2026, 11, 27): (
        (time(12, 15), frozenset({"ES", "NQ", "MES", "MNQ"})),
        (time(13, 45), frozenset({"CL", "GC", "MGC", "SI"})),
    )
}
"""Of the products that the simulated exchange lists, on the only such day that a scenario reaches."""


class Hours(Protocol):
    """What one rule says of each instant."""

    @property
    def rule(self) -> str:
        """Its name."""

    def locks(self, wall: datetime) -> datetime | None:
        """Until when an account is locked in which anything is open; None: not the whole account."""

    def shuts(self, root: str, wall: datetime) -> bool:
        """Whether nothing may be open in this product, though it may be in others."""

    def turns(self, wall: datetime) -> datetime:
        """When any of that can be different, after this instant."""


@frozen
class FlatBy:
    """Flat a margin before a time of day, and before the exchange closes early."""

    at: time
    margin: timedelta
    rule: str = FLAT_BY

    def locks(self, wall: datetime) -> datetime | None:
        """To the reset, from the margin on."""
        return next_reset(wall) if self._deadline(wall) <= wall else None

    def shuts(self, root: str, wall: datetime) -> bool:
        """From the margin before its early close on."""
        day = day_of(wall)
        closes = early_close(day, root)
        return closes is not None and shown_on(day, closes) - self.margin <= wall

    def turns(self, wall: datetime) -> datetime:
        """At a deadline, or at the reset."""
        day = day_of(wall)
        early = (shown_on(day, closes) - self.margin for closes, _ in EARLY_CLOSES.get(day, ()))
        moments = (self._deadline(wall), *early, next_reset(wall))
        return min(it for it in moments if it > wall)

    def _deadline(self, wall: datetime) -> datetime:
        return shown_on(day_of(wall), self.at) - self.margin


def early_close(day: date, root: str) -> time | None:
    """When the exchange closes a product early; None when it does not."""
    return next((closes for closes, roots in EARLY_CLOSES.get(day, ()) if root in roots), None)
