"""What the balance says about trades that nobody told us of."""

from datetime import UTC, datetime
from decimal import Decimal

from risk.books import Books
from risk.domain import BrokerAccount
from tests.risk.world import ACCOUNT_ID, World


def told(world: World, balance: str) -> None:
    """The broker tells a balance."""
    world.state.apply_account(
        BrokerAccount(ACCOUNT_ID, "50KTC-A", Decimal(balance), can_trade=True)
    )


def test_known_trades_explain_the_balance_they_move() -> None:
    """Profit and fees together, whichever comes first."""
    world, books = World(), Books()
    told(world, "50000")
    assert books.moved(world.state) == 0
    world.fill(1, "20000", fees="0.50")
    told(world, "49999.50")
    assert books.moved(world.state) == 0


def test_a_loss_nobody_told_of_is_told_by_the_balance_until_all_trades_were_read() -> None:
    """Also when other trades moved it since; what no trade explains then is told no more."""
    world, books = World(), Books()
    told(world, "50000")
    books.moved(world.state)
    world.fill(1, "20000", fees="0.50")
    told(world, "49899.25")
    assert books.moved(world.state) == Decimal("-100.25")
    assert books.moved(world.state) == Decimal("-100.25")
    books.read()
    assert books.moved(world.state) == 0
    assert books.moved(world.state) == 0
    told(world, "49899.24")
    assert books.moved(world.state) == Decimal("-0.01")


def test_a_new_day_and_an_unknown_fee_prove_nothing() -> None:
    """The first says nothing of the trades before; the second is not known yet."""
    world, books = World(), Books()
    told(world, "50000")
    books.moved(world.state)
    world.fill(1, "20000", fees="0.50")
    told(world, "40000")
    world.now = datetime(2026, 11, 20, 18, tzinfo=UTC)
    world.state.roll_day(world.now, world.mono)
    assert books.moved(world.state) == 0
    world.fill(1, "20000", fees=None)
    told(world, "30000")
    assert books.moved(world.state) == 0


def test_what_no_trade_explains_is_a_drift_told_once_above_a_dollar() -> None:
    """A payout, a correction: and what comes back by itself was none."""
    world, books = World(), Books()
    told(world, "50000")
    books.moved(world.state)
    for balance, drift in (
        ("49999.00", "0"),
        ("49998.99", "-1.01"),
        ("48998.99", "-1000"),
        ("48900.00", "-98.99"),
    ):
        told(world, balance)
        books.read()
        books.moved(world.state)
        assert books.take_drift() == Decimal(drift)
        assert books.take_drift() == 0
    told(world, "40000")
    books.read()
    books.moved(world.state)
    told(world, "48900.00")
    books.read()
    books.moved(world.state)
    assert books.take_drift() == 0
