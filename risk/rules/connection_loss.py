"""``connection_loss``: say out loud that nobody watches."""

from typing import ClassVar

from attrs import frozen

from risk.explain import exposure
from risk.rules.base import Priority, Trigger
from risk.snapshot import Snapshot
from risk.verdict import Alert, RuleAnswer


@frozen
class ConnectionLoss:
    """Alerts when the link to the broker is lost; there is nothing that could be closed then.

    Whether it is set or not, what is known from before counts as stale, no rule judges by it, and the
    account is read anew as soon as the link is back.
    """

    name: ClassVar[str] = "connection_loss"
    triggers: ClassVar[frozenset[Trigger]] = frozenset({Trigger.CONNECTION})
    priority: ClassVar[Priority] = Priority.SESSION
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = "the hub that tells of this account's trades is down or silent"

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:  # noqa: ARG002 - a rule's
        """Nothing but the alert, critical where something is open or could fill."""
        if not snapshot.stale:
            return RuleAnswer()
        exposed = bool(snapshot.orders) or any(v.holding.net for v in snapshot.contracts.values())
        what = exposure(snapshot) if exposed else "nothing known to be open"
        message = (
            f"{snapshot.account}: the link to the broker is lost, {what}, and nobody watches it"
        )
        return RuleAnswer(alerts=(Alert("connection_lost", message, critical=exposed),))
