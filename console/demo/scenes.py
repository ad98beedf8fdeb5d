"""The story: what each trader does, and what must come of it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import trio

from console.demo.cast import BLOCKED, DAY_LOSS, GRACE_S, MAX_CONTRACTS, OPEN_LOSS, RULE_BOOK, Cast
from console.demo.stage import PATIENCE, Stage

DANA, OSCAR, GINA = Cast.DANA.value, Cast.OSCAR.value, Cast.GINA.value
NORA, HUGO, TESS = Cast.NORA.value, Cast.HUGO.value, Cast.TESS.value

RESET = datetime(2026, 11, 17, 23, 0, tzinfo=UTC)
"""17:00 in Chicago, on a Tuesday."""
STOP_TICKS = 400
"""Distance of the traders' stops: far enough that only rules end a position here."""
QUOTES = 24
"""Prices set to measure how fast they reach the accounts."""
CUT_S = 1.0
"""Real seconds that the network stays cut after the breach in the dark."""

Scene = Callable[[Stage], Awaitable[None]]


async def opening(stage: Stage) -> None:
    """The accounts become live; the rule book is told."""
    stage.scene("Six traders, one rule book")
    await stage.say(f"Seawall guards six accounts. The rules: {RULE_BOOK}.")


async def discipline(stage: Stage) -> None:
    """One trader keeps every rule, one forgets his stop."""
    stage.scene("A trader who keeps the rules, and one who does not")
    await stage.desk.buy(DANA, 2, stop_ticks=STOP_TICKS)
    await stage.holds(DANA, 2)
    await stage.say("Dana buys 2 MES with a stop. That is within every rule: nobody touches it.")
    await stage.desk.buy(NORA, 3)
    await stage.holds(NORA, 3)
    await stage.say(f"Nora buys 3 M2K without a stop. From now on she has {GRACE_S} s to set one.")


async def too_big(stage: Stage) -> None:
    """Max contracts: only what is too much is closed."""
    stage.scene("Too big")
    buys = stage.desk.buy(OSCAR, 8, stop_ticks=STOP_TICKS)
    await stage.breaks_a_rule(OSCAR, buys, leaves=MAX_CONTRACTS)
    await stage.say(f"Oscar bought 8 MNQ; his limit is {MAX_CONTRACTS}. The 3 too many are sold.")


async def gold(stage: Stage) -> None:
    """Symbol block: closed, and the order beside it cancelled."""
    stage.scene("An instrument he must not trade")
    await stage.breaks_a_rule(GINA, stage.desk.buy(GINA, 1, stop_ticks=STOP_TICKS), leaves=0)
    await stage.say(
        f"Gina bought gold. {BLOCKED} is blocked: closed, and her stop order taken back."
    )


async def no_stop(stage: Stage) -> None:
    """No stop loss: closed when the grace is over."""
    stage.scene("The time without a stop is over")
    await stage.holds(NORA, 0)
    await stage.say(f"{GRACE_S} s without a stop have passed: Nora's 3 M2K are closed.")


async def against_him(stage: Stage) -> None:
    """Unrealized loss: one position is closed, the account goes on."""
    stage.scene("Hope is not a plan")
    await stage.desk.buy(HUGO, 2, stop_ticks=STOP_TICKS)
    await stage.holds(HUGO, 2)
    await stage.say("Hugo holds 2 CL, and oil begins to fall. He hopes.")
    contract = stage.desk.contracts[HUGO.root]
    quote = (await stage.control.state())["quotes"][contract]
    await stage.control.slide(contract, Decimal(str(quote["bid"])) - Decimal("0.25"), 1.0)
    await stage.holds(HUGO, 0)
    await stage.desk.tidy(HUGO)
    await stage.say(f"At ${OPEN_LOSS} under water the position is closed. Hugo may trade on.")


async def tilt(stage: Stage) -> None:
    """Daily loss: flatten, cancel, lock; and again when she tries again."""
    stage.scene("Tilt")
    contract = stage.desk.contracts[TESS.root]
    bid = Decimal(str((await stage.control.state())["quotes"][contract]["bid"]))
    await stage.desk.buy(TESS, 2, stop_ticks=STOP_TICKS)
    await stage.desk.rest_bid(TESS, 1, bid - 60)
    await stage.holds(TESS, 2)
    await stage.say(
        "Tess holds 2 NQ and bids for more below. Then the market falls 25 points at once."
    )
    await stage.control.quote(contract, bid - 25, bid - 25 + Decimal("0.25"))
    await stage.until("TESS-50K is locked", lambda: _locked(stage))
    await stage.holds(TESS, 0)
    await stage.check_locked_are_flat()
    await stage.say(
        f"More than ${DAY_LOSS} lost today: flat, her bid cancelled, locked until 17:00."
    )
    for attempt in ("She wants it back: 1 NQ.", "And again."):
        await stage.breaks_a_rule(TESS, stage.desk.buy(TESS, 1), leaves=0)
        await stage.check_locked_are_flat()
        await stage.say(f"{attempt} Closed at once: she is locked.")


