"""Whether what the daemon has written down reaches the disk: a record in memory is none (DESIGN 4)."""

import math
from collections import deque
from collections.abc import Callable

from attrs import define, field

from simulation.bench import Bench
from simulation.excuses import Excuse
from store.memory import MemoryDisk

DURABLE_WITHIN = 1.5
"""Seconds from a record to the disk that has it: gathered for 20 ms, a commit under way, its own; and
a second after which a disk that refused is tried again."""


@define(eq=False)
class Archive:
    """Knows which records only memory has."""

    _bench: Bench
    _disk: MemoryDisk
    _late_since: Callable[[float], bool]
    """Whether the store was kept from writing on purpose, at some time since then."""
    _waiting: deque[tuple[float, int]] = field(factory=deque)
    """When records were given to the journal, and their numbers."""
    _hindered_until: float = -math.inf
    _commit_takes: float = 0.0
    """Seconds of the slowest commits there have been."""
    _accused: bool = False

    def given(self, number: int) -> None:
        """A record was given to the journal."""
        self._waiting.append((self._bench.now, number))

    def hindered(self, until: float) -> None:
        """Up to then nothing could be written."""
        self._hindered_until = until

    def life_ended(self) -> None:
        """What was in memory is gone."""
        self._waiting.clear()

    def look(self) -> None:
        """Time has passed."""
        if not self._waiting:
            return
        waiting, now, disk = self._waiting, self._bench.now, self._disk
        durable = disk.durable[-1].seq if disk.durable else 0
        self._commit_takes = max(self._commit_takes, disk.write_takes)
        if disk.refusing or self._asleep():
            self.hindered(now)
        while waiting and waiting[0][1] <= durable:
            waiting.popleft()
            self._accused = False
        if not waiting or self._accused:
            return
        since = max(waiting[0][0], self._hindered_until)
        # One commit that is under way, and the next that takes it.
        if now - since <= DURABLE_WITHIN + 2 * self._commit_takes:
            return
        if self._late_since(since):
            self.hindered(now)
        else:
            self._accused = True
            text = f"a record of {waiting[0][0]:.3f} is not on the disk, though that accepts"
            self._bench.accuse(7, "store", text)

    def _asleep(self) -> bool:
        """Nothing at all happens on a machine that stands still."""
        dockets = self._bench.dockets.values()
        return any(it.excuses.standing[Excuse.SUSPENDED] for it in dockets)
