"""What a supervisor knows of its children, what can happen to it, and what it can do: all data.

The knowledge changes only by :func:`.decide.decide`, one event after another. So a child counts as
alive until the supervisor has taken note of its end, whatever its task has done meanwhile; that is
what makes several failures in one instant a question of order and not of luck.
"""

import enum
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from attrs import field, frozen

from .policy import History
from .specs import ChildSpec, Restart, SupervisorSpec
from .tree import State


class Phase(enum.Enum):
    """Where in its life a child is."""

    DOWN = "down"
    STARTING = "starting"
    UP = "up"


@frozen
class ChildState:
    """One child as its supervisor knows it. Times are in seconds on one monotonic clock."""

    id: str
    restart: Restart = Restart.PERMANENT
    phase: Phase = Phase.DOWN
    generation: int = 0
    """The current or latest incarnation; 0 before the first."""
    history: History = field(factory=History)
    batch: int = 0
    """Children of one batch start one after the other."""
    due: float = -math.inf
    """Earliest time of the next start."""
    up_at: float = -math.inf
    ever_up: bool = False
    """In this life of its supervisor."""
    wanted: bool = True
    parked: bool = False
    cycling: bool = False
    """It must go down once before it is started again."""
    stopping: bool = False
    """It has been asked to end."""
    leaving: bool = False
    """Its coming end is for good."""

    @property
    def alive(self) -> bool:
        """Started, and not known to have ended."""
        return self.phase is not Phase.DOWN

    @property
    def up(self) -> bool:
        """Done with starting."""
        return self.phase is Phase.UP

    @property
    def going_down(self) -> bool:
        """Alive, and not meant to stay so."""
        return self.alive and (self.cycling or not self.wanted)

    @property
    def unsettled(self) -> bool:
        """It should be up, is not, and is not set aside either."""
        return self.wanted and not self.parked and not self.up

    @property
    def judged(self) -> bool:
        """Whether its end, if it came now, would be its own doing."""
        return not (self.leaving or self.stopping or self.cycling)

    @property
    def word(self) -> State:
        """The word for it in the tree."""
        if self.alive:
            return "stopping" if self.stopping else "running" if self.up else "starting"
        if not self.wanted:
            return "stopped"
        if self.parked:
            return "parked"
        return "backoff" if self.generation else "starting"


@frozen
class TreeState:
    """One supervisor and its children, in the order of their starts."""

    spec: SupervisorSpec
    children: Mapping[str, ChildState] = field(factory=lambda: MappingProxyType({}))
    batch: int = 0
    spent: tuple[float, ...] = ()
    """Times of the restarts within the last period."""
    stopping: bool = False
    for_good: bool = False
    cut_at: float = math.inf
    """When those are cut off that have not stopped by then."""
    up: bool = False

    @property
    def dynamic(self) -> bool:
        """Whether the children are independent of one another, in starting and stopping too."""
        return self.spec.dynamic is not None

    @property
    def alive(self) -> list[str]:
        """The children that have not ended."""
        return [child.id for child in self.children.values() if child.alive]

    @property
    def over(self) -> bool:
        """It was to stop, and has."""
        return self.stopping and not self.alive


# -- what happens -------------------------------------------------------------------------------


@frozen
class Began:
    """The supervisor starts, for the first time or again."""


@frozen
class Rose:
    """A child is up."""

    id: str


@frozen
class Ended:
    """A child has ended; ``draw`` in [0, 1) is chance's part in the delay before its restart."""

    id: str
    failed: bool
    gave_up: bool = False
    """It is a supervisor that escalated."""
    draw: float = 0.0


@frozen
class Admitted:
    """There is one more child."""

    id: str
    restart: Restart = Restart.PERMANENT


@frozen
class Dismissed:
    """A child is no longer wanted."""

    id: str


@frozen
class StopAsked:
    """The children are to stop, in order; at the time ``by`` those still alive are cut off."""

    for_good: bool
    by: float


@frozen
class TimePassed:
    """Nothing but that."""


type Event = Began | Rose | Ended | Admitted | Dismissed | StopAsked | TimePassed

# -- what to do ---------------------------------------------------------------------------------


@frozen
class Launch:
    """Start the child, as this generation."""

    id: str
    generation: int
    unparked: bool = False


@frozen
class AskStop:
    """Ask the child to end in order; for good, it handles first what is queued."""

    id: str
    for_good: bool


@frozen
class Cut:
    """Cancel the child now."""

    id: str
    for_good: bool


@frozen
class Forget:
    """The child has ended for good: close what belongs to it."""

    id: str


@frozen
class TellRestart:
    """The child will be started again ``delay`` seconds from now."""

    id: str
    generation: int
    delay: float


@frozen
class TellParked:
    """The child is set aside for ``delay`` seconds."""

    id: str
    delay: float


@frozen
class TellEscalated:
    """The supervisor has failed because of this child; its children are being stopped."""

    id: str


@frozen
class TellUp:
    """Every child is up or set aside: the supervisor has started."""


type Action = Launch | AskStop | Cut | Forget | TellRestart | TellParked | TellEscalated | TellUp


def restart_kind(spec: ChildSpec[Any] | SupervisorSpec) -> Restart:
    """A supervisor that ends has failed, and is always started again."""
    return spec.restart if isinstance(spec, ChildSpec) else Restart.PERMANENT
