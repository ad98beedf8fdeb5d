"""Laws of the floor at which a firm ends an account."""

from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from risk.past import PastDay, Peaks, Seed, past_of
from risk.rules import TrailingDrawdown
from tests.risk.world import World

balances = st.lists(st.integers(44000, 58000), min_size=1, max_size=12)


@pytest.mark.parametrize("mode", ["end_of_day", "intraday", "intraday_closed", "static", "express"])
@given(balances, st.lists(st.integers(-3000, 3000), min_size=12, max_size=12), st.booleans())
def test_a_floor_never_falls(
    mode: str, mornings: list[int], results: list[int], capped: bool
) -> None:
    """Whatever an account wins and loses, day after day and quote after quote."""
    world = World()
    rule = TrailingDrawdown(
        amount=Decimal(2000),
        mode=mode,  # type: ignore[arg-type]
        lock_at=Decimal(51000) if capped else None,
    )
    seed = Seed(starting_balance=Decimal(50000))
    first, peaks = world.state.day, Peaks()
    days: list[PastDay] = []
    floors: list[Decimal | None] = []
    for number, morning in enumerate(mornings):
        day = first + timedelta(days=number)
        past = past_of(days, seed, day, Decimal(morning), Decimal(0))
        peaks = evolve(peaks, net=Decimal(0))
        for net in (0, results[number]):
            result = Decimal(net)
            peaks = peaks.raised(result, Decimal(morning) + result, Decimal(morning) + result)
            floors.append(rule.floor(evolve(world.snapshot(), past=past, peaks=peaks)))
        days.append(PastDay(day, Decimal(morning), None))
    known = [floor for floor in floors if floor is not None]
    assert known == sorted(known)
    assert len(known) == len(floors)


@given(st.integers(100, 5000), st.integers(100, 5000), st.integers(-6000, 1000))
def test_a_smaller_amount_never_allows_what_a_larger_one_forbids(
    one: int, other: int, ticks: int
) -> None:
    """Tightening is tightening."""
    world = World()
    seed = Seed(starting_balance=Decimal(50000))
    world.state.standing.past = past_of((), seed, world.state.day, Decimal(50000), Decimal(0))
    world.fill(1, "25000")
    world.quote(str(25000 + Decimal(ticks) / 4), str(25000 + Decimal(ticks + 1) / 4))
    tight, loose = (TrailingDrawdown(amount=Decimal(it)) for it in sorted((one, other)))
    if world.judge(loose).violations:
        assert world.judge(tight).violations


def test_what_was_won_before_the_day_lifts_the_closed_balance_when_it_is_taken() -> None:
    """The position came in at a profit that no balance had yet; closed, it is in it."""
    world = World()
    world.fill(1, "20000")
    world.quote("20500", "20500.25")
    world.wait((world.state.day_ends - world.now).total_seconds())
    world.quote("20500", "20500.25")
    assert world.state.roll_day(world.now, world.mono) is not None
    past = past_of((), None, world.state.day, Decimal(50000), world.state.carried())
    world.state.standing.past = past
    assert world.snapshot().peaks.closed == Decimal(50000)
    world.fill(-1, "20510")
    assert world.snapshot().peaks.closed == Decimal(51020)
