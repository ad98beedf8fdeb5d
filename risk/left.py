"""How much is left: to each limit, and to the floor at which the firm ends the account."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from risk.rules.base import Rule
from risk.rules.trailing_drawdown import TrailingDrawdown
from risk.snapshot import Snapshot

_CENT = Decimal("0.01")


def left(rules: Sequence[Rule], snapshot: Snapshot) -> Mapping[str, str]:
    """By rule, what may still be lost, won or held, as text: dollars, or contracts for sizes.

    Of rules that say so by ``left(snapshot)``; one that cannot know it yet is not in here.
    """
    known = {rule.name: _left(rule, snapshot) for rule in rules}
    return {name: amount for name, amount in known.items() if amount is not None}


def to_the_floor(rules: Sequence[Rule], snapshot: Snapshot) -> str | None:
    """Dollars to the firm's floor, the nearest if there are several; None while none is known."""
    floors = [rule.left(snapshot) for rule in rules if isinstance(rule, TrailingDrawdown)]
    known = [amount for amount in floors if amount is not None]
    return _said(min(known)) if known else None


def _left(rule: Any, snapshot: Snapshot) -> str | None:
    ask = getattr(rule, "left", None)
    amount: Decimal | None = None if ask is None else ask(snapshot)
    return None if amount is None else _said(amount)


def _said(amount: Decimal) -> str:
    return f"{amount.quantize(_CENT):f}" if amount % 1 else f"{amount:f}"
