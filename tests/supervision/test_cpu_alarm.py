"""The kernel's timer behind the watchdog; what it does when it goes off is in the watchdog's tests."""

import faulthandler
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervision.cpu_alarm import CpuAlarm
from supervision.watchdog import Watchdog


def _left() -> float:
    """Seconds of CPU time until the end of this process; 0 when it has nothing to fear."""
    return signal.getitimer(signal.ITIMER_VIRTUAL)[0]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    """Nothing is ever written to it."""
    file = os.open(tmp_path / "stacks", os.O_WRONLY | os.O_CREAT)
    yield file
    os.close(file)


def test_it_counts_while_its_block_runs(file: int) -> None:
    """Afterwards timer and handler are gone."""
    with CpuAlarm(within=1000, file=file):
        assert 999 < _left() <= 1001
    assert _left() == 0
    assert not faulthandler.unregister(signal.SIGVTALRM)  # type: ignore[func-returns-value]


def test_a_postponement_begins_anew(file: int) -> None:
    """Whatever was left of it."""
    with CpuAlarm(within=1000, file=file) as alarm:
        signal.setitimer(signal.ITIMER_VIRTUAL, 500)
        alarm.postpone()
        assert _left() > 999


def test_it_needs_some_patience(file: int) -> None:
    """Zero would switch the timer off."""
    with pytest.raises(ValueError, match="positive"):
        CpuAlarm(within=0, file=file)


def test_the_watchdog_postpones_it_in_every_slice(file: int) -> None:
    """A thread that still gets to run is watch enough; the alarm goes with the watchdog."""
    left: list[float] = []

    def wait(seconds: float) -> bool:
        left.append(_left())
        signal.setitimer(signal.ITIMER_VIRTUAL, 500)
        watchdog._dismissed = len(left) == 3
        return True

    watchdog = Watchdog(within=30, cpu_within=1000, file=file, end=sys.exit, wait=wait)
    watchdog.start()
    watchdog._thread.join(10)
    assert len(left) == 3
    assert min(left) > 999
    assert _left() == 0
