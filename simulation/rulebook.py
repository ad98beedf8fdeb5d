"""Rules of a simulated account, written in one line of text.

``max_contracts=5 daily_loss=1000 unrealized_loss=400 symbol_block=GC,SI no_stop_loss=90``. An option
follows after a colon: ``max_contracts=3:mini_equivalent``, ``daily_loss=500:realised``,
``unrealized_loss=600:total``, ``symbol_block=MNQ,MES:only``, ``no_stop_loss=60:uncovered``. Others
have a limit alone: ``daily_profit=600 weekly_loss=700 trailing_drawdown=900 unrealized_profit=300
max_risk_per_trade=200``.
``daily_profit=300:give_back/60`` keeps 60 percent of a best from 300 on.
``consistency=40:49900`` locks at 40 percent of all that was earned since a starting balance of 49,900.
``connection_loss`` has no limit. Pauses are in seconds after a loss in dollars, with an option after so
many losses in a row: ``cooldown_after_loss=100/300,200/900:3/600``;
``trade_frequency=2/minute,10/hour,20/session``.

Limits by root are ``max_contracts_per_instrument=MNQ/3,ES/1``; of other roots nothing (``:block``) or so
many of each (``:2``).

``scaling_plan=0/2,50000/5`` allows two contracts, from a balance of 50,000 on five (``:mini_equivalent``).

Times of day are in Chicago, without their colon: ``flat_by=1510/180`` is flat 180 seconds before 15:10.
``session=0830-1500,1600-1700,MNQ/0900-1100:60/mon+wed`` closes 60 seconds before the end of its ranges, of
which MNQ has its own, and is for these trading days. ``news_blackout=20261118T150500Z/300/MNQ+MES`` are
five minutes, in UTC, in which these must be flat; without products it is the account.
"""

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Literal

from risk.past import Seed
from risk.rules import Rule
from risk.rules.connection_loss import ConnectionLoss
from risk.rules.consistency import Consistency
from risk.rules.cooldown_after_loss import CooldownAfterLoss, Streak, Tier
from risk.rules.daily_loss import DailyLoss
from risk.rules.daily_profit import DailyProfit
from risk.rules.flat_by import FlatBy
from risk.rules.max_contracts import MaxContracts
from risk.rules.max_contracts_per_instrument import MaxContractsPerInstrument
from risk.rules.max_risk_per_trade import MaxRiskPerTrade
from risk.rules.news_blackout import Event, News, NewsBlackout
from risk.rules.no_stop_loss import NoStopLoss
from risk.rules.scaling_plan import ScalingPlan, Step
from risk.rules.session import Session
from risk.rules.symbol_block import SymbolBlock
from risk.rules.trade_frequency import TradeFrequency
from risk.rules.trailing_drawdown import TrailingDrawdown
from risk.rules.unrealized_loss import UnrealizedLoss
from risk.rules.unrealized_profit import UnrealizedProfit
from risk.rules.weekly_loss import WeeklyLoss
from simulation.hours import NEWS, SESSION, WEEKDAYS
from simulation.timetable import TIMED


def rules_of(text: str) -> tuple[Rule, ...]:
    """The rules; ValueError for what is none of them."""
    return tuple(_rule(*_split(part)) for part in text.split())


def seed_of(text: str) -> Seed | None:
    """What the operator says of the days before; None when no rule asks for it."""
    for name, _, option in map(_split, text.split()):
        if name == "consistency":
            return Seed(starting_balance=Decimal(option))
    return None


def _split(part: str) -> tuple[str, str, str]:
    name, _, value = part.partition("=")
    value, _, option = value.partition(":")
    return name, value, option


def _pairs(text: str) -> list[tuple[str, str]]:
    """``1/a,2/b`` as pairs."""
    return [(it.partition("/")[0], it.partition("/")[2]) for it in text.split(",") if it]


def _seconds(text: str) -> timedelta:
    return timedelta(seconds=float(text))


def _time(text: str) -> time:
    """Of day, such as ``1510``."""
    return time(int(text[:-2]), int(text[-2:]))


