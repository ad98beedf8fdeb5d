"""One intent under way on one contract or order: when it is tried, looked at, and tried again."""

from collections.abc import Mapping

from attrs import define, field, frozen

from broker.port import Done, NotExecuted, Outcome, Refused, Unknown
from risk.domain import Episode, Position
from risk.rules import RELATIVE
from risk.verdict import Action, Violation
from store.records import Intent

RETRY_AFTER = (0.25, 0.5, 2.0, 4.0, 8.0, 16.0)
"""Seconds between tries; after them every ``RETRY_SLOWLY``."""
RETRY_SLOWLY = 30.0
VERDICT_GOOD_FOR = 1.0
"""Seconds after which a partial close that has waited is judged anew before it leaves."""
VERIFY_WITHIN = 0.5
"""How long an accepted request may stay without an event before the broker is read."""
ANSWER_WITHIN = 10.0
"""A request without an answer for so long counts as unknown."""
FRESH_FOR = 0.5
"""A retry is decided on a read that began at most so long before it was due."""
REVERSAL_WITHIN = 1.0
"""An opposite position first seen so soon after our close is the product of a race with it."""
SNAPSHOTS_LAG = 2.0
"""For so many seconds a read that shows nothing of an accepted partial close may be older than it."""
LOST_AFTER = 1.0
"""Seconds from the end of a connection's life within which its successor answers all that it finds
queued or interrupted: what is unanswered then was lost with its message."""
YET_IT_STANDS = "accepted, yet the position stands"


@frozen
class Pace:
    """Where the tries of a partial close stand between two judgements of it."""

    episode: Episode | None
    tries: int
    due: float
    problem: str

    @classmethod
    def of(cls, pursuit: "Pursuit") -> "Pace":
        """Where it stands."""
        return cls(pursuit.episode, pursuit.tries, pursuit.due, pursuit.problem)

    def holds_for(self, pursuit: "Pursuit", mono: float) -> bool:
        """Whether a new verdict is about the same life, and not long after."""
        same = pursuit.relative and pursuit.episode == self.episode
        return same and mono - self.due < RETRY_SLOWLY


