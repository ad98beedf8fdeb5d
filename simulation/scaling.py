"""With which balance each day began, and how much may be held by it (RULES, section 2, scaling_plan).

While the account does not know that balance it allows what the highest step does, so a smaller number
counts from when it has written the balance down to when it begins the next day; both are judged.
"""

from attrs import define

from simulation.truth import Terms

OPENING_BALANCE = 50_000.0
"""Dollars with which each simulated account begins its run."""
SCALING = "scaling_plan"
KEY = ("opening", "")
"""The balance of the morning is owed."""


@define(eq=False)
class Scaling:
    """Of one account."""

    _terms: Terms
    balance: float
    """Dollars at the exchange, without what is open."""
    began_with: float
    """The same when the present trading day began."""
    _day: str = ""
    """The trading day whose balance the account has written down."""
    _counts: float = 0.0
    """That balance, in truth."""

    def new_day(self) -> None:
        """It begins with what there is."""
        self.began_with = self.balance

    def written(self, day: str) -> None:
        """The account knows with what its day began."""
        self._day, self._counts = day, self.began_with

    def begun(self, day: str) -> None:
        """The account is in this day now: what it knew of another one is of no use."""
        if self._day != day:
            self._day = ""

    def owed(self) -> bool:
        """Whether somebody needs the balance, who does not know it."""
        return bool(self._terms.steps) and not self._day

    def limit(self) -> float | None:
        """Contracts, or minis, that may be held; None: no plan says."""
        steps = sorted(self._terms.steps)
        if not steps:
            return None
        if not self._day:
            return max(most for _, most in steps)
        reached = [most for least, most in steps if least <= self._counts]
        return reached[-1] if reached else steps[0][1]
