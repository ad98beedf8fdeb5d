"""How the daemon ends itself when it can no longer be trusted."""

import json
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from console import last_resort
from console.last_resort import condemning, last_words, watching
from supervision import Started, Stuck, SupervisionEvent
from supervision.watchdog import EXIT_CODE, Watchdog

STUCK = Stuck("seawall/logins", 3, since=12.0)


class Doom:
    """A watchdog that may act, on a file instead of stderr and codes instead of an end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._over = threading.Event()
        self.codes: list[int] = []
        self.seen: list[SupervisionEvent] = []

    def _end(self, code: int) -> None:
        self.codes.append(code)
        self._over.set()

    def observe(self, event: SupervisionEvent) -> None:
        """What the program's own observer does."""
        self.seen.append(event)

    async def meet(self, event: SupervisionEvent, *, within: float) -> str:
        """What is written by the end, or in so many seconds, after this event was observed."""
        with self._path.open("wb") as file:
            watchdog = Watchdog(within=3600, announce=last_words, file=file.fileno(), end=self._end)
            watchdog.start()
            try:
                condemning(self.observe, watchdog)(event)
            finally:
                with trio.move_on_after(within + 1, shield=True):
                    await trio.to_thread.run_sync(self._over.wait, within)
                watchdog.stop()
        return self._path.read_text("utf-8")


@pytest.fixture
def doom(tmp_path: Path) -> Doom:
    """With a file of its own."""
    return Doom(tmp_path / "stderr")


async def test_a_part_that_cannot_be_ended_ends_the_process(doom: Doom) -> None:
    """The line says what happened, what it means for the trader, and what happens next."""
    said = await doom.meet(STUCK, within=10)
    assert doom.codes == [EXIT_CODE]
    assert doom.seen == [STUCK]
    line = json.loads(said.splitlines()[0])
    assert line["level"] == "critical"
    assert line["logger"] == "seawall"
    assert line["event"] == (
        "UNGUARDED until the restart: seawall/logins was cancelled and goes on: it swallows its "
        "cancellation. Seawall ends itself with exit code 70, for the service manager to start it "
        "again; the start takes up its locks and reconciles every account with the broker. Below is "
        "where everything was"
    )


async def test_other_events_are_only_observed(doom: Doom) -> None:
    """Falls and restarts are what the tree is for."""
    started = Started("seawall/logins", 3)
    assert await doom.meet(started, within=0.05) == ""
    assert doom.codes == []
    assert doom.seen == [started]


async def test_an_observer_that_fails_does_not_save_the_process(
    doom: Doom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that broke is one more reason to end."""

    def broken(event: SupervisionEvent) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(doom, "observe", broken)
    with pytest.raises(BrokenPipeError):
        await doom.meet(STUCK, within=10)
    assert doom.codes == [EXIT_CODE]


def test_without_a_watchdog_the_observer_is_as_it_was() -> None:
    """There is nobody to tell."""
    with watching(None) as watchdog:
        assert watchdog is None
        assert condemning(print, watchdog) is print


def test_the_watchdog_of_the_daemon_has_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is on duty while the block runs, and off when it is left, by an error too."""
    made: list[Watchdog] = []

    class Noted(Watchdog):
        def start(self) -> None:
            made.append(self)
            super().start()

    monkeypatch.setattr(last_resort, "Watchdog", Noted)
    with suppress(KeyError), watching(3600):
        assert made[0]._announce is last_words
        assert made[0]._thread.is_alive()
        raise KeyError
    assert not made[0]._thread.is_alive()
