"""The ledger: a set of trades, one source of P&L."""

from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from risk.domain import Trade
from risk.ledger import Lot, OpenAtStart, without_newest
from tests.risk.world import CALENDAR, MNQ, NOON, NQ, World

POINT = Fraction(2)
"""Dollars per point of the MNQ."""


def test_one_point_of_a_micro_is_two_dollars() -> None:
    """Mistake of earlier systems: a tick value of 0.50 taken for the value of a point."""
    world = World()
    world.fill(1, "20000")
    world.quote("20001", "20001.25")
    assert world.snapshot().totals.open == 2


def test_a_round_trip_is_worth_its_cash_less_its_fees() -> None:
    """Realised excludes fees, net includes them."""
    world = World()
    world.fill(2, "20000", fees="0.74")
    world.fill(-2, "19990", fees="0.74")
    totals = world.snapshot().totals
    assert (totals.realised, totals.fees, totals.net) == (
        Decimal(-40),
        Decimal("1.48"),
        Decimal("-41.48"),
    )


def test_an_opening_half_turn_is_no_round_trip() -> None:
    """Mistake of earlier systems: a trade without P&L counted as a result of zero."""
    world = World()
    world.fill(1, "20000", fees="0.37")
    world.quote("19900", "19900.25")
    totals = world.snapshot().totals
    assert (totals.realised, totals.open) == (Decimal(0), Decimal(-200))
    assert totals.net == Decimal("-200.37")


def test_a_partial_exit_keeps_the_average_entry() -> None:
    """Open P&L is net x (mark - average entry of the episode) x point value."""
    world = World()
    world.fill(1, "20000")
    world.fill(1, "20010")
    world.fill(-1, "20020")
    world.quote("20000", "20000.25")
    view = world.snapshot().contracts[MNQ.id]
    assert view.holding.worth is not None
    assert view.holding.worth.entry == 20005
    assert (view.open, world.snapshot().totals.realised) == (Decimal(-10), Decimal(30))


def test_a_reversal_is_a_close_and_an_opening() -> None:
    """The rest of the fill starts a new episode at its own price."""
    world = World()
    world.fill(2, "20000")
    world.fill(-3, "20010")
    world.quote("20019.75", "20020")
    totals = world.snapshot().totals
    assert (totals.realised, totals.open) == (Decimal(40), Decimal(-20))


def test_the_same_trade_three_times_counts_once() -> None:
    """Trades are a set by id."""
    world = World()
    trade = world.make_trade(1, "20000", fees="0.37")
    assert [world.report(trade) for _ in range(3)] == [True, False, False]
    assert world.snapshot().totals.fees == Decimal("0.37")


def test_a_void_takes_a_trade_back_for_good() -> None:
    """Also when an older report of it comes after the void."""
    world = World()
    entry = world.make_trade(1, "20000")
    exit_ = world.make_trade(-1, "19000")
    for trade in (entry, exit_, evolve(exit_, voided=True), exit_):
        world.report(trade)
    assert world.snapshot().totals.realised == 0
    assert world.snapshot().contracts[MNQ.id].holding.ledger_net == 1


def test_a_missing_fee_is_the_last_one_and_flagged() -> None:
    """Unknown is not zero; the broker's figure replaces the estimate."""
    world = World()
    world.fill(2, "20000", fees="1.00")
    unpriced = world.fill(-2, "20000", fees=None)
    totals = world.snapshot().totals
    assert (totals.fees, totals.estimated) == (Decimal(2), True)
    world.report(evolve(unpriced, fees=Decimal("1.20")))
    totals = world.snapshot().totals
    assert (totals.fees, totals.estimated) == (Decimal("2.20"), False)


def test_without_any_fee_a_table_is_used() -> None:
    """The first fill of a day may come without its fee."""
    world = World()
    world.fill(2, "20000", fees=None)
    totals = world.snapshot().totals
    assert (totals.fees, totals.estimated) == (Decimal("0.74"), True)


def test_what_was_carried_in_counts_from_its_mark_at_the_start() -> None:
    """Yesterday's part of a loss is not lost again today, but the position shows all of it."""
    world = World()
    start = {MNQ.id: OpenAtStart(2, Decimal(19950), Decimal(20000))}
    world.state.restore_open_at_start(world.state.day, start, world.now, world.mono)
    world.hold(2, "20000")
    world.quote("19940", "19940.25")
    snapshot = world.snapshot()
    assert snapshot.contracts[MNQ.id].open == -240
    assert (snapshot.totals.open, snapshot.totals.realised, snapshot.net) == (
        Decimal(-40),
        Decimal(0),
        Decimal(-40),
    )
    world.fill(-2, "19930")
    assert world.snapshot().net == -80


def test_rows_that_close_lots_of_unknown_worth_count_the_brokers_profit() -> None:
    """Flagged as an estimate: there is nothing else to go by."""
    world = World()
    world.read(trades=(world.make_trade(-2, "20000", profit="-60"),))
    totals = world.snapshot().totals
    assert (totals.net, totals.estimated) == (Decimal(-60), True)


