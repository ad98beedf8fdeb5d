"""With which balance a day began, whenever and in whatever order its trades are heard of."""

from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from risk.domain import Trade
from risk.morning import Listing, Morning
from tests.risk.world import NOON, World

STARTS = NOON - timedelta(hours=19)
ASKED = NOON
LISTING = Listing(Decimal(50000), ASKED, ASKED + timedelta(seconds=0.1))


def traded(seconds: float, profit: str = "-40", fees: str | None = "0.50") -> Trade:
    """A half-turn so many seconds after the list was asked for."""
    trade = World().make_trade(-1, "25000", profit=profit, fees=fees)
    return evolve(trade, at=ASKED + timedelta(seconds=seconds))


def reckoned(*trades: Trade, older: tuple[Trade, ...] = ()) -> Morning:
    morning = Morning()
    morning.listed(LISTING)
    morning.reckon(STARTS, trades, older)
    return morning


def test_what_the_day_had_earned_by_then_is_taken_off_the_listed_balance() -> None:
    """What was traded after the answer is not in it."""
    assert reckoned(traded(-60), traded(60)).balance == Decimal("50040.50")


@pytest.mark.parametrize("seconds", [-2.9, 0.05, 3.05])
def test_a_trade_near_the_list_may_be_in_it_or_not(seconds: float) -> None:
    """Another list must say; nothing is claimed until then."""
    assert reckoned(traded(seconds)).balance is None
    assert reckoned(older=(traded(seconds),)).balance is None


def test_a_list_of_before_the_day_says_nothing_of_its_beginning() -> None:
    """A trade of the last second may be missing from it."""
    morning = Morning()
    morning.listed(Listing(Decimal(50000), STARTS - timedelta(seconds=1), STARTS))
    morning.reckon(STARTS, (), ())
    assert (morning.balance, morning.certain) == (None, False)


def test_a_trade_that_was_still_in_the_socket_moves_the_balance_once() -> None:
    """The list knew of it before we did; its second report and its void say nothing more."""
    morning = reckoned()
    morning.moved = False
    late = traded(-30)
    morning.heard(late, of_the_day=True)
    assert (morning.balance, morning.moved) == (Decimal("50040.50"), True)
    morning.heard(late, of_the_day=True)
    morning.heard(evolve(late, voided=True), of_the_day=True)
    assert (morning.balance, morning.certain) == (Decimal("50040.50"), True)


def test_a_trade_of_the_evening_before_is_in_the_balance_of_the_morning() -> None:
    """It was earned before this day began."""
    morning = reckoned()
    morning.heard(traded(-30), of_the_day=False)
    assert (morning.balance, morning.certain) == (Decimal(50000), True)


def test_one_that_may_have_been_in_the_list_asks_for_another() -> None:
    """The balance is kept until that says otherwise."""
    morning = reckoned()
    near = traded(-1)
    morning.heard(near, of_the_day=True)
    assert (morning.balance, morning.certain) == (Decimal(50000), False)
    later = Listing(
        Decimal("49959.50"), ASKED + timedelta(seconds=15), ASKED + timedelta(seconds=16)
    )
    morning.listed(later)
    morning.reckon(STARTS, (near,), ())
    assert (morning.balance, morning.certain) == (Decimal(50000), True)


def test_a_trade_whose_fee_is_not_known_yet_asks_for_another_too() -> None:
    """Half of the truth is none."""
    morning = reckoned()
    morning.heard(traded(-30, fees=None), of_the_day=True)
    assert (morning.balance, morning.certain) == (Decimal(50000), False)
    assert reckoned(traded(-30, fees=None)).balance is None


def test_a_journal_that_does_not_say_by_which_list_is_believed() -> None:
    """Nothing moves it then."""
    morning = Morning()
    morning.restore(Decimal(49000), None, ())
    morning.heard(traded(-30), of_the_day=True)
    morning.listed(LISTING)
    assert (morning.balance, morning.certain, morning.newest) == (Decimal(49000), True, None)


@given(
    at=st.lists(st.sampled_from([-900.0, -60.0, -4.0, 4.0, 60.0, 900.0]), max_size=6),
    data=st.data(),
)
def test_the_order_in_which_trades_are_heard_of_does_not_matter(
    at: list[float], data: st.DataObject
) -> None:
    """Known before the list or after it, written down in between or not: one balance."""
    trades = [evolve(traded(it, profit=str(it)), id=i) for i, it in enumerate(at)]
    known = data.draw(st.integers(0, len(trades)))
    written = data.draw(st.integers(known, len(trades)))
    morning = reckoned(*trades[:known])
    for trade in trades[known:written]:
        morning.heard(trade, of_the_day=True)
    successor = Morning()
    assert morning.balance is not None
    successor.restore(morning.balance, morning.listing, trades[:written])
    for trade in data.draw(st.permutations(trades[written:])):
        successor.heard(trade, of_the_day=True)
    assert successor.balance == reckoned(*trades).balance
