"""What is open in hours in which nothing may be: of the whole account, or of one product.

The daemon's clock may differ from the exchange's, so an hour obliges when every instant that it may
show lies in it, and allows when one does.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from attrs import define

from simulation.hours import Hours
from simulation.truth import Book, Key

type Instants = tuple[datetime, ...]


@define(eq=False)
class Closures:
    """Of one account."""

    _hours: tuple[Hours, ...]
    _true: Book
    _told: Book
    _may_show: Callable[[], Instants]
    """What the daemon's clock may show now."""

    def broken(self) -> set[Key]:
        """What must be closed."""
        if not self._hours:
            return set()
        found = (set(self._open(self._true, instant)) for instant in self._may_show())
        return set.intersection(*found)

    def shown(self) -> set[Key]:
        """What may be closed, by the truth or by what was told."""
        if not self._hours:
            return set()
        books = self._true, self._told
        return {key for at in self._may_show() for book in books for key in self._open(book, at)}

    def shuts(self, root: str) -> bool:
        """Whether nothing of this product may be open, so that what is left there may go."""
        return any(it.shuts(root, at) for it in self._hours for at in self._may_show())

    def ends_of_locks(self, rule: str) -> set[datetime]:
        """Until when this rule may lock now."""
        ends = (it.locks(at) for it in self._hours if it.rule == rule for at in self._may_show())
        return {it for it in ends if it is not None}

    def changes_in(self) -> float | None:
        """Seconds until any of it can be different; None: it never will be."""
        left = (it.turns(at) - at for it in self._hours for at in self._may_show())
        return min((it.total_seconds() for it in left), default=None)

    def _open(self, book: Book, at: datetime) -> Iterator[Key]:
        for hours in self._hours:
            if hours.locks(at) is not None:
                if book.held or book.orders:
                    yield (hours.rule, "")
                continue
            # What only protects goes with its position.
            contracts = [*book.held, *(order.contract for order in book.adding())]
            for contract in dict.fromkeys(contracts):
                if hours.shuts(book.instruments[contract].root, at):
                    yield (hours.rule, contract)
