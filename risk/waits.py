"""What judgements of money wait for: late news, and the price of what was carried into the day.

Nobody may have watched when the day began. Then the broker is asked for the price at that instant;
until it has come, a result of the day would count what was lost or won on the day before. And what
is found held at a start has no price for a moment, or one of long ago: its profit would be missing
beside its closed losses.
"""

from collections.abc import Iterable

from risk.contract_state import ContractState
from risk.marks import FIRST_QUOTE_WITHIN_S
from risk.snapshot import PNL_LATEST_S

OPENING_LATEST_S = 10.0
"""Seconds after which the day's loss counts without the price at its start: by the entry prices and
what the broker says of closed trades. By then it has been asked for several times."""


def pnl_wait_until(contracts: Iterable[ContractState], mono: float) -> float | None:
    """The wait ends two seconds after the oldest open question began, whatever came since."""
    parted = [
        state.disagreement.since
        for state in contracts
        if state.disagreement is not None and not state.disagreement.reconciled
    ]
    return _while(min(parted) + PNL_LATEST_S if parted else None, mono)


def day_wait_until(contracts: Iterable[ContractState], mono: float) -> float | None:
    """The same for the day's loss alone, while a price that it needs has been asked for."""
    openings, firsts = list[float](), list[float]()
    for state in contracts:
        if state.unpriced and state.unpriced_since is not None:
            openings.append(state.unpriced_since)
        since = state.exposed_since
        new = since is not None and mono - since < FIRST_QUOTE_WITHIN_S
        if since is not None and new and state.price(mono).stale:
            firsts.append(since)
    waits = (
        _while(min(openings) + OPENING_LATEST_S if openings else None, mono),
        _while(min(firsts) + FIRST_QUOTE_WITHIN_S if firsts else None, mono),
    )
    return max((until for until in waits if until is not None), default=None)


def _while(until: float | None, mono: float) -> float | None:
    return until if until is not None and mono < until else None


def await_openings(contracts: Iterable[ContractState], mono: float, *, anew: bool = False) -> None:
    """From now on a missing price at the start is waited for; ``anew``: nobody could be asked."""
    for state in contracts:
        if state.unpriced and (anew or state.unpriced_since is None):
            state.unpriced_since = mono
