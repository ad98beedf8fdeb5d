"""Several accounts seen together: what a group knows of its members, and what it asks of them.

A group holds nothing itself. Its members say how they stand; it answers with *instructions*, always
all that stand at the moment, so that one that is lost or repeated changes nothing. The account turns
an instruction into a breach of its own, with its own lock, its own record and its own enforcement.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Protocol

from attrs import field, frozen

from risk.domain import Episode
from risk.rules.base import Trigger, certain_result, locked_until, violation
from risk.snapshot import Snapshot
from risk.verdict import Alert, Flatten, Instruction, Lock, RuleAnswer, Violation

UNHEARD = Decimal("Infinity")
"""Where an account reports its result at every price: before its group has said where else."""


@frozen
class Stake:
    """What a member holds in one contract, without what is being closed."""

    contract_id: str
    roots: tuple[str, ...]
    net: int
    """Contracts, signed."""
    episode: Episode


@frozen
class Member:
    """One account as its group sees it."""

    account: str
    day: date
    day_ends: datetime
    now: datetime
    """By the broker's clock, when it said this."""
    mono: float
    net: Decimal | None
    """Dollars of the day, open P&L and fees included; None while only later news can tell."""
    sure: bool
    """The result rests on fresh prices of an account that is heard of."""
    priced: tuple[str, ...]
    """Contracts whose price moves the result."""
    stakes: tuple[Stake, ...]


@frozen
class GroupAnswer:
    """What one rule of a group says about its members."""

    instructions: Mapping[str, tuple[Instruction, ...]] = field(factory=dict)
    """By account."""
    reports: Mapping[str, Decimal] = field(factory=dict)
    """By account: the result of the day, dollars, at which it must say how it stands."""
    alerts: tuple[Alert, ...] = ()
    wake_in: float | None = None
    """Seconds of the broker's clock after which time alone can change this answer."""


@frozen
class Together:
    """The members of one group at one instant."""

    group: str
    day: date
    now: datetime
    members: tuple[Member, ...]
    """Those heard of today."""
    missing: tuple[str, ...] = ()
    """Those nobody has heard of today."""


class GroupRule(Protocol):
    """Frozen parameters and a pure evaluation of several accounts."""

    name: ClassVar[str]
    formula: ClassVar[str]
    mandatory: ClassVar[bool]

    def evaluate(self, together: Together) -> GroupAnswer:
        """Say what this rule finds wrong; never raises, never changes anything."""


def member_of(snapshot: Snapshot) -> Member:
    """How an account stands, for its groups."""
    views = snapshot.contracts.values()
    totals = snapshot.totals
    return Member(
        account=snapshot.account,
        day=snapshot.day,
        day_ends=snapshot.day_ends,
        now=snapshot.now,
        mono=snapshot.mono,
        net=certain_result(snapshot, totals.net, lambda closed: closed < totals.net),
        sure=totals.priced and not snapshot.stale and not snapshot.pnl_waits,
        priced=tuple(
            it.holding.contract_id
            for it in views
            if it.holding.worth is not None and it.holding.worth.net
        ),
        stakes=tuple(
            Stake(it.holding.contract_id, it.holding.roots, it.holding.net, it.holding.episode)
            for it in views
            if it.holding.size and it.holding.episode is not None
        ),
    )


def instructed(snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
    """The breaches that an account's groups have found, as far as they still are any."""
    found = [_found(it, snapshot, trigger) for it in snapshot.instructions]
    return RuleAnswer(tuple(each for each in found if each is not None))


def _found(it: Instruction, snapshot: Snapshot, trigger: Trigger) -> Violation | None:
    if it.day != snapshot.day or not _wanted(it, snapshot):
        return None
    until = it.locks_until
    return violation(
        it.rule,
        snapshot,
        trigger,
        observed=it.observed,
        limit=it.limit,
        reason=f"{it.by}: {it.reason}",
        actions=(it.action,),
        contract_id=getattr(it.action, "contract_id", None),
        lock=None if until is None else Lock(it.rule, until, snapshot.now, it.reason),
        inputs=it.inputs,
    )


def _wanted(it: Instruction, snapshot: Snapshot) -> bool:
    if isinstance(it.action, Flatten):
        return it.locks_until is None or not locked_until(it.rule, snapshot, it.locks_until)
    view = snapshot.contracts.get(it.action.contract_id)
    return view is not None and view.holding.size > 0 and view.holding.episode == it.episode
