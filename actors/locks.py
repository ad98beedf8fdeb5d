"""When do an account's locks end? By the broker's clock, and only on fresh knowledge of it.

A machine's clock can be wrong or be set; the broker's is known by its answers. A lock ends at its
time if the two were compared within the last minute and ours has not jumped since; else it first asks
for a new look at the account list, whose answer brings the broker's time.
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
COMPARED_WITHIN = 60.0
"""Seconds for which a comparison of the clocks is good, unless ours jumps."""
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
        self._compared: tuple[float, datetime] | None = None
        """Monotonic seconds and our wall time of the newest comparison."""

    def skew_measured(self, seconds: float) -> None:
        """The broker's clock was compared with ours."""
        self._skew = timedelta(seconds=seconds if abs(seconds) > SKEW_TOLERATED else 0.0)
        self._compared = trio.current_time(), self._clock.now()
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
            self._look_after(min(left, LOOK_AGAIN_AFTER))
            return False
        if not self._certain():
            self._connection.tell(ListingWanted())
            return False
        ended = self._state.expire_locks(self._clock.now() + self._skew)
        for lock in ended:
            log.info("lock ended", account=self._name, rule=lock.rule, until=lock.until.isoformat())
        return bool(ended)

    def _certain(self) -> bool:
        """The clocks were compared lately, and ours has not been set since."""
        if self._compared is None:
            return False
        at, wall = self._compared
        passed = trio.current_time() - at
        expected = wall + timedelta(seconds=passed * self._clock.speed)
        jumped = abs((self._clock.now() - expected).total_seconds()) > SKEW_TOLERATED
        return passed <= COMPARED_WITHIN and not jumped

    def _left(self, until: datetime) -> float:
        left = until - (self._clock.now() + self._skew)
        return left.total_seconds() / self._clock.speed
