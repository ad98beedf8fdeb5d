"""The REST surface: every endpoint as a function from a request to an answer.

A refusal is HTTP 200 with ``success: false``, as on the live gateway; only what never reached an
endpoint (no token, no such path, no JSON) has another status. All of it is synchronous.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import frozen

from simulator.bars import UNITS
from simulator.desk import Desk, Handled, Records
from simulator.messages import (
    AvailableContracts,
    BracketRequest,
    CancelOrder,
    CloseContract,
    ContractById,
    ModifyOrder,
    OfAccount,
    OrderById,
    PartialCloseContract,
    PlaceOrder,
    QueryOrders,
    Request,
    RetrieveBars,
    SearchAccounts,
    SearchContracts,
    SearchHistory,
)
from simulator.orders import Bracket, OrderRequest
from simulator.sessions import User
from simulator.validate import Answer
from simulator.words import OrderStatus, OrderType, PlaceError, Side

Body = dict[str, Any]
NO_ACCOUNT = 1
MOST_CONTRACTS = 20
"""Contract/search answers at most this many."""
_ORDER_TYPES = {int(it): it for it in OrderType}


@frozen
class Caller:
    """Who asks, and when."""

    user: User
    now: datetime

    def may_see(self, account_id: int) -> bool:
        """Whether the account belongs to this login."""
        return self.user.account_ids is None or account_id in self.user.account_ids


@frozen
class Told:
    """An answer, with what is to happen to it on the way."""

    body: Body
    handled: Handled | None = None


def succeeded(**fields: Any) -> Body:
    """An answer with ``success: true``."""
    return {**fields, "success": True, "errorCode": 0, "errorMessage": None}


def refused(code: int, message: str | None, **fields: Any) -> Body:
    """An answer with ``success: false``."""
    return {**fields, "success": False, "errorCode": code, "errorMessage": message}


def _answered(answer: Answer, **fields: Any) -> Body:
    return (
        succeeded(**fields) if answer.accepted else refused(answer.code, answer.message, **fields)
    )


# --- accounts and contracts


def search_accounts(desk: Desk, caller: Caller, request: SearchAccounts) -> Body:
    """Account/search."""
    seen = [it for it in desk.accounts() if caller.may_see(it["id"])]
    if request.only_active_accounts:
        seen = [it for it in seen if it["isVisible"] and it["canTrade"]]
    return succeeded(accounts=seen)


def search_contracts(desk: Desk, _: Caller, request: SearchContracts) -> Body:
    """Contract/search."""
    text = request.search_text.upper()
    found = [
        it.id
        for it in desk.exchange.listings.values()
        if text in it.name or text in it.id or text in it.description.upper()
    ]
    return succeeded(contracts=[desk.contract(it) for it in found[:MOST_CONTRACTS]])


def available_contracts(desk: Desk, _: Caller, request: AvailableContracts) -> Body:
    """Contract/available; live and simulated data are the same here."""
    del request
    return succeeded(contracts=[desk.contract(it) for it in desk.exchange.listings])


def contract_by_id(desk: Desk, _: Caller, request: ContractById) -> Body:
    """Contract/searchById."""
    contract = desk.contract(request.contract_id)
    if contract is None:
        return refused(1, "contract not found", contract=None)
    return succeeded(contract=contract)


def retrieve_bars(desk: Desk, caller: Caller, request: RetrieveBars) -> Body:
    """History/retrieveBars, newest first; from quotes since the start, down to one minute."""
    bars = desk.exchange.bars.get(request.contract_id)
    if bars is None:
        return refused(1, "contract not found", bars=[])
    unit = UNITS.get(request.unit)
    if unit is None:
        return refused(2, "unit must be minute, hour, day or week (2 to 5)", bars=[])
    found = bars.between(
        _aware(request.start_time),
        _aware(request.end_time),
        min(unit * request.unit_number, timedelta(days=366)),
        caller.now,
        request.include_partial_bar,
    )
    newest = found[::-1][: request.limit or None]
    return succeeded(bars=[bar.payload() for bar in newest])


# --- positions


def open_positions(desk: Desk, caller: Caller, request: OfAccount) -> Body:
    """Position/searchOpen."""
    if not _exists(desk, caller, request.account_id):
        return refused(NO_ACCOUNT, "account not found", positions=[])
    return succeeded(positions=desk.positions(request.account_id))


def close_contract(desk: Desk, caller: Caller, request: CloseContract) -> Body | Told:
    """Position/closeContract."""
    if not caller.may_see(request.account_id):
        return refused(NO_ACCOUNT, "account not found")
    handled = desk.close(request.account_id, request.contract_id, caller.now)
    return Told(_answered(handled.answer), handled)


def partial_close_contract(
    desk: Desk, caller: Caller, request: PartialCloseContract
) -> Body | Told:
    """Position/partialCloseContract."""
    if not caller.may_see(request.account_id):
        return refused(NO_ACCOUNT, "account not found")
    handled = desk.partial_close(request.account_id, request.contract_id, request.size, caller.now)
    return Told(_answered(handled.answer), handled)


# --- orders


def place_order(desk: Desk, caller: Caller, request: PlaceOrder) -> Body | Told:
    """Order/place."""
    if not caller.may_see(request.account_id):
        return refused(NO_ACCOUNT, "account not found", orderId=None)
    order = order_request(request)
    if isinstance(order, str):
        return refused(PlaceError.REJECTED, order, orderId=None)
    handled = desk.place(order, caller.now)
    return Told(_answered(handled.answer, orderId=handled.answer.order_id), handled)


def order_request(request: PlaceOrder) -> OrderRequest | str:
    """The exchange's words for an order, or what is wrong with it."""
    kind = _ORDER_TYPES.get(request.type)
    if kind is None:
        return f"type must be one of {', '.join(map(str, _ORDER_TYPES))}"
    if request.side not in (0, 1):
        return "side must be 0 (buy) or 1 (sell)"
    stop_loss = _bracket(request.stop_loss_bracket)
    take_profit = _bracket(request.take_profit_bracket)
    if stop_loss is not None and stop_loss.type not in (OrderType.STOP, OrderType.TRAILING_STOP):
        return "stopLossBracket.type must be 4 (stop) or 5 (trailing stop)"
    if take_profit is not None and take_profit.type is not OrderType.LIMIT:
        return "takeProfitBracket.type must be 1 (limit)"
    return OrderRequest(
        account_id=request.account_id,
        contract_id=request.contract_id,
        type=kind,
        side=Side(request.side),
        size=request.size,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        trail=request.trail_price,
        custom_tag=request.custom_tag,
        linked_order_id=request.linked_order_id,
        stop_loss=stop_loss,
        take_profit=take_profit,
    )


