"""The account actor: the one owner of an account's state, from the broker's events to the rules.

Events are merged in every phase; judged they are once there has been something to believe. The state
survives a lost link, marked as stale; after a crash it is rebuilt from journal and broker.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, assert_never

import trio
from attrs import evolve

from actors.account_image import holdings_of, outlived_by_seed, picture_of, restored
from actors.clock_messages import ClockJoin, DayTurned
from actors.diary import Diary
from actors.group_messages import GroupMessage, Instructed
from actors.interest import Interest
from actors.judging import Judging
from actors.locks import SKEW_TOLERATED, LockKeeper
from actors.look import Look
from actors.membership import Membership
from actors.messages import (
    AccountMessage,
    BrokerBack,
    ClockMessage,
    CloseFirst,
    ConnectionMessage,
    ContractFound,
    ContractMissing,
    EnforcementDone,
    EnforcementMessage,
    Evaluate,
    Join,
    Judged,
    LinkDown,
    LinkUp,
    Listed,
    LockSet,
    Missed,
    OpeningPrice,
    Origin,
    Peer,
    PeerEnded,
    ReadDone,
    ReadFailed,
    Reducing,
    Reread,
    Wake,
)
from actors.price_messages import Hold, Marked, PriceMessage
from actors.reconciler import Phase, Reconciler
from actors.reporting import Desk
from actors.store import Commit
from broker.clock import Clock
from broker.port import AccountUpdate, Fill, OrderUpdate, PositionUpdate
from risk.evaluate import Trigger
from risk.past import Seed
from risk.rules import Rule
from risk.trading_day import TradingCalendar
from store import records
from store.port import Journal
from supervision import Actor, Ref, Timer

EVALUATE_EVERY = 5.0
"""Seconds between full evaluations of an account that could lose money: a lost message delays only."""
FOLLOW_AFTER = 0.005
"""Seconds that records and subscriptions stand back, so that no judgement waits for them."""
DISAGREE_AT_MOST = 0.25
"""Seconds that trades and positions may tell different stories before the broker is asked."""


class Account(Actor[AccountMessage]):
    """State of one account."""

    def __init__(
        self,
        *,
        name: str,
        login: str,
        calendar: TradingCalendar,
        journal: Journal,
        clock: Clock,
        store: Ref[Commit],
        connection: Ref[ConnectionMessage],
        prices: Ref[PriceMessage],
        session_clock: Ref[ClockMessage],
        rules: Ref[Evaluate],
        enforcement: Ref[EnforcementMessage],
        limits: Sequence[Rule] = (),
        seed: Seed | None = None,
        groups: Sequence[Ref[GroupMessage]] = (),
    ) -> None:
        """``limits``: the rules that judge it elsewhere, for what is left to each."""
        self._name = name
        self._login = login
        self._calendar = calendar
        self._clock = clock
        self._desk = Desk(journal, clock, store, name)
        self._connection = connection
        self._prices = prices
        self._session_clock = session_clock
        self._rules = rules
        self._enforcement = enforcement
        self._judging = Judging()
        self._limits = limits
        self._membership = Membership(groups)
        self._seed = seed
        self._diary = Diary(name, calendar, self._desk, clock, connection, seed)
        self._following = False
        self._unshown = False
        """Enforcement has not seen the present holdings."""
        self._reducing: set[str] = set()
        """Contracts that enforcement has said it is closing."""
        self._lock_timer: Timer | None = None
        self._wake: Timer | None = None
        self._wake_at = float("inf")

    async def started(self) -> None:
        """Rebuild what the journal knows, and introduce this account to those it depends on."""
        self._begin(self._clock.now())
        self._meet_peers()
        self.context.every(EVALUATE_EVERY, Wake("regular"))

    def _begin(self, now: datetime) -> None:
        self._state = restored(
            self._name, self._calendar, self._desk.journal.projection, now, self._seed
        )
        self._interest = Interest(
            state=self._state,
            connection=self._connection,
            reply_to=self.context.self,
            held_changed=lambda: self._introduce("prices"),
        )
        self._locks = LockKeeper(
            name=self._name,
            state=self._state,
            clock=self._clock,
            desk=self._desk,
            connection=self._connection,
            look_after=self._look_at_locks_in,
        )
        self._reconciler: Reconciler[AccountMessage] = Reconciler(
            name=self._name,
            state=self._state,
            calendar=self._calendar,
            now=self._locks.now,
            desk=self._desk,
            context=self.context,
            reply_to=self.context.self,
            connection=self._connection,
            live=self._became_live,
        )

    async def handle(self, message: AccountMessage) -> None:
        """Merge what came, then see that it is judged."""
        match message:
            case Marked(contract_id, mark):
                changed = self._state.follow_mark(contract_id, mark)
                if changed and self._judging.tripped(contract_id, mark):
                    self._judge(Trigger.MARK, Origin("mark", trio.current_time()))
            case Fill() | PositionUpdate() | OrderUpdate() | AccountUpdate():
                self._event(message)
            case LinkUp() | LinkDown() | Listed() | Missed():
                self._link_news(message)
            case ReadDone() | ReadFailed() | Reread():
                self._reconciler.answered(message)
            case ContractFound() | ContractMissing() | OpeningPrice():
                self._contract_answered(message)
            case Judged():
                self._judged(message)
            case LockSet() | Reducing() | EnforcementDone() | Instructed() | CloseFirst():
                self._acted_upon(message)
            case DayTurned():
                self._turn_day()
            case PeerEnded(peer):
                if peer == "connection":
                    self._link_lost("the connection restarts")
                self._introduce(peer)
            case Wake(what):
                self._woken(what)

    def status(self) -> Mapping[str, Any]:
        """The account as people want to see it; amounts as text in dollars."""
        return picture_of(self._state, self._reconciler, self._locks.now(), self._limits)

    # ---- beginning and peers ------------------------------------------------------------------

    def _meet_peers(self) -> None:
        peers: tuple[tuple[Peer, Ref[Any]], ...] = (
            ("connection", self._connection),
            ("prices", self._prices),
            ("clock", self._session_clock),
            ("rules", self._rules),
            ("enforcement", self._enforcement),
            *(("group", group) for group in self._membership.groups),
        )
        for peer, ref in peers:
            self.context.watch(ref, partial(PeerEnded, peer))
            self._introduce(peer)

    def _introduce(self, peer: Peer) -> None:
        """(Re)tell a peer what it needs of this account: its memory of us ended with its life."""
        me = self.context.self
        match peer:
            case "connection":
                known = self._desk.journal.projection.account(self._name).broker_id
                self._connection.tell(Join(self._name, me, known))
            case "prices":
                self._prices.tell(Hold(self._name, self._login, self._interest.held, me))
            case "clock":
                self._session_clock.tell(ClockJoin(self._name, me))
            case "rules" | "group":
                self._judge_now(f"{peer} restarted")
            case "enforcement":
                for contract_id in sorted(self._reducing):
                    self._state.set_in_flight(contract_id, 0)
                self._reducing.clear()
                self._unshown = True
                self._judge_now("enforcement restarted")

    # ---- events -------------------------------------------------------------------------------

    def _event(self, message: Fill | PositionUpdate | OrderUpdate | AccountUpdate) -> None:
        stamp, now, mono = message.stamp, self._locks.now(), trio.current_time()
        self._reconciler.heard(stamp.n)
        match message:
            case Fill(trade=trade):
                trigger, changed = Trigger.FILL, self._state.apply_trade(trade, now, mono)
                if changed:
                    self._reconciler.trade_heard()
                    self._diary.heard(trade)
            case PositionUpdate(position=position):
                trigger = Trigger.POSITION
                changed = self._state.apply_position(position, stamp.link, stamp.n, now, mono)
            case OrderUpdate(order=order):
                trigger, changed = Trigger.ORDER, self._state.apply_order(order, now)
            case AccountUpdate(account=account):
                if self._state.balance != account.balance:
                    self._reconciler.balance_moved(listed=False)
                trigger, changed = Trigger.ACCOUNT, self._state.apply_account(account)
            case _:
                assert_never(message)
        if changed:
            self._judge(trigger, Origin(trigger.value, stamp.received))
            self._follow()

    def _follow(self) -> None:
        """A change asks for more than a judgement; all of that waits until the judgement is out."""
        if self._reducing:
            self._unshown = True  # enforcement is waiting for news
        if not self._following:
            self._following = True
            self.context.after(FOLLOW_AFTER, Wake("follow"))

    def _do_follow(self) -> None:
        self._following = False
        self._diary.write_fills()
        self._unshown = True
        self._interest.follow()
        if self._state.proof_failures():
            self.context.after(DISAGREE_AT_MOST, Wake("disagreement"))

    def _contract_answered(self, message: ContractFound | ContractMissing | OpeningPrice) -> None:
        if (alert := self._interest.answered(message, self._locks.now())) is None:
            self._judge_now("contract")
        else:
            self._desk.alert_once(alert)

    def _acted_upon(
        self, message: LockSet | Reducing | EnforcementDone | Instructed | CloseFirst
    ) -> None:
        """What was done about a judgement, or is to be done about those of other accounts."""
        match message:
            case LockSet(lock, again):
                over = outlived_by_seed(lock, self._seed, self._calendar)
                over = again and (over or self._locks.has_ended(lock))
                if not over and self._state.locks.add(lock):
                    self._locks.look()
                    self._judge_now("lock")
            case Reducing(contract_id, contracts):
                (self._reducing.add if contracts else self._reducing.discard)(contract_id)
                self._state.set_in_flight(contract_id, contracts)
                if not contracts and self._reconciler.phase is Phase.LIVE:
                    self._judge_now("nothing in flight")
            case EnforcementDone():
                # While the state is in doubt, an old picture would ask for the same again and again.
                if self._reconciler.phase is Phase.LIVE:
                    self._judge_now("enforcement done")
            case Instructed() | CloseFirst():
                if self._membership.heard(message, self._state):
                    self._judge_now("other accounts")

    # ---- link and phase -----------------------------------------------------------------------

    def _link_news(self, message: LinkUp | LinkDown | Listed | Missed) -> None:
        match message:
            case LinkUp(look=look):
                self._begin_by_the_broker(look.skew)
                self._state.know_contracts(message.contracts)
                self._listed(look)
                self._reconciler.link_up(message)
            case Listed(look):
                self._listed(look)
            case LinkDown(reason):
                self._link_lost(reason)
            case Missed(reason):
                self._reconciler.missed(f"an event could not be read: {reason}")

    def _begin_by_the_broker(self, skew: float) -> None:
        """A life that began by a clock that is wrong begins again, in the day that it is."""
        now = self._clock.now() + timedelta(seconds=skew)
        begun_right = abs(skew) <= SKEW_TOLERATED or self._calendar.day_of(now) == self._state.day
        if not (begun_right or self._reconciler.believed):
            self._begin(now)

    def _link_lost(self, reason: str) -> None:
        self._state.lost_hub()
        self._reconciler.link_down(reason)
        self._unshown = True
        self._judge(Trigger.CONNECTION, Origin(reason, trio.current_time()))

    def _listed(self, look: Look) -> None:
        account = look.account
        if self._state.account_id is None:
            seen = evolve(account, name=self._name)
            self._desk.record(records.account_seen(self._clock.now(), seen))
        if self._state.balance != account.balance:
            self._reconciler.balance_moved(listed=True)
        if self._state.apply_account(account):
            self._judge(Trigger.ACCOUNT, Origin("account", trio.current_time()))
        if self._locks.compared(look):
            self._judge_now("clock")  # what falls due does so earlier than its timer
        self._look_at_locks()
        self._interest.ask_again()

    def _became_live(self, first: bool) -> None:
        if first:
            self._diary.begin(self._state)
        self._interest.refresh()
        self._unshown = True
        self._diary.open_books(self._state, live=True)
        self._enforcement.tell(BrokerBack())
        self._desk.settled("connection_lost")
        trigger = Trigger.START if first else Trigger.FULL
        self._judge(trigger, Origin("reconciled", trio.current_time()))

    # ---- judging ------------------------------------------------------------------------------

    def _judge(self, trigger: Trigger, origin: Origin) -> None:
        self._judging.want(trigger, origin)

    def _judged(self, message: Judged) -> None:
        self._judging.judged(message)
        self._wake_no_later_than(trio.current_time() + message.wake_in)
        for alert in message.alerts:
            if not self._interest.premature(alert):
                self._desk.alert_once(alert)

    async def turn_ended(self) -> None:
        """One picture of the state for everything that this turn brought."""
        if self._state.morning.moved and self._reconciler.believed:
            self._open_books()
        # While the hub is down the trader may have closed what we still believe to be open:
        # judging that against new prices could lock him for a loss he never had.
        pending = self._judging.take(current=self._reconciler.current)
        if not self._reconciler.believed:
            return
        mono = trio.current_time()
        if self._unshown or pending is not None:
            holdings = holdings_of(self._state, self._reconciler, mono)
            if self._unshown:
                self._enforcement.tell(holdings)
            if pending is not None:
                plain = self._state.snapshot(self._locks.now(), mono)
                snapshot = self._membership.onto(plain)
                self._rules.tell(Evaluate(snapshot, holdings, *pending))
                self._membership.report(snapshot, self.context.self)
        self._unshown = False

    def _open_books(self) -> None:
        if self._diary.open_books(self._state, live=self._reconciler.phase is Phase.LIVE):
            self._judge_now("balances")

    def _judge_now(self, why: str) -> None:
        self._judge(Trigger.FULL, Origin(why, trio.current_time()))

    def _wake_no_later_than(self, mono: float) -> None:
        if mono >= self._wake_at:
            return
        if self._wake is not None:
            self._wake.cancel()
        self._wake_at = mono
        self._wake = self.context.after(mono - trio.current_time(), Wake("rule"))

    # ---- time ---------------------------------------------------------------------------------

    def _woken(self, what: str) -> None:
        match what:
            case "rule":
                self._wake, self._wake_at = None, float("inf")
                self._judge(Trigger.TIMER, Origin("timer", trio.current_time()))
            case "follow":
                self._do_follow()
            case "regular":
                self._regular()
            case "disagreement":
                if self._state.proof_failures():
                    self._reconciler.doubt("trades and positions disagree")
            case "locks":
                self._look_at_locks()
            case "judgement":
                self._judge_now("a verdict came too early")
            case _:
                self._reconciler.woken(what)

    def _regular(self) -> None:
        exposed = bool(self._state.positions() or self._state.working_orders())
        if exposed or self._state.locks.held:
            self._judge_now("regular")
        self._look_at_locks()
        if self._reconciler.believed:
            self._open_books()
            self._diary.write_progress(self._state, self._locks.now())
        self._reconciler.audit(exposed)
        self._interest.refresh()

    def _look_at_locks(self) -> None:
        self._turn_day()  # first: a lock that ends with the day is part of it
        while self._locks.look():
            self._judge_now("lock ended")

    def _look_at_locks_in(self, seconds: float) -> None:
        if self._lock_timer is not None:
            self._lock_timer.cancel()
        self._lock_timer = self.context.after(seconds, Wake("locks"))

    def _turn_day(self) -> None:
        """Begin the present trading day if that was not done yet."""
        rolled = self._state.roll_day(self._locks.now(), trio.current_time())
        if rolled is None:
            return
        self._desk.begin_day()
        # What it had come to before an outage is not what it ended with.
        watched = rolled.summary if self._reconciler.current else None
        self._diary.write_day(self._state, rolled.open_at_start, watched)
        self._interest.follow()
        self._look_at_locks()
        self._judge_now("trading day")
