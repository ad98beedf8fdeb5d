"""The timers of one incarnation: in order, in time, and one task for all of them."""

import math
from collections.abc import Callable

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from supervision.timers import Timer, Timers, next_beat

times = st.integers(0, 10_000)


@given(times, st.integers(1, 1000), times)
def test_the_next_beat_is_the_first_of_its_row_that_lies_ahead(
    due: int, period: int, late: int
) -> None:
    """One that falls on this very instant has been missed, or rung just now."""
    now = due + late
    beat = next_beat(due, period, now)
    assert (beat - due) % period == 0
    assert beat - period <= now < beat


def test_a_beat_that_is_taken_early_is_followed_by_the_next() -> None:
    """Never by itself once more."""
    assert next_beat(10.0, 5.0, 9.0) == 15.0
    assert next_beat(10.0, 5.0, 2.0) == 15.0


@pytest.mark.parametrize(
    ("due", "period", "now"), [(0.7, 0.3, 4.6), (0.0, 0.7, 44.099999999999994)]
)
def test_a_beat_of_this_very_moment_is_over_although_fractions_say_otherwise(
    due: float, period: float, now: float
) -> None:
    """Counting the beats that were missed comes out one too low here."""
    assert next_beat(due, period, now) == pytest.approx(now + period)


def ringing(arm: Callable[[Timers], object], *, until: float) -> list[tuple[float, object]]:
    """When the timers ring that are armed at the start, in virtual time."""
    rung: list[tuple[float, object]] = []

    async def main() -> None:
        timers = Timers(lambda word: rung.append((trio.current_time(), word)))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(timers.run)
            await trio.testing.wait_all_tasks_blocked()
            arm(timers)
            await trio.sleep(until)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return rung


def test_timers_ring_in_the_order_of_their_times_and_then_of_their_arming() -> None:
    """Each at its time, however they were armed; messages themselves are never compared."""

    def arm(timers: Timers) -> None:
        for due, word in [(3.0, "late"), (1.0, {}), (2.0, "middle"), (1.0, {"second": 1})]:
            timers.add(due, math.inf, word)

    expected = [(1.0, {}), (1.0, {"second": 1}), (2.0, "middle"), (3.0, "late")]
    assert ringing(arm, until=9) == expected


def test_a_period_rings_at_every_beat() -> None:
    """Beside one that rings once."""

    def arm(timers: Timers) -> None:
        timers.add(2.0, 2.0, "beat")
        timers.add(3.0, math.inf, "once")

    assert ringing(arm, until=7) == [(2.0, "beat"), (3.0, "once"), (4.0, "beat"), (6.0, "beat")]


def test_one_that_is_due_already_rings_at_once() -> None:
    """The task need not have slept for it."""
    assert ringing(lambda timers: timers.add(0.0, math.inf, "now"), until=1) == [(0.0, "now")]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_cancelled_timer_stays_silent_and_the_others_ring(which: int) -> None:
    """Also when it is the next in line; cancelling twice is cancelling."""

    def arm(timers: Timers) -> None:
        armed: list[Timer] = [timers.add(at, math.inf, at) for at in (1.0, 2.0, 3.0)]
        armed[which].cancel()
        armed[which].cancel()

    heard = [at for at, _ in ringing(arm, until=9)]
    assert heard == [at for at in (1.0, 2.0, 3.0) if at != which + 1]


def test_a_cancelled_timer_is_not_kept_until_its_time() -> None:
    """An actor that arms and disarms at every message would collect them."""
    left: list[int] = []

    async def main() -> None:
        timers = Timers(lambda _: None)
        for _ in range(100):
            timers.add(3600.0, math.inf, "never").cancel()
        with trio.move_on_after(1):
            await timers.run()
        left.append(len(timers._heap))

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert left == [0]


def test_a_timer_that_has_rung_for_the_last_time_is_not_kept() -> None:
    """One a second would add up in an actor that lives for weeks."""
    kept: list[int] = []

    def arm(timers: Timers) -> None:
        timers.add(1.0, math.inf, "once")
        timers._ring = lambda _: kept.append(len(timers._heap))
        timers.add(2.0, math.inf, "once more")

    ringing(arm, until=3)
    assert kept == [1, 0]


def test_an_earlier_timer_shortens_the_sleep_and_a_later_one_does_not_lengthen_it() -> None:
    """Whenever it is armed."""

    def arm(timers: Timers) -> None:
        timers.add(10.0, math.inf, "first")
        timers.add(20.0, math.inf, "later")
        timers.add(5.0, math.inf, "earlier")
        timers.add(15.0, math.inf, "between")

    expected = [(5.0, "earlier"), (10.0, "first"), (15.0, "between"), (20.0, "later")]
    assert ringing(arm, until=30) == expected


@given(st.floats(0, 1e6), st.floats(0.001, 1e3), st.floats(0, 1e6))
def test_a_beat_is_never_rung_twice_for_the_rounding_of_fractions(
    due: float, period: float, late: float
) -> None:
    """What is rung now is over now."""
    assert next_beat(due, period, due + late) > due + late


def test_timers_that_were_cancelled_are_let_go_of() -> None:
    """Arming and disarming at every message costs no memory, however late they were due."""
    timers = Timers(lambda _: None)
    kept = [timers.add(1e6, math.inf, "kept") for _ in range(100)]
    for _ in range(10_000):
        timers.add(1e6, math.inf, "dropped").cancel()
    assert len(timers._heap) < 500
    assert sum(not entry[4]._cancelled for entry in timers._heap) == len(kept)


def test_few_timers_are_kept_as_they_are_and_many_are_looked_through_when_they_have_doubled() -> (
    None
):
    """To look through them at every arming would cost what the heap saves."""
    timers = Timers(lambda _: None)

    def most_with_cancelled_ones() -> int:
        counts = []
        for _ in range(300):
            timers.add(1e6, math.inf, "dropped").cancel()
            counts.append(len(timers._heap))
        return max(counts)

    assert most_with_cancelled_ones() == 64
    for _ in range(64):
        timers.add(1e6, math.inf, "kept")
    assert most_with_cancelled_ones() == 128


def test_those_that_are_left_of_many_ring_in_their_order() -> None:
    """Looking through them must not disturb it."""

    def arm(timers: Timers) -> None:
        order = [(number * 37) % 100 + 1.0 for number in range(100)]
        armed = [(due, timers.add(due, math.inf, due)) for due in order[:64]]
        for due, timer in armed:
            if due % 3:
                timer.cancel()
        for due in order[64:]:
            timers.add(due, math.inf, due)

    rung = [at for at, _ in ringing(arm, until=200)]
    assert rung == sorted(rung)
    early = {(number * 37) % 100 + 1.0 for number in range(64)}
    assert rung == [at for at in range(1, 101) if at not in early or at % 3 == 0]
