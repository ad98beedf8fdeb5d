"""How much is held against how much may be, cap by cap, and what of the excess we have closed.

An account may have several caps at once: over everything, and of each root. The daemon takes the
newest lots for the one and then the newest of a root for the other, so from one contract goes as much
as some single cap asks for, and from all together no more than all caps ask for.
"""

import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import define, field, frozen

from simulation.scaling import SCALING
from simulation.truth import MICROS, Book, Instrument, Key, Terms

REMEMBERED = 400
"""Sizes kept for judging a request by what was so when it was decided."""
HALF_A_LOT = 0.0001


@frozen
class Cap:
    """So much at once."""

    rule: str
    limit: float
    root: str = ""
    """The only product that counts; empty: all do."""
    mini: bool = False
    """Micros count a tenth."""

    def weight(self, root: str) -> float:
        """What one contract counts."""
        if self.root not in ("", root):
            return 0.0
        return 0.1 if self.mini and root in MICROS else 1.0

    def counted(self, book: Book, beside: Mapping[str, int] | None = None) -> float:
        """What is held, weighted; ``beside``: contracts that are believed beside the book."""
        total = 0.0
        for contract, held in book.held.items():
            total += abs(held.net) * self.weight(book.instruments[contract].root)
        for contract, lots in (beside or {}).items():
            total += lots * self.weight(book.instruments[contract].root)
        return total

    def excess(self, book: Book, beside: Mapping[str, int] | None = None) -> float:
        """What is held above the limit; 0 when nothing."""
        over = self.counted(book, beside) - self.limit
        return over if over > HALF_A_LOT else 0.0


def caps_of(terms: Terms, roots: Iterable[str], by_balance: float | None = None) -> tuple[Cap, ...]:
    """All caps of an account that may hold these products; ``by_balance``: what its plan allows today."""
    caps = []
    if terms.max_contracts is not None:
        caps.append(Cap("max_contracts", terms.max_contracts, mini=terms.mini_equivalent))
    if by_balance is not None:
        caps.append(Cap(SCALING, by_balance, mini=terms.steps_in_minis))
    if terms.per_root is not None:
        for root in sorted(set(roots)):
            limit = terms.per_root.limit_of(root)
            if limit is not None:
                caps.append(Cap("max_contracts_per_instrument", limit, root))
    return tuple(caps)


def too_much(caps: Sequence[Cap], book: Book) -> Iterator[Key]:
    """Rules by which too much is held; of a root, with each contract of it that is held."""
    for cap in caps:
        if book.held and cap.excess(book):
            if not cap.root:
                yield (cap.rule, "")
            else:
                yield from ((cap.rule, it) for it in _of_root(book, cap.root, book.held))


def asked_for(
    caps: Sequence[Cap], book: Book, contract: str, size: float, beside: Mapping[str, int]
) -> bool:
    """Whether closing so many is no more than the fewest lots that bring the rest to some limit."""
    root = book.instruments[contract].root
    return any(
        (size - 1) * cap.weight(root) < cap.excess(book, beside) - HALF_A_LOT
        for cap in caps
        if cap.weight(root)
    )


def _of_root(book: Book, root: str, contracts: Iterable[str]) -> Iterator[str]:
    return (it for it in contracts if book.instruments[it].root == root)


@frozen
class Size:
    """What was above each cap at an instant, and how many contracts we had closed by then."""

    at: float
    excess: tuple[float, ...]
    ours: Mapping[str, int]


@define(eq=False)
class Sizes:
    """Of one account, since the start of the run."""

    instruments: dict[str, Instrument]
    caps: tuple[Cap, ...]
    ours: Counter[str] = field(factory=Counter)
    """Contracts that our partial closes have closed."""
    _past: deque[Size] = field(factory=lambda: deque(maxlen=REMEMBERED))
    _lots: deque[tuple[float, str]] = field(factory=lambda: deque(maxlen=10))
    """When we took contracts out lately, and of what root."""

    def look(self, book: Book, at: float) -> None:
        """It may have changed."""
        excess = tuple(cap.excess(book) for cap in self.caps)
        last = self._past[-1] if self._past else None
        if last is None or excess != last.excess or self.ours != last.ours:
            self._past.append(Size(at, excess, Counter(self.ours)))

    def closes(self, contract: str, size: int, at: float) -> None:
        """We took contracts out."""
        self.ours[contract] += size
        self._lots.append((at, self.instruments[contract].root))

    def may_close(self, contract: str, size: float, since: float) -> bool:
        """Whether so many contracts were in excess at some time since then, less what we closed."""
        root = self.instruments[contract].root
        over_all = [n for n, cap in enumerate(self.caps) if not cap.root]
        by_root = [n for n, cap in enumerate(self.caps) if cap.root == root]
        siblings = [it for it in self.ours if self.instruments[it].root == root]
        alone = [n for n in over_all if self._fits(n, [n], [contract], root, size, since)]
        alone += [n for n in by_root if self._fits(n, [n], siblings, root, size, since)]
        if not alone or not over_all:
            return bool(alone)
        roots = [n for n, cap in enumerate(self.caps) if cap.root]
        every = [*self.ours]
        return any(self._fits(n, [n, *roots], every, root, size, since) for n in over_all)

    def _fits(
        self,
        unit: int,
        caps: Sequence[int],
        of: Sequence[str],
        root: str,
        size: float,
        since: float,
    ) -> bool:
        """As much was above these caps, weighed as one of them does, less what of these went."""
        weight = self.caps[unit].weight(root)
        # A plan goes over what is needed by its last lot at most, and that may have gone first.
        lately = [self.caps[unit].weight(it) for at, it in self._lots if at >= since]
        largest = max([weight, *lately])
        room = max((self._room(unit, caps, of, it) for it in self._since(since)), default=-math.inf)
        return size * weight - largest < room - HALF_A_LOT

    def _room(self, unit: int, caps: Sequence[int], of: Sequence[str], size: Size) -> float:
        cap = self.caps[unit]
        # What is above the cap of a root, in the weight of the one that they are added to.
        above = sum(
            size.excess[n] * (1.0 if n == unit else cap.weight(self.caps[n].root)) for n in caps
        )
        if not above:
            return -math.inf
        gone = sum(
            (self.ours[it] - size.ours.get(it, 0)) * cap.weight(self.instruments[it].root)
            for it in of
        )
        return above - gone

    def _since(self, since: float) -> Iterator[Size]:
        following = math.inf
        for it in reversed(self._past):
            if following < since:
                return
            yield it
            following = it.at
