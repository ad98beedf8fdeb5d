"""Copiers: an account that follows another is closed by closing its leader first.

A copier would open again what is closed on the follower alone. So the leader goes first, the follower
has two seconds to be flat by the copier's own doing, and what is left then is closed. Who is open long
after that is a critical alarm: the copier may be holding against us.
"""

from collections.abc import Iterator

from attrs import define, field

from actors.messages import AccountMessage, CloseFirst
from risk.verdict import Alert, Close, Flatten
from store.records import Intent
from supervision import Ref

HEAD_START = 2.0
"""Seconds that the copier has, after its leader was told to close, to close the follower."""
OPEN_AT_MOST = 5.0
"""Seconds after which a follower that is still open is an alarm."""


@define
class Leading:
    """What one follower asks of its leader; a part of its enforcement."""

    follower: str
    leader: Ref[AccountMessage]
    _since: dict[str, float] = field(factory=dict)
    """Monotonic seconds at which each open intent was begun."""

    def began(self, intent: Intent, mono: float) -> bool:
        """Tell the leader; False for what a copier does not copy, a part of a position or an order."""
        if not isinstance(intent.action, Close | Flatten):
            return False
        self._since[intent.id] = mono
        reason = intent.violation.reason
        self.leader.tell(CloseFirst(self.follower, intent.violation.rule, intent.action, reason))
        return True

    def ended(self, intent: Intent) -> None:
        """It is flat, or somebody wants something else of it."""
        self._since.pop(intent.id, None)

    def overdue(self, mono: float) -> Iterator[Alert]:
        """An alarm for each that is still open, once."""
        for id_, since in list(self._since.items()):
            if mono - since >= OPEN_AT_MOST:
                del self._since[id_]
                yield Alert(
                    "follower_open",
                    f"{self.follower} is still open {mono - since:.0f} s after its leader was told to "
                    "close: stop the copier and close it on the platform. Seawall keeps trying",
                    critical=True,
                    about=id_,
                )
