"""On their way to a client, events may be lost, doubled, late, shuffled or packed differently."""

import random
from itertools import groupby
from typing import Any

from attrs import evolve

from simulator.board import FaultBoard
from simulator.events import Event, Kind
from simulator.faults import (
    DuplicateEvents,
    EventFault,
    FlatShape,
    LoseEvents,
    PartialQuotes,
    PayloadShape,
    ScatterEvents,
)

_NAMES = {
    Kind.ACCOUNT: "account",
    Kind.ORDER: "order",
    Kind.POSITION: "position",
    Kind.TRADE: "trade",
}

Delayed = tuple[float, Event]
"""Seconds from now, and what to push."""


def plan(events: tuple[Event, ...], board: FaultBoard, chance: random.Random) -> list[Delayed]:
    """When to push each of these user events, after the faults that stand."""
    planned: list[Delayed] = []
    for _, group in groupby(events, key=lambda event: event.cause):
        planned += _plan_execution(list(group), board, chance)
    return planned


def _plan_execution(events: list[Event], board: FaultBoard, chance: random.Random) -> list[Delayed]:
    kept = [_reshaped(it, board) for it in events if not _lost(it, board, chance)]
    doubled = [it for event in kept for it in [event] * _copies(event, board)]
    scatter = board.take(ScatterEvents, lambda it: any(_meant(it, event) for event in doubled))
    return _scattered(doubled, scatter, chance) if scatter else [(0.0, it) for it in doubled]


def _scattered(events: list[Event], scatter: ScatterEvents, chance: random.Random) -> list[Delayed]:
    if scatter.order:
        rank: dict[str, int] = {name: n for n, name in enumerate(scatter.order)}
        events.sort(key=lambda event: rank.get(_NAMES[event.kind], len(rank)))
    else:
        chance.shuffle(events)
    planned: list[Delayed] = []
    delay = 0.0
    for event in events:
        if _meant(scatter, event):
            delay += chance.uniform(0, scatter.apart_ms / 1000)
        planned.append((delay, event))
    return planned


def _meant(fault: EventFault, event: Event) -> bool:
    return fault.concerns(_NAMES[event.kind], event.account_id)


def _lost(event: Event, board: FaultBoard, chance: random.Random) -> bool:
    lose = board.take(LoseEvents, lambda it: _meant(it, event))
    return lose is not None and chance.random() < lose.probability


def _copies(event: Event, board: FaultBoard) -> int:
    duplicate = board.take(DuplicateEvents, lambda it: _meant(it, event))
    return duplicate.copies if duplicate else 1


def _reshaped(event: Event, board: FaultBoard) -> Event:
    flat = event.kind is Kind.POSITION and event.payload["size"] == 0
    shape = board.take(FlatShape) if flat else None
    if shape is None or shape.shape == "size":
        return event
    size = 1 if shape.shape == "type" else 0
    return evolve(event, payload={**event.payload, "type": 0, "size": size})


def packed(payload: dict[str, Any], board: FaultBoard) -> Any:
    """A user event's argument in the shape the gateway is told to use."""
    shape = board.take(PayloadShape)
    if shape is None or shape.shape == "bare":
        return payload
    return [payload] if shape.shape == "list" else {"action": 1, "data": payload}


def quote_as_sent(payload: dict[str, Any], board: FaultBoard) -> dict[str, Any]:
    """A quote with the fields the gateway is told to send."""
    partial = board.take(PartialQuotes)
    if partial is None:
        return payload
    drop: tuple[str, ...] = partial.drop
    if partial.alternate and drop:
        drop = (drop[payload["volume"] % len(drop)],)
    kept = {key: value for key, value in payload.items() if key not in drop}
    return {**kept, "lastPrice": 0} if partial.zero_last else kept
