"""``no_stop_loss``: what protects, how uncovered time adds up, and when it is over."""

from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve

from risk.domain import OrderStatus, OrderType
from risk.rules import NoStopLoss, Trigger
from risk.verdict import Close, Reduce
from tests.risk.world import ES, MNQ, World

RULE = NoStopLoss()


def test_a_naked_position_is_closed_when_the_grace_is_over() -> None:
    """Not a moment before; the verdict says when to look again."""
    world = World()
    world.fill(1, "20000")
    assert world.judge(RULE).wake_at == world.now + timedelta(seconds=120)
    world.wait(119.999)
    assert world.judge(RULE, trigger=Trigger.TIMER).plan == ()
    world.wait(0.001)
    verdict = world.judge(RULE, trigger=Trigger.TIMER)
    assert verdict.plan == (Close(MNQ.id),)
    assert verdict.locks == ()


@pytest.mark.parametrize("kind", [OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP])
def test_every_kind_of_stop_protects(kind: OrderType) -> None:
    """Stop, stop-limit and trailing."""
    world = World()
    world.fill(1, "20000")
    world.place(world.make_order(-1, kind))
    world.wait(600)
    assert world.judge(RULE).plan == ()


@pytest.mark.parametrize("price", ["20000", "20050", "19000"])
def test_a_stop_protects_wherever_its_price_is(price: str) -> None:
    """Mistake of earlier systems: a break-even stop, or one that locks in profit, was refused."""
    world = World()
    world.fill(1, "20000")
    world.quote("20100", "20100.25")
    world.place(evolve(world.make_order(-1, OrderType.STOP), stop_price=Decimal(price)))
    world.wait(600)
    assert world.judge(RULE).plan == ()


@pytest.mark.parametrize(
    ("signed", "kind", "of"),
    [(-1, OrderType.LIMIT, MNQ), (1, OrderType.STOP, MNQ), (-1, OrderType.STOP, ES)],
)
def test_what_does_not_get_out_of_a_loss_does_not_protect(
    signed: int, kind: OrderType, of: object
) -> None:
    """Mistake of earlier systems: a take-profit taken for a stop."""
    world = World()
    world.fill(1, "20000")
    world.place(world.make_order(signed, kind, of))  # type: ignore[arg-type]
    world.wait(120)
    assert world.judge(RULE).plan == (Close(MNQ.id),)


def test_uncovered_time_adds_up_over_the_life_of_a_position() -> None:
    """A stop that is placed and cancelled again buys only the last chance of ten seconds."""
    world = World()
    world.fill(1, "20000")
    world.wait(115)
    stop = world.stop(-1)
    world.wait(300)
    world.place(evolve(stop, status=OrderStatus.CANCELLED, updated=world.now))
    assert world.judge(RULE).wake_at == world.now + timedelta(seconds=10)
    world.wait(9.999)
    assert world.judge(RULE).plan == ()
    world.wait(0.001)
    assert world.judge(RULE).plan == (Close(MNQ.id),)


def test_an_increase_leaves_a_last_chance() -> None:
    """But never a whole new grace."""
    world = World()
    world.fill(1, "20000")
    world.wait(115)
    world.fill(1, "20000")
    world.wait(9)
    assert world.judge(RULE).plan == ()
    world.wait(1)
    assert world.judge(RULE).plan == (Close(MNQ.id),)


def test_a_short_grace_shortens_the_last_chance() -> None:
    """min(grace, 10 s)."""
    world = World()
    rule = NoStopLoss(grace=timedelta(seconds=3))
    world.fill(1, "20000")
    world.wait(2)
    world.fill(1, "20000")
    world.wait(2.9)
    assert world.judge(rule).plan == ()
    world.wait(0.1)
    assert world.judge(rule).plan == (Close(MNQ.id),)


def test_part_cover_is_no_cover_but_only_the_rest_may_go() -> None:
    """As configured: the whole position, or what no stop covers."""
    world = World()
    world.fill(3, "20000")
    world.stop(-1)
    world.wait(120)
    assert world.judge(RULE).plan == (Close(MNQ.id),)
    assert world.judge(NoStopLoss(close="uncovered")).plan == (Reduce(MNQ.id, 1),)


def test_contracts_already_leaving_need_no_stop() -> None:
    """Neither is a part closed twice, nor one of a size that nobody knows."""
    world = World()
    world.fill(3, "20000")
    world.stop(-1)
    world.wait(120)
    rule = NoStopLoss(close="uncovered")
    world.state.set_in_flight(MNQ.id, 2)
    assert world.judge(rule).plan == ()
    world.state.set_in_flight(MNQ.id, 3)
    assert world.judge(RULE).plan == ()
    world.state.set_in_flight(MNQ.id, 0)
    world.read(world.make_position(3, "20000"), settled=False)
    verdict = world.judge(rule)
    assert verdict.plan == ()
    assert "reduce_waits" in {alert.code for alert in verdict.alerts}


