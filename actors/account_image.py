"""An account's state from the journal, for enforcement, and for people."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import trio

from actors.messages import Holdings
from actors.reconciler import Phase, Reconciler
from risk.account_state import AccountState
from risk.ledger import OpenAtStart
from risk.left import left, to_the_floor
from risk.past import Seed
from risk.rules import Rule
from risk.rules.trailing_drawdown import UNTIL_SEEDED
from risk.trading_day import TradingCalendar
from risk.verdict import Lock
from store import records
from store.projection import Projection


def restored(
    name: str,
    calendar: TradingCalendar,
    projection: Projection,
    now: datetime,
    seed: Seed | None = None,
) -> AccountState:
    """What the journal knows of an account: locks, the day's trades and what the day began with."""
    mono = trio.current_time()
    state = AccountState(name, calendar, now)
    image = projection.account(name)
    for lock in image.locks:
        if not outlived_by_seed(lock, seed, calendar):
            state.locks.add(lock)
    for trade in image.trades.values():
        state.apply_trade(trade, now, mono)
    if image.day_start is not None:
        opened = {
            contract: OpenAtStart(lot.net, lot.mark, lot.entry)
            for contract, lot in image.day_start.open.items()
        }
        state.restore_open_at_start(image.day_start.day, opened, now, mono)
    opening = image.opening
    if opening is not None and opening.day == state.day:
        state.morning.restore(opening.balance, opening.listing, state.trades())
    if image.peaks is not None:
        state.standing.peaks = image.peaks
        if image.peaks_day != state.day:
            state.standing.begin_day()
    return state


def outlived_by_seed(lock: Lock, seed: Seed | None, calendar: TradingCalendar) -> bool:
    """A lock that waits for a new seed has ended when there is one of its day or later."""
    if lock.until < UNTIL_SEEDED or seed is None or seed.as_of is None:
        return False
    return seed.as_of >= calendar.day_of(lock.set_at)


def day_start(
    state: AccountState, calendar: TradingCalendar, opened: Mapping[str, OpenAtStart]
) -> records.DayStart:
    """The beginning of the state's trading day, for the journal; ``opened`` by contract id."""
    lots = {c: records.OpenLot(it.net, it.mark, it.entry) for c, it in opened.items()}
    return records.DayStart(state.day, calendar.starts(state.day), lots)


def picture_of[M](
    state: AccountState, reconciler: Reconciler[M], now: datetime, rules: Sequence[Rule]
) -> Mapping[str, Any]:
    """The account as people want to see it, JSON-able; amounts as text in dollars.

    ``left``: how much each rule leaves, dollars or contracts; ``to_the_floor``: dollars to the
    nearest floor at which the firm ends the account, None without one that is known.
    """
    snapshot = state.snapshot(now, trio.current_time())
    return {
        "account": state.account,
        "id": state.account_id,
        "phase": reconciler.phase.value,
        "trading_day": state.day.isoformat(),
        "net": f"{snapshot.totals.net:f}",
        "realised": f"{snapshot.totals.realised:f}",
        "open": f"{snapshot.totals.open:f}",
        "fees": f"{snapshot.totals.fees:f}",
        "to_the_floor": to_the_floor(rules, snapshot),
        "left": left(rules, snapshot),
        "positions": [
            {"contract": p.contract_id, "net": p.net, "average_price": f"{p.average_price:f}"}
            for p in state.positions()
        ],
        "working_orders": len(state.working_orders()),
        "locks": [_shown(lock) for lock in snapshot.locks],
        "pauses": [_shown(lock) for lock in snapshot.pauses],
        "reconcile_s": reconciler.seconds,
        "reconciles": reconciler.reconciles,
    }


def _shown(lock: Lock) -> Mapping[str, str]:
    return {"rule": lock.rule, "until": lock.until.isoformat(), "reason": lock.reason}


def holdings_of[M](state: AccountState, reconciler: Reconciler[M], mono: float) -> Holdings:
    """What enforcement must know of the account; only of one that was listed and read."""
    assert state.account_id is not None, "believed means listed"
    return Holdings(
        account_id=state.account_id,
        positions=state.positions(),
        orders=state.working_orders(),
        locked=bool(state.locks.full),
        exact=reconciler.phase is Phase.LIVE,
        as_of=mono,
        barred=state.broker_account is not None and not state.broker_account.can_trade,
        unseen={it: gap.unseen for it, gap in state.disagreements().items()} | dict(state.glimpsed),
    )
