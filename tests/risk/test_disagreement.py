"""Trade, Position and Order of one exit come apart, in any order: never a false lock in between."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.domain import OrderStatus, OrderType, Trade
from risk.rules import DailyLoss, MaxContracts, NoStopLoss, Rule, Trigger, UnrealizedLoss
from risk.verdict import Flatten, Reduce, Verdict
from tests.risk.world import ES, MNQ, World

Event = Callable[[World], object]
RULES: tuple[Rule, ...] = (
    DailyLoss(limit=Decimal(1000)),
    UnrealizedLoss(limit=Decimal(900)),
    NoStopLoss(),
    MaxContracts(limit=5),
)
TRIGGERS = (Trigger.FILL, Trigger.POSITION, Trigger.ORDER, Trigger.MARK, Trigger.TIMER)


def losing(price: str) -> World:
    """Long two with a stop, marked where they are about to be sold."""
    world = World()
    world.fill(2, "20000", fees="0.74")
    world.stop(-2)
    world.quote(price, str(Decimal(price) + 1))
    return world


def exit_events(world: World, price: str, *, apart: bool) -> list[Sequence[Event]]:
    """What the broker reports of the exit: streams that keep their own order, and no other."""
    sizes = (1, 1) if apart else (2,)
    trades = [world.make_trade(-n, price, fees=str(n * Decimal("0.37"))) for n in sizes]
    left = [1, 0] if apart else [0]
    stop = world.make_order(-2, OrderType.STOP, status=OrderStatus.FILLED, filled=2, number=2)
    return [
        *([reported(trade)] for trade in trades),
        [held(net) for net in left],
        [lambda w: w.place(stop)],
    ]


def reported(trade: Trade) -> Event:
    return lambda world: world.report(trade)


def held(net: int) -> Event:
    return lambda world: world.hold(net, "20000")


def interleavings(streams: list[Sequence[Event]]) -> Iterator[list[Event]]:
    """Every order that keeps each stream's own."""
    slots = [index for index, stream in enumerate(streams) for _ in stream]
    for order in sorted(set(permutations(slots))):
        sources = [iter(stream) for stream in streams]
        yield [next(sources[index]) for index in order]


def judged(world: World) -> list[Verdict]:
    return [world.judge(*RULES, trigger=trigger) for trigger in TRIGGERS]


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("gap", [0.0, 0.2, 0.45])
def test_a_losing_exit_never_counts_twice(apart: bool, gap: float) -> None:
    """Mistake of earlier systems: -500 realised plus -500 of a stale position locked at -1000."""
    for order in interleavings(exit_events(losing("19875"), "19875", apart=apart)):
        world = losing("19875")
        for event in order:
            world.wait(gap)
            event(world)
            assert [v.locks for v in judged(world)] == [()] * len(TRIGGERS)
            assert not any(v.violations for v in judged(world))
        assert world.snapshot().net == Decimal("-501.48")


@pytest.mark.parametrize("apart", [False, True])
def test_a_true_breach_ends_in_the_same_verdict_in_every_order(apart: bool) -> None:
    """Once all events are there, and never before the loss is certain on both counts."""
    finals = set()
    for order in interleavings(exit_events(losing("19760"), "19749.75", apart=apart)):
        world = losing("19760")
        for event in order:
            event(world)
        verdict = world.judge(DailyLoss(limit=Decimal(1000)))
        finals.add((verdict.plan, verdict.locks[0].until, str(verdict.violations[0].observed)))
    (plan, _, observed) = finals.pop()
    assert (plan, Decimal(observed), finals) == ((Flatten(),), Decimal("-1002.48"), set())


def test_a_closed_loss_acts_before_the_position_event() -> None:
    """The exit's trade alone is certain: nothing that is still on its way can undo it."""
    world = losing("19760")
    world.report(world.make_trade(-2, "19740", fees="0.74"))
    assert world.snapshot().pnl_waits
    assert world.judge(DailyLoss(limit=Decimal(1000)), trigger=Trigger.FILL).locks


