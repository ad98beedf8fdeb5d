"""One example of the campaign as data: a tree, how each life in it goes, and what trouble comes.

All times are virtual seconds and sums of powers of two, so that they add up exactly, in the model as
well as under Trio's clock.
"""

from typing import Literal

from attrs import frozen

type Kind = Literal["permanent", "transient", "temporary"]
type Order = Literal["one_for_one", "one_for_all", "rest_for_one"]


@frozen
class Life:
    """How one incarnation of an actor goes when nobody disturbs it."""

    start: float = 0.0
    """Seconds until ``started`` returns or fails."""
    start_fails: bool = False
    fate: Literal["none", "crash", "leave"] = "none"
    """What it does by itself some time after it has come up."""
    fate_after: float = 0.0
    stop: float = 0.0
    """Seconds that ``stopping`` takes."""
    stop_fails: bool = False
    torn: bool = False
    """It raises when it is cancelled while starting or stopping."""


@frozen
class ActorPlan:
    """A child that is an actor; the last of its lives repeats."""

    id: str
    restart: Kind = "permanent"
    start_within: float = 2.0
    stop_within: float = 2.0
    lives: tuple[Life, ...] = (Life(),)

    def life(self, generation: int) -> Life:
        return self.lives[min(generation, len(self.lives)) - 1]


@frozen
class SupervisorPlan:
    """A child, or the root, that is a supervisor."""

    id: str
    children: "tuple[ActorPlan | SupervisorPlan, ...]" = ()
    strategy: Order = "one_for_one"
    restarts: int = 3
    period: float = 10.0
    initial: float = 0.0
    base: float = 0.5
    maximum: float = 4.0
    calm: float = 5.0
    park: float | None = None
    """Seconds between two tries of a parked child; None for a supervisor that escalates."""
    dynamic: bool = False
    start_within: float = 60.0
    stop_within: float = 60.0


type ChildPlan = ActorPlan | SupervisorPlan


@frozen
class Break:
    """A task of whatever incarnation is alive at this path raises."""

    path: str


@frozen
class Inject:
    """Fault injection through the system: a crash between two messages."""

    path: str


@frozen
class Tell:
    """A message that takes some time to handle, with some end."""

    path: str
    number: int
    takes: float = 0.0
    ends: Literal["well", "crash", "leave"] = "well"


@frozen
class Add:
    """A dynamic supervisor gets one more child."""

    path: str
    child: ChildPlan


@frozen
class Remove:
    """A dynamic supervisor loses a child for good."""

    path: str
    id: str


@frozen
class Stop:
    """The whole system is asked to stop."""


@frozen
class Cancel:
    """The host of the system is cancelled from outside."""


type Trouble = Break | Inject | Tell | Add | Remove | Stop | Cancel


@frozen
class Plan:
    """The tree, what happens to it at which times, and the numbers that chance will draw."""

    root: SupervisorPlan
    troubles: tuple[tuple[float, tuple[Trouble, ...]], ...]
    draws: tuple[float, ...]
    waits: bool = False
    """Whether the host waits for the end of the system, or for its own reasons to leave."""
    seed: int = 0
    """Of Trio's scheduler: it decides what the rules leave open."""


type Item = tuple[str, ...]
"""One observed step: a word, mostly a path, and details."""


@frozen
class Run:
    """What was seen: steps with their times, and at the end the messages nobody handled."""

    steps: tuple[tuple[float, Item], ...]
    dead: tuple[tuple[str, str], ...]
    """Number of the message and cause."""