def test_what_to_close_must_be_said_clearly() -> None:
    """The position, or what no stop covers."""
    with pytest.raises(ValueError, match="close must be position or uncovered"):
        NoStopLoss(close="half")  # type: ignore[arg-type]


def test_a_new_position_starts_from_nothing() -> None:
    """Uncovered time belongs to one episode."""
    world = World()
    world.fill(1, "20000")
    world.wait(100)
    world.fill(-1, "20000")
    world.hold(1, "20000", number=78)
    world.wait(119)
    assert world.judge(RULE).plan == ()


@pytest.mark.parametrize(
    ("parent", "protects"),
    [
        (OrderStatus.FILLED, True),
        (OrderStatus.OPEN, False),
        (OrderStatus.CANCELLED, False),
        (None, True),
    ],
)
def test_a_sleeping_stop_counts_if_its_parent_is_filled_or_unknown(
    parent: OrderStatus | None, protects: bool
) -> None:
    """A bracket child wakes with its parent's fill, so while that works it protects nothing."""
    world = World()
    world.fill(1, "20000")
    entry = world.make_order(1, status=parent or OrderStatus.OPEN)
    if parent is not None:
        world.place(entry)
    child = world.make_order(-1, OrderType.STOP, status=OrderStatus.SUSPENDED, parent_id=entry.id)
    world.place(child)
    world.wait(120)
    assert world.judge(RULE).plan == (() if protects else (Close(MNQ.id),))


def test_a_stop_of_the_brokers_own_screen_is_found_by_a_reading() -> None:
    """Mistake of earlier systems: only stops seen as events were known."""
    world = World()
    world.fill(1, "20000")
    stop = world.make_order(-1, OrderType.STOP)
    world.read(world.make_position(1, "20000"), orders=(stop,))
    world.wait(600)
    assert world.judge(RULE).plan == ()


def test_a_stop_that_a_reading_no_longer_has_protects_no_more() -> None:
    """Its cancellation was lost; an old report does not bring it back."""
    world = World()
    world.fill(1, "20000")
    stop = world.stop(-1)
    world.read(world.make_position(1, "20000"), orders=())
    world.place(stop)
    world.wait(120)
    assert world.judge(RULE).plan == (Close(MNQ.id),)


def test_the_time_of_before_a_restart_still_counts() -> None:
    """The journal's uncovered time is continued, with a last chance."""
    world = World()
    world.fill(1, "20000")
    world.wait(119)
    covers = world.state.covers(world.now)
    again = World(world.now)
    again.read(world.make_position(1, "20000"))
    again.state.restore_covers(covers)
    again.wait(9.9)
    assert again.judge(RULE).plan == ()
    again.wait(0.1)
    assert again.judge(RULE).plan == (Close(MNQ.id),)


@pytest.mark.parametrize("seconds", [0, 0.5, 301])
def test_a_grace_out_of_range_is_refused(seconds: float) -> None:
    """One second to five minutes."""
    with pytest.raises(ValueError, match="grace must be from 1 s to 300 s"):
        NoStopLoss(grace=timedelta(seconds=seconds))


def test_seconds_are_said_in_full() -> None:
    """Nobody reads 5E+2 as five hundred, neither in a refusal nor in a verdict."""
    with pytest.raises(ValueError, match=r"got 500 s$"):
        NoStopLoss(grace=timedelta(seconds=500))
    with pytest.raises(ValueError, match=r"got 0\.25 s$"):
        NoStopLoss(grace=timedelta(milliseconds=250))
    world = World()
    world.fill(1, "20000")
    world.wait(120)
    (found,) = world.judge(RULE, trigger=Trigger.TIMER).violations
    assert (str(found.observed), str(found.limit)) == ("120", "120")
    assert found.inputs["uncovered_s"] == "120"


@pytest.mark.parametrize("behind", [60, 0.3])
def test_time_from_before_the_position_was_opened_does_not_count(behind: float) -> None:
    """A clock that stood still or was slow is put forward after the fill: that is no waiting."""
    world = World()
    world.now -= timedelta(seconds=behind)
    world.hold(1, "20000")
    world.now += timedelta(seconds=behind)
    world.wait(119.9)
    assert world.judge(RULE, trigger=Trigger.TIMER).violations == ()
    world.wait(0.1)
    assert len(world.judge(RULE, trigger=Trigger.TIMER).violations) == 1


def test_the_rule_is_mandatory() -> None:
    """No configuration can leave it out."""
    assert NoStopLoss.mandatory
