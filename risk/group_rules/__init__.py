"""The rules of groups by name; they stand in ``[groups.NAME.rules]`` only."""

from collections.abc import Mapping
from types import MappingProxyType

from risk.group_rules.cross_account_hedge import CrossAccountHedge
from risk.group_rules.group_daily_loss import GroupDailyLoss
from risk.groups import GroupRule

__all__ = ["GROUP_RULES", "CrossAccountHedge", "GroupDailyLoss", "GroupRule"]

GROUP_RULES: Mapping[str, type[GroupRule]] = MappingProxyType(
    {rule.name: rule for rule in (GroupDailyLoss, CrossAccountHedge)}
)