@define
class Pursuit:
    """One intent under way on one contract or order; mutated only by its Enforcer."""

    intent: Intent
    keep: int
    episode: Episode | None
    due: float
    """Monotonic seconds before which nothing more is sent."""
    asked: float = 0.0
    """Monotonic seconds of the verdict that wants it."""
    read_from: float | None = None
    """Only a read that began at or after this instant counts; None: none is needed."""
    look_at: float = 0.0
    """Monotonic seconds at which that read is begun."""
    request: int | None = None
    sent: float = 0.0
    aim: Action | None = None
    """What the newest request asks for: one step of an intent that may have many."""
    sent_keep: int = 0
    sent_net: int = 0
    """Contracts held, signed, when the newest request left."""
    others: Mapping[str, int] = field(factory=dict)
    """Contracts held beside it, signed, when closing some for these was judged necessary."""
    first_sent: float | None = None
    """Monotonic seconds at which the life that is aimed at was first to be closed."""
    target: Episode | None = None
    """The life that the newest request was aimed at: the intent's own, or what a race made of it."""
    tries: int = 0
    reached: bool = False
    """Events have shown it fulfilled since the last answer; a read must still confirm it."""
    problem: str = ""
    executed: bool = False
    """A request of it was accepted, or may have been."""
    inherited: bool = False
    """It was begun in an earlier life, which may have sent a request."""
    hurried: bool = False
    """The broker came back while a request was awaited that may have been lost with the old link."""

    @property
    def relative(self) -> bool:
        """How much must go depends on every other contract: a close in part, or for size."""
        return self.keep > 0 or self.intent.violation.rule in RELATIVE

    @property
    def perhaps_ours(self) -> bool:
        """Whether we may have closed it: what a trader closes himself leaves orders that are his."""
        return self.inherited or self.executed

    def outdated(self, mono: float) -> bool:
        """Whether its verdict has waited so long that more, or less, may be wanted by now."""
        return mono - self.asked > VERDICT_GOOD_FOR

    def take_aim(self, position: Position | None, net: int, mono: float) -> int:
        """A request is about to leave for this: how many contracts it is to close.

        What a race has opened is a life of its own, with a race of its own.
        """
        target = self.episode if position is None else position.episode
        if self.target not in (None, target):
            self.first_sent, self.executed = mono, False
        self.target, self.sent_net = target, net
        return abs(self.sent_net) - self.keep

    def turn_to(self, episode: Episode | None) -> None:
        """A verdict about another life takes this pursuit over."""
        self.episode, self.target = episode, None

    def begin_send(self, request: int, aim: Action, mono: float) -> None:
        """A request leaves now."""
        self.aim = aim
        self.request, self.sent, self.sent_keep = request, mono, self.keep
        self.first_sent = mono if self.first_sent is None else self.first_sent
        self.tries += 1
        self.due, self.hurried = mono + ANSWER_WITHIN, False

    def end_send(self, outcome: Outcome, mono: float, *, barred: bool) -> None:
        """The request was answered: when to look, and when to try again.

        ``barred``: the account may not trade, so a refusal is not argued with.
        """
        self.request, self.read_from, self.reached = None, mono, False
        self.executed |= isinstance(outcome, Done | Unknown)
        accepts_again = isinstance(outcome, Done) and self.problem not in ("", YET_IT_STANDS)
        kept_back = isinstance(outcome, NotExecuted) and outcome.busy
        if accepts_again or kept_back or self.hurried:
            self.tries = 1  # the long pauses are for a broker that does not accept, or is not there
        delay = RETRY_AFTER[self.tries - 1] if self.tries <= len(RETRY_AFTER) else RETRY_SLOWLY
        match outcome:
            case Done():
                self.problem = YET_IT_STANDS
            case Unknown(reason):
                self.problem = f"outcome unknown: {reason}"
            case Refused(code, message):
                self.problem = f"refused with code {code}: {message}"
                delay = RETRY_SLOWLY if barred else delay
            case NotExecuted(reason, retry_after):
                self.problem = f"not executed: {reason}"
                delay = max(delay, min(retry_after or 0.0, 5.0))
        if isinstance(outcome, Done | Unknown):
            self.look_at, self.due = mono + VERIFY_WITHIN, mono + max(delay, VERIFY_WITHIN)
        else:
            self.look_at, self.due = mono, mono + delay
        if self.keep < self.sent_keep:
            self.widen(self.keep, mono)

    def raced(self, position: Position | None, seen: float) -> bool:
        """An opposite position that appeared right after our close: the trader's stop met it.

        A close that was refused met nothing: what is opened after it is the trader's own.
        """
        if position is None or self.first_sent is None or self.keep or self.episode is None:
            return False
        aimed_at = self.target or self.episode
        if position.episode == aimed_at != self.episode:
            return True
        met = self.executed or self.request is not None
        opposite = (position.net > 0) != (aimed_at.side.sign > 0)
        return met and opposite and 0 <= seen - self.first_sent <= REVERSAL_WITHIN

    def turned(self, net: int) -> bool:
        """What was to be closed has become the opposite: that is no retry and does not wait."""
        return self.keep == 0 and self.sent_net * net < 0

    def mitigated(self, keep: int, violation: Violation) -> bool:
        """The same rule wants less by now, and nothing has left yet: the older verdict is history."""
        same = self.intent.violation.rule == violation.rule and self.episode is not None
        return same and self.first_sent is None and keep > self.keep

    def aim_at(self, keep: int, mono: float) -> None:
        """More is to be closed than before, or less of what nothing was sent for yet."""
        if keep < self.keep:
            self.widen(keep, mono)
            return
        self.keep, self.due = keep, max(self.due, mono)
        self.read_from = self.look_at = self.due

    def misjudged(self, others: Mapping[str, int], mono: float) -> bool:
        """Less is held beside a partial close than when it was judged necessary: wait a little.

        The account learns of it by the same read; until then it would decide the same again.
        """
        if not any(abs(others.get(key, 0)) < abs(net) for key, net in self.others.items()):
            return False
        self.due = mono + RETRY_AFTER[0]
        return True

    def lagged_behind(self, net: int, moved: float, mono: float) -> bool:
        """A read shows nothing yet of a partial close that was accepted: look again before another.

        Without the events of it, after a reconnect, only reads tell, and those may be from before.
        """
        believed_from = self.sent + SNAPSHOTS_LAG
        told = moved > self.sent or net != self.sent_net
        if self.problem != YET_IT_STANDS or told or mono >= believed_from or not self.keep:
            return False
        self.read_from, self.look_at = mono, min(mono + VERIFY_WITHIN, believed_from)
        return True

    def hurry(self, mono: float) -> None:
        """The broker can be reached again: no long pause goes on."""
        self.hurried = self.request is not None
        if self.request is None:
            self.due, self.look_at = min(self.due, mono), min(self.look_at, mono)

    def carrier_ended(self, mono: float) -> None:
        """The connection has ended; what it was about to do will perhaps never be answered."""
        if self.request is not None:
            self.due = min(self.due, mono + LOST_AFTER)

    def outlived(self, read_began: float) -> bool:
        """Whether a read is too old for a retry to rest on."""
        return self.tries > 0 and read_began < self.due - FRESH_FOR

    def widen(self, keep: int, mono: float) -> None:
        """More is to be closed than before: a full close needs no read and does not wait.

        A partial close in flight is waited for at most half a second.
        """
        self.keep = keep
        if self.request is not None and self.sent_keep and not keep:
            self.due = min(self.due, max(self.sent + VERIFY_WITHIN, mono))
        if self.request is None:
            self.due, self.tries, self.reached = mono, 0, False
            self.read_from = mono if keep else None
            self.look_at = mono
