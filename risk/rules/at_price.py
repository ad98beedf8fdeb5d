"""One position at its price: what rules about open P&L read and say of it."""

from decimal import Decimal

from risk.explain import dollars, plain
from risk.snapshot import ContractView


def staying(view: ContractView) -> Decimal | None:
    """Open P&L of what is not being closed already; None when it cannot be known."""
    holding = view.holding
    if view.open is None or not holding.reducing:
        return view.open
    return view.open * holding.size / abs(holding.net)


def position_at_price(view: ContractView) -> str:
    """Such as ``+2 CL from 60.03, marked 59.87``."""
    worth = view.holding.worth
    entry = None if worth is None else worth.entry
    at = "" if entry is None else f" from {dollars(entry)}"
    mark = "unpriced" if view.price.value is None else f"marked {plain(view.price.value)}"
    going = f" ({view.holding.reducing} being closed)" if view.holding.reducing else ""
    return f"{view.holding.net:+d} {view.holding.name}{going}{at}, {mark}"


def price_inputs(view: ContractView) -> dict[str, str]:
    """What an open result is computed from."""
    holding = view.holding
    return {
        f"position {holding.contract_id}": str(holding.net),
        f"mark {holding.contract_id}": str(view.price.value),
        f"open {holding.contract_id}": str(view.open),
    }
