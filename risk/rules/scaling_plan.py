"""``scaling_plan``: how much may be held at once, by the balance with which the day began."""

from decimal import Decimal
from typing import ClassVar, Literal

from attrs import field, frozen

from risk.explain import dollars
from risk.rules.base import EXPOSURE, Priority, Trigger, require_positive
from risk.rules.max_contracts import MaxContracts, over
from risk.snapshot import Snapshot
from risk.verdict import Alert, RuleAnswer


@frozen
class Step:
    """From this balance on so many contracts."""

    from_: Decimal
    max: int


@frozen
class ScalingPlan:
    """Closes the newest lots above what the closed balance allows; within a day that never changes.

    Below the lowest step its number counts. Only the balance at the beginning of the day counts, so a
    profit of today allows nothing more today. While that balance is not known, which is seconds after
    a start or a trade, only what no balance would allow is closed, and it is said.
    """

    name: ClassVar[str] = "scaling_plan"
    triggers: ClassVar[frozenset[Trigger]] = EXPOSURE
    priority: ClassVar[Priority] = Priority.SIZE
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = (
        "sum over contracts of abs(net) x weight > `max` of the highest step whose `from` <= the "
        "balance at the beginning of the day"
    )

    tiers: tuple[Step, ...] = field(
        metadata={"doc": "`{ from, max }`: from a balance of so many dollars on, so many contracts"}
    )
    count: Literal["lots", "mini_equivalent"] = field(
        default="lots",
        metadata={"doc": "lots: each contract is one; mini_equivalent: a micro is a tenth"},
    )

    def __attrs_post_init__(self) -> None:
        if not self.tiers:
            raise ValueError("tiers must hold one at least")
        if len({step.from_ for step in self.tiers}) < len(self.tiers):
            raise ValueError("tiers must not name the same balance twice")
        for step in self.tiers:
            require_positive(step.max, "tiers: max")

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """The same as max_contracts, with the number that the balance allows."""
        balance = snapshot.past.opening
        step = self.step(balance)
        said = f"{snapshot.account}: the balance is not known yet, so only the highest step counts"
        alerts = (Alert("balance_unknown", said),) if balance is None else ()
        basis = "an unknown balance" if balance is None else f"a balance of {dollars(balance)}"
        cap = MaxContracts(limit=step.max, count=self.count)
        answer = over(self.name, cap, snapshot, trigger, f", for {basis}")
        return RuleAnswer(answer.violations, (*alerts, *answer.alerts))

    def step(self, balance: Decimal | None) -> Step:
        """The one that counts; while the balance is unknown, the one that allows most."""
        if balance is None:
            return max(self.tiers, key=lambda step: step.max)
        steps = sorted(self.tiers, key=lambda step: step.from_)
        reached = [step for step in steps if step.from_ <= balance]
        return reached[-1] if reached else steps[0]
