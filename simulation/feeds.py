"""Whether prices come: while any login's market hub is up, what is held is not unpriced for long.

One login feeds a contract for all; when its hub goes down another must take over (DESIGN 2).
"""

import math

from attrs import define, field

from simulation.bench import Bench
from simulation.invariants import MEANS

MISSED_AT_MOST = 6
"""Quotes in a row of something held, one each second, that nobody is told: a hub that is down is
told at once, and its contracts go to another login in the same instant."""
UP_FOR = 1.0
"""Seconds after which a hub counts as up."""
SILENT_FOR = 30.0
"""Seconds in which a hub may be up and silent: a half-open one is found after 20."""


@define(eq=False)
class Feeds:
    """Counts, by contract, the quotes that nobody was told though nothing hindered."""

    _bench: Bench
    _up: dict[str, float] = field(factory=dict)
    """Logins whose market hub is up, as the daemon was told, and since when."""
    _doubted_until: float = -math.inf
    _missed: dict[str, int] = field(factory=dict)
    _accused: set[str] = field(factory=set)

    def hub(self, login: str, *, up: bool) -> None:
        """The market hub of a login came up, or went down with its session or by itself."""
        if up:
            self._up[login] = self._bench.now
        else:
            self._up.pop(login, None)

    def life_ended(self) -> None:
        """Nobody hears anything."""
        self._up.clear()

    def may_be_silent(self, seconds: float = 0.0) -> None:
        """Hubs stay up from now on and say nothing, which takes a while to be noticed."""
        until = self._bench.now + seconds + SILENT_FOR
        self._doubted_until = max(self._doubted_until, until)

    def told(self, contract: str) -> None:
        """A quote passed the port."""
        self._missed[contract] = 0
        self._accused.discard(contract)

    def quoted(self, contract: str) -> None:
        """The exchange quotes; whoever watches is told right after."""
        if not self._wanted(contract):
            self._missed[contract] = 0
            return
        missed = self._missed[contract] = self._missed.get(contract, 0) + 1
        if missed > MISSED_AT_MOST and contract not in self._accused:
            self._accused.add(contract)
            fed = ", ".join(self._up)
            text = f"held, and nobody hears its prices though the hub of {fed} is up"
            self._bench.accuse(5, contract, text)

    def _wanted(self, contract: str) -> bool:
        now = self._bench.now
        if now < self._doubted_until or not any(now - at > UP_FOR for at in self._up.values()):
            return False
        return any(
            contract in it.told.held
            and contract in it.true.held
            and it.excuses.deadline(now, MEANS) <= now
            and not self._bench.is_busy(it)
            for it in self._bench.dockets.values()
        )
