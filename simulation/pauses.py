"""What was opened though a pause ran: after a loss, or after too many entries (RULES, section 1).

All of it follows from the half-turns of the trading day alone, so it is reckoned from them, for what is
true and for what was told. Which contracts go is decided by who came last: exits take the newest.
"""

import math
from collections import Counter, deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby

from attrs import Factory, define, field, frozen

from simulation.trading_days import next_reset
from simulation.truth import TENTH_OF_A_CENT, Book, Key, Terms, Trade

CLOCKS_DIFFER = timedelta(seconds=2)
"""By so much the daemon's time may differ from the exchange's (RULES 0): a pause obliges to nothing in
its last two seconds, and allows what it allowed for two more."""
REMEMBERED = 400
"""Changes of what is too much, by contract."""
COOLDOWN, FREQUENCY = "cooldown_after_loss", "trade_frequency"
PAUSES = frozenset({COOLDOWN, FREQUENCY})


@define
class Lot:
    """Contracts that one half-turn has brought."""

    size: int
    at: datetime | None
    """None when carried into the day."""
    trade: int = 0
    order: int = 0


@frozen
class Trip:
    """A round trip that is over."""

    at: datetime
    trade: int
    """The half-turn that ended it."""
    dollars: float
    """After fees."""


@frozen
class Entry:
    """An order that opened or added, at its first such fill."""

    at: datetime
    order: int


@frozen
class Room:
    """Contracts that were too many in one contract, and how many of it we had closed by then."""

    at: float
    size: int
    ours: int


@define(eq=False)
class Tape:
    """The trading day of a book, half-turn by half-turn."""

    book: Book
    lots: dict[str, list[Lot]] = field(factory=dict)
    """What is open, oldest first."""
    trips: list[Trip] = field(factory=list)
    """As they ended."""
    entries: list[Entry] = field(factory=list)
    """As they came."""
    _running: dict[str, float] = field(factory=dict)
    """Dollars that have moved since the contract was last flat."""
    _read: int = -1

    def read(self) -> None:
        """Everything anew, if anything is new."""
        book = self.book
        if self._read == book.version:
            return
        self._read = book.version
        self.lots = {it: [Lot(abs(net), None)] for it, (net, _, _) in book.begun.items()}
        value_of = book.instruments
        self._running = {
            it: -cost * value_of[it].point_value for it, (_, _, cost) in book.begun.items()
        }
        nets = {it: net for it, (net, _, _) in book.begun.items()}
        self.trips, seen = [], dict[int, datetime]()
        for trade in book.trades.values():
            if not trade.voided:
                net = nets.get(trade.contract, 0)
                if self._book(trade, net):
                    seen.setdefault(trade.order, trade.at)
                nets[trade.contract] = net + trade.signed
        self.entries = sorted(
            (Entry(at, order) for order, at in seen.items()), key=lambda it: (it.at, it.order)
        )

    def _book(self, trade: Trade, net: int) -> bool:
        """Whether it opened or added."""
        size, lots = abs(trade.signed), self.lots.setdefault(trade.contract, [])
        exits = min(size, abs(net)) if net * trade.signed < 0 else 0
        value = self.book.instruments[trade.contract].point_value
        moved = -trade.signed * trade.price * value - trade.fees
        running = self._running.get(trade.contract, 0.0) + moved * exits / size
        if exits:
            take(lots, exits)
            if exits == abs(net):
                self.trips.append(Trip(trade.at, trade.id, running))
                running = 0.0
        self._running[trade.contract] = running + moved * (size - exits) / size
        if size > exits:
            lots.append(Lot(size - exits, trade.at, trade.id, trade.order))
        return size > exits

    def open_lots(self) -> Iterator[tuple[str, Lot]]:
        """Those of the day that are still held; what has left without a half-turn was the newest."""
        for contract, lots in self.lots.items():
            held = self.book.held.get(contract)
            left = 0 if held is None else abs(held.net)
            for lot in lots:
                if left and lot.at is not None:
                    yield contract, Lot(min(left, lot.size), lot.at, lot.trade, lot.order)
                left = max(left - lot.size, 0)


def take(lots: list[Lot], size: int) -> None:
    """So many leave, the newest first."""
    while size and lots:
        gone = min(size, lots[-1].size)
        lots[-1].size -= gone
        size -= gone
        if not lots[-1].size:
            lots.pop()


def forbidden(tape: Tape, terms: Terms, now: datetime) -> Counter[Key]:
    """By rule and contract, how many are held that a pause which runs has forbidden."""
    tape.read()
    found: Counter[Key] = Counter()
    pauses, full = list(_cooldowns(tape, terms, now)), list(_full(tape, terms, now))
    if not pauses and not full:
        return found
    for contract, lot in tape.open_lots():
        assert lot.at is not None
        if any((lot.at, lot.trade) >= (it.at, it.trade) for it in pauses):
            found[COOLDOWN, contract] += lot.size
        if any(_came_too_often(tape, lot, *it) for it in full):
            found[FREQUENCY, contract] += lot.size
    return found


