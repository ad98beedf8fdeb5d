"""The balance as a proof: it moves by what trades earn, so a move that they do not explain is news.

Each event may be lost, and with it a loss. But the next balance says by how much the account is
poorer than all known trades together have made it, whatever else was traded meanwhile.
"""

from datetime import date
from decimal import Decimal

from attrs import define

from risk.account_state import AccountState

CENT = Decimal("0.01")
TOLERATED = Decimal(1)
"""Dollars of the balance that trades need not explain."""
_ZERO = Decimal(0)


@define
class Books:
    """The gap between the balance and what a day's trades have earned; it should stay as it is."""

    _day: date | None = None
    _gap: Decimal = _ZERO
    _complete: bool = False
    """All trades were read since the gap last moved: what is left came from somewhere else."""

    _drift: Decimal = _ZERO
    """Dollars by which the balance moved though all trades were known, since somebody last took note."""

    def read(self) -> None:
        """All the day's trades were read."""
        self._complete = True

    def take_drift(self) -> Decimal:
        """Dollars that no trade explains, told once; 0 while they are no more than what rounding does."""
        if abs(self._drift) <= TOLERATED:
            return _ZERO
        taken, self._drift = self._drift, _ZERO
        return taken

    def moved(self, state: AccountState) -> Decimal:
        """By how many dollars the gap has moved, so that trades must be missing; 0 when it fits.

        What all trades do not explain (a payout, a correction, a fee of its own) is not told twice.
        """
        balance, earned = state.balance, state.earned()
        if balance is None or earned is None:
            return _ZERO
        gap = balance - earned
        moved = gap - self._gap
        if state.day == self._day and not self._complete and abs(moved) >= CENT:
            return moved
        if state.day != self._day:
            self._drift = _ZERO
        elif self._complete:
            self._drift += moved
        self._day, self._gap, self._complete = state.day, gap, False
        return _ZERO
