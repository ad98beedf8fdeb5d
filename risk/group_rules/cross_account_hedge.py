"""``cross_account_hedge``: opposite positions in one product on several accounts of a trader."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Literal

from attrs import field, frozen

from risk.explain import span
from risk.groups import GroupAnswer, Member, Stake, Together
from risk.instruments import product_of, share_of
from risk.verdict import Alert, Close, Instruction

_ZERO = Decimal(0)
_LONGEST = timedelta(minutes=5)


@frozen
class Hedge:
    """Two or more accounts that stand against each other in one product."""

    product: str
    since: datetime
    """When both sides were there."""
    stakes: tuple[tuple[Member, Stake], ...]
    """All that they hold in it on the side on which each of them stands."""

    @property
    def newest(self) -> tuple[Member, Stake]:
        """The position that was opened last."""
        return max(self.stakes, key=lambda it: (it[1].episode.opened_at, it[1].episode.position_id))

    def __str__(self) -> str:
        held = (
            f"{stake.net:+d} {stake.roots[0] if stake.roots else stake.contract_id} on {member.account}"
            for member, stake in self.stakes
        )
        return ", ".join(held)


@frozen
class CrossAccountHedge:
    """Tells of opposite positions in one product, its minis and micros together, or closes the newer.

    An account's own long and short in a product are netted first. A copier that reverses does so on
    one account after the other, so what stands for less than the grace is no hedge yet.
    """

    name: ClassVar[str] = "cross_account_hedge"
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = (
        "for `grace` one member is net long and another net short in the same product, as ES and MES are"
    )

    action: Literal["alert", "close_newer"] = field(
        default="alert",
        metadata={"doc": "alert: tell; close_newer: close the position that was opened last"},
    )
    grace: timedelta = field(
        default=timedelta(seconds=3), metadata={"doc": "how long it may stand, for copiers"}
    )

    def __attrs_post_init__(self) -> None:
        if self.action not in ("alert", "close_newer"):
            raise ValueError(f"action must be alert or close_newer, got {self.action}")
        if not timedelta(0) <= self.grace <= _LONGEST:
            raise ValueError("grace must be from 0s to 5m")

    def evaluate(self, together: Together) -> GroupAnswer:
        """Find every product that is hedged for long enough."""
        instructions: dict[str, tuple[Instruction, ...]] = {}
        alerts: list[Alert] = []
        waits: list[float] = []
        for hedge in _hedges(together.members):
            left = (hedge.since + self.grace - together.now).total_seconds()
            if left > 0:
                waits.append(left)
                continue
            alerts.append(self._alert(together, hedge))
            if self.action == "close_newer":
                member, stake = hedge.newest
                asked = self._instruction(together, hedge, stake)
                instructions[member.account] = (*instructions.get(member.account, ()), asked)
        return GroupAnswer(instructions, alerts=tuple(alerts), wake_in=min(waits, default=None))

    def _alert(self, together: Together, hedge: Hedge) -> Alert:
        return Alert(
            "cross_account_hedge",
            f"group {together.group}: opposite positions in {hedge.product}: {hedge}. Firms end "
            "accounts for it",
            critical=True,
            about=hedge.product,
        )

    def _instruction(self, together: Together, hedge: Hedge, stake: Stake) -> Instruction:
        stood = f" for {span(self.grace)}" if self.grace else ""
        return Instruction(
            f"group {together.group}",
            self.name,
            together.day,
            Close(stake.contract_id),
            Decimal(len({member.account for member, _ in hedge.stakes})),
            Decimal(1),
            f"opposite positions in {hedge.product}{stood}: {hedge}",
            {member.account: f"{each.net:+d} {each.contract_id}" for member, each in hedge.stakes},
            episode=stake.episode,
        )


def _hedges(members: tuple[Member, ...]) -> Iterator[Hedge]:
    sides: dict[str, dict[int, list[tuple[Member, Stake]]]] = {}
    for member in members:
        for product, stakes in _by_product(member).items():
            weighed = sum((it.net * share_of(it.roots) for it in stakes), _ZERO)
            if weighed:
                side = 1 if weighed > 0 else -1
                own = [(member, it) for it in stakes if it.net * side > 0]
                sides.setdefault(product, {}).setdefault(side, []).extend(own)
    for product, both in sorted(sides.items()):
        if len(both) > 1:
            yield Hedge(product, max(map(_first, both.values())), (*both[1], *both[-1]))


def _by_product(member: Member) -> Mapping[str, list[Stake]]:
    found: dict[str, list[Stake]] = {}
    for stake in member.stakes:
        found.setdefault(product_of(stake.roots, stake.contract_id), []).append(stake)
    return found


def _first(side: list[tuple[Member, Stake]]) -> datetime:
    return min(stake.episode.opened_at for _, stake in side)
