"""Whether the loss of the link to the broker is said aloud, and nothing else is (RULES, connection_loss)."""

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from simulation.bench import Bench
from simulation.docket import Docket
from simulation.excuses import Excuse

LOST = "connection_loss"
CODE = "connection_lost"
"""Of the alert."""
KEY = (LOST, "")
HANDLED = 0.1
"""Seconds in which what was told of positions and orders has reached who says what is open."""


@define(eq=False)
class Links:
    """Judges the alerts of accounts that ask for them."""

    _bench: Bench
    _told_of: set[int] = field(factory=set)
    """Accounts whose loss has been told, and that have not been seen live since."""
    _live: set[int] = field(factory=set)
    """Accounts that have been seen live in the present life of their actor."""

    def changed(self, docket: Docket, *, up: bool) -> None:
        """The daemon was told that the user hub came up, or went down; not again what it knows."""
        known = docket.id in self._live and docket.id not in self._told_of
        docket.obliges(KEY, docket.terms.watches_link and known and not up, self._bench.now)

    def seen_live(self, docket: Docket) -> None:
        """The account says that it watches; a loss from now on is news."""
        if not docket.excuses.standing[Excuse.HUB_DOWN]:
            self._live.add(docket.id)
            self._told_of.discard(docket.id)

    def forget(self, docket: Docket) -> None:
        """Whoever should have said it has fallen."""
        self._live.discard(docket.id)
        docket.obliges(KEY, False, self._bench.now)

    def alerted(self, docket: Docket, body: Mapping[str, Any]) -> None:
        """An alert was written down."""
        if body["code"] != CODE:
            return
        docket.obliges(KEY, False, self._bench.now)
        self._told_of.add(docket.id)
        excuses, now = docket.excuses, self._bench.now
        if not docket.terms.watches_link or excuses.quiet_since(now):
            self._bench.accuse(5, docket, "says that the link is lost, and it is not")
        untold = (Excuse.UNTOLD_POSITION, Excuse.UNTOLD_ORDER)
        if any(excuses.standing[it] for it in untold) or now - docket.moved_at < HANDLED:
            return
        exposed = bool(docket.told.held or docket.told.orders)
        if bool(body["critical"]) != exposed:
            scene = self._bench.scene(docket)
            self._bench.accuse(
                5, docket, f"a lost link that is critical: {body['critical']} {scene}"
            )
