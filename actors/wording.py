"""Actions, outcomes and doubts in the words of a trader."""

from decimal import Decimal

from broker.port import Done, NotExecuted, Outcome, Refused, Unknown
from risk.explain import dollars
from risk.verdict import Action, Alert, Cancel, Close, Flatten, Reduce


def describe(action: Action) -> str:
    """An action in the words of a trader."""
    match action:
        case Close(contract_id):
            return f"close {contract_id}"
        case Reduce(contract_id, keep):
            return f"reduce {contract_id} to {keep}"
        case Cancel(order_id, contract_id):
            return f"cancel order {order_id} in {contract_id}"
        case Flatten():
            return "flatten the account"


def step_text(whole: Action, step: Action) -> str:
    """One request of an intent: a flattening says what it is doing at the moment."""
    return f"flatten: {describe(step)}" if isinstance(whole, Flatten) else describe(step)


def outcome_text(outcome: Outcome) -> str:
    """An outcome in one short phrase."""
    match outcome:
        case Done():
            return "done"
        case Refused(code, message):
            return f"refused ({code}: {message})"
        case NotExecuted(reason):
            return f"not executed ({reason})"
        case Unknown(reason):
            return f"unknown ({reason})"


def adjusted(account: str, amount: Decimal) -> Alert:
    """The balance moved for no trade: a payout, a correction, a fee of its own."""
    return Alert(
        "balance_adjusted",
        f"the balance of {account} moved by {dollars(amount)} that none of the day's trades explains (a "
        "payout, a correction, a fee of its own): it counts as no loss and no profit of the day. Compare "
        "it with your statement",
    )


def unexplained(contract_id: str) -> Alert:
    """No trades account for a position, however often they were read."""
    return Alert(
        "unexplained_lots",
        f"the day's trades do not explain the position in {contract_id}: its profit and loss counts "
        "from the broker's average price",
        contract_id,
    )