def _bracket(request: BracketRequest | None) -> Bracket | None:
    if request is None or request.ticks == 0:
        return None
    return Bracket(abs(request.ticks), _ORDER_TYPES.get(request.type, OrderType.MARKET))


def modify_order(desk: Desk, caller: Caller, request: ModifyOrder) -> Body | Told:
    """Order/modify."""
    if not caller.may_see(request.account_id):
        return refused(NO_ACCOUNT, "account not found")
    handled = desk.modify(
        request.account_id,
        request.order_id,
        caller.now,
        size=request.size,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        trail=request.trail_price,
    )
    return Told(_answered(handled.answer), handled)


def cancel_order(desk: Desk, caller: Caller, request: CancelOrder) -> Body | Told:
    """Order/cancel."""
    if not caller.may_see(request.account_id):
        return refused(NO_ACCOUNT, "account not found")
    handled = desk.cancel(request.account_id, request.order_id, caller.now)
    return Told(_answered(handled.answer), handled)


def open_orders(desk: Desk, caller: Caller, request: OfAccount) -> Body:
    """Order/searchOpen; suspended bracket children are left out, as on the live gateway (K)."""
    if not _exists(desk, caller, request.account_id):
        return refused(NO_ACCOUNT, "account not found", orders=[])
    shown = (OrderStatus.OPEN, OrderStatus.PENDING, OrderStatus.PENDING_CANCELLATION)
    orders = [it for it in desk.orders(request.account_id) if it["status"] in shown]
    return succeeded(orders=orders)


