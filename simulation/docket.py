"""What the referee knows of one account: both books, breaches past and present, locks, requests."""

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable
from datetime import datetime

from attrs import Factory, define, field

from simulation.closures import Closures
from simulation.excuses import Excuse, Excuses
from simulation.invariants import (
    ACT_WITHIN,
    DAY_KEYS,
    DAY_RULES,
    JUST_BEFORE,
    LOCK_KEYS,
    MONEY_RULES,
    NEEDS,
    WITHIN,
    bare,
    day_breaches,
    money_breaches,
    next_bare,
    size_breaches,
)
from simulation.pauses import Pauses, Tape
from simulation.retreat import Retreat
from simulation.risks import may_be_too_risky, too_risky
from simulation.scaling import KEY, OPENING_BALANCE, Scaling
from simulation.sizes import Sizes, caps_of
from simulation.truth import Book, Instrument, Key, Prices, Terms

REMEMBERED = 400
"""Ended breaches kept for judging a request by what was so when it was decided."""
FORGIVEN = 6.0
"""Seconds of uncovered time that a death may forgive: they are written down every 5 s, and a
reconcile comes before they count again."""
FIRST_PRICE_WITHIN = 2.0
"""Seconds for which a day's result waits for the first price of what is held (RULES 0)."""
SOON_AFTER = 0.001
"""Seconds past an instant at which it has certainly come."""
RECONCILED_WITHIN = 5.0
"""Seconds from a link, or an answer that came late, to live (DESIGN 8)."""
ROUNDS_WITHIN = 3.0
"""Seconds from one answer of a reading to the next, of which each takes 2 s at most."""
CLOSING = DAY_RULES | {"lock"}
OBLIGATIONS = frozenset(WITHIN)
"""What no book shows."""


