"""Trip wires: what they let pass, full evaluation would have let pass too."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.domain import Contract, Mark
from risk.past import Seed, past_of
from risk.rules import (
    Consistency,
    DailyProfit,
    Rule,
    TrailingDrawdown,
    WeeklyLoss,
)
from risk.rules.base import Trigger
from risk.rules.daily_loss import DailyLoss
from risk.rules.max_contracts import MaxContracts
from risk.rules.unrealized_loss import UnrealizedLoss
from risk.wires import Wire, wires
from tests.risk.world import ES, MNQ, World

TICK = Decimal("0.25")


def holding(*rules: Rule, lots: int = 2) -> tuple[World, tuple[Rule, ...]]:
    """Long MNQ from 25000 at a bid of 25000."""
    world = World()
    world.fill(lots, "25000")
    world.hold(lots, "25000")
    world.quote("25000", "25000.25")
    return world, rules


def wire_of(world: World, rules: tuple[Rule, ...]) -> Wire:
    """The wire of the one contract held."""
    found = wires(rules, world.snapshot())
    assert found is not None
    return found[MNQ.id]


def test_a_wire_stands_where_the_loss_reaches_its_limit() -> None:
    """2 MNQ at $2 a point: $200 are 50 points below the price, and a hair before that."""
    wire = wire_of(*holding(UnrealizedLoss(limit=Decimal(200))))
    assert wire.tripped(Mark(bid=Decimal(24950)))
    assert not wire.tripped(Mark(bid=Decimal("24950.25")))


def test_a_profit_trips_nothing() -> None:
    """No rule here answers to a profit."""
    wire = wire_of(*holding(UnrealizedLoss(limit=Decimal(200))))
    assert not wire.tripped(Mark(bid=Decimal(30000)))


def test_the_nearest_rule_sets_the_wire() -> None:
    """A warning at half the daily limit comes before the limit, and before the other rule's."""
    world, rules = holding(
        DailyLoss(limit=Decimal(300), warn_at=(50,)), UnrealizedLoss(limit=Decimal(200))
    )
    assert wire_of(world, rules).tripped(Mark(bid=Decimal("24962.5")))
    assert not wire_of(world, rules).tripped(Mark(bid=Decimal("24962.75")))


def test_a_rule_that_looks_at_prices_and_has_no_wires_is_asked_at_every_mark() -> None:
    """Only who can say how far prices may move is spared."""

    class Unwired(MaxContracts):
        triggers = frozenset({Trigger.MARK})

    world, rules = holding(Unwired(limit=5))
    assert wires(rules, world.snapshot()) is None


def test_nothing_is_spared_while_ledger_and_position_disagree() -> None:
    """What the position is worth is not known then."""
    world, rules = holding(UnrealizedLoss(limit=Decimal(200)))
    world.report(world.make_trade(1, "25000"))
    assert wires(rules, world.snapshot()) is None


moves = st.lists(
    st.tuples(st.sampled_from([MNQ, ES]), st.integers(-160, 160), st.integers(1, 3)),
    min_size=1,
    max_size=25,
)
rule_sets = st.tuples(
    st.integers(50, 2000),
    st.integers(50, 2000),
    st.sampled_from(["position", "total"]),
    st.sampled_from([(), (50, 80)]),
)


