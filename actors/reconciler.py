"""How an account comes to know what the broker knows: on a new link, on doubt, and at audits.

A part of the account actor, split off because it is an idea of its own. It shares the account's
state and timers; the account passes it everything about links and reads, and asks for its phase.
"""

import enum
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
import trio
from attrs import evolve

from actors.messages import (
    ConnectionMessage,
    LinkUp,
    ReadDone,
    ReadFailed,
    ReadWanted,
    Reread,
    Wake,
)
from actors.reconciliation import (
    SETTLE_AFTER,
    Next,
    Reconciliation,
    positions_differ,
    unbelieved,
    unlike,
)
from actors.reporting import Desk
from actors.wording import adjusted, unexplained
from broker.port import Priority
from risk.account_state import AccountState
from risk.books import Books
from risk.explain import dollars
from risk.reading import Difference, Reading
from risk.trading_day import TradingCalendar
from risk.verdict import Alert
from store import records
from supervision import Context, Ref, Timer

AUDIT_EXPOSED_EVERY = 30.0
"""Seconds between looks without a cause at an account that holds something."""
AUDIT_FLAT_EVERY = 60.0
READ_RETRY_AFTER = (0.5, 1.0, 2.0, 5.0)
UNPROVEN_AGAIN_AFTER = 2.0
UNSETTLED_AGAIN_AFTER = 1.0
"""Seconds until a state that never came to rest is read again: nothing is reduced before it has."""
DRIFT_TOLD_AFTER = 30.0
"""Seconds of quiet after which no trade will explain any more what has moved the balance."""
ANSWER_WITHIN = 30.0
"""Seconds after which a read that was never answered is asked for again."""
TRADES_TRIED = 3
"""Reads with trades that may fail before an account that was believed goes on without them."""
TRADES_AGAIN_AFTER = 30.0
SECOND_LOOK = "a second look at the positions found a difference"
TRADE_WITHIN = 2.0
"""Seconds between a trade and the balance it moved, either way round."""
A_MOMENT = 0.01  # a timer that rings in the very instant at which quiet begins is too early
TRADES_BEFORE_DAY = timedelta(minutes=5)

log = structlog.get_logger("seawall.account")


class Phase(enum.Enum):
    """How far the account's state can be believed."""

    WAITING = "waiting"
    """The user hub is down, or the broker does not list the account."""
    RECONCILING = "reconciling"
    LIVE = "live"


