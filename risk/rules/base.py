"""What every rule is: parameters that check themselves, and one pure question."""

import enum
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Protocol

from risk.snapshot import Snapshot
from risk.verdict import Action, Flatten, Lock, RuleAnswer, Violation


class Trigger(enum.Enum):
    """What made somebody look."""

    FILL = "fill"
    POSITION = "position"
    ORDER = "order"
    MARK = "mark"
    ACCOUNT = "account"
    TIMER = "timer"
    CONNECTION = "connection"
    """The link to the broker was lost: nothing else may be judged by what is known then."""
    FULL = "full"
    """The regular look at everything."""
    START = "start"
    """The first look after a start or a reconcile."""


class Priority(enum.IntEnum):
    """Who is heard first; what an earlier rule closes, a later one no longer sees."""

    LOCK = 0
    SESSION = 1
    DAY = 2
    PER_TRADE = 3
    SIZE = 4
    FREQUENCY = 5


class Rule(Protocol):
    """Frozen parameters and a pure evaluation."""

    name: ClassVar[str]
    triggers: ClassVar[frozenset[Trigger]]
    """The events that can change its answer; FULL and START always ask every rule."""
    priority: ClassVar[Priority]
    mandatory: ClassVar[bool]
    """True for a rule that no configuration can leave out."""
    formula: ClassVar[str]
    """When it acts, in the words of its keys, for the rule book."""

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Say what this rule finds wrong; never raises, never changes anything."""


EXPOSURE = frozenset({Trigger.FILL, Trigger.POSITION, Trigger.ORDER, Trigger.TIMER})
"""What a rule about sizes, symbols or orders looks at."""
PRICES = frozenset({Trigger.FILL, Trigger.POSITION, Trigger.MARK, Trigger.TIMER})
"""What a rule about money looks at."""


type Room = Decimal | Mapping[str, Decimal]
"""Dollars that may be lost, or won, before an answer can change: by contract id, or, as one amount,
by all contracts together, for all may move at once."""


def violation(
    rule: str,
    snapshot: Snapshot,
    trigger: Trigger,
    *,
    observed: Decimal,
    limit: Decimal,
    reason: str,
    actions: tuple[Action, ...],
    contract_id: str | None = None,
    lock: Lock | None = None,
    inputs: Mapping[str, str] | None = None,
) -> Violation:
    """A violation of this snapshot's account."""
    if trigger is Trigger.START:
        reason = f"found at start-up: {reason}"
    return Violation(
        rule=rule,
        account=snapshot.account,
        contract_id=contract_id,
        observed=observed,
        limit=limit,
        trigger=trigger.value,
        reason=reason,
        actions=actions,
        lock=lock,
        inputs=inputs or {},
    )


def require_positive(value: Decimal | int, key: str) -> None:
    """Amounts are written in dollars, positive, also where they limit a loss."""
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{key} must be a number of dollars, got {value}")
    if value <= 0:
        raise ValueError(f"{key} must be more than 0, got {value}")


def price_wait(snapshot: Snapshot) -> float | None:
    """Monotonic seconds until a rule about money should look again by itself; None: no need."""
    moments = [
        view.price.valid_until for view in snapshot.contracts.values() if view.price.suspected
    ]
    waits = (snapshot.pnl_wait_until, snapshot.day_wait_until)
    moments += [until for until in waits if until is not None]
    return max(min(moments) - snapshot.mono, 0.0) if moments else None


def locked_until(rule: str, snapshot: Snapshot, instant: datetime) -> bool:
    """A lock of the rule holds at least until then."""
    return any(lock.rule == rule and lock.until >= instant for lock in snapshot.active_locks)


def locked_for_the_day(rule: str, snapshot: Snapshot) -> bool:
    """This day was answered by the rule already; what is open now is the lock's business."""
    return locked_until(rule, snapshot, snapshot.day_ends)


def day_over(
    rule: str,
    snapshot: Snapshot,
    trigger: Trigger,
    *,
    observed: Decimal,
    limit: Decimal,
    reason: str,
    until: datetime | None = None,
    inputs: Mapping[str, str] | None = None,
) -> Violation:
    """A violation by the day's result: flatten and lock, to the reset unless ``until`` is given."""
    return violation(
        rule,
        snapshot,
        trigger,
        observed=observed,
        limit=limit,
        reason=reason,
        actions=(Flatten(),),
        lock=Lock(rule, until or snapshot.day_ends, snapshot.now, reason),
        inputs={**day_inputs(snapshot), **(inputs or {})},
    )


def day_inputs(snapshot: Snapshot) -> dict[str, str]:
    """What the day's result is computed from."""
    totals = snapshot.totals
    inputs = {
        "net": str(totals.net),
        "realised": str(totals.realised),
        "open": str(totals.open),
        "fees": str(totals.fees),
        "estimated": str(totals.estimated).lower(),
    }
    for key, view in snapshot.contracts.items():
        if view.holding.net:
            inputs[f"position {key}"] = str(view.holding.net)
            inputs[f"mark {key}"] = str(view.price.value)
    return inputs


def certain_result(
    snapshot: Snapshot, result: Decimal, breaks: Callable[[Decimal], bool]
) -> Decimal | None:
    """The result of the day that a rule about losses may judge; None while only later news can tell.

    Closed losses need no price: where prices are missing or stale, they decide alone. While ledger and
    position disagree, only a loss that is certain and on both counts decides.
    """
    if snapshot.day_waits:
        return None
    totals = snapshot.totals
    closed = totals.sure if snapshot.pnl_waits else totals.realised - totals.fees
    if not totals.priced and breaks(closed):
        return closed
    return max(result, closed) if snapshot.pnl_waits else result
