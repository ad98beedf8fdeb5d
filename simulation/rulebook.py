"""Rules of a simulated account, written in one line of text.

``max_contracts=5 daily_loss=1000 unrealized_loss=400 symbol_block=GC,SI no_stop_loss=90``. An option
follows after a colon: ``max_contracts=3:mini_equivalent``, ``daily_loss=500:realised``,
``unrealized_loss=600:total``, ``symbol_block=MNQ,MES:only``, ``no_stop_loss=60:uncovered``. Others
have a limit alone: ``daily_profit=600 weekly_loss=700 trailing_drawdown=900 unrealized_profit=300``.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from risk.rules import Rule
from risk.rules.daily_loss import DailyLoss
from risk.rules.daily_profit import DailyProfit
from risk.rules.max_contracts import MaxContracts
from risk.rules.no_stop_loss import NoStopLoss
from risk.rules.symbol_block import SymbolBlock
from risk.rules.trailing_drawdown import TrailingDrawdown
from risk.rules.unrealized_loss import UnrealizedLoss
from risk.rules.unrealized_profit import UnrealizedProfit
from risk.rules.weekly_loss import WeeklyLoss


def rules_of(text: str) -> tuple[Rule, ...]:
    """The rules; ValueError for what is none of them."""
    return tuple(_rule(*_split(part)) for part in text.split())


def _split(part: str) -> tuple[str, str, str]:
    name, _, value = part.partition("=")
    value, _, option = value.partition(":")
    return name, value, option


def _rule(name: str, value: str, option: str) -> Rule:
    match name, option:
        case "max_contracts", "" | "lots":
            return MaxContracts(limit=int(value))
        case "max_contracts", "mini_equivalent":
            return MaxContracts(limit=int(value), count="mini_equivalent")
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
        case "weekly_loss", "":
            return WeeklyLoss(limit=Decimal(value))
        case "trailing_drawdown", "":
            return TrailingDrawdown(amount=Decimal(value))
        case _:
            raise ValueError(f"no rule of a simulation: {name}={value}:{option}")
