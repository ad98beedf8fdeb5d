"""The same journal on a simulated disk: deterministic, without threads or files.

The disk outlives the journal, as a disk outlives a process: make one :class:`MemoryDisk` per
simulated machine, and open it again after each simulated death.
"""

from collections.abc import Sequence
from datetime import datetime

import trio
from attrs import define, field

from store.buffered import BufferedJournal, Recovered
from store.entry import Entry
from store.projection import Projection


@define
class MemoryDisk:
    """What a machine's disk holds; the simulation may look at it, break it and mend it."""

    durable: list[Entry] = field(factory=list)
    """Survives everything."""
    cached: list[Entry] = field(factory=list)
    """With the operating system: survives the process, not the power."""
    refusing: str = ""
    """While not empty, every write fails for this reason."""

    def open(self, now: datetime) -> BufferedJournal:
        """Start up on what the disk holds; journals opened before must not be used any more."""
        projection = Projection()
        for entry in self.durable:
            projection.apply(entry.record())
        newest = self.durable[-1].seq if self.durable else 0
        spooled = tuple(entry for entry in self.cached if entry.seq > newest)
        recovered = Recovered(projection, newest, spooled=spooled, problem=self.refusing)
        return BufferedJournal(self, recovered, now)

    def lose_power(self) -> None:
        """Forget what was never synced."""
        self.cached.clear()

    def spool(self, entry: Entry) -> None:
        """Keep an entry until the power fails."""
        self._check()
        self.cached.append(entry)

    async def write(self, batch: Sequence[Entry]) -> None:
        """Keep entries for good."""
        await trio.lowlevel.cancel_shielded_checkpoint()
        self._check()
        newest = self.durable[-1].seq if self.durable else 0
        self.durable.extend(entry for entry in batch if entry.seq > newest)

    def settled(self) -> None:
        """Forget what is durable anyway."""
        self.cached.clear()

    async def aclose(self) -> None:
        """Nothing to let go of."""
        await trio.lowlevel.checkpoint()

    def _check(self) -> None:
        if self.refusing:
            raise OSError(self.refusing)
