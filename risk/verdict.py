"""What the rules answer: violations with their whole explanation, and the actions they ask for.

No action can open, add or flip: the vocabulary has close, reduce, cancel, flatten and lock, nothing
else. Actions state a target, never a delta, so that the same verdict twice asks for nothing new.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from attrs import field, frozen

from risk.domain import Episode


@frozen
class Close:
    """Close the whole position of one contract, then cancel that contract's orders."""

    contract_id: str


@frozen
class Reduce:
    """Bring one contract's position down to ``keep`` contracts of its present side; orders stay."""

    contract_id: str
    keep: int
    """Contracts that may remain, at least 1 (0 is a Close)."""


@frozen
class Cancel:
    """Cancel one working order."""

    order_id: int
    contract_id: str


@frozen
class Flatten:
    """Close every position and cancel every order of the account (GATEWAY, section 4)."""


Action = Close | Reduce | Cancel | Flatten


@frozen
class LastTrade:
    """The newest trade that was known at an instant: what was traded after it is newer."""

    at: datetime
    id: int


type LockKey = tuple[str, datetime, bool]
"""Rule, end, and whether it only forbids to add."""


@frozen
class Lock:
    """The account stays flat until ``until``; a set of locks holds until the last has ended.

    With ``reduce_only`` it is a pause instead: what is held may stay, what is opened or added is closed.
    """

    rule: str
    until: datetime
    """Aware UTC."""
    set_at: datetime
    reason: str
    reduce_only: bool = False
    after: LastTrade | None = None
    """Of a pause: what was traded later than this was opened in it; None: later than ``set_at``."""

    @property
    def key(self) -> LockKey:
        """What makes it the same lock as another: one rule may pause first and lock later."""
        return self.rule, self.until, self.reduce_only


@frozen
class Violation:
    """One breach, with everything needed to recompute and to explain it."""

    rule: str
    account: str
    contract_id: str | None
    observed: Decimal
    limit: Decimal
    trigger: str
    """What was being looked at: ``fill``, ``position``, ``order``, ``mark``, ``timer``, ``full`` ..."""
    reason: str
    """One sentence for people: what was observed, against which limit, made of what."""
    actions: tuple[Action, ...]
    lock: Lock | None = None
    inputs: Mapping[str, str] = field(factory=dict)


@frozen
class Instruction:
    """What a group, or a follower, asks of one account; it ends with the day at the latest."""

    by: str
    """Who asks, for people: ``group mine``, ``copied by 50KTC-B``."""
    rule: str
    day: date
    action: Flatten | Close
    observed: Decimal
    limit: Decimal
    reason: str
    inputs: Mapping[str, str]
    locks_until: datetime | None = None
    episode: Episode | None = None
    """The life of the position that a Close is aimed at."""


@frozen
class Alert:
    """Something the trader must know that asks for no action."""

    code: str
    """Stable word for programs, such as ``mark_stale``."""
    message: str
    contract_id: str | None = None
    critical: bool = False
    about: str = ""
    """Tells it from another of its code: each is told once while its cause stands."""


@frozen
class RuleAnswer:
    """What one rule says about one snapshot."""

    violations: tuple[Violation, ...] = ()
    alerts: tuple[Alert, ...] = ()
    wake_at: datetime | None = None
    """Wall time at which time alone can change this answer."""
    wake_in: float | None = None
    """Monotonic seconds after which it can (a wait for late news, a suspected quote)."""


@frozen
class Verdict:
    """The answer of one evaluation: violations in order of priority and the merged plan."""

    violations: tuple[Violation, ...] = ()
    plan: tuple[Action, ...] = ()
    """The actions of all violations, merged: flatten > close > reduce; no contract named twice."""
    locks: tuple[Lock, ...] = ()
    """Pauses included."""
    alerts: tuple[Alert, ...] = ()
    wake_at: datetime | None = None
    """When time alone can change the answer (a grace that ends); None when it cannot."""
    wake_in: float | None = None
    """The same in monotonic seconds from now, for what no wall clock governs; the earlier counts."""

    @property
    def locks_fully(self) -> bool:
        """Nothing may be held once it is carried out."""
        return any(not lock.reduce_only for lock in self.locks)