def test_an_open_profit_elsewhere_still_counts_while_events_are_apart() -> None:
    """The closed loss is over the limit, the day is not: no lock in between."""
    world = World()
    world.fill(1, "5000", ES)
    world.quote("5010", "5010.25", ES)
    world.fill(2, "20000")
    world.quote("19740", "19741")
    world.report(world.make_trade(-2, "19740"))
    rule = DailyLoss(limit=Decimal(1000))
    assert world.judge(rule, trigger=Trigger.FILL).locks == ()
    world.hold(0)
    assert world.judge(rule, trigger=Trigger.POSITION).locks == ()


def test_an_exit_seen_before_its_entry_is_no_loss() -> None:
    """Trades in the wrong order: an average that is about to move decides nothing."""
    world = World()
    world.fill(1, "20000")
    world.quote("19000", "19000.25")
    entry = world.make_trade(5, "19000")
    world.wait(0.01)
    exit_ = world.make_trade(-5, "19001")
    world.report(exit_)
    rule = DailyLoss(limit=Decimal(2100))
    assert world.judge(rule, trigger=Trigger.FILL).locks == ()
    world.report(entry)
    assert world.judge(rule, trigger=Trigger.FILL).locks == ()


def test_money_rules_wait_two_seconds_at_most() -> None:
    """Then they act on the newest positions, even if the broker could not be asked."""
    world = World()
    world.fill(1, "20000")
    world.quote("19000", "19000.25")
    world.hold(2, "20000")
    rule = UnrealizedLoss(limit=Decimal(200))
    verdict = world.judge(rule, trigger=Trigger.MARK)
    assert verdict.plan == ()
    assert verdict.wake_in == pytest.approx(2.0)
    world.wait(1.999)
    assert world.judge(rule, trigger=Trigger.TIMER).plan == ()
    world.wait(0.002)
    assert world.judge(rule, trigger=Trigger.TIMER).plan


def test_a_steady_flow_of_disagreements_does_not_prolong_the_wait() -> None:
    """The two seconds run from the first of them, until all agree."""
    world = World()
    world.fill(1, "20000")
    world.quote("19000", "19000.25")
    for net in (2, 3, 2):
        world.hold(net, "20000")
        world.wait(0.7)
    assert not world.snapshot().pnl_waits


def test_sizes_and_locks_do_not_wait() -> None:
    """They act at once on the position event."""
    world = World()
    world.hold(6, "20000")
    assert world.snapshot().pnl_waits
    assert world.judge(MaxContracts(limit=5)).plan == (Reduce(MNQ.id, 5),)


@given(
    st.integers(1, 4),
    st.integers(-300, 300),
    st.lists(st.integers(0, 500), min_size=4, max_size=4),
    st.permutations(range(4)),
)
def test_no_order_of_delayed_events_locks_what_the_truth_does_not(
    size: int, points: int, delays: list[int], order: list[int]
) -> None:
    """An entry and its exit, all four events up to half a second apart."""
    world = World()
    price = str(20000 + points)
    world.quote("20000", "20000.25")
    entry = world.make_trade(size, "20000", fees="0.37")
    exit_ = world.make_trade(-size, price, fees="0.37")
    waiting = [reported(entry), reported(exit_), held(size), held(0)]
    sequence = [waiting[index] for index in order]
    if order.index(2) > order.index(3):
        first, second = order.index(3), order.index(2)
        sequence[first], sequence[second] = sequence[second], sequence[first]
    truth = Decimal(points * size * 2) - Decimal("0.74")
    limit = max(-truth + Decimal("0.01"), Decimal(1))
    rule = DailyLoss(limit=limit)
    spent = 0.0
    for event, delay in zip(sequence, delays, strict=True):
        pause = min(delay / 1000, 1.9 - spent)
        spent += pause
        world.wait(pause)
        world.quote(price, str(Decimal(price) + Decimal("0.25")))
        event(world)
        assert world.judge(rule).locks == ()
    assert world.snapshot().net == truth
    exact = DailyLoss(limit=-truth) if truth < 0 else None
    assert exact is None or world.judge(exact).locks
