"""When Seawall can no longer be trusted to guard: it ends itself, and says what that means."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from console.logging import critical_line
from supervision import Stuck, SupervisionEvent
from supervision.watchdog import EXIT_CODE, Watchdog


@contextmanager
def watching(within: float | None) -> Iterator[Watchdog | None]:
    """A watchdog of so many seconds' patience while the block runs, or none."""
    if within is None:
        yield None
        return
    watchdog = Watchdog(within=within, cpu_within=2 * within, announce=last_words)
    watchdog.start()
    try:
        yield watchdog
    finally:
        watchdog.stop()


def condemning(
    observe: Callable[[SupervisionEvent], None], watchdog: Watchdog | None
) -> Callable[[SupervisionEvent], None]:
    """An observer that also has the process ended when a part of the tree cannot be."""
    if watchdog is None:
        return observe

    def observed(event: SupervisionEvent) -> None:
        try:
            observe(event)
        finally:
            if isinstance(event, Stuck):
                watchdog.condemn(
                    f"{event.path} was cancelled and goes on: it swallows its cancellation",
                    suspect=event.path,
                )

    return observed


def last_words(reason: str) -> str:
    """The line above the stacks; it goes to stderr, shaped as the log is there."""
    return critical_line(
        f"UNGUARDED until the restart: {reason}. Seawall ends itself with exit code {EXIT_CODE}, for "
        "the service manager to start it again; the start takes up its locks and reconciles every "
        "account with the broker. Below is where everything was",
        pretty=sys.__stderr__ is not None and sys.__stderr__.isatty(),
    )
