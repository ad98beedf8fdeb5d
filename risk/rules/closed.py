"""Violations of rules by which nothing may be open: in one instrument, or on the whole account."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from risk.rules.base import Trigger, violation
from risk.shut import held, shut_account, shut_contract
from risk.snapshot import Snapshot
from risk.verdict import Lock, Violation

_NOTHING = Decimal(0)


def open_account(
    rule: str,
    snapshot: Snapshot,
    trigger: Trigger,
    *,
    until: datetime,
    reason: str,
    inputs: Mapping[str, str],
) -> Violation | None:
    """Everything goes, and the account is locked until then; None when nothing is there to go."""
    actions = shut_account(snapshot)
    if not actions:
        return None
    return violation(
        rule,
        snapshot,
        trigger,
        observed=held(snapshot),
        limit=_NOTHING,
        reason=reason,
        actions=actions,
        lock=Lock(rule, until, snapshot.now, reason),
        inputs=inputs,
    )


def open_contract(
    rule: str,
    snapshot: Snapshot,
    trigger: Trigger,
    contract_id: str,
    *,
    reason: str,
    inputs: Mapping[str, str],
) -> Violation | None:
    """What is held or working in one contract goes; None when nothing is there to go."""
    actions = shut_contract(snapshot, contract_id)
    if not actions:
        return None
    return violation(
        rule,
        snapshot,
        trigger,
        observed=Decimal(snapshot.contracts[contract_id].holding.size),
        limit=_NOTHING,
        contract_id=contract_id,
        reason=reason,
        actions=actions,
        inputs=inputs,
    )
