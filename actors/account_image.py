"""An account's state from the journal, and for people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import trio

from actors.reconciler import Reconciler
from risk.account_state import AccountState
from risk.ledger import OpenAtStart
from risk.trading_day import TradingCalendar
from store import records
from store.projection import Projection


def restored(
    name: str, calendar: TradingCalendar, projection: Projection, now: datetime
) -> AccountState:
    """What the journal knows of an account: locks, the day's trades and what the day began with."""
    mono = trio.current_time()
    state = AccountState(name, calendar, now)
    image = projection.account(name)
    for lock in image.locks:
        state.add_lock(lock)
    for trade in image.trades.values():
        state.apply_trade(trade, now, mono)
    if image.day_start is not None:
        opened = {
            contract: OpenAtStart(lot.net, lot.mark, lot.entry)
            for contract, lot in image.day_start.open.items()
        }
        state.restore_open_at_start(image.day_start.day, opened, now, mono)
    return state


def day_start(
    state: AccountState, calendar: TradingCalendar, opened: Mapping[str, OpenAtStart]
) -> records.DayStart:
    """The beginning of the state's trading day, for the journal; ``opened`` by contract id."""
    lots = {c: records.OpenLot(it.net, it.mark, it.entry) for c, it in opened.items()}
    return records.DayStart(state.day, calendar.starts(state.day), lots)


def picture_of[M](
    state: AccountState, reconciler: Reconciler[M], now: datetime
) -> Mapping[str, Any]:
    """The account as people want to see it, JSON-able; amounts as text in dollars."""
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
        "positions": [
            {"contract": p.contract_id, "net": p.net, "average_price": f"{p.average_price:f}"}
            for p in state.positions()
        ],
        "working_orders": len(state.working_orders()),
        "locks": [
            {"rule": lock.rule, "until": lock.until.isoformat(), "reason": lock.reason}
            for lock in snapshot.locks
        ],
        "reconcile_s": reconciler.seconds,
    }
