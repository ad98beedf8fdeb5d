"""The exchange model: what the gateway's other side does with orders, prices and positions.

Synchronous and pure: no clock, no chance, no I/O; ``now`` (aware UTC) comes with every call. Each
public operation tells its listeners what happened, in order, as payloads of the gateway's wire
shape. Closing a position leaves resting orders alone, as the live gateway is believed to do.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from itertools import count

from simulator import payloads
from simulator.bars import Bars
from simulator.contracts import Listing
from simulator.events import Event, Kind
from simulator.ledger import Account, Ledger
from simulator.lots import Holding, LotMethod
from simulator.orders import OrderRequest, Quote, WorkingOrder
from simulator.validate import (
    ACCEPTED,
    MAX_SIZE,
    Answer,
    bracket_children,
    bracket_price,
    change_refusal,
    close_refusal,
    partial_close_refusal,
    place_refusal,
    price_problem,
    price_refusal,
)
from simulator.words import ChangeError, OrderStatus, OrderType, PlaceError, Side

Listener = Callable[[tuple[Event, ...]], None]


class Exchange:
    """Accounts, contracts, prices and one order book per contract.

    Only its own methods change anything; readers may look at its attributes.
    """

    def __init__(
        self,
        listings: Iterable[Listing],
        accounts: Iterable[Account],
        now: datetime,
        *,
        lot_method: LotMethod = LotMethod.FIFO,
        fills_at_once: int | None = None,
        linked_orders_cancel_together: bool = True,
    ) -> None:
        """``fills_at_once``: contracts an order may trade per quote, for partial fills; None for all.

        ``linked_orders_cancel_together``: cancelling one of a pair (target and stop) cancels both.
        """
        self.listings = {listing.id: listing for listing in listings}
        self.accounts = {account.id: account for account in accounts}
        self.ledger = Ledger(lot_method)
        self.orders: dict[int, WorkingOrder] = {}
        self.quotes: dict[str, Quote] = {}
        self.bars = {contract_id: Bars() for contract_id in self.listings}
        self.open = True
        self.fills_at_once = fills_at_once
        self.linked_orders_cancel_together = linked_orders_cancel_together
        self.listeners: list[Listener] = []
        self._orders_of: dict[int, list[WorkingOrder]] = {it: [] for it in self.accounts}
        self._working: dict[str, dict[int, WorkingOrder]] = {it: {} for it in self.listings}
        self._day: dict[str, tuple[Decimal, Decimal, Decimal, int]] = {}
        self._order_ids = count(9_001)
        self._causes = count(1)
        self._cause = 0
        self._events: list[Event] = []
        for listing in self.listings.values():
            self.set_quote(listing.id, listing.price, listing.price + listing.tick_size, now)

    # --- prices

    def set_quote(
        self,
        contract_id: str,
        bid: Decimal,
        ask: Decimal,
        now: datetime,
        last: Decimal | None = None,
    ) -> None:
        """A new price: stops, limits and trailing stops act on it. KeyError: no such contract."""
        listing = self.listings[contract_id]
        quote = Quote(bid, ask, bid if last is None else last)
        self.quotes[contract_id] = quote
        self.bars[contract_id].note(quote.last, now)
        self._next_cause()
        self._say(Kind.QUOTE, None, contract_id, self._note_quote(listing, quote, now))
        if self.open:
            self._match(contract_id, now)
        self._tell()

    def quote_payload(self, contract_id: str, now: datetime) -> payloads.Payload:
        """The current quote, as it is pushed."""
        listing = self.listings[contract_id]
        quote = self.quotes[contract_id]
        return payloads.quote_payload(listing, quote, self._day[contract_id], now)

    def _note_quote(self, listing: Listing, quote: Quote, now: datetime) -> payloads.Payload:
        last = quote.last
        opened, high, low, volume = self._day.get(listing.id, (last, last, last, 0))
        self._day[listing.id] = opened, max(high, last), min(low, last), volume + 1
        return payloads.quote_payload(listing, quote, self._day[listing.id], now)

    # --- reading

    def orders_of(self, account_id: int) -> list[WorkingOrder]:
        """Every order an account ever had, oldest first."""
        return self._orders_of.get(account_id, [])

    # --- what a trader may do

    def place(self, request: OrderRequest, now: datetime) -> Answer:
        """Accept or refuse an order; a market order trades before this returns."""
        account = self.accounts.get(request.account_id)
        listing = self.listings.get(request.contract_id)
        if refusal := place_refusal(request, account, listing, self.open):
            return refusal
        quote = self.quotes[request.contract_id]
        assert listing is not None
        if refusal := price_refusal(request, quote, listing.tick_size):
            return refusal
        if request.linked_order_id is not None and not self._is_working(request):
            return Answer(PlaceError.REJECTED, "the linked order is not working")
        order = self._accept(request, quote, now)
        self._match(order.contract_id, now, only=order)
        order.resting = True
        self._tell()
        return Answer(0, None, order.id)

    def cancel(self, account_id: int, order_id: int, now: datetime) -> Answer:
        """Take a working order back, with what depends on it."""
        order = self.orders.get(order_id)
        account = self.accounts.get(account_id)
        if refusal := change_refusal(account, order, "cancel"):
            return refusal
        assert order is not None
        self._next_cause()
        self._end(order, OrderStatus.CANCELLED, now)
        if self.linked_orders_cancel_together:
            self._end_siblings(order, now)
        self._end_orphans(order, now)
        self._tell()
        return ACCEPTED

    def modify(
        self,
        account_id: int,
        order_id: int,
        now: datetime,
        *,
        size: int | None = None,
        limit_price: Decimal | None = None,
        stop_price: Decimal | None = None,
        trail: Decimal | None = None,
    ) -> Answer:
        """Change a working order; None leaves a field as it is."""
        order = self.orders.get(order_id)
        account = self.accounts.get(account_id)
        if refusal := change_refusal(account, order, "modify"):
            return refusal
        assert order is not None
        if size is not None and not order.filled < size <= MAX_SIZE:
            return Answer(ChangeError.REJECTED, "size must be above what has filled")
        tick_size = self.listings[order.contract_id].tick_size
        if problem := price_problem(tick_size, limit_price, stop_price, trail):
            return Answer(ChangeError.REJECTED, problem)
        order.size = order.size if size is None else size
        order.limit_price = order.limit_price if limit_price is None else limit_price
        order.stop_price = order.stop_price if stop_price is None else stop_price
        order.trail = order.trail if trail is None else trail
        order.updated = now
        self._next_cause()
        self._say_order(order)
        self._match(order.contract_id, now, only=order)
        self._tell()
        return ACCEPTED

    def close(self, account_id: int, contract_id: str, now: datetime) -> Answer:
        """Position/closeContract: everything of one contract, at the market."""
        held = self.ledger.holding(account_id, contract_id)
        account = self.accounts.get(account_id)
        if refusal := close_refusal(account, self.listings.get(contract_id), held, self.open):
            return refusal
        assert held is not None
        self._close_at_market(held, held.size, now)
        return ACCEPTED

    def partial_close(self, account_id: int, contract_id: str, size: int, now: datetime) -> Answer:
        """Position/partialCloseContract: ``size`` contracts, at the market."""
        held = self.ledger.holding(account_id, contract_id)
        account = self.accounts.get(account_id)
        listing = self.listings.get(contract_id)
        if refusal := partial_close_refusal(account, listing, held, size, self.open):
            return refusal
        assert held is not None
        self._close_at_market(held, size, now)
        return ACCEPTED

    # --- what the broker may do

    def set_account(
        self,
        account_id: int,
        *,
        can_trade: bool | None = None,
        visible: bool | None = None,
        adjust: Decimal = Decimal(0),
        refuses: frozenset[str] | None = None,
    ) -> None:
        """Change permissions, or the balance by a payout or a correction (KeyError: no account)."""
        account = self.accounts[account_id]
        account.balance += adjust
        account.can_trade = account.can_trade if can_trade is None else can_trade
        account.visible = account.visible if visible is None else visible
        account.refuses = account.refuses if refuses is None else refuses
        self._next_cause()
        self._say_account(account)
        self._tell()

    def void(self, trade_id: int) -> bool:
        """Strike a trade and book the contract again without it; False if unknown or struck."""
        trade = self.ledger.trade(trade_id)
        if trade is None or trade.voided:
            return False
        account = self.accounts[trade.account_id]
        changed, holdings = self.ledger.void(account, self.listings[trade.contract_id], trade)
        self._next_cause()
        for booking in changed:
            self._say(Kind.TRADE, account.id, booking.contract_id, payloads.trade_payload(booking))
        for held in holdings:
            self._say_position(held)
        self._say_account(account)
        self._tell()
        return True

    def fill_at_stop(self, account_id: int, contract_id: str, now: datetime) -> bool:
        """Let the oldest working stop of a position trade as if the market had touched it."""
        net = self.ledger.net(account_id, contract_id)
        for order in list(self._working[contract_id].values()):
            reduces = net == 0 or order.side.sign * net < 0
            if order.account_id != account_id or order.stop_price is None or not reduces:
                continue
            if order.status is OrderStatus.OPEN:
                self._execute(order, order.remaining, order.stop_price, now)
                self._tell()
                return True
        return False

    # --- accepting

    def _is_working(self, request: OrderRequest) -> bool:
        assert request.linked_order_id is not None
        linked = self.orders.get(request.linked_order_id)
        return linked is not None and linked.working and linked.account_id == request.account_id

    def _accept(self, request: OrderRequest, quote: Quote, now: datetime) -> WorkingOrder:
        self._next_cause()
        order = WorkingOrder(
            id=next(self._order_ids),
            account_id=request.account_id,
            contract_id=request.contract_id,
            type=request.type,
            side=request.side,
            size=request.size,
            created=now,
            updated=now,
            limit_price=_limit_of(request, quote),
            stop_price=request.stop_price,
            trail=request.trail,
            custom_tag=request.custom_tag,
        )
        order.follow(quote)
        self._enter(order)
        if request.linked_order_id is not None:
            self._link(order, self.orders[request.linked_order_id])
        children = bracket_children(order, request, self._order_ids, now)
        for child in children:
            self._enter(child)
        if len(children) == 2:
            self._link(*children)
        return order

    def _enter(self, order: WorkingOrder) -> None:
        self._record(order)
        self._working[order.contract_id][order.id] = order
        self._say_order(order)

    def _record(self, order: WorkingOrder) -> None:
        self.orders[order.id] = order
        self._orders_of[order.account_id].append(order)

    def _link(self, one: WorkingOrder, other: WorkingOrder) -> None:
        one.siblings.add(other.id)
        other.siblings.add(one.id)

    # --- trading

    def _match(self, contract_id: str, now: datetime, only: WorkingOrder | None = None) -> None:
        book = self._working[contract_id]
        if not book:
            return
        quote = self.quotes[contract_id]
        for order in [only] if only is not None else list(book.values()):
            if order.follow(quote):
                order.updated = now
                self._say_order(order)
            price = order.execution_price(quote)
            if price is not None:
                size = min(order.remaining, self.fills_at_once or order.remaining)
                self._execute(order, size, price, now)
            order.resting = order.status is OrderStatus.OPEN

    def _close_at_market(self, held: Holding, size: int, now: datetime) -> None:
        order = WorkingOrder(
            id=next(self._order_ids),
            account_id=held.account_id,
            contract_id=held.contract_id,
            type=OrderType.MARKET,
            side=Side.SELL if held.sign > 0 else Side.BUY,
            size=size,
            created=now,
            updated=now,
        )
        self._record(order)
        price = self.quotes[held.contract_id].touch(order.side)
        self._execute(order, size, price, now)
        self._tell()

    def _execute(self, order: WorkingOrder, size: int, price: Decimal, now: datetime) -> None:
        account = self.accounts[order.account_id]
        listing = self.listings[order.contract_id]
        before = order.filled * (order.filled_price or Decimal(0))
        order.filled += size
        order.filled_price = (before + size * price) / order.filled
        trades, holdings = self.ledger.book(
            account, listing, order_id=order.id, side=order.side, size=size, price=price, now=now
        )
        self._next_cause()
        if order.remaining:
            order.updated = now
            self._say_order(order)
        else:
            self._end(order, OrderStatus.FILLED, now)
        for trade in trades:
            self._say(Kind.TRADE, account.id, listing.id, payloads.trade_payload(trade))
        for held in holdings:
            self._say_position(held)
        self._say_account(account)
        self._after_fill(order, size, now)

    def _after_fill(self, order: WorkingOrder, size: int, now: datetime) -> None:
        if order.remaining:
            for sibling in self._working_siblings(order):
                sibling.size = max(sibling.size - size, sibling.filled)
                self._say_order(sibling)
        else:
            self._end_siblings(order, now)
        for child in self._children(order):
            self._wake(child, order, now)

    def _wake(self, child: WorkingOrder, parent: WorkingOrder, now: datetime) -> None:
        assert child.bracket is not None
        assert parent.filled_price is not None
        listing = self.listings[child.contract_id]
        price = bracket_price(child, parent.filled_price, listing.tick_size)
        child.size = parent.filled
        child.updated = now
        if child.type is OrderType.LIMIT:
            child.limit_price = price
        elif child.type is OrderType.TRAILING_STOP:
            child.trail = child.bracket.ticks * listing.tick_size
            child.stop_price = price
        else:
            child.stop_price = price
        child.status = OrderStatus.OPEN
        child.resting = True
        self._say_order(child)

    # --- ending

    def _end(self, order: WorkingOrder, status: OrderStatus, now: datetime) -> None:
        order.status = status
        order.updated = now
        self._working[order.contract_id].pop(order.id, None)
        self._say_order(order)

    def _working_siblings(self, order: WorkingOrder) -> list[WorkingOrder]:
        siblings = (self.orders[it] for it in sorted(order.siblings))
        return [it for it in siblings if it.working]

    def _children(self, order: WorkingOrder) -> list[WorkingOrder]:
        book = self._working[order.contract_id].values()
        return [it for it in book if it.parent_id == order.id]

    def _end_siblings(self, order: WorkingOrder, now: datetime) -> None:
        for sibling in self._working_siblings(order):
            self._end(sibling, OrderStatus.CANCELLED, now)

    def _end_orphans(self, order: WorkingOrder, now: datetime) -> None:
        for child in self._children(order):
            if child.status is OrderStatus.SUSPENDED:
                self._end(child, OrderStatus.CANCELLED, now)

    # --- telling

    def _next_cause(self) -> None:
        self._cause = next(self._causes)

    def _say(
        self, kind: Kind, account_id: int | None, contract_id: str, payload: payloads.Payload
    ) -> None:
        self._events.append(Event(kind, account_id, contract_id, payload, self._cause))

    def _say_order(self, order: WorkingOrder) -> None:
        symbol_id = self.listings[order.contract_id].symbol_id
        payload = payloads.order_payload(order, symbol_id)
        self._say(Kind.ORDER, order.account_id, order.contract_id, payload)

    def _say_position(self, held: Holding) -> None:
        payload = payloads.position_payload(held, self.listings[held.contract_id].name)
        self._say(Kind.POSITION, held.account_id, held.contract_id, payload)

    def _say_account(self, account: Account) -> None:
        self._say(Kind.ACCOUNT, account.id, "", payloads.account_payload(account))

    def _tell(self) -> None:
        events, self._events = tuple(self._events), []
        for listener in self.listeners:
            listener(events)


def _limit_of(request: OrderRequest, quote: Quote) -> Decimal | None:
    if request.type is OrderType.JOIN_BID:
        return quote.bid
    if request.type is OrderType.JOIN_ASK:
        return quote.ask
    return request.limit_price if request.type is not OrderType.MARKET else None
