"""The exchange as clients meet it: through whatever faults stand.

The REST surface and the in-memory broker both ask here, so that a fault means the same to both.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from attrs import frozen

from simulator import payloads
from simulator.board import FaultBoard
from simulator.exchange import Exchange
from simulator.faults import (
    MarketClosed,
    NoTickValue,
    Operation,
    PartialFills,
    RefuseClose,
    SetLotMethod,
    StaleSnapshot,
    StopFillsDuringClose,
    UncertainClose,
)
from simulator.lots import LotMethod
from simulator.orders import OrderRequest
from simulator.validate import Answer
from simulator.words import WORKING

Records = list[dict[str, Any]]


@frozen
class Handled:
    """What became of a request, and whether the client is to learn it."""

    answer: Answer
    uncertain: UncertainClose | None = None
    """Set when the answer must not reach the client."""


@frozen
class _Snapshot:
    accounts: Records
    positions: dict[int, Records]
    orders: dict[int, Records]
    trades: dict[int, Records]


class Desk:
    """Requests and reads of an exchange under a board of faults."""

    def __init__(self, exchange: Exchange, board: FaultBoard) -> None:
        self.exchange = exchange
        self.board = board
        self._lot_method = exchange.ledger.lot_method
        self._fills_at_once = exchange.fills_at_once
        self._stale: _Snapshot | None = None

    def freeze_reads(self) -> None:
        """Keep what reads answer now for the StaleSnapshot that is about to stand."""
        ids = list(self.exchange.accounts)
        self._stale = _Snapshot(
            accounts=self._accounts(),
            positions={it: self._positions(it) for it in ids},
            orders={it: self._orders(it) for it in ids},
            trades={it: self._trades(it) for it in ids},
        )

    def refresh(self) -> None:
        """Let the exchange follow the faults that change how it works."""
        exchange, board = self.exchange, self.board
        exchange.open = board.standing(MarketClosed) is None
        method = board.standing(SetLotMethod)
        exchange.ledger.lot_method = LotMethod(method.method) if method else self._lot_method
        partial = board.standing(PartialFills)
        exchange.fills_at_once = partial.size if partial else self._fills_at_once

    # --- requests

    def place(self, request: OrderRequest, now: datetime) -> Handled:
        """Order/place."""
        return self._handle(
            "place",
            request.account_id,
            request.contract_id,
            lambda: self.exchange.place(request, now),
        )

    def cancel(self, account_id: int, order_id: int, now: datetime) -> Handled:
        """Order/cancel."""
        order = self.exchange.orders.get(order_id)
        contract_id = order.contract_id if order else ""
        return self._handle(
            "cancel",
            account_id,
            contract_id,
            lambda: self.exchange.cancel(account_id, order_id, now),
        )

    def modify(self, account_id: int, order_id: int, now: datetime, **changes: Any) -> Handled:
        """Order/modify; the changes are those of ``Exchange.modify``."""
        order = self.exchange.orders.get(order_id)
        contract_id = order.contract_id if order else ""
        return self._handle(
            "modify",
            account_id,
            contract_id,
            lambda: self.exchange.modify(account_id, order_id, now, **changes),
        )

    def close(self, account_id: int, contract_id: str, now: datetime) -> Handled:
        """Position/closeContract."""
        return self._handle(
            "close",
            account_id,
            contract_id,
            lambda: self._raced(
                account_id,
                contract_id,
                now,
                lambda: self.exchange.close(account_id, contract_id, now),
            ),
        )

    def partial_close(self, account_id: int, contract_id: str, size: int, now: datetime) -> Handled:
        """Position/partialCloseContract."""
        return self._handle(
            "partial_close",
            account_id,
            contract_id,
            lambda: self._raced(
                account_id,
                contract_id,
                now,
                lambda: self.exchange.partial_close(account_id, contract_id, size, now),
            ),
        )

    def _handle(
        self,
        operation: Operation,
        account_id: int,
        contract_id: str,
        execute: Callable[[], Answer],
    ) -> Handled:
        self.refresh()

        def meant(fault: RefuseClose | UncertainClose) -> bool:
            return (
                fault.operation == operation
                and fault.account_id in (None, account_id)
                and fault.contract_id in (None, contract_id)
            )

        if refuse := self.board.take(RefuseClose, meant):
            return Handled(Answer(refuse.code, refuse.message))
        uncertain = self.board.take(UncertainClose, meant)
        if uncertain is not None and not uncertain.executes:
            return Handled(Answer(0, None), uncertain)
        return Handled(execute(), uncertain)

    def _raced(
        self, account_id: int, contract_id: str, now: datetime, execute: Callable[[], Answer]
    ) -> Answer:
        known = contract_id in self.exchange.listings
        race = self.board.take(StopFillsDuringClose) if known else None
        if race is not None and race.when == "before":
            self.exchange.fill_at_stop(account_id, contract_id, now)
        answer = execute()
        if race is not None and race.when == "after":
            self.exchange.fill_at_stop(account_id, contract_id, now)
        return answer

    # --- reads, as payloads

    def accounts(self) -> Records:
        """Every account."""
        stale = self._stale_now()
        return stale.accounts if stale else self._accounts()

    def positions(self, account_id: int) -> Records:
        """Open positions of one account."""
        stale = self._stale_now()
        return stale.positions.get(account_id, []) if stale else self._positions(account_id)

    def orders(self, account_id: int) -> Records:
        """Every order of one account, in the order of their ids."""
        stale = self._stale_now()
        return stale.orders.get(account_id, []) if stale else self._orders(account_id)

    def working_orders(self, account_id: int) -> Records:
        """Those of them that may still trade."""
        stale = self._stale_now()
        if stale:
            known = stale.orders.get(account_id, [])
            return [it for it in known if it["status"] in WORKING]
        return self._orders(account_id, only_working=True)

    def trades(self, account_id: int) -> Records:
        """Every half-turn of one account, oldest first."""
        stale = self._stale_now()
        return stale.trades.get(account_id, []) if stale else self._trades(account_id)

    def contract(self, contract_id: str) -> dict[str, Any] | None:
        """A contract's record, None when it is not listed."""
        listing = self.exchange.listings.get(contract_id)
        if listing is None:
            return None
        record = payloads.contract_payload(listing)
        fault = self.board.take(NoTickValue, lambda it: it.contract_id == contract_id)
        if fault is not None and fault.how == "missing":
            del record["tickValue"]
        elif fault is not None:
            record["tickValue"] = 0
        return record

    def truth(self, account_id: int) -> dict[str, Any]:
        """An account as it is, whatever faults stand."""
        return {
            **payloads.account_payload(self.exchange.accounts[account_id]),
            "positions": self._positions(account_id),
            "orders": self._orders(account_id),
            "trades": self._trades(account_id),
        }

    def _stale_now(self) -> _Snapshot | None:
        return self._stale if self.board.take(StaleSnapshot) else None

    def _accounts(self) -> Records:
        return [payloads.account_payload(it) for it in self.exchange.accounts.values()]

    def _positions(self, account_id: int) -> Records:
        listings = self.exchange.listings
        held = self.exchange.ledger.holdings(account_id)
        return [payloads.position_payload(it, listings[it.contract_id].name) for it in held]

    def _orders(self, account_id: int, *, only_working: bool = False) -> Records:
        listings = self.exchange.listings
        return [
            payloads.order_payload(it, listings[it.contract_id].symbol_id)
            for it in self.exchange.orders_of(account_id)
            if it.working or not only_working
        ]

    def _trades(self, account_id: int) -> Records:
        trades = self.exchange.ledger.trades.get(account_id, [])
        return [payloads.trade_payload(it) for it in trades]
