"""What is true and what the daemon was told, kept apart and compared."""

import math
from collections.abc import Iterable

from attrs import define

from simulation.bench import Bench
from simulation.docket import Docket
from simulation.excuses import AUDIT_EXPOSED, AUDIT_FLAT, Excuse
from simulation.trading_days import day_name
from simulation.truth import Order, Trade

SAME_INSTANT = 0.001
QUOTED_EVERY = 1.5
"""Seconds within which what is held is quoted again, while its quotes come."""
READ_AGAIN = 1.3
"""Seconds from a reading that did not settle to the next that has: 1 s, the answer, 150 ms."""
COMES_TO_REST = 0.15
"""Seconds after an answer within which no event of the account may come, or it is not believed."""
FOLLOWS_AT_ONCE = 0.2
"""Seconds from an answer that shows a difference to the question that it raises: 150 ms of settling."""
WIDE_TICKS = 10
"""A spread above so many ticks may be suspected: 10 one-minute medians, of a tick at least."""


@define(eq=False)
class Knowledge:
    """Feeds both books of each account."""

    _bench: Bench

    # ---- the exchange -------------------------------------------------------------------------

    def price(self, contract: str, bid: float, ask: float) -> None:
        """The exchange quotes a contract."""
        self._bench.true_prices[contract] = (bid, ask)
        differs = self._bench.told_prices.get(contract) != (bid, ask)
        if differs:
            self._bench.untold.add(contract)
        wide = ask - bid > WIDE_TICKS * self._bench.instruments[contract].tick
        for docket in self._bench.dockets.values():
            if contract in docket.true.held:
                if wide:
                    docket.excuses.lasts(Excuse.WIDE, self._bench.now + 1.0)
                if differs:
                    docket.excuses.hold(Excuse.UNTOLD_PRICE, True, self._bench.now)
                docket.look_at_prices(self._bench.now)

    def position(self, account: int, contract: str, id_: int, net: int, average: float) -> None:
        """The exchange says what is held."""
        docket = self._bench.dockets.get(account)
        if docket is None:
            return
        before = docket.true.held.get(contract)
        if before is not None and (net == 0 or id_ != before.id):
            if docket.reason_for.get(contract) == before.id:
                docket.closed_at[contract] = self._bench.now
            docket.failures.pop(contract, None)
        docket.true.position(contract, id_, net, average, self._bench.now)
        if net and (before is None or before.id != id_):
            self._bench.may_be_race(docket, contract, net)
        docket.moved_at = self._bench.now
        self._bench.changed(docket)

    def order(self, account: int, order: Order) -> None:
        """The exchange says how an order stands."""
        docket = self._bench.dockets.get(account)
        if docket is not None:
            docket.true.order(order, self._bench.now)
            docket.moved_at = self._bench.now
            self._bench.changed(docket)

    def balance(self, account: int, dollars: float) -> None:
        """The exchange says what an account is worth without what is open."""
        docket = self._bench.dockets.get(account)
        if docket is not None:
            docket.scaling.balance = dollars

    def trade(self, account: int, trade: Trade) -> None:
        """The exchange booked a half-turn, or struck one."""
        docket = self._bench.dockets.get(account)
        if docket is not None:
            docket.true.trade(trade)
            docket.owes_opening(self._bench.now)
            docket.compare_trade(trade.id)
            if docket.locked:
                self._bench.coverage.saw("locked account traded")
            self._bench.changed(docket)

    def told_price(self, contract: str, bid: float | None, ask: float | None) -> None:
        """A quote passed the port; what is missing stays as it was."""
        known = self._bench.told_prices.get(contract)
        if known is None:
            known, self._bench.unsure[contract] = self._bench.true_prices[contract], {"bid", "ask"}
        unsure = self._bench.unsure.get(contract)
        if unsure:
            unsure -= {side for side, it in (("bid", bid), ("ask", ask)) if it is not None}
        quote = known[0] if bid is None else bid, known[1] if ask is None else ask
        self._bench.told_prices[contract] = quote
        self._bench.told_at[contract] = self._bench.now
        if quote == self._bench.true_prices[contract]:
            self._bench.untold.discard(contract)
        else:
            self._bench.untold.add(contract)
        for docket in self._bench.dockets.values():
            if contract in docket.told.held or contract in docket.true.held:
                docket.look_at_told_prices(self._bench.now)
                untold = any(it in self._bench.untold for it in docket.true.held)
                if docket.excuses.hold(Excuse.UNTOLD_PRICE, untold, self._bench.now):
                    self._bench.deadlines_again(docket)

    def told_position(
        self, account: int, contract: str, id_: int, net: int, average: float
    ) -> None:
        """A position event passed the port."""
        docket = self._bench.dockets.get(account)
        if docket is not None:
            docket.heard[contract] = self._bench.now
            self._unsettles(docket)
            docket.told.position(contract, id_, net, average, self._bench.now)
            self._forget_price(contract)
            self._bench.changed(docket)

    def _unsettles(self, docket: Docket) -> None:
        """An event so soon after an answer that had news: it has not come to rest (DESIGN 2.3)."""
        if self._bench.now - docket.found_at <= COMES_TO_REST:
            docket.excuses.lasts(Excuse.UNSETTLED, self._bench.now + READ_AGAIN)

    def _forget_price(self, contract: str) -> None:
        """Nobody holds it, so nobody watches it: an old price is no knowledge of a new position."""
        if not any(contract in it.told.held for it in self._bench.dockets.values()):
            self._bench.told_prices.pop(contract, None)
            self._bench.untold.add(contract)

    def told_order(self, account: int, order: Order) -> None:
        """An order event passed the port."""
        docket = self._bench.dockets.get(account)
        if docket is not None:
            docket.heard[order.id] = self._bench.now
            docket.raced.discard(order.id)
            self._unsettles(docket)
            docket.told.order(order, self._bench.now)
            self._bench.changed(docket)

    def told_trade(self, account: int, trade: Trade) -> None:
        """A trade event passed the port."""
        docket = self._bench.dockets.get(account)
        if docket is not None and (trade.id in docket.true.trades or self._of_today(trade)):
            self._price_of(trade)
            docket.told.trade(trade)
            docket.compare_trade(trade.id)
            self._bench.changed(docket)

    def _price_of(self, trade: Trade) -> None:
        """A fill that an older quote did not offer says that the market has moved on."""
        quote = self._bench.told_prices.get(trade.contract)
        age = (self._bench.wall() - trade.at).total_seconds()
        newer = self._bench.now - age > self._bench.told_at.get(trade.contract, 0.0) + SAME_INSTANT
        if quote is None or (newer and not quote[0] <= trade.price <= quote[1]):
            self._told_without_touch(trade.contract, trade.price)

    def _told_last(self, contract: str, price: float) -> None:
        """Who asks has no fresh quote, or has forgotten it; one that came meanwhile counts."""
        age = self._bench.now - self._bench.told_at.get(contract, -math.inf)
        if contract not in self._bench.told_prices or age > QUOTED_EVERY:
            self._told_without_touch(contract, price)
            for docket in self._bench.dockets.values():
                if contract in docket.told.held:
                    docket.look_at_told_prices(self._bench.now)

    def _told_without_touch(self, contract: str, price: float) -> None:
        self._bench.told_prices[contract] = price, price
        self._bench.unsure[contract] = {"bid", "ask"}

    def told_bar(self, what: str, login: str, contract: str, price: float) -> None:
        """The close of a bar passed the port: of the newest one, or of one at the reset."""
        if what == "price_at":
            self._told_opening(login, contract, price)
        else:
            self._told_last(contract, price)

    def _told_opening(self, login: str, contract: str, price: float) -> None:
        """Who did not see the reset begins with that."""
        for docket in self._bench.of_login(login):
            net, _, cost = docket.true.begun.get(contract, (0, 0.0, 0.0))
            if net and contract not in docket.told.begun:
                docket.told.begun[contract] = net, price, cost
                docket.told.fold()
                self._bench.changed(docket)

    def _of_today(self, trade: Trade) -> bool:
        return day_name(trade.at) == day_name(self._bench.wall())

    def read_positions(
        self, account: int, held: Iterable[tuple[str, int, int, float]], asked_at: float
    ) -> None:
        """An answer with all open positions passed the port: contract, life, net, average."""
        docket = self._bench.dockets[account]
        if asked_at >= docket.open.get(("unread", ""), math.inf):
            docket.obliges(("unread", ""), False, self._bench.now)
        # What an event has told meanwhile stays: an answer may be older than it.
        heard = {it for it, at in docket.heard.items() if at >= asked_at}
        listed = {it: (id_, net, avg) for it, id_, net, avg in held if it not in heard}
        blind = docket.excuses.standing[Excuse.UNTOLD_POSITION]
        for contract in [it for it in docket.told.held if it not in listed and it not in heard]:
            docket.taken[contract] = docket.told.held[contract].net, self._bench.now
            docket.told.position(contract, 0, 0, 0.0, self._bench.now)
            self._forget_price(contract)
        for contract, (id_, net, average) in listed.items():
            docket.grows(contract, net, self._bench.now)
            docket.told.position(contract, id_, net, average, self._bench.now)
        self._read_on(docket, asked_at)
        self._bench.changed(docket)
        if blind:
            docket.found_at = self._bench.now
        if heard:
            docket.excuses.lasts(Excuse.UNSETTLED, self._bench.now + READ_AGAIN)
        if docket.excuses.standing[Excuse.UNTOLD_POSITION]:
            self._misread(docket, asked_at)
        elif blind and docket.phase == "live":
            self._bench.coverage.saw("event lost and found by a read")

    def _misread(self, docket: Docket, asked_at: float) -> None:
        """An answer that was false all the time since the question: the daemon cannot know."""
        if docket.moved_at < asked_at:
            every = AUDIT_EXPOSED if docket.told.held or docket.told.orders else AUDIT_FLAT
            self._bench.coverage.saw("answer that was no longer true")
            docket.excuses.lasts(Excuse.MISREAD, self._bench.now + every)

    def read_orders(self, account: int, orders: Iterable[Order], asked_at: float) -> None:
        """An answer with all working orders passed the port."""
        docket = self._bench.dockets[account]
        told = docket.told
        heard = {it for it, at in docket.heard.items() if at >= asked_at}
        listed = {it.id: it for it in orders if it.id not in heard | told.ended}
        listed |= {it.id: it for it in told.orders.values() if it.id in heard}
        touched = {it.contract for it in told.orders.values()} | {
            it.contract for it in listed.values()
        }
        raced = any(at >= asked_at for at in docket.heard.values())
        unknown = {it for it in listed if it not in told.orders or it in docket.raced}
        docket.raced = unknown if raced else set()
        told.orders = listed
        for contract in sorted(touched):
            told.protect(contract, self._bench.now)
        self._read_on(docket, asked_at)
        self._bench.changed(docket)
        if told.orders != docket.true.orders:
            self._misread(docket, asked_at)

    def _read_on(self, docket: Docket, asked_at: float) -> None:
        """A reading is believed when its last answer has come, and that of one that followed at once.

        Only then does the time without a stop begin of a position that no event has told of.
        """
        first = asked_at - FOLLOWS_AT_ONCE
        for contract, held in docket.told.held.items():
            if docket.heard.get(contract, -math.inf) >= first:
                continue
            if held.disturbed >= first:
                held.disturbed = self._bench.now
            if held.uncovered_since is not None and held.uncovered_since >= first:
                held.uncovered_since = self._bench.now

    def read_trades(self, account: int, trades: Iterable[Trade], asked_at: float) -> None:
        """An answer with the day's half-turns passed the port."""
        docket = self._bench.dockets[account]
        self._read_on(docket, asked_at)
        for trade in trades:
            if self._of_today(trade):
                docket.told.trade(trade)
                docket.compare_trade(trade.id)
        self._bench.changed(docket)
