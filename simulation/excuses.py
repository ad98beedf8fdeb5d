"""What keeps the daemon from knowing or acting, per account, and how long it may take afterwards.

An excuse that has not ended suspends every deadline it concerns; one that has ended leaves the
seconds that stand beside its name. They come from DESIGN (section 3), GATEWAY (section 4) and
RULES (section 0), each with its reason. Excuses are facts seen at the daemon's own borders (what it
was told, what its requests met, which actors ran), never the faults that were planned: a fault that
touched nothing excuses nothing. They belong to one account each, so a crash or a backlog of one is
no excuse for another: that is how invariant 6 is judged.
"""

import enum
import math

from attrs import define, field


class Aspect(enum.Enum):
    """What a rule needs in order to be decided and enforced."""

    MEANS = "means"
    """A live daemon, an account actor, a session, a broker that accepts."""
    POSITIONS = "positions"
    ORDERS = "orders"
    MONEY = "money"
    """Trades, and that they agree with the positions."""
    PRICES = "prices"


class Excuse(enum.Enum):
    """A reason, the aspect it blocks, and the seconds it leaves after its end."""

    __hash__ = object.__hash__
    """An enum's own hashes its name, at each of a million look-ups."""

    def __init__(self, aspect: Aspect, leaves: float, why: str) -> None:
        self.aspect = aspect
        self.leaves = leaves
        self.why = why

    DEAD = Aspect.MEANS, 5.0, "no daemon runs; 5 s from the broker's first acceptance (DESIGN 3.1)"
    SUSPENDED = Aspect.MEANS, 5.0, "the machine sleeps; woken, it reads as after a reconnect"
    NO_SESSION = Aspect.MEANS, 5.0, "not logged in; reconnect to reconciled is 5 s (DESIGN 8)"
    HUB_DOWN = Aspect.MEANS, 5.0, "the user hub is down; the same 5 s"
    CRASHED = Aspect.MEANS, 5.0, "an actor of the account restarts, and reconciles in the same 5 s"
    PARKED = Aspect.MEANS, 5.0, "set aside after too many failures, tried again every 30 s"
    BUSY = Aspect.MEANS, 5.0, "a handler was made slow or stuck on purpose; then the mail of it"
    READ_SLOW = Aspect.MEANS, 1.0, "an answer is awaited; decided on when it has come"
    READ_FAILED = Aspect.MEANS, 5.0, "the broker does not answer: tried again within 5 s, then 5 s"
    ASKED = Aspect.MEANS, 1.0, "a request is under way longer than usual; then the next try"
    REFUSED = Aspect.MEANS, 1.0, "refused or uncertain; the next try is due (GATEWAY 4.3), then 1 s"
    UNREADABLE = Aspect.MEANS, 3.0, "a frame without meaning came: read anew, 3 rounds and proofs"
    RECONCILING = Aspect.MONEY, 2.0, "trades are asked for up to 1.7 s (DESIGN 2, proof)"
    MISREAD = (
        Aspect.POSITIONS,
        5.0,
        "the broker answered what was no longer so: until the next audit",
    )
    UNSETTLED = (
        Aspect.POSITIONS,
        1.0,
        "an event came into a reading: no partial close until one settles, 1 s later (DESIGN 2.3)",
    )
    UNPROVEN = (
        Aspect.POSITIONS,
        1.0,
        "no event tells of an accepted partial close: for 2 s a read may be older than it",
    )
    UNTOLD_POSITION = Aspect.POSITIONS, 1.0, "the daemon has not been told of the position"
    UNTOLD_ORDER = Aspect.ORDERS, 1.0, "the daemon has not been told of an order"
    UNTOLD_TRADE = Aspect.MONEY, 2.0, "trades and positions told apart: 2 s (DESIGN 3.1)"
    UNTOLD_PRICE = Aspect.PRICES, 1.0, "the newest price has not arrived"
    WIDE = Aspect.PRICES, 1.0, "a wide spread must last 1 s before money rules act on it"


NOBODY_ACTS = (Excuse.DEAD, Excuse.SUSPENDED, Excuse.CRASHED, Excuse.PARKED, Excuse.BUSY)
"""What keeps the daemon even from saying something."""
AUDIT_EXPOSED, AUDIT_FLAT = 30.0, 60.0
"""Seconds between audits of an account that holds something, or nothing (DESIGN 2)."""
SNAPSHOTS_LAG = 2.0
"""Seconds for which a read may show what was before an accepted request."""
NOTICEABLE = 0.0005
"""Seconds below which an excuse has not existed: what is told at once is told."""
USUAL_ANSWER = 0.25
"""Seconds that an answer may take without being an excuse."""


