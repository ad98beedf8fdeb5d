"""What an account writes down about itself, so that a restart finds it again."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
import trio

from actors.account_image import day_start
from actors.messages import ConnectionMessage, ListingWanted
from actors.reporting import Desk
from broker.clock import Clock
from risk.account_state import AccountState
from risk.day_summary import DaySummary
from risk.domain import Trade
from risk.ledger import OpenAtStart
from risk.past import Peaks, Seed, past_of
from risk.trading_day import TradingCalendar
from store import records
from store.records import Opening
from supervision import Ref

LIST_AGAIN_AFTER = 4.0
"""Seconds between looks at the account list for the balance of a morning."""
log = structlog.get_logger("seawall.account")


class Diary:
    """Fills, the beginnings of days, and for how long positions have been without a stop."""

    def __init__(
        self,
        name: str,
        calendar: TradingCalendar,
        desk: Desk,
        clock: Clock,
        connection: Ref[ConnectionMessage],
        seed: Seed | None,
    ) -> None:
        self._name = name
        self._calendar = calendar
        self._desk = desk
        self._clock = clock
        self._connection = connection
        self._fills: list[Trade] = []
        """Not written down yet."""
        self._covers: dict[str, timedelta] = {}
        """Uncovered times as last recorded."""
        self._seed = seed
        self._list_again_at = float("-inf")
        """Monotonic seconds."""
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

    def begin(self, state: AccountState) -> None:
        """The account is believed for the first time in this life."""
        # A day that began while nobody watched: only now is known what it began with.
        self.write_day(state, state.open_at_start(), None)
        image = self._desk.journal.projection.account(self._name)
        state.restore_covers(image.covers)

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

    def open_books(self, state: AccountState, *, live: bool) -> bool:
        """Find out with which balance the day began; True when the past is not what was believed.

        A trade that is heard of late moves that balance.
        """
        morning = state.morning
        if live and not morning.certain:
            state.reckon_morning()
        if not morning.certain and trio.current_time() >= self._list_again_at:
            self._list_again_at = trio.current_time() + LIST_AGAIN_AFTER
            self._connection.tell(ListingWanted())
        carried, known = state.carried(), state.standing.past
        if not morning.moved and known.opening is not None and known.carried == carried:
            return False
        morning.moved = False
        journal = self._desk.journal.projection.account(self._name)
        if morning.balance is not None:
            opening = Opening(state.day, morning.balance, morning.listing)
            if journal.opening != opening:
                self.write_fills()  # first: a successor takes what it does not find for news
                self._desk.record(records.opening(self._name, self._clock.now(), opening))
        past = past_of(journal.days, self._seed, state.day, morning.balance, carried)
        state.standing.past = past
        return past != known

    def write_progress(self, state: AccountState, now: datetime) -> None:
        """Peaks and times without a stop, for a restart; what came since is forgotten by a crash.

        What is counted before the first belief would be restored on top of itself.
        """
        peaks = state.standing.peaks
        if peaks != self._peaks:
            self._peaks = peaks
            self._desk.record(records.peaks(self._name, self._clock.now(), state.day, peaks))
        for contract_id, cover in state.covers(now).items():
            if self._covers.get(contract_id) != cover.accumulated:
                self._covers[contract_id] = cover.accumulated
                self._desk.record(records.cover(self._name, now, contract_id, cover))
