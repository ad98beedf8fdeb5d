"""The rules by name: those that work, and those that are only known."""

from collections.abc import Mapping
from types import MappingProxyType

from risk.rules.base import Priority, Rule, Trigger
from risk.rules.connection_loss import ConnectionLoss
from risk.rules.consistency import Consistency
from risk.rules.cooldown_after_loss import CooldownAfterLoss
from risk.rules.daily_loss import DailyLoss
from risk.rules.daily_profit import DailyProfit
from risk.rules.flat_by import FlatBy
from risk.rules.max_contracts import MaxContracts
from risk.rules.max_contracts_per_instrument import MaxContractsPerInstrument
from risk.rules.max_risk_per_trade import MaxRiskPerTrade
from risk.rules.news_blackout import NewsBlackout
from risk.rules.no_stop_loss import NoStopLoss
from risk.rules.scaling_plan import ScalingPlan
from risk.rules.session import Session
from risk.rules.symbol_block import SymbolBlock
from risk.rules.trade_frequency import TradeFrequency
from risk.rules.trailing_drawdown import TrailingDrawdown
from risk.rules.unrealized_loss import UnrealizedLoss
from risk.rules.unrealized_profit import UnrealizedProfit
from risk.rules.weekly_loss import WeeklyLoss

__all__ = [
    "RELATIVE",
    "RULES",
    "ConnectionLoss",
    "Consistency",
    "CooldownAfterLoss",
    "DailyLoss",
    "DailyProfit",
    "FlatBy",
    "MaxContracts",
    "MaxContractsPerInstrument",
    "MaxRiskPerTrade",
    "NewsBlackout",
    "NoStopLoss",
    "Priority",
    "Rule",
    "ScalingPlan",
    "Session",
    "SymbolBlock",
    "TradeFrequency",
    "TrailingDrawdown",
    "Trigger",
    "UnrealizedLoss",
    "UnrealizedProfit",
    "WeeklyLoss",
    "is_own",
]

RULES: Mapping[str, type[Rule]] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            SymbolBlock,
            Session,
            FlatBy,
            NewsBlackout,
            ConnectionLoss,
            TrailingDrawdown,
            WeeklyLoss,
            DailyLoss,
            DailyProfit,
            Consistency,
            UnrealizedLoss,
            UnrealizedProfit,
            NoStopLoss,
            MaxRiskPerTrade,
            MaxContracts,
            MaxContractsPerInstrument,
            ScalingPlan,
            TradeFrequency,
            CooldownAfterLoss,
        )
    }
)
"""Rules that are enforced."""


def is_own(rule: Rule) -> bool:
    """Whether a rule is one of these, not one that somebody else wrote."""
    return RULES.get(rule.name) is type(rule)


RELATIVE = frozenset(name for name, rule in RULES.items() if rule.priority is Priority.SIZE)
"""Rules that judge all that is held together: what they decided is history once something else went."""
