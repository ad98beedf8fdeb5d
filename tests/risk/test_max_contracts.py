"""``max_contracts``: inclusive limit, newest lots first, micros and working orders."""

import pytest

from risk.domain import OrderStatus
from risk.rules import MaxContracts, Trigger
from risk.verdict import Cancel, Close, Reduce
from tests.risk.world import ES, MES, MNQ, NQ, World


def test_a_position_exactly_at_the_limit_is_allowed() -> None:
    """Limits are inclusive: N allowed breaks at N + 1."""
    world = World()
    world.fill(5, "20000")
    assert world.judge(MaxContracts(limit=5)).plan == ()


def test_one_contract_over_is_reduced_to_the_limit() -> None:
    """The excess goes, the rest stays, as a target and not as a difference."""
    world = World()
    world.fill(6, "20000")
    verdict = world.judge(MaxContracts(limit=5), trigger=Trigger.POSITION)
    assert verdict.plan == (Reduce(MNQ.id, 5),)
    assert verdict.locks == ()
    assert verdict.violations[0].reason == "6 contracts > 5 (+6 MNQ)"


def test_the_newest_lots_go_over_all_contracts() -> None:
    """Fill time decides across instruments, however the contracts are called."""
    world = World()
    for signed, of in ((2, MNQ), (2, ES), (-2, NQ)):
        world.fill(signed, "5000", of)
        world.wait(1)
    assert world.judge(MaxContracts(limit=5)).plan == (Reduce(NQ.id, 1),)
    assert set(world.judge(MaxContracts(limit=3)).plan) == {Close(NQ.id), Reduce(ES.id, 1)}


def test_long_nq_never_nets_short_es() -> None:
    """Mistake of earlier systems: opposite positions in two contracts are both exposure."""
    world = World()
    world.fill(3, "20000", NQ)
    world.wait(1)
    world.fill(-3, "5000", ES)
    assert world.judge(MaxContracts(limit=5)).plan == (Reduce(ES.id, 2),)


def test_ten_micros_count_as_one_mini() -> None:
    """With mini equivalents a micro weighs a tenth, and the limit is still inclusive."""
    world = World()
    world.fill(4, "20000", NQ)
    world.wait(1)
    world.fill(10, "5000", MES)
    rule = MaxContracts(limit=5, count="mini_equivalent")
    assert world.judge(rule).plan == ()
    world.wait(1)
    world.fill(1, "5000", MES)
    assert world.judge(rule).plan == (Reduce(MES.id, 10),)


def test_what_a_trade_says_has_left_is_not_held_against_what_is_opened_next() -> None:
    """The position event of the exit is late or lost; once the broker was asked, its word counts."""
    world = World()
    world.fill(3, "5000", ES)
    world.wait(1)
    world.report(world.make_trade(-3, "5001", ES))
    world.fill(2, "20000")
    rule = MaxContracts(limit=3)
    assert world.judge(rule).plan == ()
    world.wait(0.1)
    world.fill(2, "20000")
    assert world.judge(rule).plan == (Reduce(MNQ.id, 3),)
    world.state.accept_unexplained(world.now, world.mono)
    assert world.judge(rule).violations[0].observed == 7


def test_a_trade_that_is_late_takes_nothing_off_a_position_that_was_told() -> None:
    """The position event came first and counts at once, whatever trades explain of it."""
    world = World()
    world.hold(5)
    assert world.judge(MaxContracts(limit=3)).plan == (Reduce(MNQ.id, 3),)


def test_contracts_already_on_their_way_out_are_not_closed_twice() -> None:
    """A size rule sees the position minus reductions in flight."""
    world = World()
    world.fill(7, "20000")
    world.state.set_in_flight(MNQ.id, 2)
    assert world.judge(MaxContracts(limit=5)).plan == ()
    world.state.set_in_flight(MNQ.id, 1)
    assert world.judge(MaxContracts(limit=5)).plan == (Reduce(MNQ.id, 5),)


def test_the_rest_of_the_order_that_went_over_is_cancelled_first() -> None:
    """Otherwise it would fill into the room that the reduction makes."""
    world = World()
    world.fill(6, "20000")
    order = world.place(world.make_order(8, filled=6))
    stop = world.stop(-6)
    verdict = world.judge(MaxContracts(limit=5))
    assert verdict.plan == (Cancel(order.id, MNQ.id), Reduce(MNQ.id, 5))
    assert Cancel(stop.id, MNQ.id) not in verdict.plan


def test_working_entries_count_when_asked_for() -> None:
    """Only with include_working is an entry that has not filled a breach."""
    world = World()
    world.fill(4, "20000")
    world.place(world.make_order(1))
    late = world.place(world.make_order(1))
    assert world.judge(MaxContracts(limit=5)).plan == ()
    rule = MaxContracts(limit=5, include_working=True)
    assert world.judge(rule).plan == (Cancel(late.id, MNQ.id),)


def test_a_bracket_child_is_never_an_entry() -> None:
    """A sleeping stop of a working entry opens nothing by itself."""
    world = World()
    world.fill(5, "20000", ES)
    parent = world.place(world.make_order(1, of=MNQ))
    world.place(world.make_order(-1, of=MNQ, status=OrderStatus.SUSPENDED, parent_id=parent.id))
    verdict = world.judge(MaxContracts(limit=5, include_working=True))
    assert verdict.plan == (Cancel(parent.id, MNQ.id),)


def test_a_position_event_alone_is_enough() -> None:
    """Size rules act at once on the position event; its lots count as the newest."""
    world = World()
    world.fill(5, "5000", ES)
    world.hold(1, "20000", NQ)
    assert world.judge(MaxContracts(limit=5)).plan == (Close(NQ.id),)


def test_nothing_is_reduced_in_part_while_a_reading_is_unsettled() -> None:
    """A partial close of a size nobody knows could close the wrong amount."""
    world = World()
    world.fill(6, "20000")
    world.read(world.make_position(6, "20000"), settled=False)
    verdict = world.judge(MaxContracts(limit=5))
    assert verdict.plan == ()
    assert [alert.code for alert in verdict.alerts if alert.critical] == ["reduce_waits"]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit: int) -> None:
    """Zero contracts is not a limit, it is a mistake."""
    with pytest.raises(ValueError, match="limit must be more than 0"):
        MaxContracts(limit=limit)
