"""The exchange's own truth, and what must agree with it. Pure."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from attrs import frozen

from console.demo.picture import AccountShown, Picture

LONG = 1
"""Position type of the gateway's API; 2 is short."""
CENT = Decimal("0.01")


@frozen
class Holding:
    """One position at the exchange."""

    net: int
    """Signed contracts."""
    average: Decimal
    """Its entry, as a price."""
    point_value: Decimal
    """Dollars per point of one contract."""

    def open_at(self, price: Decimal) -> Decimal:
        """What it is worth at a price, dollars."""
        return (price - self.average) * self.net * self.point_value


@frozen
class AccountTruth:
    """One account at the exchange; dollars."""

    name: str
    holdings: Mapping[str, Holding]
    """By contract id."""
    equity: Decimal
    """Balance and what the open positions are worth at the touch."""
    orders: frozenset[int]
    """Every order there ever was, the broker's own closes included."""

    @property
    def positions(self) -> dict[str, int]:
        """Signed contracts by contract id."""
        return {contract: held.net for contract, held in self.holdings.items()}


@frozen
class Truth:
    """All accounts at one instant."""

    accounts: Mapping[str, AccountTruth]


def truth_of(state: Mapping[str, Any], point_values: Mapping[str, Decimal]) -> Truth:
    """Read the answer of ``GET /control/state``; point values are dollars per point by contract."""
    quotes = state["quotes"]
    return Truth({each["name"]: _account(each, quotes, point_values) for each in state["accounts"]})


def disagreements(
    picture: Picture, truth: Truth, equity_before: Mapping[str, Decimal]
) -> tuple[str, ...]:
    """Where daemon and exchange tell different stories of positions or of the day's net P&L.

    ``equity_before`` is each account's equity at the start of the trading day.
    """
    return tuple(
        sentence
        for name, account in truth.accounts.items()
        for sentence in _compare(picture.accounts.get(name), account, equity_before[name])
    )


def locked_but_open(picture: Picture, truth: Truth) -> tuple[str, ...]:
    """Accounts that are locked and yet hold something at the exchange."""
    return tuple(
        f"{name} is locked but holds {account.positions} at the exchange"
        for name, account in truth.accounts.items()
        if account.positions and name in picture.accounts and picture.accounts[name].locks
    )


def _compare(
    shown: AccountShown | None, account: AccountTruth, equity_before: Decimal
) -> Iterator[str]:
    if shown is None:
        yield f"{account.name} is not in the daemon's picture"
        return
    if dict(shown.positions) != account.positions:
        yield (
            f"{account.name}: the daemon believes in {dict(shown.positions)}, the exchange has "
            f"{account.positions}"
        )
    net = account.equity - equity_before
    if abs(shown.net - net) >= CENT:
        yield f"{account.name}: the daemon's net is {shown.net:.2f}, the exchange's {net:.2f}"


def _account(
    account: Mapping[str, Any], quotes: Mapping[str, Any], point_values: Mapping[str, Decimal]
) -> AccountTruth:
    equity = Decimal(str(account["balance"]))
    holdings: dict[str, Holding] = {}
    for each in account["positions"]:
        contract = each["contractId"]
        net = each["size"] if each["type"] == LONG else -each["size"]
        held = Holding(net, Decimal(str(each["averagePrice"])), point_values[contract])
        quote = quotes[contract]
        equity += held.open_at(Decimal(str(quote["bid"] if net > 0 else quote["ask"])))
        holdings[contract] = held
    orders = frozenset(each["id"] for each in account["orders"])
    return AccountTruth(account["name"], holdings, equity, orders)
