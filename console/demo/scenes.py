"""The story: what each trader does, and what must come of it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import trio

from console.demo.cast import (
    BLOCKED,
    DAY_LOSS,
    GRACE_S,
    MAX_CONTRACTS,
    OPEN_LOSS,
    RULE_BOOK,
    TRADERS,
    Cast,
)
from console.demo.stage import PATIENCE, Stage

DANA, OSCAR, GINA = Cast.DANA.value, Cast.OSCAR.value, Cast.GINA.value
NORA, HUGO, TESS = Cast.NORA.value, Cast.HUGO.value, Cast.TESS.value

RESET = datetime(2026, 11, 17, 23, 0, tzinfo=UTC)
"""17:00 in Chicago, on a Tuesday."""
STOP_TICKS = 400
"""Distance of the traders' stops: far enough that only rules end a position here."""
QUOTES = 24
"""Prices set to measure how fast they reach the accounts."""
BETWEEN_ORDERS_S = 0.06
SLIDE_S = 0.7
DARK_S = 0.5
"""Real seconds that the network stays cut after the breach in the dark."""
MES_TICK = NQ_TICK = Decimal("0.25")
LAST_MINUTE = timedelta(seconds=75)
LAST_MINUTE_SPEED = 2.0
LAST_SECONDS = timedelta(seconds=1.7)
"""Before the reset; more than the session clock leaves between two looks."""

Scene = Callable[[Stage], Awaitable[None]]


async def opening(stage: Stage) -> None:
    """The rule book is told."""
    stage.scene("Six traders, one rule book")
    await stage.say("Seawall guards six accounts of a (simulated) prop firm, live from here on.")
    await stage.say(f"Their rules: {RULE_BOOK}.")


async def discipline(stage: Stage) -> None:
    """One trader keeps every rule, one forgets his stop."""
    stage.scene("One who keeps the rules, one who does not")
    await stage.desk.buy(DANA, 2, stop_ticks=STOP_TICKS)
    await stage.holds(DANA, 2)
    await stage.say("Dana buys 2 MES with a stop. Within every rule: nobody will touch her.")
    await stage.desk.buy(NORA, 3)
    await stage.holds(NORA, 3)
    await stage.say(f"Nora buys 3 M2K without a stop. She has {GRACE_S} s to set one.")


async def too_big(stage: Stage) -> None:
    """Max contracts: only what is too much is closed."""
    stage.scene("Too big")
    await stage.say(f"Oscar buys 8 MNQ. His limit is {MAX_CONTRACTS} contracts.")
    buys = stage.desk.buy(OSCAR, 8, stop_ticks=STOP_TICKS)
    await stage.breaks_a_rule(OSCAR, buys, leaves=MAX_CONTRACTS)
    await stage.say("The 3 too many are sold at once; the 5 he may have stay his.")


async def gold(stage: Stage) -> None:
    """Symbol block: closed, and the order beside it cancelled."""
    stage.scene("The wrong market")
    await stage.say(f"Gina buys gold. {BLOCKED} is blocked for her.")
    await stage.breaks_a_rule(GINA, stage.desk.buy(GINA, 1, stop_ticks=STOP_TICKS), leaves=0)
    await stage.say("Closed, and the stop order she left behind is taken back.")


async def against_him(stage: Stage) -> None:
    """Unrealized loss: one position is closed, the account goes on."""
    stage.scene("Hope")
    await stage.desk.buy(HUGO, 2, stop_ticks=STOP_TICKS)
    await stage.holds(HUGO, 2)
    await stage.say("Hugo holds 2 CL. Oil falls; he hopes.")
    contract = stage.desk.contracts[HUGO.root]
    await stage.control.slide(contract, await _bid(stage, contract) - Decimal("0.25"), SLIDE_S)
    await stage.holds(HUGO, 0)
    await stage.desk.tidy(HUGO)
    await stage.say(f"At ${OPEN_LOSS} under water the position is closed. Hugo may trade on.")


async def no_stop(stage: Stage) -> None:
    """No stop loss: closed when the grace is over."""
    stage.scene("No stop, no position")
    await stage.holds(NORA, 0)
    await stage.say(f"{GRACE_S} s have passed, Nora has set no stop: her 3 M2K are closed.")


async def tilt(stage: Stage) -> None:
    """Daily loss: flatten, cancel, lock; and again when she tries again."""
    stage.scene("Tilt")
    contract = stage.desk.contracts[TESS.root]
    bid = await _bid(stage, contract)
    await stage.desk.buy(TESS, 2, stop_ticks=STOP_TICKS)
    await stage.desk.rest_bid(TESS, 1, bid - 60)
    await stage.holds(TESS, 2)
    await stage.say("Tess holds 2 NQ and bids for more below. NQ falls 25 points at one blow.")
    await stage.control.quote(contract, bid - 25, bid - 25 + NQ_TICK)
    await stage.until(f"{TESS.account} is locked", lambda: _locked(stage))
    await stage.holds(TESS, 0)
    await stage.check_locked_are_flat()
    await stage.say(f"More than ${DAY_LOSS} lost: flat, her orders cancelled, locked until 17:00.")
    for attempt in ("She wants it back and buys 1 NQ.", "And again."):
        await stage.breaks_a_rule(TESS, stage.desk.buy(TESS, 1), leaves=0)
        await stage.check_locked_are_flat()
        await stage.say(f"{attempt} Closed on sight: she is locked.")


