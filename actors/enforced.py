"""What is remembered of an enforcement while it runs, and what reports show of it."""

from attrs import frozen


@frozen
class Timing:
    """When the input of an intent was received and judged, monotonic seconds."""

    received: float
    decided: float


@frozen
class Enforced:
    """One answered request of an enforcement, as reports show it."""

    rule: str
    contract: str | None
    action: str
    observed: str
    limit: str
    reason: str
    latency_ms: float | None
    """From the receipt of the newest input to the broker's answer; None after a restart."""
    outcome: str
    at: str
