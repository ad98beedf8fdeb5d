"""Where the referee's clerks meet: the accounts, the time, what is due, and what was found.

Each fact is handled by the clerk whose business it is (:mod:`simulation.knowledge`,
:mod:`simulation.requests`, :mod:`simulation.circumstances`, :mod:`simulation.papers`); all of them
write into the dockets that lie here. After a fact only the account it concerns is looked at again;
deadlines wait in a heap.
"""

import math
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from attrs import define, field

from simulation.coverage import Coverage
from simulation.docket import Docket
from simulation.excuses import Excuse
from simulation.invariants import JUST_BEFORE, NUMBERS, Violation
from simulation.trading_days import day_name, next_reset
from simulation.truth import Instrument, Key, Terms

RACE_TOLD_WITHIN = 0.5
"""Seconds from a race with our close to the news of it: what comes later may be the trader's wish."""
CLOCKS_DIFFER = timedelta(seconds=2)
"""By so much the daemon's time may differ from the exchange's once somebody has set its clock (RULES 0)."""
OVERSLEPT = timedelta(seconds=5)
"""Something happens every second; a reset that is seen so late came while the machine slept."""


@define(eq=False)
class Plea:
    """A request of the daemon under way."""

    docket: Docket
    kind: str
    """``close``, ``partial_close`` or ``cancel``."""
    target: str
    """A contract; the number of an order for a cancellation."""
    at: float
    long: bool = False
    """It counts as unknown, for nobody has answered in time."""
    arrived: bool = False
    """The exchange has got it."""
    executed: bool = False
    orphaned: bool = False
    """Who asked has fallen: nobody writes the answer down."""
    over: bool = False


