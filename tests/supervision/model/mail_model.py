"""A mailbox as one plain list, an actor as a few words, and time as the next thing that happens.

Every message that was accepted is found once in the end: handled, merged into another, taken back by
whoever asked, or dead. Nothing here comes from ``supervision`` but the classes of the messages.
"""

import math
from collections.abc import Iterator
from itertools import zip_longest

from attrs import define, field

from .mail import (
    Alarm,
    Ask,
    Break,
    Deed,
    MailPlan,
    MailRun,
    Message,
    Note,
    Plain,
    Quote,
    Stop,
    Tick,
    Urgent,
    seen,
    told,
)

LANES: tuple[tuple[type[Message], ...], ...] = ((Urgent, Alarm), (Plain, Note), (Quote, Tick))
GIVE_WAY = (Note, Alarm, Tick)
TIMER_AFTER = 0.3125 + 2.0**-20


@define
class Question:
    """Somebody waits for the answer to this message."""

    message: Message
    deadline: float


@define
class Reader:
    """The mailbox, the actor behind it, and all who wait."""

    plan: MailPlan
    now: float = 0.0
    queue: list[Message] = field(factory=list)
    in_hand: Message | None = None
    state: str = "up"
    """up, down (until it is started again), gone (for good)."""
    until: float = 0.0
    """When what is in hand is done, or the actor is started again."""
    closed: bool = False
    cut_at: float = math.inf
    quits: bool = False
    timers: list[tuple[float, Message]] = field(factory=list)
    questions: list[Question] = field(factory=list)
    taken: list[str] = field(factory=list)
    happened: list[str] = field(factory=list)
    accepted: int = 0
    handled: int = 0
    conflated: int = 0
    withdrawn: int = 0
    dead: int = 0
    """Dead letters among the accepted ones."""

    def saw(self, word: str, number: int, details: object = "") -> None:
        self.happened.append(told(self.now, word, number, details))

    # -- the list -----------------------------------------------------------------------------

    def lane_of(self, message: Message) -> list[Message]:
        (kinds,) = [lane for lane in LANES if isinstance(message, lane)]
        return [each for each in self.queue if isinstance(each, kinds)]

    def accept(self, message: Message, *, own: bool = False) -> bool:
        same = [each for each in self.queue if self._one_with(each, message)]
        if same:
            merged = (*same[0].parts, *message.parts) if isinstance(message, Quote) else None
            self.queue[self.queue.index(same[0])] = _with_parts(message, merged)
            self.conflated += 1
        else:
            lane = self.lane_of(message)
            if len(lane) >= self.plan.capacity and not own:
                victims = [each for each in lane if isinstance(each, GIVE_WAY)]
                if not (isinstance(message, GIVE_WAY) and victims):
                    return False
                self.bury(victims[0], "dropped")
                self._remove(victims[0])
            self.queue.append(message)
        self.accepted += 1
        return True

    def _one_with(self, queued: Message, newer: Message) -> bool:
        if not isinstance(newer, Quote | Tick):
            return False
        return type(queued) is type(newer) and queued.key == newer.key

    def _remove(self, message: Message) -> None:
        self.queue = [each for each in self.queue if each is not message]

    def next_message(self) -> Message | None:
        for kinds in LANES:
            for message in self.queue:
                if isinstance(message, kinds):
                    return message
        return None

    def bury(self, message: Message, cause: str) -> None:
        self.saw("dead", message.number, cause)
        self.dead += 1

    # -- the actor ------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Everything that the actor does at this instant."""
        while self.state == "up":
            if self.in_hand is None and not self._take():
                return
            assert self.in_hand is not None
            if self.now < self.until:
                return
            self._finish(self.in_hand)

    def _take(self) -> bool:
        if self.quits:
            self._ends("")
            return False
        message = self.next_message()
        if message is None:
            if self.closed:
                self._ends("")
            return False
        self._remove(message)
        self.taken.append(seen(self.now, message))
        self.in_hand, self.until = message, self.now + message.takes
        return True

    def _finish(self, message: Message) -> None:
        if message.ends == "crash":
            self._ends("crashed")
            return
        self.in_hand = None
        self.handled += 1
        self.quits = message.ends == "leave"
        if message.ends == "timer":
            self.timers.append((self.now + TIMER_AFTER, Plain(-message.number)))
        asked = [each for each in self.questions if each.message is message]
        is_question = any(
            isinstance(deed, Ask) and deed.message is message
            for _, deeds in self.plan.deeds
            for deed in deeds
        )
        if message.ends == "silent" or not is_question:
            return
        if asked:
            self._settle(asked[0], "answered", message.number)
        else:
            self.saw("dead", message.number, "late reply")

    def _ends(self, cause: str) -> None:
        """This incarnation is over; ``cause`` is that of the message in hand."""
        if self.in_hand is not None:
            self.bury(self.in_hand, cause)
            for question in [q for q in self.questions if q.message is self.in_hand]:
                self._settle(question, "unknown")
            self.in_hand = None
        self.timers, self.quits = [], False
        if self.closed:
            self._gone()
        else:
            self.state, self.until = "down", self.now + self.plan.down

    def _gone(self) -> None:
        self.state, self.closed, self.cut_at = "gone", True, math.inf
        while (message := self.next_message()) is not None:
            self._remove(message)
            self.bury(message, "stopped")
        for question in list(self.questions):
            self._settle(question, "has stopped")

    # -- the others -----------------------------------------------------------------------------

    def _settle(self, question: Question, word: str, answer: object = "") -> None:
        self.questions.remove(question)
        self.saw(word, question.message.number, answer)

    def _run_out(self, question: Question) -> None:
        queued = any(each is question.message for each in self.queue)
        self._remove(question.message)
        self.withdrawn += queued
        never_seen = queued and self.state != "up"
        self._settle(question, "restarting" if never_seen else "unknown")

    def do(self, deed: Deed) -> None:
        if isinstance(deed, Ask):
            self._ask(deed)
        elif isinstance(deed, Break):
            if self.state == "up":
                self._ends("crashed")
        elif isinstance(deed, Stop):
            if self.state == "down":
                self._gone()
            self.closed = True
            self.cut_at = self.now + self.plan.stop_within
        elif self.closed:
            self.saw("dead", deed.number, "shutdown")
        elif not self.accept(deed):
            self.saw("refused", deed.number)

    def _ask(self, ask: Ask) -> None:
        if self.closed:
            self.saw("has stopped", ask.message.number)
        elif self.accept(ask.message):
            self.questions.append(Question(ask.message, self.now + ask.within))
        else:
            self.saw("refused", ask.message.number)

    # -- time -------------------------------------------------------------------------------------

    def times(self) -> Iterator[float]:
        yield from (at for at, _ in self.plan.deeds)
        yield from (at for at, _ in self.timers)
        yield from (question.deadline for question in self.questions)
        yield from (self.until, self.cut_at)

    def run(self) -> MailRun:
        while True:
            self.go_on()
            self.now = min((at for at in self.times() if at > self.now), default=math.inf)
            if self.now == math.inf:
                counts = (self.accepted, self.handled, self.conflated)
                return MailRun(tuple(self.taken), tuple(sorted(self.happened)), counts)
            self._arrive()

    def _arrive(self) -> None:
        for question in [each for each in self.questions if each.deadline <= self.now]:
            self._run_out(question)
        if self.state == "down" and self.until <= self.now:
            self.state = "up"
        for timer in [each for each in self.timers if each[0] <= self.now]:
            self.timers.remove(timer)
            if not self.closed:
                self.accept(timer[1], own=True)
        if self.state == "up" and self.cut_at <= self.now:
            self._ends("cancelled")
        for at, deeds in self.plan.deeds:
            if at == self.now:
                for deed in deeds:
                    self.do(deed)


def _with_parts(message: Message, parts: tuple[int, ...] | None) -> Message:
    if parts is None:
        return message
    return type(message)(message.number, message.takes, message.ends, message.key, parts)


def side_by_side(run: MailRun, model: MailRun) -> str:
    """Both runs, and the lines in which they differ."""
    lines = [f"counts: {run.counts}, the model has {model.counts}"]
    for ours, theirs in ((run.taken, model.taken), (run.happened, model.happened)):
        for left, right in zip_longest(ours, theirs, fillvalue="-"):
            lines.append(f"{'  ' if left == right else '=>'} {left:60} {right}")
    return "\n".join(lines)
