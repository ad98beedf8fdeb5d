"""Evaluation: the lock first, priorities, one plan, and laws that hold for any account."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from risk.domain import Contract, OrderStatus, OrderType
from risk.evaluate import evaluate
from risk.plan import merged
from risk.rules import (
    DailyLoss,
    MaxContracts,
    NoStopLoss,
    Rule,
    SymbolBlock,
    Trigger,
    UnrealizedLoss,
)
from risk.snapshot import Snapshot
from risk.verdict import Cancel, Close, Flatten, Lock, Reduce, Verdict
from tests.risk.world import ES, GC, MES, MNQ, NQ, World


def locked(world: World) -> World:
    """Until the reset, for a loss."""
    world.state.locks.add(Lock("daily_loss", world.state.day_ends, world.now, "net day -1000"))
    return world


def test_nothing_is_closed_by_what_was_known_before_the_link_was_lost() -> None:
    """Not even on a locked account: the trader may have closed it meanwhile, and opened another."""
    world = locked(World())
    world.fill(1, "20000")
    world.state.lost_hub()
    assert world.judge(trigger=Trigger.CONNECTION).plan == ()


@pytest.mark.parametrize("trigger", [it for it in Trigger if it is not Trigger.CONNECTION])
def test_anything_open_while_locked_is_closed_whatever_showed_it(trigger: Trigger) -> None:
    """Also with no rule configured at all."""
    world = locked(World())
    world.fill(1, "20000")
    verdict = world.judge(trigger=trigger)
    assert verdict.plan == (Flatten(),)
    assert verdict.locks == ()
    assert verdict.violations[0].reason.startswith("found at start-up") == (
        trigger is Trigger.START
    )


def test_a_stop_on_a_locked_account_stays_while_only_a_trade_tells_of_its_position() -> None:
    """The close of that position may be refused; once it is known to be flat, the stop goes."""
    world = locked(World())
    world.report(world.make_trade(2, "20000"))
    stop = world.place(world.make_order(-2, OrderType.STOP))
    assert world.judge().plan == ()
    world.hold(2, "20000")
    assert world.judge().plan == (Flatten(),)
    world.report(world.make_trade(-2, "20000"))
    world.hold(0)
    assert world.judge().plan == (Cancel(stop.id, MNQ.id),)


def test_a_leftover_stop_on_a_locked_account_is_cancelled() -> None:
    """Mistake of earlier systems: a bracket stop re-opened a position on a locked account."""
    world = locked(World())
    parent = world.place(world.make_order(1, status=OrderStatus.FILLED, filled=1))
    stop = world.make_order(-1, OrderType.STOP, parent_id=parent.id)
    world.place(stop)
    assert world.judge(trigger=Trigger.ORDER).plan == (Cancel(stop.id, MNQ.id),)


def test_while_the_flatten_runs_the_lock_asks_for_nothing_new() -> None:
    """The stop stays until flat is confirmed."""
    world = locked(World())
    world.fill(2, "20000")
    world.stop(-2)
    world.state.set_in_flight(MNQ.id, 2)
    assert world.judge().plan == ()
    world.hold(3, "20000")
    assert world.judge().plan == (Flatten(),)


def test_a_lock_ends_exactly_at_its_time() -> None:
    """Not a moment before, and when its owner ends it; the verdict says when to look again."""
    world = World()
    until = world.now + timedelta(minutes=5)
    world.state.locks.add(Lock("session", until, world.now, "closed"))
    world.fill(1, "20000")
    assert world.judge().wake_at == until
    world.wait(299.999)
    assert world.judge().plan == (Flatten(),)
    world.wait(0.001)
    assert world.judge().plan == (Flatten(),)  # our clock alone ends nothing
    world.state.locks.expire(world.now)
    assert world.judge().plan == ()


def test_a_rule_is_asked_on_its_triggers_and_at_every_full_look() -> None:
    """Mistake of earlier systems: rules bound to the wrong events never ran."""
    world = World()
    world.fill(6, "20000")
    rule = MaxContracts(limit=5)
    asked = {t for t in Trigger if world.judge(rule, trigger=t).violations}
    assert asked == MaxContracts.triggers | {Trigger.FULL, Trigger.START}
    assert Trigger.MARK not in asked


def test_what_a_higher_rule_closes_a_size_rule_no_longer_sees() -> None:
    """Six contracts, one of them blocked: closing that one is enough."""
    world = World()
    world.fill(1, "4000", GC)
    world.wait(1)
    world.fill(5, "20000")
    rules: tuple[Rule, ...] = (MaxContracts(limit=5), SymbolBlock(symbols=("GC",)))
    for order in permutations(rules):
        assert world.judge(*order).plan == (Close(GC.id),)


def test_a_reduction_behind_a_close_is_part_of_one_plan() -> None:
    """The size rule asks only for what the blocked position leaves too much."""
    world = World()
    world.fill(7, "20000")
    world.wait(1)
    world.fill(1, "4000", GC)
    rules = (MaxContracts(limit=5), SymbolBlock(symbols=("GC",)))
    assert world.judge(*rules).plan == (Close(GC.id), Reduce(MNQ.id, 5))


def test_a_root_that_record_and_id_dispute_is_a_critical_alert() -> None:
    """It counts as both, so a block of either closes it."""
    disputed = evolve(NQ, root="MNQ")
    world = World(contracts=(disputed,))
    world.fill(1, "20000", disputed)
    verdict = world.judge(SymbolBlock(symbols=("NQ",)))
    assert verdict.plan == (Close(NQ.id),)
    assert "root_disagrees" in {alert.code for alert in verdict.alerts if alert.critical}


def test_a_later_look_at_the_same_snapshot_ends_its_waits() -> None:
    """Time alone may change an answer: no new snapshot is needed for it."""
    world = World()
    world.fill(1, "20000")
    world.quote("19000", "19000.25")
    world.hold(2, "20000")
    snapshot = world.snapshot()
    rules = (UnrealizedLoss(limit=Decimal(200)), NoStopLoss())
    soon = evaluate(rules, snapshot, Trigger.TIMER, world.now, world.mono)
    later = world.now + timedelta(seconds=120)
    then = evaluate(rules, snapshot, Trigger.TIMER, later, world.mono + 120)
    assert (soon.plan, then.plan) == ((), (Close(MNQ.id),))
    assert snapshot.uncovered(MNQ.id) == timedelta(0)
    assert snapshot.uncovered("unknown") == timedelta(0)


def test_flatten_takes_everything() -> None:
    """Every violation is told, the plan is one."""
    world = World()
    world.fill(6, "20000")
    world.quote("19000", "19000.25")
    rules = (MaxContracts(limit=5), UnrealizedLoss(limit=Decimal(200)), DailyLoss(Decimal(1000)))
    verdict = world.judge(*rules)
    assert verdict.plan == (Flatten(),)
    assert [found.rule for found in verdict.violations] == ["daily_loss"]


def test_a_plan_names_no_contract_twice() -> None:
    """Close supersedes reduce, and the deeper of two reductions stands."""
    close, reduce = Close("A"), Reduce("A", 3)
    assert merged([reduce, close]) == (close,)
    assert merged([close, reduce]) == (close,)
    assert merged([reduce, Reduce("A", 2), Cancel(1, "A"), Cancel(1, "A")]) == (
        Cancel(1, "A"),
        Reduce("A", 2),
    )
    assert merged([close, Flatten(), Cancel(1, "A")]) == (Flatten(),)


def test_a_second_breach_within_the_minute_is_a_breach() -> None:
    """Mistake of earlier systems: a 60 s idempotency window swallowed it."""
    world = World()
    rule = MaxContracts(limit=5)
    world.fill(6, "20000")
    assert world.judge(rule).plan
    world.fill(-1, "20000")
    assert not world.judge(rule).plan
    world.fill(1, "20000")
    assert world.judge(rule).plan


def test_every_quote_is_judged() -> None:
    """Mistake of earlier systems: a P&L throttle hid a breach that lasted one quote."""
    world = World()
    world.fill(1, "20000")
    rule = UnrealizedLoss(limit=Decimal(200))
    world.quote("19900.25", "19900.50")
    assert not world.judge(rule, trigger=Trigger.MARK).plan
    world.quote("19900", "19900.25")
    assert world.judge(rule, trigger=Trigger.MARK).plan


# --- laws ------------------------------------------------------------------------------------

PRODUCTS = st.sampled_from([MNQ, NQ, ES, MES, GC])
FILLS = st.lists(st.tuples(PRODUCTS, st.integers(-4, 4).filter(bool)), max_size=8)
ORDERS = st.lists(
    st.tuples(
        PRODUCTS,
        st.integers(-4, 4).filter(bool),
        st.sampled_from([OrderType.LIMIT, OrderType.STOP, OrderType.TRAILING_STOP]),
        st.sampled_from([OrderStatus.OPEN, OrderStatus.SUSPENDED, OrderStatus.PENDING]),
    ),
    max_size=4,
)
RULE_SETS = st.fixed_dictionaries(
    {
        "size": st.builds(
            MaxContracts,
            limit=st.integers(1, 6),
            count=st.sampled_from(["lots", "mini_equivalent"]),
            include_working=st.booleans(),
        ),
        "day": st.builds(DailyLoss, limit=st.integers(1, 4000).map(Decimal)),
        "open": st.builds(
            UnrealizedLoss,
            limit=st.integers(1, 2000).map(Decimal),
            scope=st.sampled_from(["position", "total"]),
        ),
        "stop": st.builds(
            NoStopLoss,
            grace=st.integers(1, 300).map(lambda s: timedelta(seconds=s)),
            close=st.sampled_from(["position", "uncovered"]),
        ),
        "symbol": st.builds(SymbolBlock, symbols=st.sampled_from([("GC",), ("NQ", "ES")])),
    }
)

Fills = list[tuple[Contract, int]]
Orders = list[tuple[Contract, int, OrderType, OrderStatus]]


def played(fills: Fills, orders: Orders, drop: int, seconds: int) -> World:
    """An account after some trading, with prices so many points below the entries."""
    world = World()
    for of, signed in fills:
        world.fill(signed, "4000", of, fees="0.50")
        world.wait(0.1)
    for of, signed, kind, status in orders:
        world.place(world.make_order(signed, kind, of, status=status))
    for of in (MNQ, NQ, ES, MES, GC):
        world.quote(str(4000 - drop), str(4001 - drop), of)
    world.wait(seconds)
    return world


def assert_only_reduces(snapshot: Snapshot, verdict: Verdict) -> None:
    """Nothing in the plan could open, add, flip, or name a contract twice."""
    targets = [a.contract_id for a in verdict.plan if isinstance(a, Close | Reduce)]
    assert len(targets) == len(set(targets))
    for action in verdict.plan:
        match action:
            case Close(contract_id):
                assert snapshot.contracts[contract_id].holding.size > 0
            case Reduce(contract_id, keep):
                assert 0 < keep < snapshot.contracts[contract_id].holding.size
            case Cancel(order_id):
                assert order_id in {order.id for order in snapshot.orders}
            case Flatten():
                assert verdict.plan == (Flatten(),)


@given(FILLS, ORDERS, st.integers(-20, 20), st.integers(0, 400), RULE_SETS, st.booleans())
def test_no_action_ever_opens_or_flips(
    fills: Fills,
    orders: Orders,
    drop: int,
    seconds: int,
    rules: dict[str, Rule],
    lock: bool,
) -> None:
    """For any account and any rules, with and without a lock; and judging twice says the same."""
    world = played(fills, orders, drop, seconds)
    if lock:
        locked(world)
    verdict = world.judge(*rules.values())
    assert_only_reduces(world.snapshot(), verdict)
    assert verdict == world.judge(*reversed(rules.values()))


@given(FILLS, st.integers(1, 6), st.sampled_from(["lots", "mini_equivalent"]))
def test_what_max_contracts_leaves_is_within_the_limit_and_no_lot_too_little(
    fills: Fills, limit: int, count: str
) -> None:
    """The fewest newest lots go: one contract fewer closed would still be over."""
    world = played(fills, [], 0, 0)
    rule = MaxContracts(limit=limit, count=count)  # type: ignore[arg-type]
    plan = world.judge(rule).plan
    keeps = {a.contract_id: getattr(a, "keep", 0) for a in plan if isinstance(a, Close | Reduce)}
    weight = {
        of.id: Decimal("0.1") if count == "mini_equivalent" and of in (MNQ, MES) else Decimal(1)
        for of in (MNQ, NQ, ES, MES, GC)
    }
    held = {key: view.holding.size for key, view in world.snapshot().contracts.items()}
    left = sum((keeps.get(k, size) * weight[k] for k, size in held.items()), Decimal(0))
    assert left <= limit
    if keeps:
        assert any(left + weight[key] > limit for key in keeps)


@given(FILLS, st.integers(-20, 20), st.integers(0, 400), st.integers(1, 3000), st.integers(1, 3000))
def test_a_tighter_limit_never_allows_what_a_looser_forbids(
    fills: Fills, drop: int, seconds: int, one: int, other: int
) -> None:
    """For every rule with a number."""
    world = played(fills, [], drop, seconds)
    tight, loose = sorted((one, other))
    pairs: list[tuple[Rule, Rule]] = [
        (DailyLoss(Decimal(tight)), DailyLoss(Decimal(loose))),
        (UnrealizedLoss(Decimal(tight)), UnrealizedLoss(Decimal(loose))),
        (UnrealizedLoss(Decimal(tight), "total"), UnrealizedLoss(Decimal(loose), "total")),
        (MaxContracts(1 + tight // 300), MaxContracts(1 + loose // 300)),
        (
            NoStopLoss(timedelta(seconds=1 + tight // 12)),
            NoStopLoss(timedelta(seconds=1 + loose // 12)),
        ),
    ]
    for tighter, looser in pairs:
        breached = {v.contract_id for v in world.judge(tighter).violations}
        forbidden = {v.contract_id for v in world.judge(looser).violations}
        assert bool(breached) >= bool(forbidden)
        if not isinstance(looser, MaxContracts):
            assert breached >= forbidden