async def prices(stage: Stage) -> None:
    """Quote to P&L, measured; and many fills in a row."""
    stage.scene("A busy minute")
    contract = stage.desk.contracts[DANA.root]
    bid = await _bid(stage, contract)
    for n in range(QUOTES):
        await _one_price(stage, contract, bid + MES_TICK * (1 + n % 4))
    await stage.say(f"{QUOTES} prices of Dana's MES, each timed until her account shows its P&L.")
    for _ in range(stage.pace.volley):
        await stage.breaks_a_rule(OSCAR, stage.desk.buy(OSCAR, 3), leaves=MAX_CONTRACTS)
        await trio.sleep(BETWEEN_ORDERS_S)
    await stage.say(
        f"{stage.pace.volley} times Oscar buys 3 more, {stage.pace.volley} times they go."
    )


async def _one_price(stage: Stage, contract: str, bid: Decimal) -> None:
    # From her entry and not from what is shown: the price may move while both are looked at.
    wanted = (await stage.truth()).accounts[DANA.account].holdings[contract].open_at(bid)

    def arrived() -> bool:
        now = stage.account(DANA)
        return now is not None and now.open == wanted

    asked = trio.current_time()
    await stage.control.quote(contract, bid, bid + MES_TICK)
    if await stage.until(f"a price in the P&L of {DANA.account}", arrived):
        stage.noted.quotes_ms.append((trio.current_time() - asked) * 1000)


async def time_flies(stage: Stage) -> None:
    """To the last minute of the trading day."""
    stage.scene("A quarter of an hour flies by")
    await stage.rush(RESET - LAST_MINUTE, LAST_MINUTE_SPEED)


async def network(stage: Stage) -> None:
    """The network is cut, a rule is broken in the dark, and found when it is back."""
    stage.scene("The network is cut")
    await stage.control.cut_network()
    await stage.until("the cut is noticed", lambda: not _anybody_live(stage))
    await stage.say("Both hubs are gone: Seawall hears nothing, and shows that it does not.")
    before = len(stage.of(OSCAR))
    await stage.desk.buy(OSCAR, 4)
    await stage.say("In the dark, Oscar buys 4 more MNQ.")
    await trio.sleep(DARK_S)
    await stage.control.restore_network()
    await _all_back(stage, trio.current_time())
    await stage.answered(OSCAR, before)
    await stage.holds(OSCAR, MAX_CONTRACTS)
    await stage.say("It is back: every account is read anew, Oscar's 4 are found and sold.")


async def _all_back(stage: Stage, restored: float) -> None:
    waiting = {each.account for each in TRADERS}

    def back() -> bool:
        picture = stage.picture()
        shown = {} if picture is None else picture.accounts
        for name in [each for each in waiting if each in shown and shown[each].live]:
            waiting.discard(name)
            stage.noted.reconciled_s.append(trio.current_time() - restored)
        return not waiting

    await stage.until("every account is live again", back, within=2 * PATIENCE)


async def a_fall(stage: Stage) -> None:
    """An actor is killed while its trader breaks a rule."""
    stage.scene("A part of Seawall is killed")
    await stage.say(
        "Each account is guarded by actors of its own. Gina's is killed, she buys gold."
    )
    before = len(stage.of(GINA))
    stage.kill(GINA, "account", "killed by the demo")
    await stage.desk.buy(GINA, 1)
    await stage.answered(GINA, before)
    await stage.holds(GINA, 0)
    await stage.say("Restarted, rebuilt from journal and broker, gold found and closed.")


async def day_ends(stage: Stage) -> None:
    """17:00 in Chicago: the day's figures are compared with the exchange, then they begin anew."""
    stage.scene("17:00 in Chicago")
    await stage.stop_prices()
    agreed = await stage.check_agreement()
    await stage.check_locked_are_flat()
    await stage.close_the_day()
    if agreed:
        await stage.say("Every position and every dollar agree with the exchange. The day ends.")
    await stage.rush(RESET - LAST_SECONDS, 1)
    await stage.until("the daily reset", lambda: _offset(stage) is not None, within=2 * PATIENCE)
    stage.noted.reset_offset_s = _offset(stage)
    await stage.until("every lock ended", lambda: not _locked(stage))
    await stage.say("A new trading day: P&L counts from zero, Tess's lock is over.")


async def new_day(stage: Stage) -> None:
    """Trading goes on, within the rules."""
    before = len(stage.noted.enforcements)
    await stage.desk.buy(TESS, 1, stop_ticks=STOP_TICKS)
    await stage.holds(TESS, 1)
    await stage.say("Tess buys 1 NQ with a stop, within the rules, and is left alone.")
    await stage.check_agreement()
    await stage.check_untouched(DANA, orders=2)
    for each in stage.noted.enforcements[before:]:
        stage.wrong(f"{each.account} was touched after the reset without a breach")


async def _bid(stage: Stage, contract: str) -> Decimal:
    return Decimal(str((await stage.control.state())["quotes"][contract]["bid"]))


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
    against_him,
    no_stop,
    tilt,
    prices,
    time_flies,
    network,
    a_fall,
    day_ends,
    new_day,
)
"""The scenes in order."""
