"""The same journal on a simulated disk: deterministic, without threads or files.

The disk outlives the journal, as a disk outlives a process: make one :class:`MemoryDisk` per
simulated machine, and open it again after each simulated death.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

import trio
from attrs import define, field

from store.buffered import BufferedJournal, Recovered
from store.entry import Entry
from store.projection import Projection

Half = Literal["both", "spool", "journal"]


def _nothing(entry: Entry) -> None:
    """Happens."""


@define
class MemoryDisk:
    """What a machine's disk holds; the simulation may look at it, break it and mend it."""

    durable: list[Entry] = field(factory=list)
    """Survives everything."""
    cached: list[Entry] = field(factory=list)
    """With the operating system: survives the process, not the power."""
    refusing: str = ""
    """While not empty, writes fail for this reason."""
    refusing_half: Half = "both"
    """Which writes those are: of the spool, of the journal proper, or all."""
    write_takes: float = 0.0
    """Seconds of one commit."""
    torn: int = 0
    """Lines of the spool that a power cut left unreadable."""
    spooled: Callable[[Entry], None] = _nothing
    """Called right after each append to the spool; what it raises, the writer meets there."""
    _process: int = 0
    """Number of the process that may write; those before it are dead."""

    def open(self, now: datetime) -> BufferedJournal:
        """Start up on what the disk holds; journals opened before reach it no more."""
        self._process += 1
        projection = Projection()
        for entry in self.durable:
            projection.apply(entry.record())
        newest = self.durable[-1].seq if self.durable else 0
        recovered = Recovered(
            projection,
            newest,
            spooled=tuple(entry for entry in self.cached if entry.seq > newest),
            problem=self.refusing if self.refusing_half != "spool" else "",
            findings=(f"{self.torn} torn line(s) in the spool were passed over",) * bool(self.torn),
        )
        return BufferedJournal(_Opened(self, self._process), recovered, now)

    def process_dies(self) -> None:
        """Whatever the process that has it open still writes, also what is half-way, is lost."""
        self._process += 1

    def lose_power(self, *, kept: int = 0, torn: bool = False) -> None:
        """Forget what was never synced, but for the oldest ``kept`` that happened to be.

        ``torn``: the one after them was being written and is unreadable.
        """
        self.process_dies()
        lost = self.cached[kept:]
        del self.cached[kept:]
        self.torn += bool(torn and lost)


@define
class _Opened:
    """The disk as one process has it open."""

    _disk: MemoryDisk
    _process: int

    def spool(self, entry: Entry) -> None:
        """Keep an entry until the power fails."""
        if self._alive("spool"):
            self._disk.cached.append(entry)
            self._disk.spooled(entry)

    async def write(self, batch: Sequence[Entry]) -> None:
        """Keep entries for good."""
        if self._disk.write_takes:
            with trio.CancelScope(shield=True):
                await trio.sleep(self._disk.write_takes)
        else:
            await trio.lowlevel.cancel_shielded_checkpoint()
        if self._alive("journal"):
            durable = self._disk.durable
            newest = durable[-1].seq if durable else 0
            durable.extend(entry for entry in batch if entry.seq > newest)

    def settled(self) -> None:
        """Forget what is durable anyway."""
        if self._alive("spool"):
            self._disk.cached.clear()
            self._disk.torn = 0

    async def aclose(self) -> None:
        """Nothing to let go of."""
        await trio.lowlevel.checkpoint()

    def _alive(self, half: Half) -> bool:
        if self._process != self._disk._process:  # noqa: SLF001 - a part of it
            return False
        if self._disk.refusing and self._disk.refusing_half in ("both", half):
            raise OSError(self._disk.refusing)
        return True
