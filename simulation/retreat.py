"""Of a day's best result too much was given back (RULES, daily_profit with mode give_back).

How good the day was at its best is what the daemon saw of it. A result that stood for a moment while
nothing hindered it has surely been seen; none was seen that neither was true nor told. Between both
lies what it may believe: the lower one obliges, the higher one allows.
"""

from collections import deque

from attrs import define, field

from simulation.truth import TENTH_OF_A_CENT, Key, Terms

STANDS = 0.1
"""Seconds for which a result must stand to have been seen."""
MICRODOLLAR = 0.000001
"""To which figures that are met exactly are met."""
WRITTEN_WITHIN = 6.0
"""Seconds until the best is on disk: it is written every 5 s, while the account is live."""

KEY: Key = ("daily_profit", "")


@define(eq=False)
class Retreat:
    """Of one account and day."""

    terms: Terms
    seen: float = 0.0
    """The best that the daemon has surely seen, dollars."""
    highest: float = 0.0
    """The best that it can have seen."""
    _written: float = 0.0
    """What of ``seen`` survives a death."""
    _result: float = 0.0
    _since: float = 0.0
    _quiet_from: float | None = None
    """Since when nothing has hindered the daemon."""
    _bests: deque[tuple[float, float]] = field(factory=deque)
    """When ``seen`` rose, and to what, while it is not written."""

    def look(self, at: float, result: float, *, quiet: bool) -> None:
        """The day's result in truth; ``quiet``: nothing kept the daemon from knowing the last one."""
        if self.terms.give_back is None:
            return
        if not quiet:
            self._quiet_from = None
        elif self._quiet_from is None:
            self._quiet_from = at
        else:
            self._was_quiet(at, self._quiet_from)
        if result != self._result:
            self._result, self._since = result, at
        self.may_be(result)

    def _was_quiet(self, at: float, since: float) -> None:
        if at - max(self._since, since) >= STANDS and self._result > self.seen:
            self.seen = self._result
            self._bests.append((at, self.seen))
        while self._bests and self._bests[0][0] <= at - WRITTEN_WITHIN >= since:
            _, self._written = self._bests.popleft()

    def may_be(self, result: float) -> None:
        """A result that may have been seen, for it was told."""
        self.highest = max(self.highest, result)

    def forget(self) -> None:
        """Whoever saw it is dead; what was written stays."""
        self.seen, self._quiet_from = self._written, None
        self._bests.clear()

    def new_day(self) -> None:
        """Nothing has been won yet."""
        self.seen = self.highest = self._written = self._result = 0.0
        self._quiet_from = None
        self._bests.clear()

    def broken(self, result: float) -> set[Key]:
        """Whether the day must end."""
        return self._gone_below(result, self.seen, MICRODOLLAR)

    def shown(self, result: float) -> set[Key]:
        """Whether it may."""
        return self._gone_below(result, self.highest, TENTH_OF_A_CENT)

    def _gone_below(self, result: float, best: float, slack: float) -> set[Key]:
        if self.terms.give_back is None:
            return set()
        above, keep = self.terms.give_back
        return {KEY} if best >= above - slack and result <= best * keep + slack else set()