def test_an_unknown_contract_is_alerted_and_not_guessed() -> None:
    """Unknown is not zero: the size is guarded, the money is not, and that is said."""
    world = World(contracts=())
    world.fill(1, "20000")
    alerts = {alert.code: alert for alert in world.judge().alerts}
    assert alerts["contract_unknown"].critical
    world.state.apply_contract(MNQ)
    assert "contract_unknown" not in {alert.code for alert in world.judge().alerts}


def test_a_trade_of_16_59_59_cannot_leak_into_the_new_day() -> None:
    """A late trade of the old day moves what the new day began with, not its result."""
    world = World(CALENDAR.ends(World().state.day) - timedelta(seconds=1))
    world.read()
    late = world.make_trade(-1, "19000")
    world.fill(1, "20000")
    world.quote("19000", "19000.25")
    world.wait(2)
    rolled = world.state.roll_day(world.now, world.mono)
    assert rolled is not None
    assert rolled.summary.net == -2000
    world.report(late)
    world.hold(0)
    snapshot = world.snapshot()
    assert (snapshot.net, snapshot.pnl_waits) == (Decimal(0), False)


def test_a_trade_of_the_next_day_waits_for_it() -> None:
    """The broker's clock may be a moment ahead of ours."""
    world = World()
    tomorrow = world.make_trade(1, "20000", fees="1", at=world.state.day_ends)
    assert world.report(tomorrow)
    assert world.snapshot().net == 0
    world.wait((world.state.day_ends - NOON).total_seconds())
    world.state.roll_day(world.now, world.mono)
    assert world.snapshot().totals.fees == 1


def test_newest_lots_leave_first() -> None:
    """Lots only choose what to close."""
    lots = tuple(Lot(MNQ.id, NOON + timedelta(seconds=s), size) for s, size in ((0, 2), (1, 3)))
    assert [lot.size for lot in without_newest(lots, 1)] == [2, 2]
    assert [lot.size for lot in without_newest(lots, 4)] == [1]
    assert without_newest(lots, 9) == ()


# --- laws ------------------------------------------------------------------------------------

HALF_TURNS = st.lists(
    st.tuples(
        st.integers(-4, 4).filter(bool),
        st.integers(-40, 40),
        st.integers(0, 200),
        st.sampled_from([MNQ, NQ]),
        st.integers(0, 5),
    ),
    max_size=12,
)


def naive(trades: Sequence[Trade], mark: Fraction, point: Fraction) -> tuple[Fraction, Fraction]:
    """(net of the day, open) of one contract, lot by lot and in fractions."""
    cash = fees = Fraction(0)
    held: deque[Fraction] = deque()
    sign = 0
    for trade in sorted(trades, key=lambda t: (t.at, t.id)):
        price = Fraction(trade.price)
        cash -= trade.side.sign * trade.size * price
        fees += Fraction(trade.fees or 0)
        for _ in range(trade.size):
            if held and trade.side.sign != sign:
                average = sum(held, Fraction(0)) / len(held)
                held = deque([average] * (len(held) - 1))
            else:
                sign = trade.side.sign
                held.append(price)
    opened = sign * (mark * len(held) - sum(held, Fraction(0))) * point
    return (cash + sign * len(held) * mark) * point - fees, opened


@given(HALF_TURNS, st.randoms(use_true_random=False), st.data())
def test_the_ledger_is_a_function_of_the_set_of_trades(
    half_turns: list[tuple[int, int, int, object, int]], chance: object, data: st.DataObject
) -> None:
    """Duplicates, any order and voids: the figures are those of a naive recomputation."""
    world = World()
    trades = [
        world.make_trade(
            signed,
            str(20000 + Decimal(ticks) / 4),
            of,  # type: ignore[arg-type]
            fees=str(Decimal(cents) / 100),
            at=NOON + timedelta(seconds=second),
        )
        for signed, ticks, cents, of, second in half_turns
    ]
    voided = data.draw(st.sets(st.sampled_from([t.id for t in trades]))) if trades else set()
    stream = trades + [evolve(t, voided=True) for t in trades if t.id in voided]
    stream += [t for t in trades if t.id % 2]
    chance.shuffle(stream)  # type: ignore[attr-defined]
    for trade in stream:
        world.report(trade)
    for of in (MNQ, NQ):
        world.quote("20003", "20003", of)
    valid = [trade for trade in trades if trade.id not in voided]
    net = opened = Fraction(0)
    for of in (MNQ, NQ):
        mine = [trade for trade in valid if trade.contract_id == of.id]
        day, still = naive(mine, Fraction(20003), Fraction(of.point_value))
        net, opened = net + day, opened + still
    totals = world.snapshot().totals
    assert Fraction(totals.net) == net
    assert abs(Fraction(totals.open) - opened) < Fraction(1, 100_000)
    assert totals.net == totals.realised + totals.open - totals.fees
