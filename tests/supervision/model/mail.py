"""One example of the mailbox campaign: message classes of every policy, and who tells what when."""

import random
from collections.abc import Callable
from typing import Any, Literal

from attrs import define, evolve, field, frozen

from supervision import Lane, Overflow, Reply, mailbox_policy

_TINY = 2.0**-32

type Ending = Literal["well", "crash", "leave", "timer", "silent"]


@frozen
class Message:
    """What all have in common; how it is treated is a matter of the class."""

    number: int
    takes: float = 0.0
    ends: Ending = "well"
    key: int = 0
    parts: tuple[int, ...] = ()
    """The numbers of all messages that were merged into this one."""
    reply: Reply[int] | None = field(default=None, eq=False, repr=False)


@frozen
class Plain(Message):
    """Normal lane; rejected when full."""


@mailbox_policy(overflow=Overflow.DROP_OLDEST)
@frozen
class Note(Message):
    """Normal lane; gives way to newer ones."""


@mailbox_policy(lane=Lane.CONTROL)
@frozen
class Urgent(Message):
    """Control lane; rejected when full."""


@mailbox_policy(lane=Lane.CONTROL, overflow=Overflow.DROP_OLDEST)
@frozen
class Alarm(Message):
    """Control lane; gives way to newer ones."""


def _merge(queued: "Quote", newer: "Quote") -> "Quote":
    return evolve(newer, parts=(*queued.parts, *newer.parts))


@mailbox_policy(lane=Lane.CONFLATED, key=lambda quote: quote.key, merge=_merge)
@frozen
class Quote(Message):
    """Conflated by key and merged; a key more than there is room for is rejected."""


@mailbox_policy(lane=Lane.CONFLATED, key=lambda tick: tick.key, overflow=Overflow.DROP_OLDEST)
@frozen
class Tick(Message):
    """Conflated by key, the newest counts; gives way to other keys."""


KINDS: tuple[Callable[..., Message], ...] = (Plain, Note, Urgent, Alarm, Quote, Tick)


@frozen
class Ask:
    """A question; the message is the one that carries it."""

    message: Message
    within: float


@frozen
class Break:
    """The actor is crashed between two messages, or in the middle of one."""


@frozen
class Stop:
    """The system stops."""


type Deed = Message | Ask | Break | Stop


@frozen
class MailPlan:
    """One actor, the size of its mailbox, how long it is down, and what happens to it when."""

    capacity: int
    down: float
    stop_within: float
    deeds: tuple[tuple[float, tuple[Deed, ...]], ...]
    seed: int


@frozen
class MailRun:
    """What was seen. Times are virtual seconds."""

    taken: tuple[str, ...]
    """The messages that handlers saw, in order."""
    happened: tuple[str, ...]
    """Dead letters, refusals and answers with their times, sorted."""
    counts: tuple[int, int, int]
    """Accepted, handled and conflated."""


def told(at: float, word: str, number: int, details: object = "") -> str:
    """One line of what happened."""
    return f"{at:14.9f} {word} {number} {details}".rstrip()


def seen(at: float, message: Message) -> str:
    """One line of what was taken."""
    parts = f" of {message.parts}" if message.parts else ""
    return f"{at:14.9f} {type(message).__name__} {message.number}{parts}"


@define
class MailBuilder:
    """Makes one plan from any source of chance."""

    chance: random.Random
    lengths: int = 0
    number: int = 0

    def odd(self, *coarse: float) -> float:
        length = self.chance.choice(coarse)
        if not length:
            return 0.0
        self.lengths += 1
        return length + random.Random(self.lengths).getrandbits(24) * _TINY

    def message(self, *kinds: Callable[..., Message]) -> Message:
        self.number += 1
        ends: Ending = self.chance.choice(("well", "well", "well", "crash", "leave", "timer"))
        return self.chance.choice(kinds)(
            self.number,
            self.odd(0, 0, 0.25, 1, 3),
            ends,
            self.chance.randrange(3),
            (self.number,),
        )

    def ask(self) -> Ask:
        message = self.message(Plain, Urgent)
        if self.chance.randrange(4) == 3:
            message = evolve(message, ends="silent")
        return Ask(message, self.odd(0.125, 0.5, 2, 6))

    def deeds(self) -> tuple[Deed, ...]:
        what = self.chance.randrange(10)
        if what == 9:
            return (Break(),)
        if what >= 6:
            return (self.ask(),)
        return tuple(self.message(*KINDS) for _ in range(self.chance.randrange(1, 6)))

    def plan(self) -> MailPlan:
        at, found = 0.0, []
        for _ in range(self.chance.randrange(1, 12)):
            at += self.odd(0.125, 0.5, 2)
            found.append((at, self.deeds()))
        at += self.odd(0.125, 1, 8)
        stop: tuple[float, tuple[Deed, ...]] = (at, (Stop(),))
        later: list[Any] = []
        for _ in range(self.chance.randrange(0, 3)):
            at += self.odd(0.125, 0.5)
            later.append((at, self.deeds()))
        return MailPlan(
            self.chance.randrange(1, 5),
            self.odd(0.5, 2),
            self.odd(1, 4, 0.5),
            (*found, stop, *later),
            self.chance.randrange(1000),
        )


def mail_plan_from(chance: random.Random) -> MailPlan:
    """One plan out of a source of chance."""
    return MailBuilder(chance).plan()
