"""One trading day of one account in a few numbers, for people, once it is over."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from attrs import frozen

from risk.explain import dollars
from risk.ledger import OpenAtStart
from risk.snapshot import Snapshot

_ZERO = Decimal(0)


@frozen
class DaySummary:
    """Dollars after fees where nothing else is said."""

    net: Decimal
    realised: Decimal
    """Before fees."""
    open: Decimal
    """Of positions that are carried over the reset."""
    fees: Decimal
    estimated: bool
    best: Decimal
    """The highest the day's result has been."""
    round_trips: int
    won: int
    lost: int
    largest_loss: Decimal
    """Of one round trip, 0 or less."""
    locks: tuple[str, ...]
    """Rules that held a lock when it ended."""

    def __str__(self) -> str:
        trips = f"{self.round_trips} round trips, {self.won} won, {self.lost} lost"
        worst = f", the largest loss {dollars(self.largest_loss)}" if self.lost else ""
        locked = f"; locked by {', '.join(self.locks)}" if self.locks else ""
        about = ", estimated" if self.estimated else ""
        return (
            f"net {dollars(self.net)} (realised {dollars(self.realised)}, open {dollars(self.open)}, "
            f"fees {dollars(self.fees)}{about}), at best {dollars(self.best)}; {trips}{worst}{locked}"
        )


@frozen
class DayRolled:
    """A trading day ended."""

    previous: date
    day: date
    open_at_start: Mapping[str, OpenAtStart]
    """What the new day began with, by contract id."""
    summary: DaySummary
    """Of the day that is over."""


def summary_of(ended: Snapshot) -> DaySummary:
    """The day of an account as it was when it ended."""
    totals = ended.totals
    earned = [
        amount
        for view in ended.contracts.values()
        for trip in view.holding.trips
        if (amount := view.holding.earned(trip)) is not None
    ]
    return DaySummary(
        net=totals.net,
        realised=totals.realised,
        open=totals.open,
        fees=totals.fees,
        estimated=totals.estimated,
        best=ended.peaks.net,
        round_trips=len(earned),
        won=sum(amount > 0 for amount in earned),
        lost=sum(amount < 0 for amount in earned),
        largest_loss=min([_ZERO, *earned]),
        locks=tuple(dict.fromkeys(lock.rule for lock in ended.locks)),
    )
