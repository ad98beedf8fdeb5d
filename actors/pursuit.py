"""Pure core of enforcement: what to send, read and wait for until a verdict has come true.

The problem. A close can be refused, lost, executed without an answer, raced by the trader's own stop,
or reported before it is true. The broker's position is the only proof. So a verdict becomes a
*pursuit*: it sends, looks, and sends again until a fresh read of the broker shows it fulfilled.

The invariants. One request in flight per contract and per order, and only closing ones. A first full
close leaves at once; every later try, and every partial close, is decided on a read that began after
the previous answer; a partial one is judged again before it is tried again. Orders that could still
protect a position are left alone until it is flat: a refused close would otherwise leave it naked.

``Enforcer`` is synchronous and owns no clock: inputs record facts, :meth:`Enforcer.step` answers with
the effects that are due, :attr:`Enforcer.wake_at` says when time alone will make something due.
"""

from collections.abc import Iterable, Iterator, Mapping

from attrs import define, field

from actors.attempts import RETRY_AFTER, VERIFY_WITHIN, Pace, Pursuit
from actors.flattening import Flattening
from actors.freshness import changed, overlaid
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
from broker.port import Outcome, Refused, Unknown
from risk.domain import Episode, Order, Position
from risk.verdict import Action, Cancel, Close, Flatten, Reduce, Violation
from store.records import Intent

ORDER_NOT_FOUND, NOT_FOUND_FOR = 2, 30.0
"""The refusal of a cancellation (GATEWAY 1), and for how many seconds it is final."""
BLIND_AFTER_FAILED_READS = 2
"""A full close cannot flip or add, so after so many failed reads it is sent without one."""
NEVER = float("inf")


