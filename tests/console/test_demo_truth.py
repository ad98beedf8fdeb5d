"""How the demo holds the daemon's picture against the exchange's truth."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import evolve

from console.demo.picture import AccountShown, LockShown, Picture
from console.demo.truth import Truth, disagreements, locked_but_open, truth_of

NQ = "CON.F.US.ENQ.Z26"
POINT_VALUES = {NQ: Decimal(20)}
BEFORE = {"TESS-50K": Decimal(50_000)}
LOCK = LockShown("daily_loss", datetime(2026, 11, 17, 23, tzinfo=UTC))


def state(*, size: int, kind: int = 1, balance: float = 49_990.0) -> dict[str, Any]:
    held = [{"contractId": NQ, "type": kind, "size": size, "averagePrice": 25_000.0}]
    account = {
        "name": "TESS-50K",
        "balance": balance,
        "positions": held if size else [],
        "orders": [{"id": 9001}, {"id": 9002}],
    }
    return {"accounts": [account], "quotes": {NQ: {"bid": 25_001.0, "ask": 25_001.25}}}


def truth(**of: Any) -> Truth:
    return truth_of(state(**of), POINT_VALUES)


def picture(*, net: str, held: int, locks: tuple[LockShown, ...] = ()) -> Picture:
    shown = AccountShown(
        name="TESS-50K",
        phase="live",
        net=Decimal(net),
        realised=Decimal(0),
        open=Decimal(0),
        positions={NQ: held} if held else {},
        working_orders=0,
        locks=locks,
    )
    return Picture({"TESS-50K": shown}, user_hub=True, market_hub=True, reset_offset_s=None)


def test_a_long_is_worth_the_bid_and_a_short_the_ask() -> None:
    """Equity is the balance and what closing now would bring, in dollars."""
    assert truth(size=2).accounts["TESS-50K"].equity == Decimal(49_990 + 2 * 20)
    assert truth(size=2, kind=2).accounts["TESS-50K"].equity == Decimal(49_990 - 50)


def test_a_price_tells_what_a_position_is_worth_whatever_the_market_says() -> None:
    """The open P&L at a price yet to come: from the entry, signed, in dollars."""
    (short,) = truth(size=2, kind=2).accounts["TESS-50K"].holdings.values()
    assert short.open_at(Decimal(25_001)) == Decimal(-40)


def test_agreement_is_silence() -> None:
    """Same positions, same net of the day: nothing to say."""
    assert disagreements(picture(net="30.00", held=2), truth(size=2), BEFORE) == ()


def test_a_position_the_daemon_does_not_see_is_named() -> None:
    """Both sides of the story are in the sentence."""
    (sentence,) = disagreements(picture(net="30", held=3), truth(size=2), BEFORE)
    assert "the daemon believes" in sentence
    assert "3" in sentence
    assert "2" in sentence


def test_a_cent_of_net_profit_and_loss_counts() -> None:
    """The day's net must be the exchange's to the cent."""
    (sentence,) = disagreements(picture(net="29.99", held=2), truth(size=2), BEFORE)
    assert sentence == "TESS-50K: the daemon's net is 29.99, the exchange's 30.00"


def test_an_account_without_a_picture_is_a_disagreement() -> None:
    """An actor that is down agrees with nothing."""
    empty = evolve(picture(net="0", held=0), accounts={})
    (sentence,) = disagreements(empty, truth(size=0), BEFORE)
    assert sentence == "TESS-50K is not in the daemon's picture"


def test_who_is_locked_must_be_flat_at_the_exchange() -> None:
    """Whatever the daemon believes: the exchange decides."""
    locked = picture(net="0", held=0, locks=(LOCK,))
    assert locked_but_open(locked, truth(size=0)) == ()
    (sentence,) = locked_but_open(locked, truth(size=1))
    assert sentence.startswith("TESS-50K is locked but holds")
    assert locked_but_open(picture(net="0", held=1), truth(size=1)) == ()
