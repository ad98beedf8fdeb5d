"""``flat_by``: flat before the firm flattens, and before the exchange closes early."""

import datetime as dt
from datetime import datetime, timedelta
from typing import ClassVar

from attrs import field, frozen

from risk.explain import exposure, span, wall
from risk.hours import early_close
from risk.rules.base import EXPOSURE, Priority, Trigger
from risk.rules.closed import open_account, open_contract
from risk.snapshot import Snapshot
from risk.trading_day import TradingCalendar
from risk.verdict import RuleAnswer, Violation

_LATEST_MARGIN = timedelta(hours=12)


@frozen
class FlatBy:
    """Flattens and locks to the reset a margin before a time of day; early closes come before it."""

    name: ClassVar[str] = "flat_by"
    triggers: ClassVar[frozenset[Trigger]] = EXPOSURE
    priority: ClassVar[Priority] = Priority.SESSION
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = (
        "now >= `time` - `margin` of the trading day; for a product that closes early, now >= "
        "its close - `margin`"
    )

    time: dt.time = field(metadata={"doc": "Chicago time at which the firm starts flattening"})
    margin: timedelta = field(
        default=timedelta(minutes=3), metadata={"doc": "how long before that to be flat"}
    )

    def __attrs_post_init__(self) -> None:
        if not timedelta(0) <= self.margin <= _LATEST_MARGIN:
            raise ValueError(f"margin must be from 0s to 12h, got {self.margin}")

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """From the margin on nothing may be open; of a product that closes early, from before it."""
        deadline = self.deadline(snapshot.calendar, snapshot.day)
        if snapshot.now >= snapshot.day_ends:
            return RuleAnswer()  # the account has not heard of the reset yet
        if snapshot.now >= deadline:
            found = self._account(snapshot, trigger, deadline)
            return RuleAnswer(() if found is None else (found,))
        closes = self._early(snapshot)
        late = (self._contract(snapshot, trigger, *it) for it in closes.items())
        ahead = [at for at in closes.values() if at > snapshot.now]
        exposed = bool(snapshot.orders) or any(v.holding.net for v in snapshot.contracts.values())
        wake_at = min([deadline, *ahead]) if exposed else None
        return RuleAnswer(tuple(it for it in late if it is not None), wake_at=wake_at)

    def deadline(self, calendar: TradingCalendar, day: dt.date) -> datetime:
        """From when on nothing may be open on a trading day, aware UTC."""
        return calendar.at(day, self.time) - self.margin

    def _early(self, snapshot: Snapshot) -> dict[str, datetime]:
        """Contract to when it must be gone because the exchange closes early today."""
        closes = {
            key: early_close(snapshot.day, view.holding.roots)
            for key, view in snapshot.contracts.items()
        }
        return {
            key: snapshot.calendar.at(snapshot.day, close) - self.margin
            for key, close in closes.items()
            if close is not None
        }

    def _account(
        self, snapshot: Snapshot, trigger: Trigger, deadline: datetime
    ) -> Violation | None:
        why = f"flat by {self.time:%H:%M} less {span(self.margin)}"
        return open_account(
            self.name,
            snapshot,
            trigger,
            until=snapshot.day_ends,
            reason=f"{why}: {exposure(snapshot)} at {wall(snapshot, snapshot.now)}",
            inputs={"flat since": deadline.isoformat()},
        )

    def _contract(
        self, snapshot: Snapshot, trigger: Trigger, contract_id: str, deadline: datetime
    ) -> Violation | None:
        if snapshot.now < deadline:
            return None
        holding = snapshot.contracts[contract_id].holding
        close = snapshot.calendar.local(deadline + self.margin)
        why = f"{holding.name} closes early today, at {close:%H:%M}, less {span(self.margin)}"
        return open_contract(
            self.name,
            snapshot,
            trigger,
            contract_id,
            reason=f"{why}: {holding.net:+d} held",
            inputs={"flat since": deadline.isoformat()},
        )
