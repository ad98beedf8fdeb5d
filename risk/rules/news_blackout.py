"""``news_blackout``: flat while the news comes out, in windows from a file."""

from datetime import datetime, timedelta
from typing import ClassVar

from attrs import field, frozen

from risk.explain import exposure, wall
from risk.instruments import require_known_root
from risk.rules.base import EXPOSURE, Priority, Trigger
from risk.rules.closed import open_account, open_contract
from risk.snapshot import Snapshot
from risk.verdict import RuleAnswer, Violation

_LONGEST = timedelta(days=4)


@frozen
class Event:
    """One window, such as around a report."""

    start: datetime
    """Aware."""
    end: datetime
    roots: tuple[str, ...] = ()
    """Products that must be flat; empty: all."""
    title: str = ""

    def concerns(self, roots: tuple[str, ...]) -> bool:
        """Whether a contract of these roots must be flat in it; one of unknown root must."""
        return not self.roots or not roots or any(root in self.roots for root in roots)

    @property
    def known_as(self) -> str:
        """For people."""
        return self.title or "news"


@frozen
class News:
    """The file: ``[[event]]`` tables."""

    from_file: ClassVar[bool] = True
    event: tuple[Event, ...]
    name: str = ""
    """Of the file."""


@frozen
class NewsBlackout:
    """Flattens for the length of each window and locks to its end; a window may name its products.

    Of a window with roots only these are closed, and stay closed while it lasts.
    """

    name: ClassVar[str] = "news_blackout"
    triggers: ClassVar[frozenset[Trigger]] = EXPOSURE
    priority: ClassVar[Priority] = Priority.SESSION
    mandatory: ClassVar[bool] = False
    formula: ClassVar[str] = (
        "`start` <= now < `end` of an event that names no roots, or the contract's"
    )

    file: News = field(
        metadata={
            "doc": "TOML beside this one: `[[event]]` with start, end, and if wanted roots, title"
        }
    )

    def __attrs_post_init__(self) -> None:
        for number, event in enumerate(self.file.event, start=1):
            if not timedelta(0) < event.end - event.start <= _LONGEST:
                raise ValueError(f"file: event {number} must end after it starts, within four days")
            for root in event.roots:
                require_known_root(root)

    def evaluate(self, snapshot: Snapshot, trigger: Trigger) -> RuleAnswer:
        """Close what a window forbids now; look again when the next one begins."""
        if snapshot.now >= snapshot.day_ends:
            return RuleAnswer()  # the account has not heard of the reset yet
        wake_at = min((it.start for it in self.file.event if it.start > snapshot.now), default=None)
        on = [it for it in self.file.event if it.start <= snapshot.now < it.end]
        everything = [it for it in on if not it.roots]
        if everything:
            last = max(everything, key=lambda it: it.end)
            found = [self._account(snapshot, trigger, last)]
        else:
            found = [self._contract(snapshot, trigger, key, on) for key in snapshot.contracts]
        return RuleAnswer(tuple(it for it in found if it is not None), wake_at=wake_at)

    def _account(self, snapshot: Snapshot, trigger: Trigger, event: Event) -> Violation | None:
        return open_account(
            self.name,
            snapshot,
            trigger,
            until=event.end,
            reason=f"{_why(snapshot, event)}: {exposure(snapshot)}",
            inputs={"until": event.end.isoformat()},
        )

    def _contract(
        self, snapshot: Snapshot, trigger: Trigger, contract_id: str, on: list[Event]
    ) -> Violation | None:
        holding = snapshot.contracts[contract_id].holding
        concerning = [it for it in on if it.concerns(holding.roots)]
        if not concerning:
            return None
        last = max(concerning, key=lambda it: it.end)
        return open_contract(
            self.name,
            snapshot,
            trigger,
            contract_id,
            reason=f"{_why(snapshot, last)}: {holding.net:+d} {holding.name} held",
            inputs={"until": last.end.isoformat()},
        )


def _why(snapshot: Snapshot, event: Event) -> str:
    return f"{event.known_as} until {wall(snapshot, event.end)}"
