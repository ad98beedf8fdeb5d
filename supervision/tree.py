"""A picture of the tree at one instant."""

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen

type State = Literal["starting", "running", "backoff", "parked", "stopping", "stopped"]


@frozen
class Node:
    """One actor or supervisor as it is now. Times are in seconds, depths in messages."""

    id: str
    path: str
    kind: Literal["actor", "supervisor"]
    state: State
    generation: int
    """The current or latest incarnation; 0 before the first."""
    restarts: int
    depth: int = 0
    peak: int = 0
    """The deepest the mailbox has been found."""
    handled: int = 0
    """Messages handled so far, by all incarnations."""
    last_error: str = ""
    busy_for: float = 0.0
    """Age of the handler that is running; 0 when none is."""
    status: Mapping[str, object] = field(factory=dict)
    children: "tuple[Node, ...]" = ()
