"""The rules by name: those that work, and those that are only known."""

from collections.abc import Mapping
from types import MappingProxyType

from risk.rules.base import NotYetEnforced, Priority, Rule, Trigger
from risk.rules.daily_loss import DailyLoss
from risk.rules.max_contracts import MaxContracts
from risk.rules.no_stop_loss import NoStopLoss
from risk.rules.symbol_block import SymbolBlock
from risk.rules.unrealized_loss import UnrealizedLoss

__all__ = [
    "GROUP_RULES",
    "LATER_RULES",
    "RULES",
    "DailyLoss",
    "MaxContracts",
    "NoStopLoss",
    "NotYetEnforced",
    "Priority",
    "Rule",
    "SymbolBlock",
    "Trigger",
    "UnrealizedLoss",
]

RULES: Mapping[str, type[Rule]] = MappingProxyType(
    {rule.name: rule for rule in (SymbolBlock, DailyLoss, UnrealizedLoss, NoStopLoss, MaxContracts)}
)
"""Rules that are enforced."""

LATER_RULES: Mapping[str, str] = MappingProxyType(
    {
        "max_contracts_per_instrument": "contracts per root, expiries summed",
        "daily_profit": "stop at a profit, or when too much of one is given back",
        "unrealized_profit": "take an open profit at a limit",
        "trade_frequency": "entry orders per minute, hour and session",
        "cooldown_after_loss": "a pause after a losing round trip or a streak of them",
        "session": "days and hours in which positions may be open",
        "connection_loss": "alert when a hub is down or silent",
        "trailing_drawdown": "the firm's maximum loss, trailing or static",
        "weekly_loss": "loss from Friday's close to Friday's close",
        "scaling_plan": "contracts allowed by the closed balance",
        "consistency": "share of the best day in the total profit",
        "flat_by": "flat before a time of day and before early closes",
        "news_blackout": "flat in windows from a file",
        "max_risk_per_trade": "distance to the stop in dollars",
    }
)
"""Rules of an account that are known by name but not enforced yet, with what they will do."""

GROUP_RULES: Mapping[str, str] = MappingProxyType(
    {
        "group_daily_loss": "the day's loss of several accounts together",
        "cross_account_hedge": "opposite positions in one product over a trader's accounts",
    }
)
"""Rules that stand in ``[groups.NAME.rules]`` only; not enforced yet."""
