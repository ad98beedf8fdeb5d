"""The enforcement actor: the thin shell around :class:`actors.pursuit.Enforcer`.

A lock reaches the operating system before its close request leaves; everything else that must be
written or said waits until the requests are on their way (the paperwork).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import structlog
import trio
from attrs import evolve

from actors.enforced import Enforced, Timing
from actors.intents import (
    Answered,
    Began,
    Effect,
    Fulfilled,
    InFlight,
    ReadExposure,
    SendCancel,
    SendClose,
    SendPartialClose,
    Stubborn,
)
from actors.leading import HEAD_START, OPEN_AT_MOST, Leading
from actors.messages import (
    AccountMessage,
    BrokerBack,
    CancelOrder,
    CloseContract,
    ConnectionMessage,
    Decided,
    EnforcementDone,
    EnforcementMessage,
    Holdings,
    LockSet,
    PartialCloseContract,
    PeerEnded,
    ReadDone,
    ReadFailed,
    ReadWanted,
    Reducing,
    RequestAnswered,
    Reread,
    Wake,
)
from actors.pursuit import NEVER, Enforcer
from actors.reporting import Desk
from actors.store import Commit
from actors.wording import describe, outcome_text, step_text
from broker.clock import Clock
from broker.port import Done, Priority
from risk.domain import Episode
from risk.plan import responsible
from risk.rules import RELATIVE
from risk.verdict import Action, Alert, Cancel, Flatten, Lock, Reduce, Violation
from store import records
from store.port import Journal, Json, Record
from supervision import Actor, Ref, Timer

PAPERWORK_AFTER = 0.005
"""Seconds that logs and records stand back, so that a request never waits for them."""
READ_WITHIN = 10.0
"""A read without an answer for so long counts as failed; an answer that comes later is too old."""
LOCK_KNOWN_WITHIN = 1.0
"""Seconds until the account has heard of a lock that was set here."""
REQUESTS_PER_LIFE = 1_000_000
"""Request numbers of one incarnation never meet those of another."""

log = structlog.get_logger("seawall.enforcement")


class Enforcement(Actor[EnforcementMessage]):
    """Drives the verdicts of one account until the broker shows them fulfilled."""

    def __init__(
        self,
        *,
        account: str,
        armed: Callable[[], bool],
        journal: Journal,
        clock: Clock,
        store: Ref[Commit],
        state: Ref[AccountMessage],
        connection: Ref[ConnectionMessage],
        report: Callable[[Enforced], None] = lambda _: None,
        leader: Ref[AccountMessage] | None = None,
    ) -> None:
        """``leader``: the account that a copier copies to this one."""
        self._account = account
        self._armed = armed
        self._journal = journal
        self._clock = clock
        self._desk = Desk(journal, clock, store, account)
        self._state = state
        self._connection = connection
        self._report = report
        self._leading = None if leader is None else Leading(account, leader)
        self._account_id: int | None = None
        self._as_of = -NEVER
        self._locks: set[tuple[str, datetime, bool]] = set()
        self._locked = False
        self._locked_at = -NEVER
        """Pictures up to this instant may not know of the newest lock."""
        self._timing: dict[str, Timing] = {}
        """By intent id; intents of an earlier life have none."""
        self._paper: list[Callable[[], None]] = []
        self._records: list[Record] = []
        self._timer: Timer | None = None
        self._reads = 0
        self._reading = ""
        """Purpose of the read that is awaited; no other answer says what the broker holds now."""
        self._read_timer: Timer | None = None
        self._imagined: set[tuple[str, Action | datetime, Episode | None]] = set()
        """What a watched account was already told it would have done."""

    async def started(self) -> None:
        """Take up the intents of an earlier life; they begin with a read."""
        self._begun = trio.current_time()
        image = self._journal.projection.account(self._account)
        self._account_id = image.broker_id
        self._locks = {lock.key for lock in image.locks}
        generation = self.context.generation
        self.context.watch(self._connection, partial(PeerEnded, "connection"))
        self._enforcer = Enforcer(
            name=f"{self._account}-{self._journal.statistics().last}-{generation}",
            last_request=generation * REQUESTS_PER_LIFE,
            heir=generation > 1,
            head_start=0.0 if self._leading is None else HEAD_START,
        )
        now = self._clock.now()
        self._locked = any(lock.until > now and not lock.reduce_only for lock in image.locks)
        self._desk.record()  # a life that ended in between may have spooled a lock, and no more
        for lock in image.locks:
            # It may have been written by a life that ended before it could say so.
            self._state.tell(LockSet(lock, again=True))
        for intent in image.open_intents if self._armed() else ():
            if self._outlived(intent):
                self._later(partial(self._file_end, intent, "left to a new judgement"))
            else:
                self._enforcer.resume(intent, trio.current_time())
        self._drive()

    async def handle(self, message: EnforcementMessage) -> None:
        """Record what the message says, then do everything that is due."""
        mono = trio.current_time()
        match message:
            case Decided():
                self._learn(message.holdings)
                self._decided(message, mono)
            case Holdings():
                self._learn(message)
            case BrokerBack():
                self._enforcer.hurry(mono)
            case RequestAnswered(request, outcome):
                self._enforcer.answer(request, outcome, mono)
            case ReadDone():
                self._read_done(message, mono)
            case ReadFailed(purpose):
                self._read_failed(purpose, mono)
            case PeerEnded():
                self._read_failed(self._reading, mono)  # its reads have ended with it
                self._enforcer.connection_ended(mono)
            case Wake("paperwork"):
                self._do_paperwork()
                return
            case Wake("follower") if self._leading is not None:
                for alert in self._leading.overdue(mono):
                    self._later(partial(self._desk.alert, alert))
            case Wake():
                self._timer = None
        self._drive()

    def status(self) -> Mapping[str, Any]:
        """Open intents and tries."""
        return {
            "armed": self._armed(),
            "open": [
                {"rule": i.violation.rule, "action": describe(i.action), "id": i.id}
                for i in self._enforcer.open_intents
            ],
        }

    def _outlived(self, intent: records.Intent) -> bool:
        """Whether the reason may be gone; then the full evaluation at the start decides anew.

        A reduction depends on everything else that was held. What names no episode would close
        whatever is there: without a lock that may be new.
        """
        if isinstance(intent.action, Reduce) or intent.violation.rule in RELATIVE:
            return True
        aimed = intent.episode is not None or isinstance(intent.action, Cancel)
        return not (self._locked or aimed)

    # ---- reads --------------------------------------------------------------------------------

    def _read(self) -> None:
        self._reads += 1
        self._reading = f"enforcement-{self.context.generation}-{self._reads}"
        self._connection.tell(
            ReadWanted(self._reading, self._id(), self.context.self, Priority.ENFORCEMENT)
        )
        unanswered = ReadFailed(self._reading, "no answer in time")
        self._read_timer = self.context.after(READ_WITHIN, unanswered)

    def _read_done(self, reading: ReadDone, mono: float) -> None:
        if reading.purpose == self._reading:
            self._end_read()
            self._enforcer.exposure(reading.positions or (), reading.orders or (), mono)
        self._state.tell(Reread(evolve(reading, purpose="enforcement")))

    def _read_failed(self, purpose: str, mono: float) -> None:
        if self._reading and purpose == self._reading:
            self._end_read()
            self._enforcer.read_failed(mono)

    def _end_read(self) -> None:
        self._reading = ""
        if self._read_timer is not None:
            self._read_timer.cancel()

    # ---- verdicts -----------------------------------------------------------------------------

    def _learn(self, holdings: Holdings) -> None:
        self._account_id = holdings.account_id
        if holdings.as_of > self._as_of:
            self._as_of = holdings.as_of
            if self._locked and not holdings.locked and holdings.as_of > self._locked_at:
                self._enforcer.unlocked()
                self._locked = False
            self._locked = self._locked or holdings.locked
            now, self._enforcer.unseen = trio.current_time(), holdings.unseen
            self._enforcer.bar(holdings.barred, now)
            self._enforcer.seen(holdings.positions, holdings.orders, holdings.exact, now)

    def _decided(self, message: Decided, mono: float) -> None:
        if not self._armed():
            self._imagine(message)
            return
        for violation in message.verdict.violations:
            if violation.lock is not None:
                self._set_lock(violation, violation.lock)
        if message.decided < self._begun:
            # To an earlier life, or while none was there: this one asks for a judgement of its own.
            self._state.tell(Wake("judgement"))
            return
        locked = message.holdings.locked or message.verdict.locks_fully
        for action in message.verdict.plan:
            violation = responsible(message.verdict, action)
            episode = None if locked else _episode(action, message.holdings)
            self._newest = Timing(message.origin.received, message.decided)
            self._enforcer.decided(action, violation, episode, mono)

    def _set_lock(self, violation: Violation, lock: Lock) -> None:
        if lock.key in self._locks:
            return
        self._journal.spool(records.lock(self._account, self._clock.now(), lock))
        self._locks.add(lock.key)
        if not lock.reduce_only:
            self._locked, self._locked_at = True, trio.current_time() + LOCK_KNOWN_WITHIN
        self._state.tell(LockSet(lock))
        self._later(
            lambda: log.warning(
                "account may only reduce" if lock.reduce_only else "account locked",
                account=self._account,
                rule=violation.rule,
                until=lock.until.isoformat(),
                reason=lock.reason,
            )
        )

    def _imagine(self, message: Decided) -> None:
        """A watched account: say once what would have been done, and do nothing."""
        for violation in message.verdict.violations:
            if (pause := violation.lock) is not None and not violation.actions:
                self._imagine_once(violation, (violation.rule, pause.until, None), "only reduce")
        for action in message.verdict.plan:
            violation = responsible(message.verdict, action)
            key = (violation.rule, action, _episode(action, message.holdings))
            self._imagine_once(violation, key, describe(action))

    def _imagine_once(
        self,
        violation: Violation,
        key: tuple[str, Action | datetime, Episode | None],
        action: str,
    ) -> None:
        if key not in self._imagined:
            self._imagined.add(key)
            self._later(partial(self._file_imagined, violation, action))

    def _file_imagined(self, violation: Violation, action: str) -> None:
        record = records.decision(self._account, self._clock.now(), violation, imagined=action)
        self._records.append(record)
        log.warning(
            "would have acted, but this account is only watched",
            account=self._account,
            rule=violation.rule,
            action=action,
            reason=violation.reason,
        )

    # ---- effects ------------------------------------------------------------------------------

    def _drive(self) -> None:
        mono = trio.current_time()
        for effect in self._enforcer.step(mono):
            self._perform(effect)
        wake_at = self._enforcer.wake_at
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if wake_at != NEVER:
            # Something due that cannot move yet is looked at again soon, not at once.
            self._timer = self.context.after(max(wake_at - mono, 0.02), Wake("pursue"))

    def _perform(self, effect: Effect) -> None:
        match effect:
            case SendClose(request, contract_id):
                self._connection.tell(
                    CloseContract(request, self._id(), contract_id, self.context.self)
                )
            case SendPartialClose(request, contract_id, size):
                self._connection.tell(
                    PartialCloseContract(request, self._id(), contract_id, size, self.context.self)
                )
            case SendCancel(request, order_id):
                self._connection.tell(CancelOrder(request, self._id(), order_id, self.context.self))
            case ReadExposure():
                self._read()
            case InFlight(contract_id, reducing):
                self._state.tell(Reducing(contract_id, reducing))
            case Began(intent):
                self._timing[intent.id] = self._newest
                if self._leading is not None and self._leading.began(intent, trio.current_time()):
                    self.context.after(OPEN_AT_MOST, Wake("follower"))
                self._later(lambda: self._file_intent(intent))
            case Answered():
                self._later(lambda: self._file_answer(effect))
            case Fulfilled(intent, how):
                if self._leading is not None:
                    self._leading.ended(intent)
                self._state.tell(EnforcementDone(intent.violation.rule, how))
                self._later(lambda: self._file_end(intent, how))
            case Stubborn(intent, tries, problem):
                self._later(lambda: self._alert_stubborn(intent, tries, problem))

    def _id(self) -> int:
        assert self._account_id is not None, "intents exist only for accounts that were seen"
        return self._account_id

    # ---- paperwork ----------------------------------------------------------------------------

    def _later(self, write: Callable[[], None]) -> None:
        if not self._paper:
            self.context.after(PAPERWORK_AFTER, Wake("paperwork"))
        self._paper.append(write)

    def _do_paperwork(self) -> None:
        paper, self._paper = self._paper, []
        for write in paper:
            write()
        self._desk.record(*self._records)
        self._records = []

    def _file_intent(self, intent: records.Intent) -> None:
        timing = self._timing[intent.id]
        now = self._clock.now()
        self._records.append(records.intent(self._account, now, intent))
        self._records.append(
            records.decision(
                self._account,
                now,
                intent.violation,
                decided_after_ms=round((timing.decided - timing.received) * 1000, 3),
            )
        )
        log.warning(
            describe(intent.action),
            account=self._account,
            rule=intent.violation.rule,
            reason=intent.violation.reason,
        )

    def _file_answer(self, effect: Answered) -> None:
        intent, timing = effect.intent, self._timing.get(effect.intent.id)
        violation = intent.violation
        latency = None if timing is None else (effect.answered - timing.received) * 1000
        body: dict[str, Json] = {
            "request": effect.request,
            "asked": describe(effect.aim),
            "try": effect.tries,
            "took_ms": round((effect.answered - effect.sent) * 1000, 3),
            "latency_ms": None if latency is None else round(latency, 3),
            "outcome": outcome_text(effect.outcome),
        }
        now = self._clock.now()
        self._records.append(records.outcome(self._account, now, intent.id, body))
        write = log.info if isinstance(effect.outcome, Done) else log.warning
        write("broker answered", account=self._account, rule=violation.rule, **body)
        self._report(
            Enforced(
                rule=violation.rule,
                contract=getattr(effect.aim, "contract_id", None),
                action=step_text(intent.action, effect.aim),
                observed=f"{violation.observed:f}",
                limit=f"{violation.limit:f}",
                reason=violation.reason,
                latency_ms=None if latency is None or effect.tries > 1 else latency,
                outcome=outcome_text(effect.outcome),
                at=now.isoformat(),
            )
        )

    def _file_end(self, intent: records.Intent, how: str) -> None:
        self._timing.pop(intent.id, None)
        self._records.append(records.intent_done(self._account, self._clock.now(), intent.id, how))
        log.info("done", account=self._account, rule=intent.violation.rule, how=how)

    def _alert_stubborn(self, intent: records.Intent, tries: int, problem: str) -> None:
        alert = Alert(
            "enforcement_stubborn",
            f"{describe(intent.action)} is still not done after {tries - 1} tries ({problem}): "
            "your money is still at risk; close it on the platform. Seawall keeps trying",
            critical=True,
        )
        self._desk.alert(alert, rule=intent.violation.rule)


def _episode(action: Action, holdings: Holdings) -> Episode | None:
    if isinstance(action, Flatten | Cancel):
        return None
    for position in holdings.positions:
        if position.contract_id == action.contract_id:
            return position.episode
    return None
