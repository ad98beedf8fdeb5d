"""When do an account's locks end? By the broker's clock, and only on fresh knowledge of it.

A machine's clock can be wrong or be set; the broker's is known by its answers. A lock that seems due
therefore first asks for a new look at the account list, whose answer brings the broker's time.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
import trio

from actors.messages import ConnectionMessage, ListingWanted
from actors.reporting import Desk
from broker.clock import Clock
from risk.account_state import AccountState
from risk.verdict import Alert
from supervision import Ref

SKEW_TOLERATED = 2.0
"""Seconds between the broker's clock and ours; its Date header is not finer than one."""
LOOK_AGAIN_AFTER = 60.0
"""Seconds: a wall clock may jump, so a long time is never slept in one piece."""

log = structlog.get_logger("seawall.account")


class LockKeeper:
    """Ends locks at their time, never before."""

    def __init__(
        self,
        *,
        name: str,
        state: AccountState,
        clock: Clock,
        desk: Desk,
        connection: Ref[ConnectionMessage],
        look_after: Callable[[float], None],
    ) -> None:
        self._name = name
        self._state = state
        self._clock = clock
        self._desk = desk
        self._connection = connection
        self._look_after = look_after
        """Asks for :meth:`look` to be called in so many seconds."""
        self._skew = timedelta(0)
        self._skew_at = float("-inf")
        self._due_since: float | None = None

    def skew_measured(self, seconds: float) -> None:
        """The broker's clock was compared with ours."""
        self._skew_at = trio.current_time()
        self._skew = timedelta(seconds=seconds if abs(seconds) > SKEW_TOLERATED else 0.0)
        if not self._skew:
            self._desk.settled("clock_skew")
            return
        self._desk.alert_once(
            Alert(
                "clock_skew",
                f"this machine's clock differs from the broker's by {seconds:.0f} s; locks end by "
                "the broker's. Set this machine's clock",
            )
        )

    def look(self) -> bool:
        """End what is due; True when a lock has ended."""
        pending = [lock.until for lock in self._state.locks]
        if not pending:
            return False
        left = self._left(min(pending))
        if left > 0:
            self._due_since = None
            self._look_after(min(left, LOOK_AGAIN_AFTER))
            return False
        if self._due_since is None:
            self._due_since = trio.current_time()
        if self._skew_at < self._due_since:
            self._connection.tell(ListingWanted())
            return False
        self._due_since = None
        ended = self._state.expire_locks(self._clock.now() + self._skew)
        for lock in ended:
            log.info("lock ended", account=self._name, rule=lock.rule, until=lock.until.isoformat())
        return bool(ended)

    def _left(self, until: datetime) -> float:
        left = until - (self._clock.now() + self._skew)
        return left.total_seconds() / self._clock.speed
