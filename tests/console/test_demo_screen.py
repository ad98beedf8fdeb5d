"""The demo's screen: one drawing must tell a stranger what is going on, within its terminal."""

import io
from datetime import UTC, datetime
from decimal import Decimal

from attrs import evolve
from rich.console import Console

from console.demo.cast import TRADERS
from console.demo.chronicle import Deed, Kind, Told
from console.demo.picture import AccountShown, LockShown, Picture
from console.demo.screen import COLUMNS, ROWS, Scenery, draw

NOON = datetime(2026, 11, 17, 18, 0, tzinfo=UTC)
RESET = datetime(2026, 11, 17, 23, 0, tzinfo=UTC)


def shown(name: str) -> AccountShown:
    return AccountShown(name, "live", Decimal(0), Decimal(0), Decimal(0), {}, 0, ())


def picture(*changed: AccountShown) -> Picture:
    accounts = {each.account: shown(each.account) for each in TRADERS}
    accounts |= {each.name: each for each in changed}
    return Picture(accounts, user_hub=True, market_hub=True, reset_offset_s=None)


def lines(seen: Picture | None, *told: Told) -> list[str]:
    console = Console(width=COLUMNS, height=ROWS, file=io.StringIO(), force_terminal=False)
    with console.capture() as capture:
        console.print(draw(Scenery(NOON, 8, seen, {"CON.F.US.ENQ.Z26": "NQ"}, told)), end="")
    return capture.get().splitlines()


def test_a_drawing_fills_its_terminal_and_no_more() -> None:
    """Also while nothing is known yet, and with more said than fits."""
    many = [Told(NOON, Kind.SENTENCE, "word " * 60) for _ in range(20)]
    many += [Told(NOON, Kind.ENFORCED, Deed("A", "b", "c", "why " * 90)) for _ in range(50)]
    for drawing in (lines(None), lines(picture()), lines(picture(), *many)):
        assert len(drawing) == ROWS
        assert {len(line) for line in drawing} == {COLUMNS}


def test_the_clock_is_chicagos() -> None:
    """The trading day ends at 17:00 there, so that is the time that is shown."""
    assert "Tuesday 12:00:00 in Chicago, time x8" in lines(picture())[0]


def test_a_locked_account_says_until_when_in_words() -> None:
    """Colour alone never says it."""
    tess = evolve(
        shown("TESS-50K"), net=Decimal("-1012.8"), locks=(LockShown("daily_loss", RESET),)
    )
    drawing = "\n".join(lines(picture(tess)))
    assert "LOCKED until 17:00" in drawing
    assert "day -1,012.80" in drawing
    assert " 0 to lose" in drawing


def test_positions_are_called_by_their_names() -> None:
    """NQ, not CON.F.US.ENQ.Z26."""
    tess = evolve(shown("TESS-50K"), positions={"CON.F.US.ENQ.Z26": -2}, working_orders=1)
    assert "-2 NQ   1 order working" in "\n".join(lines(picture(tess)))


def test_a_cut_network_is_said_in_words() -> None:
    """In the heading, and at each account that is not guarded meanwhile."""
    cut = evolve(picture(evolve(shown("DANA-50K"), phase="waiting")), user_hub=False)
    drawing = lines(cut)
    assert "orders CUT OFF" in drawing[0]
    assert "NOT GUARDED" in "\n".join(drawing)


def test_an_actor_that_is_down_is_shown_as_down() -> None:
    """Between its fall and its next life an account has no figures."""
    accounts = dict(picture().accounts)
    del accounts["GINA-50K"]
    assert "its actor is down" in "\n".join(lines(evolve(picture(), accounts=accounts)))


def test_the_scene_its_newest_sentence_and_the_newest_deed_are_there() -> None:
    """What happens, what was done, how fast, and why."""
    told = (
        Told(NOON, Kind.SCENE, "Too big"),
        Told(NOON, Kind.SENTENCE, "Oscar buys 8 MNQ."),
        Told(NOON, Kind.ENFORCED, Deed("OSCAR-50K", "reduce MNQ to 5", "12 ms", "8 > 5")),
        Told(NOON, Kind.PROBLEM, "something is not as it must be"),
    )
    drawing = "\n".join(lines(picture(), *told))
    for words in ("Too big", "Oscar buys 8 MNQ.", "reduce MNQ to 5", "12 ms", "8 > 5"):
        assert words in drawing
    assert "WRONG" in drawing
