"""Rules as somebody else might write them, good ones and bad ones."""

import threading
from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from risk.rules import Priority, Trigger
from risk.rules.base import EXPOSURE, violation
from risk.snapshot import Snapshot
from risk.verdict import Close, RuleAnswer


@frozen
class NoShorts:
    """Closes what is held short."""

    name: ClassVar[str] = "no_shorts"
    triggers: ClassVar[frozenset[Trigger]] = EXPOSURE
    priority: ClassVar[Priority] = Priority.PER_TRADE
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = "net < -`allowed`"

    allowed: int = field(default=0, metadata={"doc": "contracts that may be short"})

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """One violation for each contract that is short."""
        found = tuple(
            violation(
                self.name,
                snapshot,
                trigger,
                observed=Decimal(view.holding.net),
                limit=Decimal(-self.allowed),
                reason=f"{view.holding.net} {view.holding.name} is short",
                actions=(Close(key),),
                contract_id=key,
            )
            for key, view in snapshot.contracts.items()
            if view.holding.net < -self.allowed and view.holding.size
        )
        return RuleAnswer(found)


@frozen
class Raises(NoShorts):
    """Fails at every question."""

    name: ClassVar[str] = "raises"

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:  # noqa: ARG002
        """Never answers."""
        raise KeyError("a table that is not there")


@frozen
class Waits(NoShorts):
    """Answers when it is let to."""

    name: ClassVar[str] = "waits"

    let: threading.Event = field(factory=threading.Event, metadata={"doc": "set: it answers"})

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Answers too late."""
        self.let.wait()
        return super().evaluate(snapshot, trigger)


@frozen
class Babbles(NoShorts):
    """Answers something else."""

    name: ClassVar[str] = "babbles"

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:  # noqa: ARG002
        """No answer that anybody could use."""
        return "close it"  # type: ignore[return-value]


@frozen
class Unnamed:
    """Lacks what a rule has."""