@define
class Enforcer:
    """All pursuits of one account and the newest known exposure they are judged by."""

    name: str
    """Prefix of intent ids; differs per incarnation, so that ids never repeat."""
    heir: bool = False
    """An earlier life may have sent what nobody remembers: nothing leaves before a read."""
    positions: dict[str, Position] = field(factory=dict)
    """Open positions by contract, newest known."""
    orders: dict[int, Order] = field(factory=dict)
    """Working orders by id, newest known."""
    unseen: Mapping[str, int] = field(factory=dict)
    """Contracts, signed, of positions that only their trades have told of so far."""
    barred: bool = False
    head_start: float = 0.0
    """Seconds before a full close leaves: a follower's copier may close it by itself."""
    flattening: Flattening | None = None
    pursuits: dict[str, Pursuit] = field(factory=dict)
    cancels: dict[int, Pursuit] = field(factory=dict)
    _paces: dict[str, Pace] = field(factory=dict)
    """By contract: partial closes given back to be judged again."""
    _informed: bool = False
    """Positions and orders are known: before that, nothing is sent without a read."""
    _exact: bool = True
    """False while the account has not settled its state: then only full closes are sent."""
    _ended: dict[str, Episode] = field(factory=dict)
    """Last episode seen ended per contract: a late verdict about it starts with a read."""
    _seen: dict[str | int, float] = field(factory=dict)
    """When each position last changed, by what was told or read, or each order by what was told."""
    _not_found: dict[int, float] = field(factory=dict)
    """Orders that the broker does not find, and until when that is believed."""
    _read_began: float = -NEVER
    _reading_since: float | None = None
    _reads_failed: int = 0
    _read_not_before: float = -NEVER
    last_request: int = 0
    """Requests are numbered from here on; starts higher in each incarnation."""
    _last_intent: int = 0
    _news: list[Effect] = field(factory=list)

    # ---- inputs -------------------------------------------------------------------------------

    def decided(
        self, action: Action, violation: Violation, episode: Episode | None, mono: float
    ) -> None:
        """A verdict asks for an action; ``episode`` None means whatever position is found there."""
        match action:
            case Flatten():
                if self.flattening is None:
                    self.flattening = Flattening.decided(self._begin(action, violation, None))
                self.flattening.aim(violation, self.positions, self.orders, mono)
            case Close(contract_id) | Reduce(contract_id):
                keep = action.keep if isinstance(action, Reduce) else 0
                self._pursue(action, contract_id, keep, violation, episode, mono)
            case Cancel(order_id):
                if self._is_new(order_id, mono):
                    self._cancel(self._begin(action, violation, None), order_id, mono)

    def resume(self, intent: Intent, mono: float) -> None:
        """Take up an intent of an earlier life: nothing is sent before a fresh read."""
        match intent.action:
            case Flatten():
                self.flattening = Flattening(intent, mono)
            case Close(contract_id) | Reduce(contract_id):
                keep = intent.action.keep if isinstance(intent.action, Reduce) else 0
                episode = intent.episode
                pursuit = Pursuit(intent, keep, episode, mono, read_from=mono, inherited=True)
                self.pursuits[contract_id] = pursuit
            case Cancel(order_id):
                self.cancels[order_id] = Pursuit(intent, 0, None, mono, read_from=mono)

    def seen(
        self, positions: Iterable[Position], orders: Iterable[Order], exact: bool, mono: float
    ) -> None:
        """The account's state changed: its positions and working orders, whole."""
        held = {p.contract_id: p for p in positions if p.net}
        working = {o.id: o for o in orders if not o.status.terminal}
        self._seen.update((key, mono) for key in changed(self.positions, held))
        self._seen.update((key, mono) for key in changed(self.orders, working))
        self.positions, self.orders, self._exact, self._informed = held, working, exact, True

    def exposure(self, positions: Iterable[Position], orders: Iterable[Order], mono: float) -> None:
        """The read asked for by ReadExposure; what events said since it began stays."""
        began = mono if self._reading_since is None else self._reading_since
        read_positions = {p.contract_id: p for p in positions if p.net}
        read_orders = {o.id: o for o in orders if not o.status.terminal}
        held = overlaid(read_positions, self.positions, self._seen, began)
        self._seen.update((key, began) for key in changed(self.positions, held))
        self.positions, self.orders = held, overlaid(read_orders, self.orders, self._seen, began)
        self._read_began, self._reading_since = began, None
        self._reads_failed, self._informed = 0, True

    def read_failed(self, mono: float) -> None:
        """The read asked for by ReadExposure failed."""
        self._reading_since, self._reads_failed = None, self._reads_failed + 1
        self._read_not_before = mono + min(0.125 * 2 ** min(self._reads_failed, 6), 5.0)

    def answer(self, request: int, outcome: Outcome, mono: float) -> None:
        """A request was answered; an answer that is no longer awaited changes nothing."""
        for pursuit in list(self._all()):
            if pursuit.request == request:
                self._answered(pursuit, outcome, mono)

    def unlocked(self) -> None:
        """The lock behind a flatten has ended: only what it was aimed at is still pursued."""
        ended, self.flattening = self.flattening, None
        if ended is None:
            return
        self.cancels = {k: p for k, p in self.cancels.items() if p.intent is not ended.intent}
        for contract_id, pursuit in list(self.pursuits.items()):
            position = self.positions.get(contract_id)
            if pursuit.intent is ended.intent and position is not None:
                pursuit.turn_to(position.episode)
            elif pursuit.intent is ended.intent:
                del self.pursuits[contract_id]
                self._news.append(InFlight(contract_id, 0))
        if not any(pursuit.intent is ended.intent for pursuit in self.pursuits.values()):
            self._news.append(Fulfilled(ended.intent, "the lock has ended"))

    def hurry(self, mono: float) -> None:
        """The broker can be reached again: nothing waits for the end of a long pause."""
        self._read_not_before, self._reads_failed = mono, 0
        for pursuit in self._all():
            pursuit.hurry(mono)

    def bar(self, barred: bool, mono: float) -> None:
        """Whether the broker lets the account trade: what it forbids is tried seldom until it does."""
        if self.barred and not barred:
            self.hurry(mono)
        self.barred = barred

    def connection_ended(self, mono: float) -> None:
        """Whoever carried the requests is gone; one whose message died with it is never answered."""
        for pursuit in self._all():
            pursuit.carrier_ended(mono)

    # ---- what follows -------------------------------------------------------------------------

    def step(self, mono: float) -> list[Effect]:
        """Everything that is due at ``mono``."""
        if self.flattening is not None:
            self._spread_flatten(self.flattening, mono)
        for contract_id in list(self.pursuits):
            self._drive_position(contract_id, mono)
        for order_id in list(self.cancels):
            self._drive_cancel(order_id, mono)
        if self.flattening is not None:
            self._end_flatten(self.flattening)
        if self._reading_since is None and self._read_due_at() <= mono:
            self._reading_since = mono
            self._news.append(ReadExposure())
        effects, self._news = self._news, []
        return effects

    @property
    def wake_at(self) -> float:
        """Monotonic seconds at which time alone makes something due; infinite when it never does."""
        moves = [p.due for p in self._all() if p.request is not None or self._may_send(p)]
        reading = self._read_due_at() if self._reading_since is None else NEVER
        return min([*moves, reading], default=NEVER)

    @property
    def open_intents(self) -> tuple[Intent, ...]:
        """Intents not fulfilled yet, each once."""
        intents = {p.intent.id: p.intent for p in self._all()}
        if self.flattening is not None:
            intents[self.flattening.intent.id] = self.flattening.intent
        return tuple(intents.values())

    # ---- taking up ----------------------------------------------------------------------------

    def _begin(self, action: Action, violation: Violation, episode: Episode | None) -> Intent:
        self._last_intent += 1
        intent = Intent(f"{self.name}-{self._last_intent}", action, violation, episode)
        self._news.append(Began(intent))
        return intent

    def _pursue(
        self,
        action: Action,
        contract_id: str,
        keep: int,
        violation: Violation,
        episode: Episode | None,
        mono: float,
    ) -> None:
        known = self.pursuits.get(contract_id)
        if known is not None:
            known.asked = mono
        if known is not None and known.episode in (None, episode):
            if keep < known.keep or known.mitigated(keep, violation):
                self._supersede(known, self._begin(action, violation, episode))
                known.aim_at(keep, mono)
            return
        if known is not None:
            # Another life, or a lock that ignores lives: one request at a time, so it goes on.
            seen = self._seen.get(contract_id, self._read_began)
            if not known.raced(self.positions.get(contract_id), seen):
                self._supersede(known, self._begin(action, violation, episode))
                known.turn_to(episode)
                known.widen(keep, mono)
            return
        intent, due = self._begin(action, violation, episode), mono + (not keep) * self.head_start
        pursuit = Pursuit(intent, keep, episode, due, mono)
        pace = self._paces.pop(contract_id, None)
        if pace is not None and pace.holds_for(pursuit, mono):
            pursuit.tries, pursuit.problem = pace.tries, pace.problem
            pursuit.due = max(mono, pace.due)
        pursuit.others = self._beside(contract_id, keep) if pursuit.relative else {}
        # A late verdict about a position that a read has shown gone must not send a second close.
        late = episode is not None and self._ended.get(contract_id) == episode
        if keep or late or pursuit.tries or not self._informed:
            pursuit.read_from = pursuit.look_at = pursuit.due
        self.pursuits[contract_id] = pursuit

    def _supersede(self, pursuit: Pursuit, intent: Intent) -> None:
        """The pursuit goes on for another reason; the old one must not come back after a restart."""
        self._news.append(Fulfilled(pursuit.intent, "superseded"))
        pursuit.intent = intent

    def _cancel(self, intent: Intent, order_id: int, mono: float) -> None:
        if self._is_new(order_id, mono):
            self.cancels[order_id] = Pursuit(intent, 0, None, due=mono)

    def _is_new(self, order_id: int, mono: float) -> bool:
        """Late news of an order that the broker does not find must not ask for it again and again."""
        return order_id not in self.cancels and mono >= self._not_found.get(order_id, -NEVER)

    def _spread_flatten(self, flattening: Flattening, mono: float) -> None:
        intent = flattening.intent
        for contract_id, position in self.positions.items():
            if not flattening.takes(position):
                continue
            known, episode = self.pursuits.get(contract_id), flattening.episode_of(position)
            if known is None:
                self.pursuits[contract_id] = Pursuit(intent, 0, episode, mono + self.head_start)
            elif known.intent is not intent:
                self._supersede(known, intent)
                known.turn_to(episode)
                if known.keep:
                    known.widen(0, mono)
        for order in list(self.orders.values()):
            if flattening.takes(order) and self._could_add(order):
                self._cancel(intent, order.id, mono)

    def _could_add(self, order: Order) -> bool:
        """Not one that protects a position, or one that is not confirmed to be gone."""
        net = self._net(order.contract_id) or self.unseen.get(order.contract_id, 0)
        if net == 0:
            return order.contract_id not in self.pursuits
        return (net > 0) == (order.side.sign > 0)

    # ---- driving ------------------------------------------------------------------------------

    def _drive_position(self, contract_id: str, mono: float) -> None:
        pursuit = self.pursuits[contract_id]
        if not self._request_over(pursuit, mono):
            return
        how = self._fulfilled(pursuit, contract_id) if self._informed else ""
        if how and self._read_is_new(pursuit):
            self._end_pursuit(contract_id, pursuit, how, mono)
            return
        if how:
            # An event says so: let a read confirm it.
            if not pursuit.reached and pursuit.first_sent is not None:
                self._news.append(InFlight(contract_id, 0))  # what comes now is not on its way out
            pursuit.reached, pursuit.look_at = True, min(pursuit.look_at, mono)
            return
        if pursuit.reached or pursuit.turned(self._net(contract_id)):
            # It had come true and was broken again: a new breach, not a retry that may wait.
            pursuit.widen(pursuit.keep, mono)
        if self._must_be_judged_again(contract_id, pursuit, mono):
            self._give_back(contract_id, pursuit)
        elif mono >= pursuit.due and self._ready(pursuit, mono):
            self._send(contract_id, pursuit, mono)

    def _must_be_judged_again(self, contract_id: str, pursuit: Pursuit, mono: float) -> bool:
        """What depends on every other contract is not retried on an old verdict."""
        if not pursuit.relative or pursuit.turned(self._net(contract_id)):
            return False  # what a race has turned goes whole, whatever else is held
        new = self._read_is_new(pursuit)
        if pursuit.first_sent is not None:
            moved = self._seen.get(contract_id, -NEVER)
            return new and not pursuit.lagged_behind(self._net(contract_id), moved, mono)
        if new and pursuit.misjudged(self._beside(contract_id, pursuit.keep), mono):
            return True
        return pursuit.outdated(mono) and mono >= pursuit.due

    def _give_back(self, contract_id: str, pursuit: Pursuit) -> None:
        """Let the account be judged anew; should the breach stand, the tries go on where they were."""
        del self.pursuits[contract_id]
        self._paces[contract_id] = Pace.of(pursuit)
        self._news.append(InFlight(contract_id, 0))
        self._news.append(Fulfilled(pursuit.intent, "judged again"))

    def _request_over(self, pursuit: Pursuit, mono: float) -> bool:
        if pursuit.request is not None and mono >= pursuit.due:
            self._answered(pursuit, Unknown("no answer in time"), mono)
        return pursuit.request is None

    def _ready(self, pursuit: Pursuit, mono: float) -> bool:
        """At its due time: may it be sent, or must the broker be read (again) first?"""
        if pursuit.outlived(self._read_began) and self._read_is_new(pursuit):
            pursuit.read_from = pursuit.look_at = mono
        return self._may_send(pursuit)

    def _may_send(self, pursuit: Pursuit) -> bool:
        if pursuit.keep:
            return self._exact and self._read_is_new(pursuit)
        return self._read_is_new(pursuit) or self._reads_failed >= BLIND_AFTER_FAILED_READS

    def _read_is_new(self, pursuit: Pursuit) -> bool:
        needed = pursuit.read_from is not None or (self.heir and self._read_began == -NEVER)
        return not needed or self._read_began >= (pursuit.read_from or 0.0)

    def _send(self, contract_id: str, pursuit: Pursuit, mono: float) -> None:
        keep, held = pursuit.keep, self.positions.get(contract_id)
        size = pursuit.take_aim(held, self._net(contract_id), mono)
        aim: Action = Reduce(contract_id, keep) if keep else Close(contract_id)
        request = self._count_send(pursuit, aim, mono)
        in_part = SendPartialClose(request, contract_id, size)
        self._news.append(in_part if keep else SendClose(request, contract_id))
        self._news.append(InFlight(contract_id, size))

    def _count_send(self, pursuit: Pursuit, aim: Action, mono: float) -> int:
        self.last_request += 1
        pursuit.begin_send(self.last_request, aim, mono)
        if pursuit.tries > len(RETRY_AFTER):
            self._news.append(Stubborn(pursuit.intent, pursuit.tries, pursuit.problem))
        return self.last_request

    def _answered(self, pursuit: Pursuit, outcome: Outcome, mono: float) -> None:
        assert pursuit.request is not None
        assert pursuit.aim is not None
        sent = pursuit.request, pursuit.sent, mono
        self._news.append(Answered(pursuit.intent, pursuit.aim, *sent, outcome, pursuit.tries))
        gone = isinstance(outcome, Refused) and outcome.code == ORDER_NOT_FOUND
        if gone and isinstance(pursuit.aim, Cancel):
            self._not_found[pursuit.aim.order_id] = mono + NOT_FOUND_FOR
        pursuit.end_send(outcome, mono, barred=self.barred)

    def _fulfilled(self, pursuit: Pursuit, contract_id: str) -> str:
        """How the newest known exposure shows it fulfilled; empty when it does not."""
        position = self.positions.get(contract_id)
        if position is None:
            return "flat"
        if pursuit.episode is not None and position.episode != pursuit.episode:
            return "" if pursuit.raced(position, self._seen[contract_id]) else "another episode"
        return "reduced" if abs(position.net) <= pursuit.keep else ""

    def _end_pursuit(self, contract_id: str, pursuit: Pursuit, how: str, mono: float) -> None:
        del self.pursuits[contract_id]
        self._paces.pop(contract_id, None)
        if pursuit.episode is not None:
            self._ended[contract_id] = pursuit.episode
        self._news.append(InFlight(contract_id, 0))
        if self.flattening is None or pursuit.intent is not self.flattening.intent:
            self._news.append(Fulfilled(pursuit.intent, how))
        if how == "flat" and pursuit.keep == 0 and pursuit.perhaps_ours:
            for order in list(self.orders.values()):
                if order.contract_id == contract_id:
                    self._cancel(pursuit.intent, order.id, mono)

    def _drive_cancel(self, order_id: int, mono: float) -> None:
        pursuit = self.cancels[order_id]
        if not self._request_over(pursuit, mono):
            return
        wanted, order = pursuit.intent.action, self.orders.get(order_id)
        # What stood alone when that was decided may be the stop of a position by now.
        contract_id = "" if order is None else order.contract_id
        protects = order is not None and self._net(contract_id) * order.side.sign < 0
        if (self._informed and order is None) or (protects and pursuit.first_sent is None):
            del self.cancels[order_id]
            if isinstance(wanted, Cancel):
                self._news.append(Fulfilled(pursuit.intent, "protects" if protects else "gone"))
        elif mono >= pursuit.due and self._ready(pursuit, mono):
            aim = wanted if isinstance(wanted, Cancel) else Cancel(order_id, contract_id)
            self._news.append(SendCancel(self._count_send(pursuit, aim, mono), order_id))

    def _end_flatten(self, flattening: Flattening) -> None:
        left = self.pursuits or self.cancels or flattening.left(self.positions, self.orders)
        if self._read_began >= flattening.read_from and not left:
            self.flattening = None
            self._news.append(Fulfilled(flattening.intent, "flat"))

    # ---- reading and knowing ------------------------------------------------------------------

    def _read_due_at(self) -> float:
        """When the next read of the broker is wanted; infinite when none is."""
        wanted = [p.look_at for p in self._all() if p.request is None and not self._read_is_new(p)]
        if self.flattening is not None and self._read_began < self.flattening.read_from:
            wanted.append(self.flattening.read_from + VERIFY_WITHIN)
        return max(min(wanted, default=NEVER), self._read_not_before)

    def _net(self, contract_id: str) -> int:
        return position.net if (position := self.positions.get(contract_id)) else 0

    def _beside(self, contract_id: str, keep: int) -> dict[str, int]:
        """What else counts; of a contract of which nothing is to stay, all of it."""
        return {key: p.net for key, p in self.positions.items() if key != contract_id or not keep}

    def _all(self) -> Iterator[Pursuit]:
        yield from (*self.pursuits.values(), *self.cancels.values())