def next_try(failures: int) -> float:
    """Seconds to the next try after so many failures (GATEWAY 4.3, counted from the answer)."""
    gaps = (0.25, 0.5, 2.0, 4.0, 8.0, 16.0)
    return gaps[failures - 1] if failures <= len(gaps) else 30.0


@define(eq=False)
class Excuses:
    """Of one account."""

    standing: dict[Excuse, int] = field(factory=lambda: dict.fromkeys(Excuse, 0))
    """How often each stands."""
    kinds: int = 0
    """Excuses that stand, each counted once."""
    since: dict[Excuse, float] = field(factory=dict)
    until: dict[Excuse, float] = field(factory=dict)
    """Those whose end is known beforehand."""
    clear_from: dict[Aspect, float] = field(factory=dict)
    """No deadline lies before this."""

    def begin(self, excuse: Excuse, at: float) -> None:
        """One more reason of this kind."""
        self.standing[excuse] += 1
        if self.standing[excuse] == 1:
            self.kinds += 1
            self.since[excuse] = at

    def end(self, excuse: Excuse, at: float, *, unless_shorter: float = NOTICEABLE) -> bool:
        """One reason less; True when the last has gone and the deadlines can be set again."""
        if not self.standing[excuse]:
            return False
        self.standing[excuse] -= 1
        if self.standing[excuse]:
            return False
        self.kinds -= 1
        if at - self.since[excuse] >= unless_shorter:
            self._clear(excuse.aspect, at + excuse.leaves)
        return True

    def hold(self, excuse: Excuse, holds: bool, at: float) -> bool:
        """A reason of which there is one or none; True when it has just gone."""
        stands = bool(self.standing[excuse])
        if holds == stands:
            return False
        if holds:
            self.begin(excuse, at)
            return False
        return self.end(excuse, at)

    def lasts(self, excuse: Excuse, until: float) -> None:
        """A reason whose end is known."""
        self.until[excuse] = max(self.until.get(excuse, -math.inf), until)

    def ends(self, excuse: Excuse, at: float) -> None:
        """Whatever end was known beforehand, it has come."""
        if excuse in self.until:
            self.until[excuse] = min(self.until[excuse], at)

    def no_daemon(self, at: float) -> None:
        """Whatever else it was about has died with the daemon; the next has neither link yet."""
        for excuse in Excuse:
            if not excuse.name.startswith("UNTOLD"):
                self.kinds -= bool(self.standing[excuse])
                self.standing[excuse] = 0
        for excuse in (Excuse.DEAD, Excuse.NO_SESSION, Excuse.HUB_DOWN):
            self.begin(excuse, at)

    def deadline(self, earliest: float, aspects: frozenset[Aspect]) -> float:
        """When what is due ``earliest`` is due in truth; infinite while an excuse stands."""
        if self.kinds and any(
            n and excuse.aspect in aspects for excuse, n in self.standing.items()
        ):
            return math.inf
        ended = [it for aspect, it in self.clear_from.items() if aspect in aspects]
        ended += [it + by.leaves for by, it in self.until.items() if by.aspect in aspects]
        return max([earliest, *ended])

    def quiet_since(self, at: float) -> bool:
        """Nothing excuses anything now."""
        return self.deadline(at, frozenset(Aspect)) <= at

    def alive(self, earliest: float) -> float:
        """When something is due that needs only actors that run; infinite while one does not."""
        if any(self.standing[it] for it in NOBODY_ACTS):
            return math.inf
        ended = [self.until[it] + it.leaves for it in NOBODY_ACTS if it in self.until]
        return max([earliest, self.clear_from.get(Aspect.MEANS, -math.inf), *ended])

    def quiet_until(self, at: float) -> bool:
        """Nothing excused anything up to now; what began in this very instant does not count."""
        begun = all(self.since[it] >= at for it, n in self.standing.items() if n)
        ended = (it + by.leaves for by, it in self.until.items())
        return begun and max([*self.clear_from.values(), *ended], default=at) <= at

    def names(self, at: float) -> frozenset[str]:
        """Reasons that stand now, for coverage and reports."""
        standing = {excuse.name for excuse, n in self.standing.items() if n}
        return frozenset(standing | {it.name for it, until in self.until.items() if until > at})

    def _clear(self, aspect: Aspect, at: float) -> None:
        self.clear_from[aspect] = max(self.clear_from.get(aspect, -math.inf), at)
