"""Lives of a simulated daemon: it is killed, restarted, put to sleep; what a dead process can do."""

from datetime import UTC, datetime
from typing import Literal

from simulation.machine import Machine
from simulation.run import Outcome, simulate
from simulation.scenario import AccountPlan, LoginPlan, Scenario
from simulation.trouble import Kill, Planned, PowerCut, Suspend, Trouble
from simulation.watcher import Asked, Watcher
from simulator.events import Event, Kind
from store.port import Record
from supervision import System


class Diary(Watcher):
    """Times of what happened."""

    def __init__(self) -> None:
        self.began: list[tuple[int, float]] = []
        self.ended: list[tuple[int, str, float]] = []
        self.asked_at: list[tuple[int, float]] = []
        self.quoted_at: list[float] = []
        self.slept: list[float] = []
        self.of_the_dead: list[str] = []
        """What was written while no daemon ran."""

    def opened(self, machine: Machine) -> None:
        self.machine = machine

    def life_began(self, life: int, system: System) -> None:  # noqa: ARG002 - a callback
        self.began.append((life, self.machine.elapsed))

    def life_ended(self, life: int, why: str) -> None:
        self.ended.append((life, why, self.machine.elapsed))

    def asked(self, asked: Asked) -> None:
        self.asked_at.append((asked.life, self.machine.elapsed))

    def recorded(self, record: Record, spooled: bool) -> None:  # noqa: ARG002 - a callback
        if len(self.ended) == len(self.began):
            self.of_the_dead.append(record.kind)

    def exchanged(self, events: tuple[Event, ...]) -> None:
        self.quoted_at += [self.machine.elapsed for it in events if it.kind is Kind.QUOTE]

    def suspended(self, seconds: float) -> None:  # noqa: ARG002 - a callback
        self.slept.append(self.machine.elapsed)

    def woken(self) -> None:
        self.slept.append(self.machine.elapsed)


def lived(*faults: Planned, seconds: float = 200.0) -> tuple[Diary, Outcome]:
    diary = Diary()
    scenario = Scenario(3, seconds=seconds, pace=20.0, faults=faults)
    return diary, simulate(scenario, watching=lambda: (diary,))


def test_a_killed_daemon_is_started_again_after_its_time() -> None:
    """Dead at once, alive when the time is over, and again to the end."""
    diary, outcome = lived(Planned(50.0, Kill(down_for=7.0)))
    assert [(life, why) for life, why, _ in diary.ended] == [(1, "killed"), (2, "stopped")]
    assert diary.ended[0][2] == 50.0
    assert diary.began[1] == (2, 57.0)
    assert outcome.lives == 2


def test_a_dead_daemon_asks_nothing() -> None:
    """From its death to its next life nothing leaves the machine."""
    diary, _ = lived(Planned(50.0, Kill(down_for=7.0)))
    assert not [at for _, at in diary.asked_at if 50.0 < at < 57.0]
    assert not [at for life, at in diary.asked_at if life == 1 and at > 50.0]
    assert [at for life, at in diary.asked_at if life == 2]


def test_a_daemon_that_is_killed_as_the_machine_wakes_writes_nothing_more() -> None:
    """It would begin the day that it has slept into, and no disk would have it."""
    diary = Diary()
    evening = datetime(2026, 11, 18, 22, 59, tzinfo=UTC)
    faults = Planned(10.0, Suspend(seconds=100.0)), Planned(50.0, Kill(down_for=5.0))
    scenario = Scenario(3, start=evening, seconds=200.0, pace=20.0, faults=faults)
    outcome = simulate(scenario, watching=lambda: (diary,))
    assert len(diary.began) == 2
    assert diary.of_the_dead == []
    assert outcome.violations == ()


def test_killing_the_dead_only_makes_it_longer() -> None:
    """A second kill while the process is down."""
    diary, _ = lived(Planned(50.0, Kill(down_for=7.0)), Planned(52.0, PowerCut(down_for=30.0)))
    assert [life for life, _ in diary.began] == [1, 2]
    assert diary.began[1][1] == 82.0


def test_the_world_goes_on_while_the_machine_sleeps() -> None:
    """Prices move through a nap, no question is asked in it, and the daemon lives on after it."""
    diary, outcome = lived(Planned(60.0, Suspend(seconds=40.0)))
    assert diary.slept == [60.0, 100.0]
    assert [at for at in diary.quoted_at if 62.0 < at < 98.0]
    assert not [at for _, at in diary.asked_at if 60.0 < at < 100.0]
    assert outcome.lives == 1


def test_a_leap_of_wall_clocks_leaves_the_running_time_alone() -> None:
    """The monotonic clock of some machines stands still while they sleep."""
    trouble: Trouble = Suspend(seconds=3600.0, seen=False)
    ends: list[float] = []

    class Clocks(Watcher):
        def opened(self, machine: Machine) -> None:
            self.machine = machine

        def closing(self) -> None:
            passed = self.machine.truth.now() - self.machine.scenario.start
            ends.append(passed.total_seconds() - self.machine.elapsed)

    scenario = Scenario(3, seconds=100.0, faults=(Planned(60.0, trouble),))
    simulate(scenario, watching=lambda: (Clocks(),))
    assert ends == [3600.0]


def test_several_logins_guard_their_own_accounts() -> None:
    """Each account is asked about through the login that sees it."""
    seen: set[tuple[str, int]] = set()

    class Logins(Watcher):
        def asked(self, asked: Asked) -> None:
            if asked.account is not None:
                seen.add((asked.login, asked.account))

    accounts = tuple(AccountPlan(1000 + n, f"SIM-50K-{n}", "oversized") for n in (1, 2, 3))
    logins = (LoginPlan("one", (1001,)), LoginPlan("two", (1002, 1003)))
    scenario = Scenario(3, seconds=60.0, pace=30.0, accounts=accounts, logins=logins)
    simulate(scenario, watching=lambda: (Logins(),))
    assert seen == {("one", 1001), ("two", 1002), ("two", 1003)}


def test_troubles_are_told_to_watchers() -> None:
    """Their beginning and their end."""
    told: list[tuple[str, str]] = []

    class Troubles(Watcher):
        def trouble(self, phase: Literal["begins", "ends"], trouble: Trouble) -> None:
            told.append((phase, trouble.name))

    faults = (Planned(10.0, Kill(down_for=2.0)),)
    simulate(Scenario(3, seconds=30.0, faults=faults), watching=lambda: (Troubles(),))
    assert told == [("begins", "kill"), ("ends", "kill")]