@define(eq=False)
class Bench:
    """What is known of a run; times are seconds since its start."""

    instruments: dict[str, Instrument]
    clock: Callable[[], datetime]
    """The exchange's."""
    coverage: Coverage = field(factory=Coverage)
    violations: list[Violation] = field(factory=list)
    dockets: dict[int, Docket] = field(factory=dict)
    true_prices: dict[str, tuple[float, float]] = field(factory=dict)
    told_prices: dict[str, tuple[float, float]] = field(factory=dict)
    told_at: dict[str, float] = field(factory=dict)
    """When each of them was told."""
    unsure: dict[str, set[str]] = field(factory=dict)
    """Sides, ``bid`` or ``ask``, of them that were not said by a quote since the contract is watched."""
    untold: set[str] = field(factory=set)
    """Contracts whose newest price the daemon has not been told."""
    now: float = 0.0
    life: int = 0
    """Number of the daemon's newest life."""
    slept: tuple[float, float] = (-math.inf, 0.0)
    """When the machine last woke, and for how long it had stood still."""
    under_way: list[Plea] = field(factory=list)
    resets: set[tuple[str, str]] = field(factory=set)
    """(account, day) that have been recorded."""
    disk_refuses: Callable[[], bool] = lambda: False
    clock_is_wrong: Callable[[], bool] = lambda: False
    is_busy: Callable[[Docket], bool] = lambda docket: False
    """Whether a handler of this account is being kept busy on purpose."""
    mail_of: Callable[[Docket], tuple[int, int]] = lambda docket: (0, 0)
    """Messages that the connection of this account has handled, and those in its queue."""
    look_at: Callable[[Docket], None] = lambda docket: None
    """Asks an account for its picture: the last one is up to 5 s old."""
    _agenda: list[tuple[float, int, Docket]] = field(factory=list)
    _awaited: set[tuple[float, int]] = field(factory=set)
    """What is on the agenda already: many facts ask for the same look."""
    _numbers: "count[int]" = field(factory=count)
    _reset_at: datetime | None = None
    _behind: float = 0.0
    """Seconds from the instant that is judged to the present."""
    _lasting: set[tuple[str, str]] = field(factory=set)

    def guard(self, name: str, id_: int, login: str, terms: Terms) -> Docket:
        """Open the docket of an account; nothing runs for it yet."""
        docket = Docket(
            name,
            id_,
            login,
            terms,
            self.instruments,
            self.true_prices,
            self.told_prices,
            wake=self.wake,
            clock=self.wall,
            may_show=self.may_show,
            met=self.coverage.breaches,
        )
        docket.excuses.no_daemon(self.now)
        self.dockets[id_] = docket
        return docket

    def named(self, name: str | None) -> Docket | None:
        """The account of this name; None when it is not guarded."""
        return next((it for it in self.dockets.values() if it.name == name), None)

    def tick(self, at: float) -> None:
        """Time has come so far: what was due before is judged."""
        if self.under_way:
            self.look_at_requests(at)
        for docket in self.dockets.values():
            if docket.orphans_until == math.inf and self.mail_of(docket)[0] > docket.orphans:
                docket.orphans_until = at
        while self._agenda and self._agenda[0][0] < at - 1e-9:
            due, _, docket = heappop(self._agenda)
            self._awaited.discard((due, docket.id))
            self.now = max(self.now, due)
            self._behind = at - self.now
            self.judge(docket)
        self._behind = 0.0
        if at > self.now:
            self._account_time(at)
            self.now = at
        if self._reset_at is None or self.wall() >= self._reset_at:
            self._turn_day()

    def wall(self) -> datetime:
        """What the exchange's clock showed at the instant that is judged."""
        shows = self.clock()
        return shows - timedelta(seconds=self._behind) if self._behind else shows

    def may_show(self) -> tuple[datetime, ...]:
        """What the daemon's clock may show at that instant: it is as good as a comparison of both."""
        wall = self.wall()
        found = [wall]
        if self.clock_is_wrong():
            found += (wall - CLOCKS_DIFFER, wall + CLOCKS_DIFFER)
        compared_by, seconds = self.slept
        if self.now < compared_by:
            found.append(wall - timedelta(seconds=seconds))
        return tuple(found)

    def wake(self, at: float, docket: Docket) -> None:
        """Look at an account again then."""
        if at < math.inf and (at, docket.id) not in self._awaited:
            self._awaited.add((at, docket.id))
            heappush(self._agenda, (at, next(self._numbers), docket))

    def judge(self, docket: Docket) -> None:
        """Accuse whatever is due in one account."""
        self.lock_state(docket)
        for key in [it for it in docket.open if it not in docket.accused]:
            due = docket.deadline(key)
            if due <= self.now + 1e-9 and key[0] == "live":
                self.look_at(docket)
                if key not in docket.open:
                    continue
            if due <= self.now + 1e-9 and self.is_busy(docket):
                docket.excuses.lasts(Excuse.BUSY, self.now + 0.5)
                due = docket.deadline(key)
                self.wake(due, docket)
            if due <= self.now + 1e-9:
                docket.accused.add(key)
                if key[0] == "audit":
                    docket.answered.clear()
                self._accuse_breach(docket, key)

    def _accuse_breach(self, docket: Docket, key: Key) -> None:
        rule, contract = key
        since = docket.open[key]
        held = {it: held.net for it, held in docket.true.held.items()}
        where = f" in {contract}" if contract else ""
        text = (
            f"{rule}{where} since {since:.3f}: held {held}, "
            f"{len(docket.true.orders)} orders, day {docket.true.day(self.true_prices):.2f}, "
            f"phase {docket.phase or 'unknown'}"
        )
        self.accuse(NUMBERS.get(rule, 1), docket, text)

    def accuse(self, invariant: int, docket: Docket | str, text: str, *, once: str = "") -> None:
        """A promise was broken.

        ``once``: what lasts is told once, until :meth:`settled`.
        """
        name = docket if isinstance(docket, str) else docket.name
        if once:
            if (name, once) in self._lasting:
                return
            self._lasting.add((name, once))
        self.violations.append(Violation(round(self.now, 6), invariant, name, text))

    def settled(self, docket: Docket, *lasting: str) -> None:
        """What was told once is over; should it come again, it is told again."""
        self._lasting.difference_update((docket.name, it) for it in lasting)

    def _account_time(self, at: float) -> None:
        """Share of time live, counted at each instant that anything happened."""
        passed = at - self.now
        self.coverage.seconds += passed * len(self.dockets)
        for docket in self.dockets.values():
            if not docket.excuses.kinds:
                self.coverage.live += passed

    def _turn_day(self) -> None:
        wall = self.wall()
        if self._reset_at is not None:
            # What a machine sleeps through it learns from the bar that ended there.
            overslept = wall - self._reset_at > OVERSLEPT
            for docket in self.dockets.values():
                standing = docket.excuses.kinds > 0
                docket.true.new_day(self.true_prices)
                docket.told.new_day(self.told_prices)
                docket.untold_trades.clear()
                docket.retreat.new_day()
                docket.scaling.new_day()
                carried = bool(docket.true.begun or docket.told.begun)
                # Of what was opened just now only the fill's price is known, not a quote yet.
                young = any(self.now - it.since <= JUST_BEFORE for it in docket.true.held.values())
                seen = not (standing or young or overslept or self.clock_is_wrong())
                docket.estimated = carried and not seen
                if docket.estimated:
                    self.coverage.saw("day turned over open positions unseen")
                self.changed(docket)
        self._reset_at = next_reset(wall)
        for docket in self.dockets.values():
            self.expect_reset(docket)

    def expect_reset(self, docket: Docket) -> None:
        """The present trading day must be begun soon, unless it was."""
        day = day_name(self.wall())
        missing = (docket.name, day) not in self.resets
        docket.obliges(("reset", ""), missing and not self.disk_refuses(), self.now)

    def changed(self, docket: Docket) -> None:
        """After a true or a told change of an account: what is it kept from knowing?"""
        excuses, true, told, at = docket.excuses, docket.true, docket.told, self.now
        untold_since = excuses.since.get(Excuse.UNTOLD_TRADE, at)
        nets = {contract: (held.id, held.net) for contract, held in true.held.items()}
        known = {contract: (held.id, held.net) for contract, held in told.held.items()}
        gone = excuses.hold(Excuse.UNTOLD_POSITION, nets != known, at)
        unknown = bool(docket.raced) or true.orders != told.orders
        gone |= excuses.hold(Excuse.UNTOLD_ORDER, unknown, at)
        if excuses.hold(Excuse.UNTOLD_TRADE, bool(docket.untold_trades), at):
            gone = True
            if at > untold_since:
                self.coverage.saw("told late")
        untold = any(contract in self.untold for contract in true.held)
        gone |= excuses.hold(Excuse.UNTOLD_PRICE, untold, at)
        docket.look(at)
        self._blind(docket)
        for contract, since in list(docket.races.items()):
            self._race(docket, contract, since)
        if gone:
            self.deadlines_again(docket)

    def _blind(self, docket: Docket) -> None:
        standing = docket.excuses.standing
        blind = standing[Excuse.UNTOLD_POSITION] or standing[Excuse.UNTOLD_TRADE]
        docket.obliges(("blind", ""), bool(blind), self.now)
        told, exposed = docket.told, bool(docket.told.held or docket.told.orders)
        unseen = exposed and told.orders.keys() - docket.raced != docket.true.orders.keys()
        docket.obliges(("unseen", ""), unseen, self.now)
        apart = not docket.estimated and not docket.told.agrees()
        docket.obliges(("apart", ""), apart, self.now)

    def may_be_race(self, docket: Docket, contract: str, net: int) -> None:
        """What begins the other way round while our close is under way has met it."""
        was, asked_at = docket.closing.get(contract, (0, -math.inf))
        under_way = any(
            (it.docket, it.kind, it.target) == (docket, "close", contract) and not it.orphaned
            for it in self.under_way
        )
        if under_way and was * net < 0 and self.now - asked_at <= RACE_TOLD_WITHIN:
            docket.races[contract] = self.now

    def _race(self, docket: Docket, contract: str, since: float) -> None:
        """What a race with our close has opened must go as soon as it is told."""
        key, true = ("race", contract), docket.true.held.get(contract)
        told, in_time = docket.told.held.get(contract), self.now - since <= RACE_TOLD_WITHIN
        if self.now > since and (true is None or true.since != since):
            docket.obliges(key, False, self.now)
            del docket.races[contract]
        elif in_time and told is not None and true is not None and told.id == true.id:
            docket.obliges(key, True, self.now)

    def no_race(self, docket: Docket, contract: str) -> None:
        """Our close was refused: it has met nothing, and what began meanwhile is the trader's own."""
        if docket.races.pop(contract, None) is not None:
            docket.obliges(("race", contract), False, self.now)

    def forget_races(self, docket: Docket) -> None:
        """Who knew of our closes has fallen."""
        for contract in docket.races:
            docket.obliges(("race", contract), False, self.now)
        docket.races.clear()

    def deadlines_again(self, docket: Docket) -> None:
        """An excuse has gone: what was put off is due some time now."""
        for key in docket.open:
            if key not in docket.accused:
                self.wake(docket.deadline(key), docket)

    def lock_state(self, docket: Docket) -> None:
        """Which locks stand now."""
        wall = self.wall()
        ended = [key for key in docket.locks if key[1] <= wall]
        for key in ended:
            self.coverage.saw("lock ended")
            del docket.locks[key]
        docket.locked = bool(docket.locks)
        docket.look(self.now)

    def of_login(self, login: str) -> Iterable[Docket]:
        """Its accounts."""
        return (it for it in self.dockets.values() if it.login == login)

    def scene(self, docket: Docket) -> str:
        """What is so, for the text of an accusation."""
        held = {it: held.net for it, held in docket.true.held.items()}
        told = {it: held.net for it, held in docket.told.held.items()}
        return (
            f"(held {held}, told {told}, day {docket.true.day(self.true_prices):.2f}, "
            f"excuses {sorted(docket.excuses.names(self.now))})"
        )

    def look_at_requests(self, at: float) -> None:
        """After 10 s without an answer a request counts as unknown."""
        for asked in self.under_way:
            if not asked.long and at - asked.at > 10.0:
                asked.long = True
                asked.docket.excuses.end(Excuse.ASKED, asked.at + 10.0)
                self.deadlines_again(asked.docket)

    def owes_records(self, docket: Docket) -> None:
        """Each answer must be written down soon."""
        docket.obliges(("audit", ""), False, self.now)
        if docket.answered and not self.disk_refuses():
            docket.obliges(("audit", ""), True, docket.answered[0])
