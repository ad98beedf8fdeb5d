"""Orders by id: how reports merge, and what an order could do to a position."""

from datetime import datetime

from attrs import evolve

from risk.domain import Order, OrderStatus, OrderType

PROTECTIVE_TYPES = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})
"""Orders that get out of a losing position; a limit order takes profit and protects nothing."""

_WORKING = frozenset(
    {
        OrderStatus.OPEN,
        OrderStatus.PENDING,
        OrderStatus.PENDING_CANCELLATION,
        OrderStatus.SUSPENDED,
    }
)


def is_working(order: Order) -> bool:
    """True while the order can still trade, now or once its parent fills."""
    return order.status in _WORKING


def merged_order(known: Order | None, newer: Order) -> Order:
    """Which of two reports stands: a terminal status wins, then the later ``updated``.

    A report that comes with the same time as the known one is the newer, unless it knows of fewer
    fills, or not yet that a bracket child was woken. What a later report leaves out (the parent) is
    kept.
    """
    if known is None:
        return newer
    if known.status.terminal != newer.status.terminal:
        return known if known.status.terminal else newer
    if _progress(newer) < _progress(known):
        return known
    if newer.parent_id is None and known.parent_id is not None:
        return evolve(newer, parent_id=known.parent_id)
    return newer


def _progress(order: Order) -> tuple[datetime, int, bool]:
    return order.updated, order.filled, order.status is not OrderStatus.SUSPENDED


def could_increase(order: Order, net: int) -> bool:
    """True for an order that would add to ``net`` or open something from flat.

    Bracket children are not asked: they live and die with their entry, and only close it.
    """
    if order.parent_id is not None or order.status is OrderStatus.SUSPENDED:
        return False
    return net == 0 or order.side.sign * net > 0
