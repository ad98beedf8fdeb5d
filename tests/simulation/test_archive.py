"""What was written down must be on the disk soon, as soon as that takes it."""

from datetime import UTC, datetime

from attrs import define, field

from simulation.archive import Archive
from simulation.bench import Bench
from simulation.excuses import Excuse
from simulation.truth import Terms
from store import records
from store.entry import seal
from store.memory import MemoryDisk

NOW = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)


@define
class Writing:
    """A run in which records are written by hand."""

    late: bool = False
    disk: MemoryDisk = field(factory=MemoryDisk)
    bench: Bench = field(factory=lambda: Bench({}, lambda: NOW))
    archive: Archive = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.archive = Archive(self.bench, self.disk, lambda since: self.late)

    def wait(self, seconds: float) -> None:
        """Something happens every half second."""
        until = self.bench.now + seconds
        while self.bench.now < until:
            self.bench.tick(self.bench.now + 0.5)
            self.archive.look()

    def commit(self, number: int) -> None:
        """It is durable."""
        self.disk.durable.append(seal(number, records.intent_done("A", NOW, "A-1", "flat")))

    @property
    def found(self) -> list[int]:
        """Numbers of invariants."""
        return [it.invariant for it in self.bench.violations]


def test_a_record_that_only_memory_has_is_a_violation_told_once() -> None:
    """Nobody has begun another commit for it."""
    writing = Writing()
    writing.archive.given(1)
    writing.commit(1)
    writing.wait(5)
    assert writing.found == []
    writing.archive.given(2)
    writing.wait(30)
    assert writing.found == [7]


def test_a_slow_disk_has_the_time_of_two_commits() -> None:
    """One is under way, and what came meanwhile is in the next."""
    writing = Writing()
    writing.disk.write_takes = 2.0
    writing.archive.given(1)
    writing.wait(5)
    assert writing.found == []
    writing.wait(2)
    assert writing.found == [7]


def test_a_disk_that_refuses_is_tried_again_when_it_accepts() -> None:
    """A second later."""
    writing = Writing()
    writing.disk.refusing = "full"
    writing.archive.given(1)
    writing.wait(60)
    writing.disk.refusing = ""
    writing.wait(1)
    assert writing.found == []
    writing.wait(2)
    assert writing.found == [7]


def test_a_store_that_was_kept_from_writing_is_excused_as_long_as_it_was() -> None:
    """Made to hang, or fallen; a death forgets what only memory had."""
    writing = Writing(late=True)
    writing.archive.given(1)
    writing.wait(20)
    assert writing.found == []
    writing.late = False
    writing.wait(3)
    assert writing.found == [7]
    writing.archive.given(2)
    writing.archive.life_ended()
    writing.wait(20)
    assert writing.found == [7]


def test_a_machine_that_stands_still_writes_nothing() -> None:
    """Awake again it has the usual time."""
    writing = Writing()
    excuses = writing.bench.guard("A", 1001, "sim", Terms()).excuses
    writing.archive.given(1)
    excuses.begin(Excuse.SUSPENDED, writing.bench.now)
    writing.wait(60)
    excuses.end(Excuse.SUSPENDED, writing.bench.now)
    writing.wait(1)
    assert writing.found == []
    writing.wait(2)
    assert writing.found == [7]
