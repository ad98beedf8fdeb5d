"""Many violations, one plan: no contract is named twice, and nothing is asked for in vain."""

from collections.abc import Iterable, Mapping

from risk.snapshot import Snapshot
from risk.verdict import Action, Cancel, Close, Flatten, Reduce, Verdict, Violation


def merged(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Flatten takes all; else cancels first, then one close or the deepest reduction per contract."""
    cancels: dict[int, Cancel] = {}
    targets: dict[str, Close | Reduce] = {}
    for action in actions:
        match action:
            case Flatten():
                return (Flatten(),)
            case Cancel():
                cancels[action.order_id] = action
            case Close() | Reduce():
                known = targets.get(action.contract_id)
                targets[action.contract_id] = action if known is None else _deeper(known, action)
    return (*cancels.values(), *targets.values())


def _deeper(one: Close | Reduce, other: Close | Reduce) -> Close | Reduce:
    if isinstance(one, Close):
        return one
    if isinstance(other, Close):
        return other
    return one if one.keep <= other.keep else other


def leaving(snapshot: Snapshot, actions: Iterable[Action]) -> Mapping[str, int]:
    """Contracts by id that a plan takes out, beyond what is on its way already."""
    out: dict[str, int] = {}
    for action in merged(actions):
        match action:
            case Flatten():
                return {key: view.holding.size for key, view in snapshot.contracts.items()}
            case Close():
                out[action.contract_id] = snapshot.contracts[action.contract_id].holding.size
            case Reduce():
                size = snapshot.contracts[action.contract_id].holding.size
                out[action.contract_id] = max(size - action.keep, 0)
            case Cancel():
                pass
    return out


def responsible(verdict: Verdict, action: Action) -> Violation:
    """The violation that asks for an action of the merged plan, or for more in the same contract."""
    for violation in verdict.violations:
        if action in violation.actions:
            return violation
    contract_id = getattr(action, "contract_id", None)
    for violation in verdict.violations:
        if any(getattr(a, "contract_id", None) == contract_id for a in violation.actions):
            return violation
    return verdict.violations[0]
