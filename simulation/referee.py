"""Judges a run by the exchange's truth, after every event, with the bounded grace of DESIGN 3.

The referee is a watcher: it hears what the exchange says, what passes the daemon's broker port, what
is written down, which actors fall and rise, when lives begin and end. It knows nothing of the plan of
faults but what nobody could see from outside (a handler that is slow on purpose, a revoked token).

How the invariants of DESIGN, section 3, are judged:

1. Each breach in the exchange's truth has a deadline (:mod:`simulation.invariants`), put off only by
   what this very account can be excused by (:mod:`simulation.excuses`).
2. Nothing that the exchange executed for us may have opened a half-turn.
3. A close needs its own breach and ends one life of a position; partial closes are summed up against
   the excess that there was since they were decided.
4. A request that only a day's loss allows must find its lock written. Locks are remembered here, and
   the account must show just these, through deaths, until their time.
5. Once nothing has been kept from the daemon, its positions and its day equal the exchange's; nothing
   may stay unknown for longer than an audit takes.
6. No excuse of one account counts for another.
7. Each answer is recorded, once, for an intent that is recorded with its whole cause.
8. Each account begins each trading day once, within seconds, and soon knows its balance then.
9. What a mailbox accepted was handled, conflated, is queued, or is a dead letter.
10. No actor falls but those that were made to.
11. Each request and each lock needs a breach that was shown at, or just before, its decision: by the
    truth, or by all that the daemon had been told.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, Literal

import trio

from broker.port import (
    BrokerEvent,
    ConnectionChange,
    Fill,
    Hub,
    OrderUpdate,
    PositionUpdate,
    QuoteUpdate,
    Unreadable,
)
from simulation.archive import Archive
from simulation.bench import Bench, Plea
from simulation.circumstances import Circumstances
from simulation.coverage import Coverage
from simulation.docket import Docket
from simulation.feeds import Feeds
from simulation.invariants import Violation
from simulation.knowledge import Knowledge
from simulation.machine import Machine
from simulation.papers import Papers
from simulation.post import mail_of, nodes_of
from simulation.requests import Requests
from simulation.translation import (
    order_of,
    outcome_of,
    terms_in,
    told_order,
    told_trade,
    trade_of,
)
from simulation.trouble import (
    ClockDrift,
    ClockJump,
    DiskRefuses,
    PowerCut,
    SlowHandler,
    StuckHandler,
    Suspend,
    Trouble,
)
from simulation.truth import Instrument
from simulation.watcher import Asked, Nobody, Operation, Watcher
from simulator.desk import Handled
from simulator.events import Event, Kind
from simulator.faults import HalfOpen, RejectLogin, RevokeTokens, Stall
from store.port import Record
from supervision import (
    Crashed,
    FaultInjected,
    HandlerStuck,
    Parked,
    Started,
    SupervisionEvent,
    System,
)

LOOK_EVERY = 5.0
"""Seconds between looks at the time, and questions to the accounts for their own pictures. A deadline
that passed meanwhile is judged as at its own time: nothing has happened since."""
MARKET_ORDER = 2
AFTER_A_WRONG_CLOCK = 70.0
"""Seconds for which a clock that was wrong may still have told something wrong: the clocks are
compared every 15 s and a comparison is good for 60 s."""


class Referee(Watcher):
    """The judge of one run."""

    def opened(self, machine: Machine) -> None:
        """Get to know the accounts and their rules."""
        self._machine = machine
        instruments = {
            it.id: Instrument(it.id, it.root, float(it.point_value), float(it.tick_size))
            for it in machine.exchange.listings.values()
        }
        self.bench = Bench(instruments, machine.truth.now)
        bench = self.bench
        bench.disk_refuses = lambda: bool(machine.disk.refusing)
        bench.clock_is_wrong = self._clock_is_wrong
        bench.is_busy = self._is_busy
        bench.look_at = self._ask_for_picture
        bench.mail_of = self._mail_of
        self._knowledge = Knowledge(bench)
        self._requests = Requests(bench)
        self._circumstances = Circumstances(bench)
        self._papers = Papers(bench, self._circumstances.links)
        self._feeds = Feeds(bench)
        self._archive = Archive(bench, machine.disk, self._store_was_late)
        self._pleas: dict[int, Plea] = {}
        self._reads: dict[int, tuple[float, Callable[[bool], None]]] = {}
        self._executing = False
        self._opened_by_us: list[str] = []
        self._wrong_until, self._healed_at = -math.inf, math.inf
        self._power = False
        for contract, quote in machine.exchange.quotes.items():
            bench.true_prices[contract] = float(quote.bid), float(quote.ask)
        bench.untold.update(bench.true_prices)
        login_of = {
            id_: login.name for login in machine.scenario.seen_by() for id_ in login.accounts
        }
        for plan in machine.scenario.accounts:
            bench.guard(plan.name, plan.id, login_of[plan.id], terms_in(plan.rules))
        self._time()

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What was found, in the order of time."""
        return tuple(self.bench.violations)

    @property
    def coverage(self) -> Coverage:
        """What the run has reached so far."""
        return self.bench.coverage

    async def watch(self) -> None:
        """Judge by time alone, too, and ask the accounts what they believe."""
        await trio.sleep(LOOK_EVERY - 0.63)  # never just when the world's round seconds are
        while True:
            self._time()
            self._ask_for_pictures()
            await trio.sleep(LOOK_EVERY)

    def _time(self) -> None:
        self.bench.tick(self._machine.elapsed)
        self._archive.look()

    def _clock_is_wrong(self) -> bool:
        if abs(self._machine.clock.wrong_by) > 1.0:
            self._wrong_until = self.bench.now + AFTER_A_WRONG_CLOCK
        return self.bench.now < self._wrong_until

    # ---- the exchange -------------------------------------------------------------------------

    def exchanged(self, events: tuple[Event, ...]) -> None:
        """Take the truth down."""
        self._time()
        knowledge = self._knowledge
        for event in events:
            payload, account = event.payload, event.account_id
            if event.kind is Kind.QUOTE:
                bid, ask = float(payload["bestBid"]), float(payload["bestAsk"])
                knowledge.price(event.contract_id, bid, ask)
                self._feeds.quoted(event.contract_id)
            elif account is None:
                continue
            elif event.kind is Kind.POSITION:
                net = int(payload["size"]) * (1 if payload["type"] == 1 else -1)
                average = float(payload["averagePrice"])
                knowledge.position(account, event.contract_id, payload["id"], net, average)
            elif event.kind is Kind.ORDER:
                knowledge.order(account, order_of(payload))
            elif event.kind is Kind.ACCOUNT:
                knowledge.balance(account, float(payload["balance"]))
            elif event.kind is Kind.TRADE:
                if self._executing:
                    self._look_at_our_trade(payload)
                knowledge.trade(account, trade_of(payload))

    def _look_at_our_trade(self, payload: Mapping[str, Any]) -> None:
        order = self._machine.exchange.orders[payload["orderId"]]
        if int(order.type) != MARKET_ORDER:
            self.coverage.saw("stop filled during close")
        elif payload["profitAndLoss"] is None:
            self._opened_by_us.append(f"{payload['size']} of {payload['contractId']}")

    def executing(
        self, operation: Operation, account: int, contract: str, order: int | None, size: int | None
    ) -> None:
        """Our request has come to the exchange."""
        del size
        self._time()
        self._executing, self._opened_by_us = True, []
        target = str(order) if operation == "cancel" else contract
        self._requests.arrived(account, operation, target)

    def executed(
        self,
        operation: Operation,
        account: int,
        contract: str,
        order: int | None,
        size: int | None,
        handled: Handled,
    ) -> None:
        """What has it done?"""
        self._executing = False
        uncertain = handled.uncertain
        accepted = handled.answer.accepted and (uncertain is None or uncertain.executes)
        target = str(order) if operation == "cancel" else contract
        self._requests.executed(
            account, operation, target, size or 0, tuple(self._opened_by_us), accepted
        )

    # ---- the border ---------------------------------------------------------------------------

    def heard(self, login: str, event: BrokerEvent) -> None:
        """The daemon is told."""
        self._time()
        match event:
            case QuoteUpdate(contract_id, mark):
                bid = None if mark.bid is None else float(mark.bid)
                ask = None if mark.ask is None else float(mark.ask)
                self._knowledge.told_price(contract_id, bid, ask)
                self._feeds.told(contract_id)
            case Fill(trade=trade):
                self._knowledge.told_trade(trade.account_id, told_trade(trade))
            case PositionUpdate(position=it):
                average = float(it.average_price)
                self._knowledge.told_position(it.account_id, it.contract_id, it.id, it.net, average)
            case OrderUpdate(order=order):
                self._knowledge.told_order(order.account_id, told_order(order))
            case ConnectionChange(hub=Hub.USER, up=up):
                self._circumstances.hub(login, up=up)
            case ConnectionChange(up=up):
                self._feeds.hub(login, up=up)
            case Unreadable(hub=Hub.USER):
                self._circumstances.unreadable(login)
            case _:
                pass

    def asked(self, asked: Asked) -> None:
        """The daemon wants something."""
        self._time()
        if asked.what == "login":
            self._circumstances.session(asked.login, opened=False)
            self._feeds.hub(asked.login, up=False)
        elif asked.what in ("close", "partial_close", "cancel"):
            assert asked.account is not None
            target = str(asked.order) if asked.what == "cancel" else asked.contract
            plea = self._requests.asked(asked.account, asked.what, target, asked.size or 0)
            self._pleas[asked.number] = plea
        elif asked.what in ("positions", "orders", "trades", "accounts", "price_at"):
            ended = self._circumstances.reading(asked.account, asked.login, asked.contract)
            self._reads[asked.number] = self.bench.now, ended

    def answered(self, asked: Asked, answer: object) -> None:
        """The daemon learns what became of it."""
        self._time()
        if isinstance(answer, Decimal):
            self._knowledge.told_bar(asked.what, asked.login, asked.contract, float(answer))
        if asked.what == "login":
            failed = isinstance(answer, Exception) or answer is Nobody.LISTENS
            self._circumstances.session(asked.login, opened=not failed)
        elif asked.number in self._pleas:
            self._requests.answered(self._pleas.pop(asked.number), outcome_of(answer))
        elif asked.number in self._reads:
            asked_at, ended = self._reads.pop(asked.number)
            if isinstance(answer, tuple):
                self._read(asked, answer, asked_at)
            ended(not isinstance(answer, Exception | Nobody))

    def _read(self, asked: Asked, answer: tuple[Any, ...], asked_at: float) -> None:
        knowledge, account = self._knowledge, asked.account
        if account is None:
            return
        match asked.what:
            case "positions":
                held = [
                    (it.contract_id, it.id, it.net, float(it.average_price))
                    for it in answer
                    if it.net
                ]
                knowledge.read_positions(account, held, asked_at)
            case "orders":
                knowledge.read_orders(account, map(told_order, answer), asked_at)
            case _:
                knowledge.read_trades(account, map(told_trade, answer), asked_at)

    # ---- the daemon ---------------------------------------------------------------------------

    def life_began(self, life: int, system: System) -> None:  # noqa: ARG002 - as the watcher's
        """It is up; from here on it has no other excuse than what happens to it."""
        self._time()
        if self._power:
            self._papers.power_cut(self._on_disk())
            self._power = False
        self._circumstances.life_begun()

    def life_ended(self, life: int, why: str) -> None:  # noqa: ARG002 - as the watcher's
        """It is gone."""
        self._time()
        self._circumstances.life_ended()
        self._feeds.life_ended()
        self._archive.life_ended()
        self._pleas.clear()
        self._reads.clear()
        self._papers.life_ended(self._on_disk())

    def supervised(self, event: SupervisionEvent) -> None:
        """An actor falls or rises."""
        self._time()
        match event:
            case Crashed(path, _, error):
                planned = self._is_planned(error)
                self._circumstances.crashed(path, planned, repr(error))
                if path.endswith("/connection"):
                    self._feeds.hub(path.split("/")[2], up=False)
            case Started(path):
                self._circumstances.started(path)
            case Parked(path):
                self._circumstances.parked(path)
            case _:
                pass

    def _is_planned(self, error: BaseException) -> bool:
        if isinstance(error, BaseExceptionGroup):
            return all(self._is_planned(it) for it in error.exceptions)
        made_to_hang = bool(self.coverage.faults[StuckHandler.name])
        return isinstance(error, FaultInjected) or (
            isinstance(error, HandlerStuck) and made_to_hang
        )

    def recorded(self, record: Record, spooled: bool) -> None:
        """The daemon writes something down."""
        self._time()
        machine = self._machine
        if machine.system is not None and machine.journal is not None:
            self._archive.given(machine.journal.statistics().last)
        if record.kind in ("lock", "intent", "outcome", "reset", "opening", "alert"):
            self._papers.recorded(record.kind, record.account, record.body, spooled=spooled)

    def _on_disk(self) -> Iterator[tuple[str, str | None, Mapping[str, Any]]]:
        disk = self._machine.disk
        for entry in (*disk.durable, *disk.cached):
            if entry.kind in ("lock", "intent", "reset", "opening"):
                yield entry.kind, entry.account, entry.record().body

    def _ask_for_pictures(self) -> None:
        for docket in self.bench.dockets.values():
            self._ask_for_picture(docket)

    def _ask_for_picture(self, docket: Docket) -> None:
        system = self._machine.system
        if system is None:
            return
        path = f"seawall/logins/{docket.login}/accounts/{docket.name}/account"
        with suppress(LookupError):
            self._papers.pictured(docket.name, system.look_at(path).status)

    def _is_busy(self, docket: Any) -> bool:
        # What was due a while ago may be judged only now.
        late = self._machine.haunting.late_since(self._machine.origin + self.bench.now)
        own = f"/accounts/{docket.name}/"
        return any("/accounts/" not in path or own in path for path in late)

    def _store_was_late(self, since: float) -> bool:
        late = self._machine.haunting.late_since(self._machine.origin + since)
        return any(path.endswith("/store") for path in late)

    def _mail_of(self, docket: Docket) -> tuple[int, int]:
        system = self._machine.system
        ref = None if system is None else system.at(f"seawall/logins/{docket.login}/connection")
        if ref is None:
            return 0, 0
        mail = ref.statistics()
        return mail.handled, mail.depth

    # ---- trouble and time ---------------------------------------------------------------------

    def trouble(self, phase: Literal["begins", "ends"], trouble: Trouble) -> None:
        """Count it; a few kinds cannot be seen from outside."""
        if isinstance(trouble, DiskRefuses):
            self._archive.hindered(self._machine.elapsed)
        self._time()
        if phase == "begins":
            self.coverage.faults[trouble.name] += 1
        match trouble:
            case SlowHandler():
                for path in self._machine.haunting.paths(trouble.actor):
                    self._circumstances.busy(path, phase == "begins")
            case RevokeTokens() | RejectLogin() if phase == "begins":
                for login in self._machine.scenario.seen_by():
                    if trouble.user in (None, login.name) and isinstance(trouble, RevokeTokens):
                        self._circumstances.session(login.name, opened=False)
            case PowerCut() if phase == "begins":
                self.coverage.saw("power cut")
                self._power = True
            case HalfOpen(hub=hub) | Stall(hub=hub) if hub != "user":
                self._feeds.may_be_silent(trouble.duration or 0.0)
            case Suspend(seconds=seconds, seen=False) if phase == "begins":
                self._circumstances.asleep(seconds)
                self._feeds.may_be_silent()
            case ClockJump() | ClockDrift():
                self._wrong_until = self.bench.now + AFTER_A_WRONG_CLOCK
            case _:
                pass

    def suspended(self, seconds: float) -> None:  # noqa: ARG002 - as the watcher's
        """The machine stands still."""
        self._time()
        self._circumstances.suspended(True)

    def woken(self) -> None:
        """It goes on."""
        self._archive.hindered(self._machine.elapsed)
        self._time()
        self._circumstances.suspended(False)
        self._feeds.may_be_silent()

    def healed(self) -> None:
        """What follows is quiet."""
        self._time()
        self._healed_at = self.bench.now

    def closing(self) -> None:
        """The last look."""
        self._time()
        self._ask_for_pictures()
        system = self._machine.system
        if system is None:
            self._papers.finish(self.bench.now - self._healed_at, ("the daemon",))
            return
        restless = [node.path for node in nodes_of(system.tree()) if node.state != "running"]
        self._papers.finish(self.bench.now - self._healed_at, restless)
        for path, accepted, accounted in mail_of(system):
            self._papers.mail(path, accepted, accounted)
