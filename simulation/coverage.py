"""What a run, or many, has reached: without it a clean campaign says nothing.

Too much trouble keeps the daemon from ever being live and hides what it does wrong, so the share of
time live has a floor; states that matter are named and counted, and must all be seen sometimes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from attrs import define, field, frozen

SOMETIMES = (
    "lock set",
    "lock ended",
    "lock within a minute of a reset",
    "lock on a disk that refuses",
    "locked account traded",
    "day turned",
    "day turned over open positions unseen",
    "close executed",
    "partial close executed",
    "cancel executed",
    "close for want of a stop",
    "stop filled during close",
    "position reversed by a race",
    "reconnect during flatten",
    "crash with a request under way",
    "kill with a request under way",
    "kill with a breach open",
    "power cut",
    "request refused",
    "request not executed",
    "request unknown and executed",
    "request unknown and not executed",
    "read failed",
    "answer that was no longer true",
    "event lost and found by a read",
    "told late",
    "trades and positions told apart",
    "account restarted",
    "rules restarted",
    "enforcement restarted",
    "connection restarted",
    "parked and returned",
    "breach while the hub was down",
    "breach while no daemon ran",
)
"""States that a campaign must reach."""
LIVE_AT_LEAST = 0.6
"""Share of time in which nothing kept an account from being guarded, below which trouble hides bugs."""


@define
class Coverage:
    """Of one run; sums over many are of the same type."""

    seconds: float = 0.0
    """Account-seconds in all."""
    live: float = 0.0
    """Account-seconds without any excuse."""
    faults: Counter[str] = field(factory=Counter)
    sometimes: Counter[str] = field(factory=Counter)
    breaches: Counter[str] = field(factory=Counter)
    """By rule."""
    requests: Counter[str] = field(factory=Counter)
    """By kind and outcome."""

    def saw(self, state: str) -> None:
        """A named state was reached."""
        self.sometimes[state] += 1

    def merge(self, other: "Coverage") -> None:
        """Add another run."""
        self.seconds += other.seconds
        self.live += other.live
        self.faults += other.faults
        self.sometimes += other.sometimes
        self.breaches += other.breaches
        self.requests += other.requests

    @property
    def live_share(self) -> float:
        """From 0 to 1."""
        return self.live / self.seconds if self.seconds else 0.0

    def document(self) -> dict[str, object]:
        """JSON-able; everything sorted."""
        return {
            "live_share": round(self.live_share, 4),
            "account_seconds": round(self.seconds, 1),
            "faults": dict(sorted(self.faults.items())),
            "sometimes": {name: self.sometimes[name] for name in SOMETIMES},
            "breaches": dict(sorted(self.breaches.items())),
            "requests": dict(sorted(self.requests.items())),
        }


@frozen
class Floors:
    """What a campaign must reach at least."""

    live_share: float = LIVE_AT_LEAST
    faults: frozenset[str] = frozenset()
    """Names of faults that must have struck."""
    sometimes: Mapping[str, int] = field(factory=dict)
    """States, and how often."""

    @classmethod
    def all_of(
        cls, states: Iterable[str] = SOMETIMES, at_least: int = 1, **more: object
    ) -> "Floors":
        """Every one of these states so often."""
        share = more.get("live_share", LIVE_AT_LEAST)
        assert isinstance(share, float)
        return cls(live_share=share, sometimes=dict.fromkeys(states, at_least))

    def missed(self, coverage: Coverage) -> tuple[str, ...]:
        """What was not reached, as sentences; empty when all was."""
        problems = []
        if coverage.live_share < self.live_share:
            problems.append(f"live {coverage.live_share:.2f} of the time, below {self.live_share}")
        problems += [
            f"no {name} struck" for name in sorted(self.faults) if not coverage.faults[name]
        ]
        problems += [
            f"{state}: {coverage.sometimes[state]} times, below {least}"
            for state, least in self.sometimes.items()
            if coverage.sometimes[state] < least
        ]
        return tuple(problems)