def ends(tape: Tape, terms: Terms, now: datetime) -> datetime | None:
    """When one of the pauses, or what counts for one, is over next; None when nothing will be."""
    tape.read()
    lasting = [(it.at, lasts) for it, lasts in _penalties(tape, terms)]
    lasting += [(it.at, lasts) for _, lasts in terms.entries for it in tape.entries]
    ended = (at + timedelta(seconds=lasts) for at, lasts in lasting if lasts < math.inf)
    return min((it for it in ended if it > now), default=None)


def _cooldowns(tape: Tape, terms: Terms, now: datetime) -> Iterator[Trip]:
    """The round trips whose pauses run."""
    for trip, lasts in _penalties(tape, terms):
        if now < min(trip.at + timedelta(seconds=lasts), next_reset(trip.at)):
            yield trip


def _penalties(tape: Tape, terms: Terms) -> Iterator[tuple[Trip, float]]:
    """Each pause of the day: the round trip it is for, and how many seconds it lasts."""
    row = 0
    for trip in tape.trips if terms.tiers or terms.streaks else ():
        row = row + 1 if trip.dollars < -TENTH_OF_A_CENT else 0
        for loss, lasts in terms.tiers:
            if trip.dollars <= -loss + TENTH_OF_A_CENT:
                yield trip, lasts
        for losses, lasts in terms.streaks:
            if row >= losses:
                yield trip, lasts


def _full(tape: Tape, terms: Terms, now: datetime) -> Iterator[tuple[int, float]]:
    """Windows in which there is no room now."""
    for allowed, lasts in terms.entries:
        recent = [it for it in tape.entries if _within(it.at, now, lasts)]
        if len(recent) >= allowed and now < next_reset(recent[0].at):
            yield allowed, lasts


def _within(at: datetime, now: datetime, lasts: float) -> bool:
    return lasts == math.inf or (now - at).total_seconds() < lasts


def _came_too_often(tape: Tape, lot: Lot, allowed: int, lasts: float) -> bool:
    own = next((it for it in tape.entries if it.order == lot.order), None)
    if own is None:
        return False
    since = [it for it in tape.entries if (it.at, it.order) >= (own.at, own.order)]
    return all(_in_full(tape, it, allowed, lasts) for it in since)


def _in_full(tape: Tape, own: Entry, allowed: int, lasts: float) -> bool:
    """Whether there was no room when this came."""
    before = [it for it in tape.entries if (it.at, it.order) < (own.at, own.order)]
    return sum(_within(it.at, own.at, lasts) for it in before) >= allowed


@define(eq=False)
class Pauses:
    """Of one account: what its pauses ask for, and which closes they allow."""

    terms: Terms
    true: Tape
    told: Tape
    _ours: Counter[str] = field(factory=Counter)
    _rooms: dict[str, deque[Room]] = field(factory=dict)
    _told_now: Counter[str] = field(factory=Counter)
    """Forbidden contracts by what was told, by contract."""
    _apply: bool = Factory(
        lambda self: bool(self.terms.tiers or self.terms.streaks or self.terms.entries),
        takes_self=True,
    )

    def broken(self, wall: datetime) -> set[Key]:
        """What must be closed."""
        return set(forbidden(self.true, self.terms, wall + CLOCKS_DIFFER)) if self._apply else set()

    def shown(self, at: float, wall: datetime) -> set[Key]:
        """What may be closed, by the truth or by what was told; how much of it is remembered."""
        if not self._apply:
            return set()
        true = forbidden(self.true, self.terms, wall - CLOCKS_DIFFER)
        told = forbidden(self.told, self.terms, wall - CLOCKS_DIFFER)
        most, self._told_now = _most(true), _most(told)
        for contract in sorted({*most, *self._told_now, *self._rooms}):
            rooms = self._rooms.setdefault(contract, deque([Room(at, 0, 0)], maxlen=REMEMBERED))
            room = Room(at, max(most[contract], self._told_now[contract]), self._ours[contract])
            if (room.size, room.ours) != (rooms[-1].size, rooms[-1].ours):
                rooms.append(room)
        return {*true, *told}

    def changes_in(self, wall: datetime) -> float | None:
        """Seconds until a pause ends by itself; None when none runs."""
        if not self._apply:
            return None
        wall -= CLOCKS_DIFFER
        following = [ends(it, self.terms, wall) for it in (self.true, self.told)]
        return min(
            ((it - wall).total_seconds() for it in following if it is not None), default=None
        )

    def allow(self, contract: str, size: int, since: float) -> bool:
        """Whether so many were forbidden at some time since then, less what we have closed."""
        following = math.inf
        for room in reversed(self._rooms.get(contract, ())):
            if following < since:
                break
            if size <= room.size - (self._ours[contract] - room.ours):
                return True
            following = room.at
        return False

    def allow_all(self, contract: str) -> bool:
        """Whether by what was told all of a contract is forbidden."""
        held = self.told.book.held.get(contract)
        return held is not None and abs(held.net) <= self._told_now[contract]

    def closes(self, contract: str, size: int) -> None:
        """We took contracts out."""
        self._ours[contract] += size


def _most(found: Counter[Key]) -> Counter[str]:
    """By contract, the most that any rule forbids."""
    by_contract = sorted((contract, size) for (_, contract), size in found.items())
    return Counter(
        {it: max(size for _, size in group) for it, group in groupby(by_contract, lambda it: it[0])}
    )
