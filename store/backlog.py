"""Entries that wait for the disk, bounded: what recovery needs is given up last."""

from collections import deque
from collections.abc import Iterable
from heapq import merge
from operator import attrgetter

from store.entry import Entry

_by_number = attrgetter("seq")


class Backlog:
    """A queue in the order of numbers, in two halves; mutated on the loop's thread only."""

    def __init__(self, limit: int, essential: frozenset[str]) -> None:
        self._limit = limit
        self._kinds = essential
        self._essential: deque[Entry] = deque()
        self._other: deque[Entry] = deque()
        self.given_up = 0
        """Entries dropped because the limit was reached."""

    def __len__(self) -> int:
        return len(self._essential) + len(self._other)

    def add(self, entry: Entry) -> None:
        """Put an entry last."""
        self._half(entry).append(entry)
        self._trim()

    def take(self) -> list[Entry]:
        """Take everything out, in order."""
        batch = list(merge(self._essential, self._other, key=_by_number))
        self._essential.clear()
        self._other.clear()
        return batch

    def give_back(self, batch: Iterable[Entry]) -> None:
        """Put entries that the disk refused in front again."""
        for entry in reversed(list(batch)):
            self._half(entry).appendleft(entry)
        self._trim()

    def _half(self, entry: Entry) -> deque[Entry]:
        return self._essential if entry.kind in self._kinds else self._other

    def _trim(self) -> None:
        while len(self) > self._limit:
            (self._other or self._essential).popleft()
            self.given_up += 1