@pytest.mark.parametrize("sides", [(2, 1), (-3, 2), (1, -1), (-2, -2)])
@given(moves, rule_sets)
def test_a_mark_inside_its_wires_never_changes_the_verdict(
    sides: tuple[int, int],
    path: list[tuple[Contract, int, int]],
    limits: tuple[int, int, str, tuple[int, ...]],
) -> None:
    """Judging only at tripped wires finds every violation and warning that judging always finds."""
    day, position, scope, warn_at = limits
    rules: tuple[Rule, ...] = (
        DailyLoss(limit=Decimal(day), warn_at=warn_at),
        UnrealizedLoss(limit=Decimal(position), scope=scope),  # type: ignore[arg-type]
    )
    world = World()
    prices = {MNQ: Decimal(25000), ES: Decimal(6000)}
    for contract, lots in zip(prices, sides, strict=True):
        world.quote(str(prices[contract]), str(prices[contract] + TICK), contract)
        world.fill(lots, str(prices[contract]), contract)
        world.hold(lots, str(prices[contract]), contract, number=len(contract.id))
    armed, said = _armed(world, rules), _answer(world, rules)
    for contract, ticks, spread in path:
        prices[contract] = max(prices[contract] + ticks * TICK, TICK)
        bid, ask = prices[contract], prices[contract] + spread * TICK
        world.wait(1.5)
        world.quote(str(bid), str(ask), contract)
        wire = None if armed is None else armed.get(contract.id)
        if wire is None or wire.tripped(Mark(bid=bid, ask=ask)):
            armed, said = _armed(world, rules), _answer(world, rules)
        now = _answer(world, rules)
        assert now <= said, "a judgement was due that no wire asked for"


def _armed(world: World, rules: tuple[Rule, ...]) -> Mapping[str, Wire] | None:
    """As the rules actor arms them: never while a rule is broken."""
    return None if world.judge(*rules).violations else wires(rules, world.snapshot())


def _answer(world: World, rules: tuple[Rule, ...]) -> frozenset[str]:
    verdict = world.judge(*rules, trigger=Trigger.MARK)
    alerts = {alert.code for alert in verdict.alerts}
    if "daily_loss_80" in alerts:
        alerts.add("daily_loss_50")  # who was warned of the second was past the first
    broken = {found.rule for found in verdict.violations}
    return frozenset(broken | (alerts & {"daily_loss_50", "daily_loss_80"}))


@pytest.mark.parametrize("sides", [(2, 1), (-3, 2), (1, -1), (-2, -2)])
@given(moves, st.integers(100, 3000), st.integers(1, 99), st.integers(50, 2000))
def test_limits_that_follow_a_peak_lose_nothing_between_two_wires(
    sides: tuple[int, int],
    path: list[tuple[Contract, int, int]],
    amount: int,
    keep: int,
    above: int,
) -> None:
    """Two accounts, one looked at on every quote, one when a wire trips, say the same."""
    rules: tuple[Rule, ...] = (
        TrailingDrawdown(amount=Decimal(amount), mode="intraday", buffer=Decimal(0)),
        DailyProfit(mode="give_back", keep=keep, above=Decimal(above)),
        WeeklyLoss(limit=Decimal(amount)),
        Consistency(share=keep, action="lock"),
    )
    prices = {MNQ: Decimal(25000), ES: Decimal(6000)}
    always, seldom = World(), World()
    for world in (always, seldom):
        state = world.state
        seed = Seed(starting_balance=Decimal(49500))
        state.standing.past = past_of((), seed, state.day, Decimal(50000), Decimal(0))
        for contract, lots in zip(prices, sides, strict=True):
            world.quote(str(prices[contract]), str(prices[contract] + TICK), contract)
            world.fill(lots, str(prices[contract]), contract)
    armed, said = _armed(seldom, rules), _broken(seldom, rules)
    for contract, ticks, spread in path:
        prices[contract] = max(prices[contract] + ticks * TICK, TICK)
        bid, ask = prices[contract], prices[contract] + spread * TICK
        for world in (always, seldom):
            world.wait(1.5)
            world.quote(str(bid), str(ask), contract)
        wire = None if armed is None else armed.get(contract.id)
        if wire is None or wire.tripped(Mark(bid=bid, ask=ask)):
            armed, said = _armed(seldom, rules), _broken(seldom, rules)
        assert _broken(always, rules) == said
    assert _broken(always, rules) == _broken(seldom, rules)


def _broken(world: World, rules: tuple[Rule, ...]) -> frozenset[str]:
    return frozenset(it.rule for it in world.judge(*rules, trigger=Trigger.MARK).violations)