class Reconciler[M]:
    """The link of one account and the reads that make its state believable."""

    def __init__(
        self,
        *,
        name: str,
        state: AccountState,
        calendar: TradingCalendar,
        now: Callable[[], datetime],
        desk: Desk,
        context: Context[M | Wake],
        reply_to: Ref[ReadDone | ReadFailed],
        connection: Ref[ConnectionMessage],
        live: Callable[[bool], None],
    ) -> None:
        self._name = name
        self._state = state
        self._calendar = calendar
        self._now = now
        """Wall time by the broker's clock: what is read must not be older than what is heard."""
        self._desk = desk
        self._context = context
        self._reply_to = reply_to
        self._connection = connection
        self._live = live
        """Called whenever the state has become believable; True the first time."""
        self.phase = Phase.WAITING
        self.believed = False
        """A reconcile has succeeded in this life: later ones need not read everything."""
        self.current = False
        """The state is what the broker said on the present link, and every event since."""
        self.seconds: float | None = None
        """From the last link to live."""
        self._link: LinkUp | None = None
        self._link_at = 0.0
        self._trades_missing = False
        """Trades must be read before the state can be believed, whichever link it is on."""
        self._missed = False
        """Something that nobody could read came during the present run."""
        self._booked_at = float("-inf")
        """Monotonic seconds at which a trade was last heard of, or the balance moved."""
        self._books = Books()
        self._run: Reconciliation | None = None
        self._runs = 0
        self._aside: ReadDone | None = None
        """A later look than the one that is being given its moment."""
        self._timer: Timer | None = None
        self.reconciles = 0
        """How often it came to an end, in this life."""
        self._failures = 0
        self._last_event = 0
        self._audited_at = 0.0

    # ---- the link -----------------------------------------------------------------------------

    def heard(self, n: int) -> None:
        """An event of this account was received with this number."""
        self._last_event = max(self._last_event, n)

    def trade_heard(self) -> None:
        """A trade was reported: the balance may move."""
        self._booked_at = trio.current_time()

    def balance_moved(self, *, listed: bool = True) -> None:
        """The balance is not what was believed: a trade moved it, or one that nobody told us of."""
        # On a link that is not read yet, the first news may hide from the list what was missed before.
        self._trades_missing = self._trades_missing or listed or self.phase is Phase.WAITING
        if self.phase is Phase.LIVE:
            self._context.after(TRADE_WITHIN + A_MOMENT, Wake("balance"))
        self._booked_at = trio.current_time()

    def missed(self, why: str) -> None:
        """Something of this account may have been said that could not be read."""
        self._missed = self._missed or self.phase is Phase.RECONCILING
        self.doubt(why)

    def link_up(self, link: LinkUp) -> None:
        """The hub is up with this account on it, or still up: said at each look at the list."""
        known = None if self._link is None else self._link.link
        if self.phase is not Phase.WAITING and link.link == known and not link.fresh:
            return
        # Also on the same link: subscriptions were added or confirmed.
        self._link, self._link_at, self._failures = link, trio.current_time(), 0
        self.begin("link up", trades=not self.believed or self._trades_missing)

    def link_down(self, reason: str) -> None:
        """Nothing is heard any more; what is known stays, out of date."""
        if self.phase is Phase.WAITING:
            return
        self.phase, self._run, self.current = Phase.WAITING, None, False
        log.warning(
            "connection lost: this account is not watched until it is back",
            account=self._name,
            reason=reason,
        )

    # ---- reading ------------------------------------------------------------------------------

    def begin(self, why: str, *, trades: bool = True) -> None:
        """Start over; nothing happens without a link."""
        if self._link is None or (self.phase is Phase.WAITING and why != "link up"):
            return
        self.phase = Phase.RECONCILING
        self._runs += 1
        self._run, self._aside = Reconciliation(self._runs, why, self._link.link, trades), None
        self._read("reconcile")

    def doubt(self, why: str) -> None:
        """Something does not fit: if the state is believed now, it is read again."""
        if self.phase is Phase.LIVE:
            self.begin(why)

    def audit(self, exposed: bool) -> None:
        """Look without a cause when it is time to."""
        self._check_books()
        every = AUDIT_EXPOSED_EVERY if exposed else AUDIT_FLAT_EVERY
        if self.phase is Phase.LIVE and trio.current_time() - self._audited_at >= every:
            self._audited_at = trio.current_time()
            self._ask("audit", Priority.HOUSEKEEPING, orders=exposed)

    def _check_books(self) -> None:
        """Do the trades explain the balance? Asked in quiet, for one of them always comes first."""
        silence = trio.current_time() - self._booked_at
        if silence >= DRIFT_TOLD_AFTER and (drift := self._books.take_drift()):
            self._desk.alert(adjusted(self._name, drift))
        quiet = silence >= TRADE_WITHIN
        if quiet and self.phase is Phase.LIVE and (moved := self._books.moved(self._state)):
            self.doubt(f"the balance moved by {dollars(moved)} that no known trade explains")

    def woken(self, what: str) -> None:
        """A timer of this part rang."""
        match what:
            case "settle":
                self._settle()
            case "reconcile" | "proof":
                self._read(what)
            case "unproven":
                self.doubt("the link is unproven")
            case "unsettled":
                self.doubt("the last reading never came to rest")
            case "trades" if self._trades_missing:
                self.doubt("the trades could not be read")
            case "balance":
                self._check_books()
            case _:
                pass  # the reason is gone

    def answered(self, answer: ReadDone | ReadFailed | Reread) -> None:
        """A read was answered, or enforcement passes on one of its own."""
        match answer:
            case ReadFailed():
                self.failed(answer)
            case Reread(reading):
                self.done(reading)
            case ReadDone():
                self.done(answer)

    def failed(self, failure: ReadFailed) -> None:
        """A read failed: try again for as long as the link stands."""
        purpose, _, run = failure.purpose.partition(" ")
        if self._run is None or run != str(self._run.id):
            return
        delay = READ_RETRY_AFTER[min(self._failures, len(READ_RETRY_AFTER) - 1)]
        self._failures += 1
        self._desk.alert_once(
            Alert(
                "reconcile_failed",
                f"the state of {self._name} could not be read: {failure.problem}. It is UNGUARDED "
                "until that works; Seawall keeps trying",
                critical=True,
            )
        )
        if self.believed and self._run.trades and self._failures >= TRADES_TRIED:
            # Positions and orders may be readable: sizes, symbols and stops can be guarded.
            self._run.trades, self._trades_missing = False, True
        if purpose == "proof":
            self._prove()  # counts as a look that explained nothing
        else:
            self._later(delay, purpose)

    def done(self, reading: ReadDone) -> None:
        """A read was answered."""
        purpose, _, run = reading.purpose.partition(" ")
        if purpose != "proof" and self._link is not None and reading.link == self._link.link:
            self._state.glimpsed = unbelieved(self._state, reading)
        if not run:
            self._compare(reading)
        elif self._run is None or run != str(self._run.id):
            self._merge(reading)  # of an earlier run: good for what needs no numbers
        elif purpose == "proof":
            self._merge(reading)
            # One that raced with events counts too, but once: under steady fire all of them do.
            raced = self._last_event > reading.n0 and self._run.why == SECOND_LOOK
            if unlike(self._state, reading) and not raced:
                self.begin(SECOND_LOOK)
            else:
                self._prove()
        else:
            self._reconcile_read(reading)

    def _read(self, purpose: str) -> None:
        run = self._run
        if run is None:
            return
        if purpose == "proof":
            purpose = f"proof {run.id}"
            self._ask(purpose, Priority.RECONCILE, orders=False, trades=True)
        else:
            known = bool(self._state.positions() or self._state.working_orders())
            orders = run.trades or known or self._failures >= TRADES_TRIED
            purpose = f"reconcile {run.id}"
            self._ask(purpose, Priority.RECONCILE, orders=orders, trades=run.trades)
        self._later(ANSWER_WITHIN, purpose.partition(" ")[0])

    def _ask(
        self,
        purpose: str,
        priority: Priority,
        *,
        orders: bool = True,
        trades: bool = False,
    ) -> None:
        assert self._state.account_id is not None, "a link names the account"
        since = self._calendar.starts(self._state.day) - TRADES_BEFORE_DAY
        self._connection.tell(
            ReadWanted(
                purpose,
                self._state.account_id,
                self._reply_to,
                priority,
                orders=orders,
                trades_since=since if trades else None,
            )
        )

    def _later(self, seconds: float, what: str) -> None:
        """The next step of the run; a run that was replaced steps no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._context.after(seconds, Wake(what))

    def _reconcile_read(self, reading: ReadDone) -> None:
        run = self._run
        if run is None or reading.link != run.link:
            return  # the link has changed meanwhile, and with it the run
        hopeless, self._failures = self._failures >= TRADES_TRIED, 0
        if not (run.trades or hopeless) and positions_differ(self._state, reading):
            run.trades = True
            self._read("reconcile")
            return
        run.reading = reading
        # At once: a price that comes meanwhile must not be put on what was sold before it.
        self._merge(reading)
        self._later(SETTLE_AFTER, "settle")

    def _settle(self) -> None:
        run = self._run
        if run is None or run.reading is None:
            return
        reading = run.reading
        verdict = run.settle(self._last_event)
        run.reading = None
        if verdict is Next.AGAIN:
            self._read("reconcile")
        else:
            self._accept(reading, settled=verdict is Next.ACCEPT)

    def _accept(self, reading: ReadDone, *, settled: bool) -> None:
        if self._run is not None:
            self._run.settled = settled
        differences = self._state.reconciled(
            Reading(
                positions=reading.positions or (),
                orders=reading.orders or (),
                trades=reading.trades or (),
                link=reading.link,
                n=reading.n1 if settled else reading.n0,
                settled=settled,
                complete_trades=reading.trades is not None,
                complete_orders=reading.orders is not None,
            ),
            self._now(),
            trio.current_time(),
        )
        self._state.glimpsed = unbelieved(self._state, self._aside) if self._aside else {}
        if reading.trades is not None:
            self._trades_missing = False
            self._books.read()
        for difference in differences if self.believed else ():
            self._report(difference)
        self._prove()

    def _prove(self) -> None:
        """Do the trades explain the positions? If not, they may be late: ask a few times more."""
        run = self._run
        if run is None:
            return
        failures = self._state.proof_failures()
        if failures and (delay := run.next_proof()) is not None:
            self._later(delay, "proof")
            return
        self._state.accept_unexplained(self._now(), trio.current_time())
        for contract_id in failures:
            self._desk.alert_once(unexplained(contract_id))
        self._go_live(run)

    def _go_live(self, run: Reconciliation) -> None:
        self.phase, self._run = Phase.LIVE, None
        first, self.believed, self.current = not self.believed, True, True
        self._audited_at, self.reconciles = trio.current_time(), self.reconciles + 1
        self._desk.settled("reconcile_failed")
        if run.trades:
            self._books.moved(self._state)
        if run.why == "link up":
            self.seconds = round(trio.current_time() - self._link_at, 3)
        log.info(
            "live",
            account=self._name,
            why=run.why,
            rounds=run.round,
            positions={p.contract_id: p.net for p in self._state.positions()},
        )
        if self._link is not None and not self._link.proven:
            # Subscriptions that nobody confirmed may be missing: what was lost since is read once.
            self._link = evolve(self._link, proven=True)
            self._context.after(UNPROVEN_AGAIN_AFTER, Wake("unproven"))
        if not run.settled:
            self._context.after(UNSETTLED_AGAIN_AFTER, Wake("unsettled"))
        if self._trades_missing:
            self._context.after(TRADES_AGAIN_AFTER, Wake("trades"))
        self._live(first)
        if self._missed:
            self._missed = False
            self.begin("something came meanwhile that could not be read")
        elif self._aside is not None:
            self._compare(self._aside)

    # ---- merging and comparing ----------------------------------------------------------------

    def _merge(self, reading: ReadDone) -> None:
        """Trades and orders need no numbers: every read of them is good."""
        now, mono = self._now(), trio.current_time()
        trades = reading.trades or ()
        found = self._state.merge_trades(trades, now, mono)
        for difference in found if self.believed else ():
            self._report(difference)
        # Trades first read are trades like any other: a successor must not count them anew.
        new = {it.id for it in found}
        self._desk.record(*(records.fill(self._name, now, it) for it in trades if it.id in new))
        for order in reading.orders or ():
            self._state.apply_order(order, now)

    def _compare(self, reading: ReadDone) -> None:
        """A look without a cause counts if nothing was heard meanwhile, or it shows a new position."""
        if (run := self._run) and run.reading and reading.link == run.link:
            self._aside = reading
        if self.phase is Phase.LIVE and (self._unlike(reading) or self._state.glimpsed):
            self.begin("an audit found a difference")

    def _unlike(self, reading: ReadDone) -> bool:
        """It was read in quiet, and it is not what is believed."""
        current = self._link is not None and reading.link == self._link.link
        return current and self._last_event <= reading.n0 and unlike(self._state, reading)

    def _report(self, difference: Difference) -> None:
        facts = {
            "kind": difference.kind.value,
            "contract": difference.contract_id,
            "id": difference.id,
            "before": difference.before,
            "after": difference.after,
        }
        log.warning("the broker knew better", account=self._name, **facts)
        self._desk.record(records.difference(self._name, self._now(), facts))