async def prices(stage: Stage) -> None:
    """Quote to P&L, measured; and many fills in a row."""
    stage.scene("Prices move, orders rain")
    contract, tick = stage.desk.contracts[DANA.root], Decimal("0.25")
    bid = Decimal(str((await stage.control.state())["quotes"][contract]["bid"]))
    for n in range(QUOTES):
        await _one_price(stage, contract, bid + tick * (1 + n % 4), tick)
    await stage.say(f"{QUOTES} prices of Dana's MES, each timed until her account shows its P&L.")
    for _ in range(stage.pace.volley):
        await stage.breaks_a_rule(OSCAR, stage.desk.buy(OSCAR, 3), leaves=MAX_CONTRACTS)
    await stage.say(f"Oscar tries {stage.pace.volley} times to be bigger than {MAX_CONTRACTS}. No.")


async def _one_price(stage: Stage, contract: str, bid: Decimal, tick: Decimal) -> None:
    shown = stage.account(DANA)
    quote = (await stage.control.state())["quotes"][contract]
    if shown is None:
        return
    moved = (bid - Decimal(str(quote["bid"]))) * 2 * stage.point_value(DANA)
    asked = trio.current_time()
    await stage.control.quote(contract, bid, bid + tick)
    wanted = shown.open + moved

    def arrived() -> bool:
        now = stage.account(DANA)
        return now is not None and now.open == wanted

    if await stage.until("a price in DANA-50K's P&L", arrived):
        stage.noted.quotes_ms.append((trio.current_time() - asked) * 1000)


async def time_flies(stage: Stage) -> None:
    """To the last minutes of the trading day, if it is not there yet."""
    if RESET - stage.now() > timedelta(minutes=4):
        stage.scene("A quarter of an hour passes")
        await stage.rush(RESET - timedelta(seconds=110), 3.0, stage.pace.speed)


async def network(stage: Stage) -> None:
    """The network is cut, a rule is broken in the dark, and found when it is back."""
    stage.scene("The network is cut")
    await stage.control.cut_network()
    await stage.until("the cut is noticed", lambda: not _anybody_live(stage))
    await stage.say("Both hubs are gone: Seawall hears nothing, and says so.")
    before = len(stage.of(OSCAR))
    await stage.desk.buy(OSCAR, 4)
    await stage.say("In the dark, Oscar buys 4 more MNQ.")
    await trio.sleep(CUT_S)
    await stage.control.restore_network()
    await _all_back(stage, trio.current_time())
    await stage.answered(OSCAR, before)
    await stage.holds(OSCAR, MAX_CONTRACTS)
    await stage.say(
        "The network is back: every account is read again, Oscar's 4 are found and sold."
    )


async def _all_back(stage: Stage, restored: float) -> None:
    waiting = {each.value.account for each in Cast}
    with trio.move_on_after(2 * PATIENCE):
        while waiting:
            await trio.sleep(0.002)
            picture = stage.picture()
            for name in sorted(waiting):
                shown = None if picture is None else picture.accounts.get(name)
                if shown is not None and shown.live:
                    waiting.discard(name)
                    stage.noted.reconciled_s.append(trio.current_time() - restored)
    for name in sorted(waiting):
        stage.wrong(f"{name} was not live within {2 * PATIENCE:g} s after the network came back")


async def a_fall(stage: Stage) -> None:
    """An actor is killed while its trader breaks a rule."""
    stage.scene("A part of Seawall is killed")
    before = len(stage.of(GINA))
    stage.kill(GINA, "account", "killed by the demo")
    await stage.desk.buy(GINA, 1)
    await stage.answered(GINA, before)
    await stage.holds(GINA, 0)
    await stage.say(
        "The actor that guards Gina was killed just as she bought gold again. It was restarted, "
        "rebuilt from journal and broker, and closed it. The others did not notice."
    )


async def day_ends(stage: Stage) -> None:
    """17:00 in Chicago: the day's figures are compared with the exchange, then they begin anew."""
    stage.scene("17:00 in Chicago")
    await stage.stop_prices()
    await stage.check_agreement()
    await stage.check_locked_are_flat()
    left = (RESET - timedelta(seconds=2) - stage.now()) / timedelta(seconds=1)
    await stage.close_the_day()
    await trio.sleep(max(left, 0) / stage.pace.speed)
    await stage.run_clock(1)
    await stage.until("the daily reset", lambda: _offset(stage) is not None, within=2 * PATIENCE)
    stage.noted.reset_offset_s = _offset(stage)
    await stage.until("every lock ended", lambda: not _locked(stage))
    await stage.say("A new trading day: P&L counts from zero, Tess's lock is over.")


async def new_day(stage: Stage) -> None:
    """Trading goes on, within the rules."""
    before = len(stage.noted.enforcements)
    await stage.desk.buy(TESS, 1, stop_ticks=STOP_TICKS)
    await stage.holds(TESS, 1)
    await stage.say("Tess buys 1 NQ with a stop, within the rules: she is left alone.")
    await stage.check_agreement()
    for each in stage.noted.enforcements[before:]:
        stage.wrong(f"{each.account} was touched after the reset without a breach")


def _locked(stage: Stage) -> bool:
    shown = stage.account(TESS)
    return shown is not None and bool(shown.locks)


def _anybody_live(stage: Stage) -> bool:
    picture = stage.picture()
    return picture is None or any(each.live for each in picture.accounts.values())


def _offset(stage: Stage) -> float | None:
    picture = stage.picture()
    return None if picture is None else picture.reset_offset_s


STORY: tuple[Scene, ...] = (
    opening,
    discipline,
    too_big,
    gold,
    no_stop,
    against_him,
    tilt,
    prices,
    time_flies,
    network,
    a_fall,
    day_ends,
    new_day,
)
"""The scenes in order."""
