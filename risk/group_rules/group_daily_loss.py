"""``group_daily_loss``: the most that several accounts together may lose in one trading day."""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from risk.explain import dollars, plain
from risk.groups import UNHEARD, GroupAnswer, Member, Together
from risk.rules.base import require_positive
from risk.verdict import Alert, Flatten, Instruction

_ZERO = Decimal(0)
_CENT = 100


@frozen
class GroupDailyLoss:
    """Flattens every member and locks it to the reset once all of them together have lost so much.

    A member that is not heard of counts with its last result of the day; one that was not heard of
    today at all counts as 0, and is told.
    """

    name: ClassVar[str] = "group_daily_loss"
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = "the sum of its members' net days (realised + open - fees) <= -`limit`"

    limit: Decimal = field(metadata={"doc": "dollars of loss, positive, of all members together"})
    warn_at: tuple[int, ...] = field(
        default=(50, 80), metadata={"doc": "percentages of the limit at which to alert"}
    )

    def __attrs_post_init__(self) -> None:
        require_positive(self.limit, "limit")
        if any(not 0 < percent < _CENT for percent in self.warn_at):
            raise ValueError(f"warn_at must be percentages from 1 to 99, got {self.warn_at}")

    def evaluate(self, together: Together) -> GroupAnswer:
        """Judge the sum, and say how far each member may go before it counts again."""
        counted = [it for it in together.members if it.net is not None]
        total = sum((it.net for it in counted if it.net is not None), _ZERO)
        if total > -self.limit:
            reports = self._reports(together.members, total)
            return GroupAnswer(reports=reports, alerts=self._warning(together, total))
        reason = f"net day of {len(counted)} accounts {dollars(total)} <= {plain(-self.limit)} ({_parts(together)})"
        inputs = {it.account: str(it.net) for it in counted}
        return GroupAnswer(
            {
                it.account: (
                    Instruction(
                        f"group {together.group}",
                        self.name,
                        together.day,
                        Flatten(),
                        total,
                        -self.limit,
                        reason,
                        inputs,
                        locks_until=it.day_ends,
                    ),
                )
                for it in together.members
            },
            reports={it.account: UNHEARD for it in together.members},
        )

    def _reports(self, members: tuple[Member, ...], total: Decimal) -> Mapping[str, Decimal]:
        """What is left to the next step, divided among those whose result moves with prices."""
        steps = [-self.limit, *(-self.limit * share / _CENT for share in self.warn_at)]
        left = min((total - step for step in steps if step < total), default=_ZERO)
        moving = [it for it in members if it.priced]
        share = left / len(moving) if moving else _ZERO
        return {
            it.account: it.net - share if it.priced and it.net is not None else UNHEARD
            for it in members
        }

    def _warning(self, together: Together, total: Decimal) -> tuple[Alert, ...]:
        passed = [share for share in self.warn_at if -total * _CENT >= self.limit * share]
        if not passed:
            return ()
        share = max(passed)
        message = (
            f"group {together.group}: the day stands at {dollars(total)}, {share} % of its daily loss "
            f"limit of {plain(self.limit)} is used ({_parts(together)})"
        )
        return (Alert(f"group_daily_loss_{share}", message),)


def _parts(together: Together) -> str:
    """Each member's result, and which of them are not to be relied on."""
    return ", ".join(
        [
            *(f"{it.account} {_result(it)}" for it in together.members),
            *(f"{name} not heard of today" for name in together.missing),
        ]
    )


def _result(member: Member) -> str:
    if member.net is None:
        return "not known"
    return dollars(member.net) if member.sure else f"{dollars(member.net)} at last"
