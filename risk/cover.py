"""Protective cover: how much of a position its stops would get out, and since when too little.

Uncovered time accumulates over the life of a position: a stop placed for a second and cancelled buys
no new grace. After an increase, or after cover was lost, the trader always has a few seconds left.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import evolve, frozen

from risk.domain import Episode, Order, OrderStatus
from risk.orders import PROTECTIVE_TYPES, is_working

_NONE = timedelta(0)


@frozen
class Cover:
    """Stops against one position, and the clock of its uncovered time."""

    episode: Episode
    size: int
    """Contracts held, unsigned."""
    covered: int
    """Contracts the working protective stops would close."""
    disturbed_at: datetime
    """The last increase or loss of cover."""
    uncovered_since: datetime | None
    """None while covered."""
    accumulated: timedelta = _NONE
    """Uncovered time before ``uncovered_since``."""

    def uncovered(self, now: datetime) -> timedelta:
        """Uncovered time of this position so far."""
        if self.uncovered_since is None:
            return self.accumulated
        return self.accumulated + max(now - self.uncovered_since, _NONE)


def covered_size(net: int, working: Mapping[int, Order], orders: Mapping[int, Order]) -> int:
    """Contracts that the protective stops among a contract's working orders would close.

    ``orders`` also has those that ended: it says what became of a parent.
    """
    return sum(
        order.remaining
        for order in working.values()
        if order.side.sign * net < 0 and order.type in PROTECTIVE_TYPES and protects(order, orders)
    )


def protects(order: Order, orders: Mapping[int, Order]) -> bool:
    """True for a stop that works, or sleeps although its parent has filled or is unknown."""
    if order.status is not OrderStatus.SUSPENDED:
        return is_working(order)
    parent = None if order.parent_id is None else orders.get(order.parent_id)
    if parent is None or parent.status is OrderStatus.FILLED:
        return True
    return parent.status.terminal and parent.filled > 0


def next_cover(
    known: Cover | None, episode: Episode | None, net: int, covered: int, now: datetime
) -> Cover | None:
    """The cover after a position or order event; a new episode starts from nothing."""
    if episode is None:
        return None
    size = abs(net)
    if known is None or known.episode != episode:
        # Time from before it was held is not time without a stop, whatever our clock showed.
        now = max(now, episode.opened_at)
        return Cover(episode, size, covered, now, None if covered >= size else now)
    if (known.size, known.covered) == (size, covered):
        return known
    disturbed = size > known.size or covered < min(known.covered, size)
    cover = evolve(
        known,
        size=size,
        covered=covered,
        disturbed_at=now if disturbed else known.disturbed_at,
    )
    return _clocked(cover, now)


def _clocked(cover: Cover, now: datetime) -> Cover:
    uncovered = cover.covered < cover.size
    if uncovered and cover.uncovered_since is None:
        return evolve(cover, uncovered_since=now)
    if not uncovered and cover.uncovered_since is not None:
        return evolve(cover, accumulated=cover.uncovered(now), uncovered_since=None)
    return cover
