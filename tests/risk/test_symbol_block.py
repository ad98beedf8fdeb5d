"""``symbol_block``: exact roots, whatever the broker calls the contract."""

import pytest

from risk.domain import OrderType
from risk.rules import SymbolBlock, Trigger
from risk.verdict import Cancel, Close
from tests.risk.world import ES, GC, MNQ, NQ, World


def test_a_blocked_position_is_closed() -> None:
    """The root decides, in any case."""
    world = World()
    world.fill(1, "4000", GC)
    verdict = world.judge(SymbolBlock(symbols=("gc",)), trigger=Trigger.POSITION)
    assert verdict.plan == (Close(GC.id),)


def test_symbols_are_not_compared_with_contract_ids() -> None:
    """Mistake of earlier systems: NQ is ENQ in the contract id of the live system."""
    world = World()
    world.fill(1, "20000", NQ)
    assert world.judge(SymbolBlock(symbols=("NQ",))).plan == (Close(NQ.id),)


def test_the_root_is_matched_exactly() -> None:
    """NQ does not mean MNQ."""
    world = World()
    world.fill(1, "20000", MNQ)
    assert world.judge(SymbolBlock(symbols=("NQ",))).plan == ()


def test_only_blocks_everything_else() -> None:
    """The other way to say it."""
    world = World()
    world.fill(1, "20000", MNQ)
    world.fill(1, "5000", ES)
    assert world.judge(SymbolBlock(only=("MNQ",))).plan == (Close(ES.id),)


def test_working_orders_are_cancelled_but_a_stop_stays_until_flat() -> None:
    """Cancelling the stop first would leave the position naked if the close were refused."""
    world = World()
    world.fill(1, "4000", GC)
    entry = world.place(world.make_order(1, of=GC))
    world.place(world.make_order(-1, OrderType.STOP, GC))
    verdict = world.judge(SymbolBlock(symbols=("GC",)))
    assert verdict.plan == (Cancel(entry.id, GC.id), Close(GC.id))


def test_a_stop_stays_while_only_the_trade_has_told_of_its_position() -> None:
    """The position event comes later, or was lost: the stop protects what is held all the same."""
    world = World()
    world.report(world.make_trade(1, "4000", GC))
    world.place(world.make_order(-1, OrderType.STOP, GC))
    assert world.judge(SymbolBlock(symbols=("GC",)), trigger=Trigger.ORDER).plan == ()
    world.hold(1, "4000", GC)
    assert world.judge(SymbolBlock(symbols=("GC",))).plan == (Close(GC.id),)


def test_an_entry_order_alone_is_cancelled() -> None:
    """Nothing has to fill before it is a breach."""
    world = World()
    entry = world.place(world.make_order(1, of=GC))
    verdict = world.judge(SymbolBlock(symbols=("GC",)), trigger=Trigger.ORDER)
    assert verdict.plan == (Cancel(entry.id, GC.id),)


@pytest.mark.parametrize("symbol", ["MNQQ", "ENQ", "CON.F.US.MNQ.Z26", ""])
def test_a_symbol_that_is_no_root_is_an_error(symbol: str) -> None:
    """A typing error must not leave an instrument open."""
    with pytest.raises(ValueError, match="is no known root"):
        SymbolBlock(symbols=(symbol,))


def test_symbols_and_only_exclude_each_other() -> None:
    """Both, or neither, say nothing clear."""
    with pytest.raises(ValueError, match="exactly one"):
        SymbolBlock(symbols=("GC",), only=("ES",))
    with pytest.raises(ValueError, match="exactly one"):
        SymbolBlock()