def _session(value: str, option: str) -> Session:
    """Ranges for all, or ``root/range``; the margin in seconds, and days if not all."""
    own: dict[str, list[str]] = {}
    for range_, of_root in _pairs(value):
        root, text = (range_, of_root) if of_root else ("", range_)
        start, end = map(_time, text.split("-"))
        own.setdefault(root, []).append(f"{start:%H:%M}-{end:%H:%M}")
    margin, _, days = option.partition("/")
    return Session(
        times=tuple(own.pop("", ())),
        by_root={root: tuple(ranges) for root, ranges in own.items()},
        flatten_before_close=_seconds(margin or "0"),
        days=tuple(days.split("+")) if days else WEEKDAYS,
    )


def _window(start: str, rest: str) -> Event:
    """When it begins, how many seconds it lasts, and for what."""
    begins, (lasts, _, roots) = datetime.fromisoformat(start), rest.partition("/")
    return Event(begins, begins + _seconds(lasts), tuple(roots.split("+")) if roots else ())


def _timed(name: str, value: str, option: str) -> Rule:
    if name == SESSION:
        return _session(value, option)
    if name == NEWS:
        return NewsBlackout(file=News(tuple(_window(*it) for it in _pairs(value))))
    at, _, margin = value.partition("/")
    return FlatBy(time=_time(at), margin=_seconds(margin))


def _rule(name: str, value: str, option: str) -> Rule:
    match name, option:
        case "max_contracts", "" | "lots" | "mini_equivalent":
            return MaxContracts(limit=int(value), count=_count(option))
        case "max_contracts_per_instrument", _:
            limits = {root: int(limit) for root, limit in _pairs(value)}
            return MaxContractsPerInstrument(limits=limits, other=_other(option))
        case "daily_loss", "" | "net" | "realised":
            basis: Literal["net", "realised"] = "realised" if option == "realised" else "net"
            return DailyLoss(limit=Decimal(value), basis=basis)
        case "unrealized_loss", "" | "position":
            return UnrealizedLoss(limit=Decimal(value))
        case "unrealized_loss", "total":
            return UnrealizedLoss(limit=Decimal(value), scope="total")
        case "symbol_block", "":
            return SymbolBlock(symbols=tuple(value.split(",")))
        case "symbol_block", "only":
            return SymbolBlock(only=tuple(value.split(",")))
        case "no_stop_loss", "" | "position":
            return NoStopLoss(grace=timedelta(seconds=float(value)))
        case "no_stop_loss", "uncovered":
            return NoStopLoss(grace=timedelta(seconds=float(value)), close="uncovered")
        case "unrealized_profit", "":
            return UnrealizedProfit(limit=Decimal(value))
        case "daily_profit", "":
            return DailyProfit(limit=Decimal(value))
        case "daily_profit", _ if option.startswith("give_back/"):
            keep = int(option.removeprefix("give_back/"))
            return DailyProfit(mode="give_back", above=Decimal(value), keep=keep)
        case "weekly_loss", "":
            return WeeklyLoss(limit=Decimal(value))
        case "trailing_drawdown", "":
            return TrailingDrawdown(amount=Decimal(value))
        case "connection_loss", "":
            return ConnectionLoss()
        case "consistency", _ if option:
            return Consistency(share=int(value), action="lock")
        case "max_risk_per_trade", "":
            return MaxRiskPerTrade(limit=Decimal(value))
        case "cooldown_after_loss", _:
            return CooldownAfterLoss(
                tiers=tuple(Tier(Decimal(loss), _seconds(it)) for loss, it in _pairs(value)),
                streaks=tuple(Streak(int(losses), _seconds(it)) for losses, it in _pairs(option)),
            )
        case "trade_frequency", "":
            return TradeFrequency(**{window: int(number) for number, window in _pairs(value)})
        case "scaling_plan", "" | "lots" | "mini_equivalent":
            steps = tuple(Step(Decimal(least), int(most)) for least, most in _pairs(value))
            return ScalingPlan(tiers=steps, count=_count(option))
        case _ if name in TIMED:
            return _timed(name, value, option)
        case _:
            raise ValueError(f"no rule of a simulation: {name}={value}:{option}")


def _count(option: str) -> Literal["lots", "mini_equivalent"]:
    return "mini_equivalent" if option == "mini_equivalent" else "lots"


def _other(option: str) -> int | Literal["allow", "block"]:
    if option in ("", "allow"):
        return "allow"
    return "block" if option == "block" else int(option)
