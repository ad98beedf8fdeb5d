"""Supervision as data: what to run, in which order, and what to do when it fails."""

import enum
import math
from collections.abc import Callable
from typing import Any

from attrs import field, frozen

from .actor import Actor
from .dynamic import Dynamic
from .reference import Ref
from .registry import Key


class Restart(enum.Enum):
    """When an actor that has ended is started again."""

    PERMANENT = "permanent"
    """Always."""
    TRANSIENT = "transient"
    """After a crash only."""
    TEMPORARY = "temporary"
    """Never."""


class Strategy(enum.Enum):
    """Which siblings are restarted together with a child that failed."""

    ONE_FOR_ONE = "one_for_one"
    ONE_FOR_ALL = "one_for_all"
    REST_FOR_ONE = "rest_for_one"


def _positive(_: object, attribute: Any, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{attribute.name} must be positive and finite, not {value}")


def _not_negative(_: object, attribute: Any, value: float) -> None:
    if not 0 <= value < math.inf:
        raise ValueError(f"{attribute.name} must be finite and not negative, not {value}")


def _plain_id(_: object, attribute: Any, value: str) -> None:
    if not value or "/" in value:
        raise ValueError(f"{attribute.name} must be a name without slashes, not {value!r}")


@frozen
class Intensity:
    """The budget: more than ``restarts`` within ``period`` seconds is too much."""

    restarts: int = field(default=5, validator=_not_negative)
    period: float = field(default=60.0, validator=_positive)


@frozen
class Backoff:
    """How long to wait before a restart, in seconds.

    The first one waits ``initial``; the n-th a random time up to ``base`` doubled n - 2 times, at
    most ``maximum``. After ``calm`` seconds of life the count begins anew.
    """

    initial: float = field(default=0.0, validator=_not_negative)
    base: float = field(default=0.05, validator=_positive)
    maximum: float = field(default=30.0, validator=_positive)
    calm: float = field(default=60.0, validator=_positive)


@frozen
class Escalate:
    """An exhausted child ends its supervisor: the other children are stopped, the error goes up."""


@frozen
class Park:
    """An exhausted child is set aside and tried again every ``every`` seconds; nobody else minds.

    Restarts are then counted per child, so that one child cannot use up the budget of another.
    """

    every: float = field(default=30.0, validator=_positive)


@frozen
class Quarantine:
    """A message class that crashed its actor ``kills`` times in ``within`` seconds is shut out.

    From then on its messages are dead letters. This trades deafness on one ear for life; where a
    deaf actor is worse than a dead one, leave it out, and the restart budget decides.
    """

    kills: int = field(default=3, validator=_positive)
    within: float = field(default=600.0, validator=_positive)


class Supervised:
    """A child of a supervisor: an actor, of whatever messages, or another supervisor.

    Lists of children are of this type. Where ``ChildSpec[Any]`` is wanted, a spec that is written
    on the spot becomes one of Any, and nobody sees that its ref and its actor disagree.
    """

    __slots__ = ()


def _known(children: tuple[Supervised, ...]) -> "tuple[ChildSpec[Any] | SupervisorSpec, ...]":
    known = tuple(child for child in children if isinstance(child, ChildSpec | SupervisorSpec))
    if len(known) < len(children):
        raise TypeError("the children of a supervisor are actors and supervisors")
    return known


@frozen
class ChildSpec[M](Supervised):
    """An actor: ``start`` makes a fresh instance for every incarnation. Times are in seconds.

    ``key`` is the name under which ``System.find`` knows it. A handler that takes longer than
    ``handle_within`` is cancelled, and counts as crashed.
    """

    id: str = field(validator=_plain_id)
    ref: Ref[M]
    start: Callable[[], Actor[M]]
    restart: Restart = Restart.PERMANENT
    start_within: float = field(default=5.0, validator=_positive)
    stop_within: float = field(default=5.0, validator=_positive)
    handle_within: float = field(default=5.0, validator=_positive)
    key: Key[M] | None = None
    quarantine: Quarantine | None = None


@frozen
class SupervisorSpec(Supervised):
    """Children started in order and stopped in reverse; dynamic ones in parallel.

    ``start_within`` and ``stop_within`` (seconds) bound the whole subtree; they come on top of the
    bounds of the children.
    """

    id: str = field(validator=_plain_id)
    children: "tuple[ChildSpec[Any] | SupervisorSpec, ...]" = field(default=(), converter=_known)
    strategy: Strategy = Strategy.ONE_FOR_ONE
    intensity: Intensity = Intensity()
    backoff: Backoff = Backoff()
    exhausted: Escalate | Park = Escalate()
    dynamic: Dynamic | None = None
    start_within: float = field(default=60.0, validator=_positive)
    stop_within: float = field(default=60.0, validator=_positive)

    def __attrs_post_init__(self) -> None:
        """Reject what cannot be supervised."""
        ids = [child.id for child in self.children]
        repeated = sorted({child for child in ids if ids.count(child) > 1})
        if repeated:
            raise ValueError(f"{self.id} has several children named {', '.join(repeated)}")
        if self.dynamic is not None and self.children:
            raise ValueError(f"{self.id}: children are either listed or dynamic")
        if self.dynamic is not None and self.strategy is not Strategy.ONE_FOR_ONE:
            raise ValueError(f"{self.id}: dynamic children are restarted one for one")
