"""What an account writes down about itself, so that a restart finds it again."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from actors.account_image import day_start
from actors.reporting import Desk
from broker.clock import Clock
from risk.account_state import AccountState
from risk.day_summary import DaySummary
from risk.domain import Trade
from risk.ledger import OpenAtStart
from risk.past import Peaks, Seed, past_of
from risk.trading_day import TradingCalendar
from store import records

BOOKED_AFTER = timedelta(seconds=2)
"""How long after a trade the balance may still be the one before it."""
log = structlog.get_logger("seawall.account")


class Diary:
    """Fills, the beginnings of days, and for how long positions have been without a stop."""

    def __init__(
        self,
        *,
        name: str,
        calendar: TradingCalendar,
        desk: Desk,
        clock: Clock,
        seed: Seed | None = None,
    ) -> None:
        self._name = name
        self._calendar = calendar
        self._desk = desk
        self._clock = clock
        self._fills: list[Trade] = []
        """Not written down yet."""
        self._covers: dict[str, timedelta] = {}
        """Uncovered times as last recorded."""
        self._seed = seed
        self._peaks = Peaks()
        """As last recorded."""

    def heard(self, trade: Trade) -> None:
        """Keep a fill until there is time for paper."""
        self._fills.append(trade)

    def write_fills(self) -> None:
        """Record what was kept."""
        now = self._clock.now()
        self._desk.record(*(records.fill(self._name, now, trade) for trade in self._fills))
        self._fills.clear()

    def write_day(
        self, state: AccountState, opened: Mapping[str, OpenAtStart], ended: DaySummary | None
    ) -> None:
        """Write the reset down, once per trading day whatever restarts; the journal knows.

        ``ended``: the day that is over; None when nobody watched its end.
        """
        known = self._desk.journal.projection.account(self._name).reset_day
        if known is not None and known >= state.day:
            return
        start = day_start(state, self._calendar, opened)
        self._desk.record(records.reset(self._name, self._clock.now(), start, ended))
        log.info("daily reset", account=self._name, day=str(start.day))
        if ended is not None:
            log.info("the day that is over", account=self._name, summary=str(ended))

    def open_books(self, state: AccountState, *, live: bool) -> None:
        """Find out with which balance the day began: from the journal, or once no trade is young."""
        carried, known = state.carried(), state.standing.past
        if known.opening is not None and known.carried == carried:
            return
        days = self._desk.journal.projection.account(self._name).days
        opening = next((it.opening for it in days if it.day == state.day), None)
        if opening is None and live:
            now = self._clock.now()
            opening = state.opening(now - BOOKED_AFTER)
            if opening is not None:
                self._desk.record(records.opening(self._name, now, state.day, opening))
        state.standing.past = past_of(days, self._seed, state.day, opening, carried)

    def write_peaks(self, state: AccountState) -> None:
        """For a restart; what was higher in between is forgotten by a crash."""
        peaks = state.standing.peaks
        if peaks != self._peaks:
            self._peaks = peaks
            self._desk.record(records.peaks(self._name, self._clock.now(), state.day, peaks))

    def write_covers(self, state: AccountState, now: datetime) -> None:
        """For a restart; what is counted before the first belief would be restored on top of itself."""
        for contract_id, cover in state.covers(now).items():
            if self._covers.get(contract_id) != cover.accumulated:
                self._covers[contract_id] = cover.accumulated
                self._desk.record(records.cover(self._name, now, contract_id, cover))
