"""When may a read of the broker be believed? Pure.

The broker numbers nothing, and a read races with the events that are under way. A position read is
believed only when no event of the account was received from just before the read until a moment
after it; trades and orders merge without numbers, so they are kept from every read. After three
rounds of bad luck the newest value of each contract is taken, flagged as unsettled.
"""

import enum
from collections.abc import Mapping

from attrs import define

from actors.messages import ReadDone
from risk.account_state import AccountState
from risk.domain import Order, OrderType

SETTLE_AFTER = 0.15
"""Seconds after a read in which a late event still makes its positions doubtful."""
ROUNDS = 3
PROOF_AFTER = (0.2, 0.5, 1.0)
"""Seconds before trades are read again while they do not explain the positions."""


class Next(enum.Enum):
    """What a round that has had its moment asks for."""

    AGAIN = "again"
    ACCEPT = "accept"
    ACCEPT_UNSETTLED = "accept unsettled"


@define
class Reconciliation:
    """One run from the first read to the state being believed."""

    id: int
    """Reads carry it, so that the answer to an earlier run's question is not taken for this one's."""
    why: str
    link: int
    trades: bool
    """Trades are read too: always at first sight, later only when positions or balance differ."""
    round: int = 1
    proofs: int = 0
    settled: bool = True
    """False when its last reading was taken although events kept arriving."""
    reading: ReadDone | None = None
    """The answer that is being given its moment."""

    def settle(self, last_event: int) -> Next:
        """Judge the round, ``last_event`` being the receive number of the account's newest event."""
        assert self.reading is not None
        if last_event <= self.reading.n0:
            return Next.ACCEPT
        if self.round < ROUNDS:
            self.round += 1
            return Next.AGAIN
        return Next.ACCEPT_UNSETTLED

    def next_proof(self) -> float | None:
        """Seconds until the trades are read again to explain the positions; None when no more."""
        if self.proofs >= len(PROOF_AFTER):
            return None
        self.proofs += 1
        return PROOF_AFTER[self.proofs - 1]


def unlike(state: AccountState, reading: ReadDone) -> bool:
    """Whether it lists other positions or orders than are believed."""
    return positions_differ(state, reading) or _orders_differ(state, reading)


def positions_differ(state: AccountState, reading: ReadDone) -> bool:
    """Whether it lists other positions than are believed."""
    believed = {(p.contract_id, p.net) for p in state.positions()}
    return believed != {(p.contract_id, p.net) for p in reading.positions or () if p.net}


def unbelieved(state: AccountState, reading: ReadDone) -> Mapping[str, int]:
    """Positions that it lists in contracts that are believed to be flat: id and signed contracts."""
    believed = {p.contract_id for p in state.positions()}
    listed = reading.positions or ()
    return {p.contract_id: p.net for p in listed if p.net and p.contract_id not in believed}


def _orders_differ(state: AccountState, reading: ReadDone) -> bool:
    if reading.orders is None:
        return False
    believed = {_terms(it) for it in state.working_orders()}
    return believed != {_terms(it) for it in reading.orders if not it.status.terminal}


def _terms(order: Order) -> tuple[object, ...]:
    """All of an order that a rule may ask for: a stop that was moved is another stop.

    One that trails moves by itself, and no report tells of each step.
    """
    stop = None if order.type is OrderType.TRAILING_STOP else order.stop_price
    return order.id, order.status, order.remaining, order.limit_price, stop
