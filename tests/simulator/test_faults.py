"""Faults: how they are parsed, how long they stand, what they do to events."""

import random
from typing import Any

import pytest

from simulator.board import FaultBoard
from simulator.delivery import Delayed, packed, plan, quote_as_sent
from simulator.events import Event, Kind
from simulator.faults import KINDS, BadFault, RefuseClose, ScatterEvents, parse_fault

EXIT = tuple(
    Event(kind, 1001, "NQ", {"id": n, "size": 0, "type": 1}, cause=1)
    for n, kind in enumerate((Kind.ORDER, Kind.TRADE, Kind.POSITION, Kind.ACCOUNT))
)


def board_with(**document: Any) -> FaultBoard:
    board = FaultBoard(lambda: 0.0)
    board.add(parse_fault(document))
    return board


def planned(board: FaultBoard, seed: int = 1) -> list[Delayed]:
    return plan(EXIT, board, random.Random(seed))


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"no_tick_value"}))
def test_every_fault_has_defaults(name: str) -> None:
    """A fault is as easy to inject as naming it."""
    assert parse_fault({"fault": name}).name == name


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"fault": "refuse_clos"}, "did you mean 'refuse_close'"),
        ({}, "known are"),
        ({"fault": ["drop"]}, "known are"),
        ({"fault": "refuse_close", "cod": 5}, "cod.*its fields are"),
        ({"fault": "refuse_close", "code": "five"}, "code"),
        ({"fault": "drop", "hub": "third"}, "hub"),
        ({"fault": "http", "status": 200}, "between 400 and 599"),
        ({"fault": "slow", "times": 0}, "times"),
        ({"fault": "slow", "duration": -1}, "duration"),
        ({"fault": "no_tick_value"}, "contract_id"),
    ],
)
def test_a_bad_fault_says_what_is_allowed(document: dict[str, Any], words: str) -> None:
    """Unknown names, unknown fields and senseless values are named."""
    with pytest.raises(BadFault, match=words):
        parse_fault(document)


def test_field_names_may_be_written_either_way() -> None:
    """accountId and account_id are the same field."""
    fault = parse_fault({"fault": "refuse_close", "accountId": 1001})
    assert fault == parse_fault({"fault": "refuse_close", "account_id": 1001})


def test_a_fault_strikes_as_often_as_it_says() -> None:
    """times counts down, and then the fault is gone."""
    board = board_with(fault="refuse_close", times=2)
    assert [board.take(RefuseClose) is not None for _ in range(3)] == [True, True, False]
    assert board.show() == []


def test_a_fault_stands_for_its_duration() -> None:
    """duration is measured by the board's own clock."""
    now = [0.0]
    board = FaultBoard(lambda: now[0])
    board.add(parse_fault({"fault": "refuse_close", "duration": 5}))
    now[0] = 4.9
    assert board.standing(RefuseClose) is not None
    now[0] = 5.0
    assert board.standing(RefuseClose) is None


def test_without_faults_events_arrive_at_once_and_in_order() -> None:
    """The plan of a healthy gateway is the events themselves."""
    assert planned(FaultBoard(lambda: 0.0)) == [(0.0, event) for event in EXIT]


def test_scattered_events_come_in_the_wanted_order() -> None:
    """An order of kinds fixes the permutation, and delays only grow."""
    board = board_with(fault="scatter", order=["position", "account", "trade", "order"])
    events = planned(board)
    assert [it.kind for _, it in events] == [Kind.POSITION, Kind.ACCOUNT, Kind.TRADE, Kind.ORDER]
    delays = [delay for delay, _ in events]
    assert delays == sorted(delays)
    assert 0 < delays[-1] <= 4 * 0.5


def test_the_same_seed_scatters_the_same_way() -> None:
    """Chance comes from the seed alone, and another seed gives another order."""
    board = FaultBoard(lambda: 0.0)
    board.add(ScatterEvents())
    assert planned(board, 7) == planned(board, 7)
    assert any(planned(board, 7) != planned(board, seed) for seed in range(8, 12))


def test_lost_and_doubled_events() -> None:
    """Losing trades and tripling positions leaves five of four."""
    board = board_with(fault="lose", kinds=["trade"])
    board.add(parse_fault({"fault": "duplicate", "kinds": ["position"], "copies": 3}))
    kinds = [it.kind for _, it in planned(board)]
    assert kinds == [Kind.ORDER, *[Kind.POSITION] * 3, Kind.ACCOUNT]


@pytest.mark.parametrize(("shape", "size"), [("type", 1), ("size", 0), ("both", 0)])
def test_a_flat_position_may_look_different(shape: str, size: int) -> None:
    """Flat is size 0, or type 0 with a size."""
    events = planned(board_with(fault="flat_shape", shape=shape))
    payload = next(it.payload for _, it in events if it.kind is Kind.POSITION)
    assert (payload["size"], payload["type"]) == (size, 1 if shape == "size" else 0)


def test_payloads_can_be_wrapped_or_listed() -> None:
    """The three shapes seen of the live gateway."""
    payload = {"id": 1}
    shapes = ("bare", "wrapped", "list")
    boards = [board_with(fault="payload_shape", shape=shape) for shape in shapes]
    got = [packed(payload, board) for board in boards]
    assert got == [payload, {"action": 1, "data": payload}, [payload]]


def test_partial_quotes_drop_fields_in_turn() -> None:
    """Two quotes together still carry everything; lastPrice may be 0."""
    board = board_with(fault="partial_quotes", zero_last=True)
    full = {"bestBid": 1, "bestAsk": 2, "lastPrice": 3, "volume": 0}
    first, second = (quote_as_sent({**full, "volume": n}, board) for n in (1, 2))
    assert first.keys() | second.keys() == full.keys()
    assert first.keys() != second.keys()
    assert first["lastPrice"] == second["lastPrice"] == 0
