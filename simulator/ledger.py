"""Accounts, half-turns and holdings: the bookkeeping under the order book.

A fill through a position's far side is booked as two half-turns, a close and an opening of the
rest; each closing half-turn carries its profit or loss, an opening one None. Voiding a trade books
the contract's whole history again without it, so that position, profits and balance stay true.
"""

from datetime import datetime
from decimal import Decimal
from itertools import count

from attrs import define

from simulator.contracts import Listing
from simulator.lots import CENT, Holding, LotMethod
from simulator.words import Side


@define(eq=False)
class Account:
    """A trading account; the exchange alone changes it."""

    id: int
    name: str
    balance: Decimal
    """Dollars: realised results and fees are in it, open positions are not."""
    can_trade: bool = True
    visible: bool = True
    refuses: frozenset[str] = frozenset()
    """Operations this account always refuses: ``place``, ``cancel``, ``close``, ``partial_close``;
    a copier's follower refuses some of them."""


@define(eq=False)
class Booking:
    """One half-turn."""

    id: int
    account_id: int
    contract_id: str
    order_id: int
    at: datetime
    side: Side
    size: int
    price: Decimal
    fees: Decimal
    profit_and_loss: Decimal | None = None
    voided: bool = False

    @property
    def cash(self) -> Decimal:
        """What it does to the balance, in dollars."""
        return Decimal(0) if self.voided else (self.profit_and_loss or Decimal(0)) - self.fees


class Ledger:
    """Every half-turn of every account, and the holdings that follow from them."""

    def __init__(self, lot_method: LotMethod) -> None:
        self.lot_method = lot_method
        self.trades: dict[int, list[Booking]] = {}
        self._by_id: dict[int, Booking] = {}
        self._holdings: dict[tuple[int, str], Holding] = {}
        self._trade_ids = count(2_000_001)
        self._holding_ids = count(700_001)

    def holding(self, account_id: int, contract_id: str) -> Holding | None:
        """The open position, None when flat."""
        return self._holdings.get((account_id, contract_id))

    def holdings(self, account_id: int) -> list[Holding]:
        """Open positions of one account."""
        return [held for (owner, _), held in self._holdings.items() if owner == account_id]

    def trade(self, trade_id: int) -> Booking | None:
        """A half-turn by its id."""
        return self._by_id.get(trade_id)

    def net(self, account_id: int, contract_id: str) -> int:
        """Signed contracts."""
        held = self.holding(account_id, contract_id)
        return held.sign * held.size if held else 0

    def book(
        self,
        account: Account,
        listing: Listing,
        *,
        order_id: int,
        side: Side,
        size: int,
        price: Decimal,
        now: datetime,
    ) -> tuple[list[Booking], list[Holding]]:
        """Book an execution: its half-turns, and every holding it ended, changed or began."""
        trades, holdings = [], []
        held = self.holding(account.id, listing.id)
        for part in _parts(held, side, size):
            trade = Booking(
                id=next(self._trade_ids),
                account_id=account.id,
                contract_id=listing.id,
                order_id=order_id,
                at=now,
                side=side,
                size=part,
                price=price,
                fees=listing.fee * part,
            )
            holdings.append(self._apply(trade, listing))
            self.trades.setdefault(account.id, []).append(trade)
            self._by_id[trade.id] = trade
            account.balance += trade.cash
            trades.append(trade)
        return trades, holdings

    def void(
        self, account: Account, listing: Listing, voided: Booking
    ) -> tuple[list[Booking], list[Holding]]:
        """Strike a half-turn: the trades whose figures changed, and the holdings before and after."""
        key = (account.id, listing.id)
        before = self._holdings.pop(key, None)
        voided.voided = True
        history = [trade for trade in self.trades[account.id] if trade.contract_id == listing.id]
        old = {trade.id: (trade.profit_and_loss, trade.voided) for trade in history}
        old[voided.id] = (voided.profit_and_loss, False)
        account.balance -= (voided.profit_and_loss or Decimal(0)) - voided.fees
        for trade in history:
            if not trade.voided:
                account.balance -= trade.cash
                self._apply(trade, listing)
                account.balance += trade.cash
        changed = [t for t in history if old[t.id] != (t.profit_and_loss, t.voided)]
        return changed, self._ended_and_open(before, key)

    def _ended_and_open(self, before: Holding | None, key: tuple[int, str]) -> list[Holding]:
        after = self._holdings.get(key)
        if before is not None and after is not None and before.sign == after.sign:
            after.id, after.opened_at = before.id, before.opened_at
            return [after]
        if before is not None:
            before.lots = []
        return [held for held in (before, after) if held is not None]

    def _apply(self, trade: Booking, listing: Listing) -> Holding:
        key = (trade.account_id, trade.contract_id)
        held = self._holdings.get(key)
        if held is None or held.sign == trade.side.sign:
            trade.profit_and_loss = None
            held = held or self._opened(trade)
            held.add(trade.size, trade.price)
            return held
        closing = min(trade.size, held.size)
        gain = held.reduce(closing, trade.price, self.lot_method)
        trade.profit_and_loss = (gain * listing.point_value).quantize(CENT)
        if not held.lots:
            del self._holdings[key]
            if trade.size > closing:
                held = self._opened(trade)
                held.add(trade.size - closing, trade.price)
        return held

    def _opened(self, trade: Booking) -> Holding:
        held = Holding(
            id=next(self._holding_ids),
            account_id=trade.account_id,
            contract_id=trade.contract_id,
            opened_at=trade.at,
            sign=trade.side.sign,
            lots=[],
        )
        self._holdings[(trade.account_id, trade.contract_id)] = held
        return held


def _parts(held: Holding | None, side: Side, size: int) -> tuple[int, ...]:
    if held is not None and held.sign != side.sign and held.size < size:
        return held.size, size - held.size
    return (size,)
