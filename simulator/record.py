"""What the gateway remembers of its own work: requests, pushes, figures for benchmarks."""

from collections import deque
from typing import Any

from attrs import define, frozen

KEPT = 20_000


@frozen
class Served:
    """One request; times are monotonic seconds of the gateway's process."""

    path: str
    user: str | None
    status: int
    received: float
    """When its last byte was there."""
    answered: float
    subject: dict[str, Any]
    """Account, contract or order it was about."""


@frozen
class Pushed:
    """One user event that was handed to a socket."""

    event: str
    user: str
    connection: str
    account_id: int | None
    contract_id: str
    id: int | None
    written: float
    """Monotonic seconds just before the write."""


@define
class _Endpoint:
    count: int = 0
    refused: int = 0
    """Answers that were not 200."""
    slowest_ms: float = 0.0
    total_ms: float = 0.0
    last_received: float = 0.0


class Record:
    """The newest requests and pushes, and totals by endpoint."""

    def __init__(self) -> None:
        self.served: deque[Served] = deque(maxlen=KEPT)
        self.pushed: deque[Pushed] = deque(maxlen=KEPT)
        self.quotes = 0
        """Quotes handed to market hub connections."""
        self._endpoints: dict[str, _Endpoint] = {}

    def serve(self, served: Served) -> None:
        """A request was answered."""
        self.served.append(served)
        if len(self._endpoints) > 200 and served.path not in self._endpoints:
            return  # somebody is guessing paths
        endpoint = self._endpoints.setdefault(served.path, _Endpoint())
        took = (served.answered - served.received) * 1000
        endpoint.count += 1
        endpoint.refused += served.status != 200
        endpoint.slowest_ms = max(endpoint.slowest_ms, took)
        endpoint.total_ms += took
        endpoint.last_received = served.received

    def endpoints(self) -> dict[str, dict[str, float]]:
        """Figures by path; times in milliseconds of the gateway's own work."""
        return {
            path: {
                "count": it.count,
                "refused": it.refused,
                "mean_ms": it.total_ms / it.count,
                "slowest_ms": it.slowest_ms,
                "last_received": it.last_received,
            }
            for path, it in self._endpoints.items()
        }
