"""One look at one account: the lock first, then every rule that the trigger concerns."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from risk.explain import exposure, wall
from risk.groups import instructed
from risk.plan import leaving, merged
from risk.rules.base import Rule, Trigger, violation
from risk.rules.pause import standing
from risk.shut import held, shut_account
from risk.snapshot import ContractView, Snapshot
from risk.verdict import Alert, Lock, RuleAnswer, Verdict

__all__ = ["Trigger", "evaluate"]

_ALWAYS = frozenset({Trigger.FULL, Trigger.START})
_LOOKS = _ALWAYS | {Trigger.TIMER, Trigger.ACCOUNT}
"""Looks that also report what is unknown; a fill comes before its first quote, that is no trouble."""
_ZERO = Decimal(0)


def evaluate(
    rules: Sequence[Rule], snapshot: Snapshot, trigger: Trigger, now: datetime, mono: float
) -> Verdict:
    """Every breach in this snapshot and what to do about it; a function of its arguments alone.

    ``now`` and ``mono`` may be later than the snapshot: grace and waits then end by themselves.
    """
    snapshot = snapshot.at(now, mono)
    if trigger is Trigger.CONNECTION:
        return together([it.evaluate(snapshot, trigger) for it in rules if concerns(it, trigger)])
    answers = [_lock_check(snapshot, trigger)]
    if snapshot.instructions:
        snapshot = _left(snapshot, answers[-1])
        answers.append(instructed(snapshot, trigger))
    for rule in sorted(rules, key=_priority):
        if not concerns(rule, trigger):
            continue
        snapshot = _left(snapshot, answers[-1])
        answers.append(rule.evaluate(snapshot, trigger))
    for pause in snapshot.pauses:
        answers.append(standing(pause, _left(snapshot, answers[-1]), trigger))
    return together(answers, tuple(_troubles(snapshot)) if trigger in _LOOKS else ())


def _left(snapshot: Snapshot, answer: RuleAnswer) -> Snapshot:
    """The account without what an answer takes out of it."""
    planned = [action for found in answer.violations for action in found.actions]
    return snapshot.reducing(leaving(snapshot, planned)) if planned else snapshot


def concerns(rule: Rule, trigger: Trigger) -> bool:
    """Whether a rule is asked at such a look."""
    return trigger in _ALWAYS or trigger in rule.triggers


def after(verdict: Verdict, snapshot: Snapshot) -> Snapshot:
    """The account as it will be when a verdict has been carried out."""
    return snapshot.reducing(leaving(snapshot, verdict.plan)) if verdict.plan else snapshot


def _priority(rule: Rule) -> tuple[int, str]:
    return (rule.priority, rule.name)


def together(answers: Sequence[RuleAnswer], troubles: tuple[Alert, ...] = ()) -> Verdict:
    """Several rules' answers, in order of priority, as one verdict."""
    violations = tuple(found for answer in answers for found in answer.violations)
    return Verdict(
        violations=violations,
        plan=merged(action for found in violations for action in found.actions),
        locks=tuple(found.lock for found in violations if found.lock is not None),
        alerts=(*troubles, *(alert for answer in answers for alert in answer.alerts)),
        wake_at=min((a.wake_at for a in answers if a.wake_at is not None), default=None),
        wake_in=min((a.wake_in for a in answers if a.wake_in is not None), default=None),
    )


def _lock_check(snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
    """Anything open while locked is closed, whatever event showed it."""
    locks = snapshot.active_locks
    if not locks:
        return RuleAnswer()
    last = max(locks, key=lambda lock: lock.until)
    wake_at = last.until if last.until > snapshot.now else None
    actions = shut_account(snapshot)
    if not actions:
        return RuleAnswer(wake_at=wake_at)
    found = violation(
        last.rule,
        snapshot,
        trigger,
        observed=held(snapshot),
        limit=_ZERO,
        reason=f"locked until {wall(snapshot, last.until)} ({last.reason}), but {exposure(snapshot)}",
        actions=actions,
        inputs=_lock_inputs(last),
    )
    return RuleAnswer((found,), wake_at=wake_at)


def _lock_inputs(lock: Lock) -> dict[str, str]:
    return {"lock": lock.rule, "until": lock.until.isoformat(), "set_at": lock.set_at.isoformat()}


def _troubles(snapshot: Snapshot) -> Iterable[Alert]:
    """What is unknown is said, never passed over."""
    if snapshot.account_id is None:
        yield Alert(
            "account_unknown",
            f"{snapshot.account}: the broker's id of this account is not known, nothing can be "
            "closed until it is",
            critical=True,
        )
    if snapshot.can_trade is False:
        yield Alert("cannot_trade", f"{snapshot.account}: the broker says it may not trade")
    for view in snapshot.contracts.values():
        yield from _contract_troubles(view)


def _contract_troubles(view: ContractView) -> Iterable[Alert]:
    holding = view.holding
    if holding.contract is None and (holding.net or holding.ledger_net):
        yield Alert(
            "contract_unknown",
            f"{holding.contract_id}: no record of this contract, its profit and loss is not "
            "counted until the broker sends one",
            holding.contract_id,
            critical=True,
        )
    elif holding.net and not view.priced:
        rests_on = "the entry price" if view.price.value is None else view.price.value
        yield Alert(
            "mark_stale",
            f"{holding.name}: no fresh price, open profit and loss rests on {rests_on}",
            holding.contract_id,
        )
    if len(holding.roots) > 1:
        yield Alert(
            "root_disagrees",
            f"{holding.contract_id}: its record says {holding.roots[0]}, its id says "
            f"{holding.roots[1]}; it counts as both, the stricter wins",
            holding.contract_id,
            critical=True,
        )