def search_orders(desk: Desk, caller: Caller, request: SearchHistory) -> Body:
    """Order/search."""
    if not _exists(desk, caller, request.account_id):
        return refused(NO_ACCOUNT, "account not found", orders=[])
    return succeeded(orders=_within(desk.orders(request.account_id), request))


def order_by_id(desk: Desk, caller: Caller, request: OrderById) -> Body:
    """Order/searchById."""
    if not _exists(desk, caller, request.account_id):
        return refused(NO_ACCOUNT, "account not found", order=None)
    found = [it for it in desk.orders(request.account_id) if it["id"] == request.order_id]
    return succeeded(order=found[0]) if found else refused(2, "order not found", order=None)


def query_orders(desk: Desk, caller: Caller, request: QueryOrders) -> Body:
    """Order/v2/query; suspended orders are here when asked for."""
    asked = request.filter
    if not _exists(desk, caller, asked.account_id):
        return refused(NO_ACCOUNT, "account not found", orders=[], totalCount=0)
    orders = [
        it
        for it in desk.orders(asked.account_id)
        if (not asked.statuses or it["status"] in asked.statuses)
        and asked.contract_id in (None, it["contractId"])
    ]
    start = request.page_offset
    page = orders[start : start + request.page_size]
    return succeeded(orders=page, totalCount=len(orders))


# --- trades


def search_trades(desk: Desk, caller: Caller, request: SearchHistory) -> Body:
    """Trade/search."""
    if not _exists(desk, caller, request.account_id):
        return refused(NO_ACCOUNT, "account not found", trades=[])
    return succeeded(trades=_within(desk.trades(request.account_id), request))


def _within(records: Records, request: SearchHistory) -> Records:
    if request.start_timestamp is None and request.end_timestamp is None:
        return records
    start = _aware(request.start_timestamp or datetime.min.replace(tzinfo=UTC))
    end = _aware(request.end_timestamp or datetime.max.replace(tzinfo=UTC))
    return [it for it in records if start <= datetime.fromisoformat(it["creationTimestamp"]) <= end]


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _exists(desk: Desk, caller: Caller, account_id: int) -> bool:
    return account_id in desk.exchange.accounts and caller.may_see(account_id)


ENDPOINTS: dict[str, tuple[type[Request], Callable[[Desk, Caller, Any], Body | Told]]] = {
    "/api/Account/search": (SearchAccounts, search_accounts),
    "/api/Contract/search": (SearchContracts, search_contracts),
    "/api/Contract/searchById": (ContractById, contract_by_id),
    "/api/Contract/available": (AvailableContracts, available_contracts),
    "/api/History/retrieveBars": (RetrieveBars, retrieve_bars),
    "/api/Position/searchOpen": (OfAccount, open_positions),
    "/api/Position/closeContract": (CloseContract, close_contract),
    "/api/Position/partialCloseContract": (PartialCloseContract, partial_close_contract),
    "/api/Order/place": (PlaceOrder, place_order),
    "/api/Order/modify": (ModifyOrder, modify_order),
    "/api/Order/cancel": (CancelOrder, cancel_order),
    "/api/Order/searchOpen": (OfAccount, open_orders),
    "/api/Order/search": (SearchHistory, search_orders),
    "/api/Order/searchById": (OrderById, order_by_id),
    "/api/Order/v2/query": (QueryOrders, query_orders),
    "/api/Trade/search": (SearchHistory, search_trades),
}
"""Every endpoint that needs a token, by its path."""
