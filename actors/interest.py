"""Which contracts an account holds: their records and prices are asked for, and may take a moment."""

from collections.abc import Callable
from datetime import datetime

import trio

from actors.messages import (
    ConnectionMessage,
    ContractFound,
    ContractMissing,
    ContractWanted,
    OpeningPrice,
    OpeningPriceWanted,
    PriceWanted,
)
from actors.price_messages import Marked
from risk.account_state import AccountState
from risk.verdict import Alert
from supervision import Ref

PRICE_AHEAD = 10.0
"""Seconds before a price is stale: beside a stale one what is closed decides alone."""
FIRST_PRICE_WITHIN = 3.0
"""Seconds that a contract's record and first price may take before their absence is told."""


class Interest:
    """The contracts whose marks and records one account needs; a part of its actor."""

    def __init__(
        self,
        *,
        state: AccountState,
        connection: Ref[ConnectionMessage],
        reply_to: Ref[ContractFound | ContractMissing | Marked | OpeningPrice],
        held_changed: Callable[[], None],
    ) -> None:
        self._state = state
        self._connection = connection
        self._reply_to = reply_to
        self._held_changed = held_changed
        self.held: frozenset[str] = frozenset()
        """Contracts whose marks are wanted."""
        self._since: dict[str, float] = {}
        """Monotonic seconds since when each of them is."""
        self._asked: set[str] = set()
        """Contracts whose record is on its way."""
        self._openings: set[tuple[str, datetime]] = set()
        """Contracts whose price at the start of a day is on its way."""

    def follow(self) -> None:
        """The state has changed: ask for what is new in it."""
        for contract_id in self._state.missing_contracts():
            if contract_id not in self._asked:
                self._asked.add(contract_id)
                self._connection.tell(ContractWanted(contract_id, self._reply_to))
        self._ask_openings()
        held = self._state.held_contracts()
        if held != self.held:
            now = trio.current_time()
            self._since = {c: self._since.get(c, now) for c in sorted(held)}
            self.held = held
            self._held_changed()

    def _ask_openings(self) -> None:
        at = self._state.day_starts
        for contract_id in self._state.unpriced_starts():
            if (contract_id, at) not in self._openings:
                self._openings.add((contract_id, at))
                self._connection.tell(OpeningPriceWanted(contract_id, at, self._reply_to))

    def answered(
        self, message: ContractFound | ContractMissing | OpeningPrice, now: datetime
    ) -> Alert | None:
        """Tell the state; None when the account is to be judged anew, else what people must know."""
        match message:
            case ContractFound(contract):
                self._asked.discard(contract.id)
                self._state.apply_contract(contract)
            case ContractMissing(contract_id):
                self._asked.discard(contract_id)  # asked for again when the state changes next
                return unvalued(message)
            case OpeningPrice(contract_id, at, price):
                self._state.price_start(contract_id, at, price, now, trio.current_time())
        return None

    def ask_again(self) -> None:
        """A record may have been lost on its way, or be readable now."""
        self._asked.clear()
        self.follow()

    def refresh(self) -> None:
        """Ask for what replaces a price that is about to be stale, or never came."""
        for contract_id in self._state.stale_marks(trio.current_time() + PRICE_AHEAD):
            self._connection.tell(PriceWanted(contract_id, self._reply_to))
        self._openings.clear()
        self.follow()

    def premature(self, alert: Alert) -> bool:
        """About a contract so new here that its record or first price is still on the way."""
        if alert.contract_id is None or alert.code not in ("contract_unknown", "mark_stale"):
            return False
        now = trio.current_time()
        return now - self._since.get(alert.contract_id, now) < FIRST_PRICE_WITHIN


def unvalued(missing: ContractMissing) -> Alert:
    """What the trader must know while a contract's record cannot be had."""
    return Alert(
        "contract_unknown",
        f"{missing.contract_id} cannot be valued: {missing.problem}. Its profit and loss is NOT "
        "guarded until the broker's record of it can be read; its size still is",
        missing.contract_id,
        critical=True,
    )
