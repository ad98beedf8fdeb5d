"""The rules of supervision once more, naively: what may happen next, looked up in the whole state.

The model is a state and, for any state, the *moves* that are possible at this instant. A move may be
seen (it has items, the same that a run writes down) or not. Nothing is remembered that can be worked
out again, and nothing is decided ahead. Time goes on only when no move is left. Where several moves
are possible their order is free: that, and only that, is what the rules leave open.

Nothing here comes from ``supervision``. This file has what an actor and a supervisor have in common
as children; :mod:`.players`, :mod:`.supervisors` and :mod:`.world` have the rest.
"""

import math
from collections.abc import Callable, Iterator
from typing import Protocol

from attrs import define, field, frozen

from .plan import ChildPlan, Item, Tell


class Now(Protocol):
    """What a child sees of the world around its tree."""

    now: float
    drawn: int

    @property
    def draw(self) -> float:
        """The number that chance draws next."""


@frozen
class Move:
    """One step that is possible now, what is seen of it, and how it changes the state."""

    items: tuple[Item, ...]
    make: Callable[[], None]
    likely: Item | None = None
    """The item that will tell how it went, for a move that does not tell it itself."""
    starts: str = ""
    """The path of the child that it starts, or admits so that it may start."""
    may_be_missing: bool = False


@define(eq=False)
class Letter:
    """A message and what became of it."""

    tell: Tell
    cause: str = ""


@define(eq=False)
class Child:
    """What every child has, be it an actor or a supervisor."""

    plan: ChildPlan
    path: str
    world: Now

    generation: int = 0
    state: str = "waiting"
    """waiting (for its start), alive, ended (not yet noticed), parked, finished."""
    due: float = -math.inf
    group: "list[Child]" = field(factory=list)
    """Those who start in order together with it."""
    up: bool = False
    up_at: float | None = None
    """When it came up in its present or latest incarnation."""
    ever_up: bool = False
    asked: bool = False
    told_final: bool = False
    """When asked, it heard that it is for good."""
    doomed: bool = False
    """It goes down with its group, and comes back."""
    leaving: bool = False
    """It goes down for good."""
    kill_at: float = math.inf
    error: str = ""
    cut_off: bool = False
    streak: int = 0
    restarts: list[float] = field(factory=list)
    probation: bool = False

    @property
    def down(self) -> bool:
        return self.state not in {"alive", "ended"}

    @property
    def settled(self) -> bool:
        """Whether those after it may start; that it has ended is news only once it is noticed."""
        return self.state in {"parked", "finished"} or (not self.down and self.up)

    def item(self, word: str, *details: str) -> Item:
        return (word, self.path, str(self.generation), *details)

    def born(self) -> None:
        self.generation += 1
        self.state = "alive"
        self.up = self.asked = self.told_final = self.doomed = self.cut_off = False
        self.error = ""
        self.up_at = None
        self.kill_at = self.world.now + self.plan.start_within

    def risen(self) -> None:
        self.up = self.ever_up = True
        self.up_at = self.world.now
        if not self.asked:
            self.kill_at = math.inf

    def renew(self) -> None:
        """A new life of its supervisor."""
        if self.state != "finished":
            self.state, self.due = "waiting", -math.inf
        self.streak, self.restarts, self.probation = 0, [], False
        self.ever_up = self.up = False

    def ask(self, leaving: bool, by: float) -> None:
        raise NotImplementedError

    def cancel(self) -> None:
        """Its supervisor is cancelled while this child is not up."""
        raise NotImplementedError

    def seal(self) -> None:
        raise NotImplementedError

    def moves(self) -> Iterator[Move]:
        raise NotImplementedError

    def times(self) -> Iterator[float]:
        raise NotImplementedError