@define(eq=False)
class Docket:
    """One account."""

    name: str
    id: int
    login: str
    terms: Terms
    instruments: dict[str, Instrument]
    true_prices: Prices
    told_prices: Prices
    wake: Callable[[float, "Docket"], None]
    """Asks to be looked at again at an instant."""
    clock: Callable[[], datetime]
    """What the exchange's shows at the instant that is judged."""
    may_show: Callable[[], tuple[datetime, ...]]
    """What the daemon's may show then."""
    true: Book = Factory(lambda self: Book(self.instruments), takes_self=True)
    told: Book = Factory(lambda self: Book(self.instruments), takes_self=True)
    excuses: Excuses = field(factory=Excuses)
    pauses: Pauses = Factory(
        lambda self: Pauses(self.terms, Tape(self.true), Tape(self.told)), takes_self=True
    )
    closures: Closures = Factory(
        lambda self: Closures(self.terms.hours, self.true, self.told, self.may_show),
        takes_self=True,
    )
    scaling: Scaling = Factory(
        lambda self: Scaling(self.terms, OPENING_BALANCE, OPENING_BALANCE), takes_self=True
    )
    retreat: Retreat = Factory(lambda self: Retreat(self.terms), takes_self=True)

    untold_trades: set[int] = field(factory=set)
    """Half-turns that the daemon has not been told, or not as they are now."""

    heard: dict[str | int, float] = field(factory=dict)
    """When an event last told of a contract's position, or of an order."""
    taken: dict[str, tuple[int, float]] = field(factory=dict)
    """Positions that an answer no longer had, by contract, and when it came: an answer is believed
    when its reading has settled (DESIGN 2.3)."""
    grown: dict[str, tuple[float, float]] = field(factory=dict)
    """Contracts of which an answer holds more: when their time without a stop was to be over, and when
    the newest such answer came."""
    raced: set[int] = field(factory=set)
    """Orders of which only an answer has told with which an event raced: a look that is not a reading of
    its own does not count then, and they wait for the next one."""
    found_at: float = -math.inf
    """When an answer last told of positions that no event had told of."""
    moved_at: float = 0.0
    """When positions or orders last changed in truth."""

    estimated: bool = False
    """The day began with open positions while the daemon could not see: what they were worth then is
    an estimate (RULES 0), so the day's loss obliges to nothing, and is not compared."""

    # ---- breaches
    counts: Counter[str] = field(factory=Counter)
    """Breaches so far, by rule."""
    told_apart: int = 0
    """How often trades and positions were told at different times."""
    open: dict[Key, float] = field(factory=dict)
    """Breaches in truth, and since when."""
    accused: set[Key] = field(factory=set)
    """Reported already, while they last."""
    shown: dict[Key, float] = field(factory=dict)
    """Breaches in what the daemon was told, and since when."""
    met: Counter[str] = field(factory=Counter)
    """Breaches in truth so far, by rule; shared by all accounts."""
    past: deque[tuple[Key, float, float]] = field(factory=lambda: deque(maxlen=REMEMBERED))
    """Of either kind: what, from when, until when."""
    sizes: Sizes = Factory(lambda self: self.caps(), takes_self=True)
    """What was held above the caps, and what of it we closed."""
    apart_since: float | None = None
    """Since when what was told of trades and positions differs."""
    unpriced_since: float | None = None
    """Since when something is known to be held of which no price has been told."""

    # ---- locks
    locks: dict[tuple[str, datetime], float] = field(factory=dict)
    """(rule, until) and when the lock was first seen on disk."""
    unwritten: set[tuple[str, datetime]] = field(factory=set)
    """Locks that the disk refused: a death may forget them."""
    locked: bool = False

    # ---- requests
    reason_for: dict[str, int] = field(factory=dict)
    """Contract, and the life of a position that is rightly being closed."""
    closing: dict[str, tuple[int, float]] = field(factory=dict)
    """Contracts held, signed, when a close of ours was last asked for, and when that was."""
    races: dict[str, float] = field(factory=dict)
    """When a position began that a race with our close has reversed, by contract."""
    closed_at: dict[str, float] = field(factory=dict)
    """When a life that was rightly closed ended, by contract."""
    rightly_cancelled: set[int] = field(factory=set)
    failures: dict[str, int] = field(factory=dict)
    """Failed requests in a row, by contract or order."""
    answered: deque[float] = field(factory=deque)
    """Answers that no record tells of yet."""
    given_up: int = 0
    """Requests that were recorded as unanswered, and may be answered still."""
    orphans: int = -1
    """So many messages has the connection handled when all are gone that a fallen enforcement had left
    in its queue: nobody writes down the answers to those."""
    orphans_until: float = -math.inf
    """When that was so."""
    phase: str = ""
    reconciles: int = 0
    """How often its account had become live when it was last looked at."""

    def grows(self, contract: str, net: int, at: float) -> None:
        """An answer tells of so many contracts: what adds puts the end of a grace off, once believed."""
        held = self.told.held.get(contract)
        if held is None or self.terms.grace is None:
            return
        due, known = held.due(self.terms.grace), self.grown.get(contract)
        if abs(net) > abs(held.net) and due is not None:
            self.grown[contract] = due, at
        elif known is not None and at - known[1] <= ROUNDS_WITHIN:
            self.grown[contract] = known[0], at

    def compare_trade(self, id_: int) -> None:
        """One half-turn has changed in truth, or was told."""
        if self.true.trades.get(id_) == self.told.trades.get(id_):
            self.untold_trades.discard(id_)
        else:
            self.untold_trades.add(id_)

    def caps(self) -> Sizes:
        """Of its terms, as they are now."""
        roots = {it.root for it in self.instruments.values()}
        return Sizes(self.instruments, caps_of(self.terms, roots, self.scaling.limit()))

    def rescale(self, at: float) -> None:
        """What is known of the balance with which the day began has changed."""
        if self.terms.steps:
            self.sizes.caps = self.caps().caps
            self.owes_opening(at)
            self.look(at)

    def owes_opening(self, at: float) -> None:
        """The balance of the morning is due anew, if it is."""
        if self.terms.steps:
            self.obliges(KEY, False, at)
            self.obliges(KEY, self.scaling.owed(), at)

    # ---- looking ------------------------------------------------------------------------------

    def look(self, at: float) -> None:
        """Everything may have changed."""
        true, told, terms = self.true, self.told, self.terms
        graced = terms.grace is not None and bool(true.held or told.held)
        now = set(size_breaches(true, terms, self.sizes.caps))
        now.update(money_breaches(true, terms, self.true_prices))
        now.update(self.pauses.broken(self.clock()))
        # Of hours in a day that it has not begun the daemon knows nothing.
        if ("reset", "") not in self.open:
            now |= self.closures.broken()
        now.update(too_risky(true, terms))
        now.update(self._retreated(at))
        if self.estimated:
            now -= DAY_KEYS
        if graced:
            now.update(key for key in bare(told, terms, at) if self._bare_in_truth(key, at))
        self._locked_breach(now)
        self._compare(self.open, now, at, OBLIGATIONS)
        shown = set(size_breaches(told, terms, self.sizes.caps))
        shown |= self.pauses.shown(at, self.clock())
        shown |= self.closures.shown()
        shown.update(may_be_too_risky(told, terms))
        if graced:
            shown.update(bare(told, terms, at + JUST_BEFORE))
            shown.update(bare(true, terms, at + JUST_BEFORE))
        self._money_told(shown, at)
        self._compare(self.shown, shown, at)
        self.sizes.look(true, at)
        following = next_bare(told, terms, at) if graced else None
        if following is not None:
            # What the daemon was told just before is what it may decide by.
            early = following - JUST_BEFORE + SOON_AFTER
            self.wake(early if early > at else following, self)
        for changes_in in (self.pauses.changes_in(self.clock()), self.closures.changes_in()):
            if changes_in is not None:
                self.wake(round(at + changes_in + SOON_AFTER, 3), self)

    def look_at_prices(self, at: float) -> None:
        """Only a price has changed."""
        now = {key for key in self.open if key[0] not in MONEY_RULES}
        now.update(money_breaches(self.true, self.terms, self.true_prices))
        now.update(self._retreated(at))
        if self.locked or self.estimated:
            now -= DAY_KEYS
        if now != self.open.keys():
            self._compare(self.open, now, at)

    def look_at_told_prices(self, at: float) -> None:
        """Only a price has been told."""
        shown = {key for key in self.shown if key[0] not in MONEY_RULES}
        self._money_told(shown, at)
        if shown != self.shown.keys():
            self._compare(self.shown, shown, at)

    def _money_told(self, shown: set[Key], at: float) -> None:
        """What news of different age amounts to counts only after the wait that RULES prescribes.

        Nor does what was held before the hub went down, at prices of later.
        """
        down = self.excuses.standing[Excuse.HUB_DOWN] and self.excuses.since[Excuse.HUB_DOWN]
        if down and at - down > JUST_BEFORE:
            return
        if not self.told.agrees():
            self.apart_since = at if self.apart_since is None else self.apart_since
            if at - min(self.apart_since, self._untold_since(at)) < 2.0 - JUST_BEFORE:
                return
        elif self.apart_since is not None:
            self.told_apart += at > self.apart_since
            self.apart_since = None
        found = set(money_breaches(self.told, self.terms, self.told_prices))
        if self.apart_since is not None:
            # Then the positions count, with what no trade explains at the broker's average price.
            told, prices = self.told, self.told_prices
            by_positions = told.closed() + sum(told.open(it, prices) for it in told.held)
            found.update(day_breaches(self.terms, by_positions, by_positions))
            found.update(self.retreat.shown(by_positions))
        if self.terms.give_back is not None:
            result = self.told.day(self.told_prices)
            self.retreat.may_be(result)
            found.update(self.retreat.shown(result))
        shown |= found - DAY_KEYS if self._awaits_a_price(at) else found

    def _awaits_a_price(self, at: float) -> bool:
        """What is found held has no price for a moment: closed losses alone are no result of a day."""
        told, prices = self.told, self.told_prices
        traded = (contract for contract, line in told.lines.items() if line.net)
        if all(prices.get(contract) is not None for contract in (*told.held, *traded)):
            self.unpriced_since = None
            return False
        over = FIRST_PRICE_WITHIN - JUST_BEFORE
        if self.unpriced_since is None:
            self.unpriced_since = at
            self.wake(at + over + SOON_AFTER, self)
        return at - self.unpriced_since < over

    def _retreated(self, at: float) -> set[Key]:
        """Too much of the day's best was given back."""
        if self.terms.give_back is None:
            return set()
        result = self.true.day(self.true_prices)
        self.retreat.look(at, result, quiet=self.excuses.quiet_until(at))
        return self.retreat.broken(result)

    def _untold_since(self, at: float) -> float:
        """Since when something has always been missing: the wait runs from the oldest question."""
        excuses = self.excuses
        missing = (Excuse.UNTOLD_POSITION, Excuse.UNTOLD_TRADE)
        return min((excuses.since[it] for it in missing if excuses.standing[it]), default=at)

    def _bare_in_truth(self, key: Key, at: float) -> bool:
        held = self.true.held.get(key[1])
        assert self.terms.grace is not None
        due = None if held is None else held.due(self.terms.grace)
        return due is not None and due <= at

    def _locked_breach(self, now: set[Key]) -> None:
        if not self.locked:
            return
        now -= LOCK_KEYS
        if self.true.held or self.true.orders:
            now.add(("lock", ""))

    def _compare(
        self, known: dict[Key, float], now: set[Key], at: float, kept: Iterable[str] = ()
    ) -> None:
        if known.keys() == now:
            return
        for key in [it for it in known if it not in now and it[0] not in kept]:
            self.past.append((key, known.pop(key), at))
            self.accused.discard(key)
        for key in sorted(now - known.keys()):
            known[key] = at
            if known is self.open:
                self.met[key[0]] += 1
                self.wake(self.deadline(key), self)

    def obliges(self, key: Key, holds: bool, at: float) -> None:
        """A breach that no book shows: a missing reset, an account that is not live."""
        if holds and key not in self.open:
            self.open[key] = at
            self.wake(self.deadline(key), self)
        elif not holds and key in self.open:
            del self.open[key]
            self.accused.discard(key)

    def deadline(self, key: Key) -> float:
        """When this breach must be gone; infinite while an excuse stands."""
        rule = key[0]
        due = self.open[key] + WITHIN.get(rule, ACT_WITHIN)
        needs = NEEDS[rule]
        due = self.excuses.deadline(due, needs) if needs else self.excuses.alive(due)
        # What was missed is found by looking: from when that is possible a whole reconcile may pass.
        return due + RECONCILED_WITHIN if rule in ("blind", "unseen") else due

    # ---- what was so --------------------------------------------------------------------------

    def breaches(self, since: float) -> frozenset[Key]:
        """All that were shown, in truth or by what was told, at some time since then."""
        ended = (key for key, _, until in self.past if until >= since)
        return frozenset([*self.open, *self.shown, *ended])

    def life(self, contract: str) -> int:
        """The life of the position that is open; 0 when flat."""
        held = self.true.held.get(contract)
        return 0 if held is None else held.id

    def working(self) -> bool:
        """Some breach that asks for closing stands: something may be under way."""
        return any(rule in CLOSING for rule, _ in self.open)

    def in_breach(self) -> bool:
        """Some rule is broken now."""
        return any(rule not in WITHIN for rule, _ in self.open)
