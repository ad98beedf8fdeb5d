"""When do an account's locks and its day end? By the broker's clock, and only if ours can be trusted.

A machine's clock can be wrong or be set; the broker's is known by its answers. A lock ends at its
time if the two were compared within the last minute and ours has not jumped since; else it first asks
for a new look at the account list, whose answer brings the broker's time.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
import trio
from attrs import frozen

from actors.look import Look
from actors.messages import ConnectionMessage, ListingWanted
from actors.reporting import Desk
from broker.clock import Clock
from risk.account_state import AccountState
from risk.morning import Listing
from risk.verdict import Alert, Lock, LockKey
from supervision import Ref

SKEW_TOLERATED = 2.0
"""Seconds between the broker's clock and ours; its Date header is not finer than one."""
COMPARED_WITHIN = 60.0
"""Seconds for which a comparison of the clocks is good, unless ours jumps."""
LOOK_AT_MOST = 5.0
"""Seconds after which the times of a look at the list are not trusted: the clock may have been set."""
LOOK_AGAIN_AFTER = 60.0
"""Seconds: a wall clock may jump, so a long time is never slept in one piece."""

log = structlog.get_logger("seawall.account")


@frozen
class Comparison:
    """A moment at which the broker's clock was compared with ours."""

    at: float
    """Monotonic seconds."""
    wall: datetime
    """What our clock showed."""
    speed: float


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
        self._compared: Comparison | None = None
        """The newest."""
        self._ended: set[LockKey] = set()

    def compared(self, look: Look) -> bool:
        """The broker's clock was compared with ours; True when it is later than was believed."""
        later = self._skew_measured(look.skew)
        age = (self._clock.now() - look.answered).total_seconds()
        if 0.0 <= age <= LOOK_AT_MOST:
            asked, answered = look.asked + self._skew, look.answered + self._skew
            self._state.morning.listed(Listing(look.account.balance, asked, answered))
        return later

    def _skew_measured(self, seconds: float) -> bool:
        clock, mono = self._clock, trio.current_time()
        wall = clock.now()
        believed = (self._expected() if self._jumped(wall) else wall) + self._skew
        self._skew = timedelta(seconds=seconds if abs(seconds) > SKEW_TOLERATED else 0.0)
        self._compared = Comparison(mono, wall, clock.speed)
        if not self._skew:
            self._desk.settled("clock_skew")
        else:
            self._desk.alert_once(
                Alert(
                    "clock_skew",
                    f"this machine's clock differs from the broker's by {seconds:.0f} s; locks end "
                    "by the broker's. Set this machine's clock",
                )
            )
        return wall + self._skew - believed > timedelta(seconds=SKEW_TOLERATED)

    def look(self) -> bool:
        """End what is due; True when a lock has ended."""
        pending = [lock.until for lock in self._state.locks.held]
        if not pending:
            return False
        left = self._left(min(pending))
        if left > 0:
            self._look_after(min(left, LOOK_AGAIN_AFTER))
            return False
        if not self._certain():
            self._connection.tell(ListingWanted())
            return False
        ended = self._state.locks.expire(self.now())
        self._ended.update(lock.key for lock in ended)
        for lock in ended:
            log.info("lock ended", account=self._name, rule=lock.rule, until=lock.until.isoformat())
        return bool(ended)

    def has_ended(self, lock: Lock) -> bool:
        """It was ended here: who finds it in the journal must not set it again."""
        return lock.key in self._ended

    def now(self) -> datetime:
        """Wall time by the broker's clock; a clock of ours that was set is not followed unasked."""
        wall = self._clock.now()
        if self._jumped(wall):
            self._connection.tell(ListingWanted())
            wall = self._expected()
        return wall + self._skew

    def _certain(self) -> bool:
        """The clocks were compared lately, and ours has not been set since."""
        if self._compared is None or self._jumped(self._clock.now()):
            return False
        return trio.current_time() - self._compared.at <= COMPARED_WITHIN

    def _jumped(self, wall: datetime) -> bool:
        """Our wall clock is not where the time passed since the comparison would have brought it."""
        if self._compared is None or self._compared.speed != self._clock.speed:
            return False
        return abs((wall - self._expected()).total_seconds()) > SKEW_TOLERATED

    def _expected(self) -> datetime:
        assert self._compared is not None
        passed = trio.current_time() - self._compared.at
        return self._compared.wall + timedelta(seconds=passed * self._compared.speed)

    def _left(self, until: datetime) -> float:
        return (until - self.now()).total_seconds() / self._clock.speed
