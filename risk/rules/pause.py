"""What a pause undoes: the increases that were made in it, and nothing else.

Some pauses are computed from the day's trades; others stand in the account's set of locks, because the
reason for them (a price) is gone when they must still hold.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from attrs import frozen

from risk.explain import wall
from risk.ledger import Lot
from risk.rules.base import Trigger, violation
from risk.rules.size import reductions, unsettled, without_what_left
from risk.snapshot import Holding, Snapshot
from risk.verdict import Action, Alert, LastTrade, Lock, RuleAnswer


@frozen
class Increase:
    """What was opened or added though it should not have been."""

    contracts: int
    actions: tuple[Action, ...]
    """Empty when all that could be done waits for a settled reading."""
    alerts: tuple[Alert, ...]
    newest: str
    """The contract of the newest lot that goes."""


def increase(snapshot: Snapshot, forbidden: Callable[[Holding, Lot], bool]) -> Increase | None:
    """The lots of which ``forbidden(holding, lot)`` is true; None when there are none."""
    snapshot = without_what_left(snapshot)
    keeps: dict[str, int] = {}
    newest: dict[str, Lot] = {}
    gone = 0
    for key, view in snapshot.contracts.items():
        holding = view.holding
        lots = [lot for lot in holding.staying if forbidden(holding, lot)]
        size = sum(lot.size for lot in lots)
        if size:
            keeps[key] = max(holding.size - size, 0)
            newest[key] = lots[-1]
            gone += size
    if not keeps:
        return None
    first = max(newest, key=lambda key: (newest[key].at, newest[key].trade_id))
    return Increase(gone, tuple(reductions(snapshot, keeps)), unsettled(snapshot, keeps), first)


def paused(
    rule: str,
    snapshot: Snapshot,
    trigger: Trigger,
    forbidden: Callable[[Holding, Lot], bool],
    *,
    until: datetime,
    why: str,
    said: tuple[Alert, ...],
) -> RuleAnswer:
    """Close the forbidden lots, ``why`` for people; ``said`` is said in any case."""
    found = increase(snapshot, forbidden)
    if found is None:
        return RuleAnswer(alerts=said)
    alerts = (*said, *found.alerts)
    if not found.actions:
        return RuleAnswer(alerts=alerts)
    inputs = {key: str(view.holding.net) for key, view in snapshot.contracts.items()}
    breach = violation(
        rule,
        snapshot,
        trigger,
        observed=Decimal(found.contracts),
        limit=Decimal(0),
        contract_id=found.newest,
        reason=f"{found.contracts} opened {why}",
        actions=found.actions,
        inputs={**inputs, "until": until.isoformat()},
    )
    return RuleAnswer((breach,), alerts)


def came_with(
    holding: Holding, lot: Lot, at: datetime, trade_id: int, *, began: datetime | None = None
) -> bool:
    """Whether a lot was brought by this trade or a later one.

    Of what no trade explains yet only that is sure whose whole life began after it, and after the
    pause itself, ``began``: its own trade may be older news than the one that the pause stands on.
    """
    if lot.explained:
        return (lot.at, lot.trade_id) >= (at, trade_id)
    since = at if began is None else max(at, began)
    return holding.position is not None and holding.position.opened_at > since


def reduce_only(rule: str, snapshot: Snapshot, until: datetime, reason: str) -> Lock:
    """A pause from now on: what any trade has brought so far may stay."""
    traded = (view.holding.newest_trade for view in snapshot.contracts.values())
    newest = max((it for it in traded if it is not None), default=None)
    after = None if newest is None else LastTrade(*newest)
    end = min(until, snapshot.day_ends)
    return Lock(rule, end, snapshot.now, reason, reduce_only=True, after=after)


def standing(pause: Lock, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
    """Close what was opened or added in a pause of the account's set."""
    until = wall(snapshot, pause.until)
    after = pause.after or LastTrade(pause.set_at, 0)
    said = Alert(
        "cooldown",
        f"{snapshot.account}: {pause.reason}, no new positions until {until}",
        about=f"{pause.rule} {pause.until.isoformat()}",
    )
    return paused(
        pause.rule,
        snapshot,
        trigger,
        lambda holding, lot: came_with(holding, lot, after.at, after.id + 1, began=pause.set_at),
        until=pause.until,
        why=f"in a pause until {until} ({pause.reason})",
        said=(said,),
    )
