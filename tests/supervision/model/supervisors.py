"""The rules for one supervisor: order of start and stop, judgement, groups, giving up."""

import math
from collections.abc import Iterator
from functools import partial

from attrs import define, field

from .plan import ActorPlan, Item, SupervisorPlan
from .players import Player
from .semantics import Child, Move


@define(eq=False)
class Supervisor(Child):
    """A child, or the root, that is a supervisor."""

    children: list[Child] = field(factory=list)
    wanted: list[Child] = field(factory=list)
    """Of a dynamic supervisor: those that should be there."""
    gone: bool = False
    """Ended for good: it takes no more children."""
    spent: list[float] = field(factory=list)
    stopping: bool = False
    for_good: bool = False
    gave_up: bool = False
    timed_out: bool = False
    cancelled: bool = False
    cut_at: float = math.inf

    @property
    def rules(self) -> SupervisorPlan:
        assert isinstance(self.plan, SupervisorPlan)
        return self.plan

    # -- its own life -------------------------------------------------------------------------

    def born(self) -> None:
        super().born()
        self.stopping = self.for_good = self.gave_up = self.timed_out = self.cancelled = False
        self.cut_at = math.inf
        self.spent = []
        boot = list(self.children)
        for child in self.children:
            child.renew()
            child.group = [child] if self.rules.dynamic else boot

    def ask(self, leaving: bool, by: float) -> None:
        self.asked, self.stopping = True, True
        self.leaving = self.leaving or leaving
        self.for_good = self.leaving
        self.kill_at = math.inf
        self.cut_at = min(self.cut_at, by)

    def cancel(self) -> None:
        self.cancelled = True
        for child in self.children:
            if child.state == "alive" and not child.up:
                child.cancel()

    def seal(self) -> None:
        self.gone = True
        for child in self.children:
            child.seal()

    def times(self) -> Iterator[float]:
        if self.state == "alive":
            yield from (self.kill_at, self.cut_at)
            yield from (child.due for child in self.children)

    # -- moves ----------------------------------------------------------------------------------

    def moves(self) -> Iterator[Move]:
        if self.state != "alive":
            return
        now = self.world.now
        if self.kill_at <= now and not self.up and not self.cancelled:
            # Also while it gives up: what still starts below it has had its time.
            yield Move((), self._time_out)
        if self.cancelled and not self.stopping:
            yield Move((), self._wind_down)
            return
        if self.cut_at <= now:
            yield Move((), self._cut)
        for child in self.children:
            if child.state == "ended":
                yield self._notice(child)
        if self.rules.dynamic and not self.stopping:
            yield from self._align()
        yield from self._ask_next()
        if not self.stopping:
            yield from self._start_next()
            settled = all(child.settled or child.leaving for child in self.children)
            if settled and not self.up and not self.cancelled:
                yield Move((self.item("Started"),), self.risen)
        elif all(child.down for child in self.children):
            yield Move((), self._finish)

    def _time_out(self) -> None:
        self.timed_out, self.kill_at = True, math.inf
        self.cancel()

    def _wind_down(self) -> None:
        self.stopping = True
        self.cut_at = min(self.cut_at, self.world.now + self.rules.stop_within)

    def _cut(self) -> None:
        self.cut_at = math.inf
        for child in self.children:
            if child.state == "alive":
                child.ask(self.for_good, self.world.now)

    def _finish(self) -> None:
        self.state = "ended"
        if self.timed_out and not self.asked:
            self.error = "StartTimeout"
        if self.gave_up:
            self.error = "Escalated"

    def _align(self) -> Iterator[Move]:
        for child in self.children:
            if child not in self.wanted and not child.doomed and child.state != "ended":
                yield Move((), partial(self._remove, child))
        for child in self.wanted:
            if child not in self.children and all(c.path != child.path for c in self.children):
                yield Move((), partial(self._admit, child), starts=child.path)

    def _remove(self, child: Child) -> None:
        if child.down:
            self._finish_child(child)
        else:
            child.doomed = child.leaving = True

    def _admit(self, child: Child) -> None:
        self.children.append(child)
        child.group = [child]

    def _ask_next(self) -> Iterator[Move]:
        going = [c for c in self.children if not c.down and (c.doomed or self.stopping)]
        turn = going if self.rules.dynamic else going[-1:]
        for child in turn:
            final = child.leaving or (self.stopping and self.for_good)
            # One that was to come back may learn that it will not.
            if not child.asked or (final and not child.told_final):
                yield Move((), partial(self._ask, child))

    def _ask(self, child: Child) -> None:
        by = self.world.now + child.plan.stop_within
        child.told_final = child.leaving or (self.stopping and self.for_good)
        child.ask(child.told_final, by)

    def _start_next(self) -> Iterator[Move]:
        for child in self.children:
            if child.state not in {"waiting", "parked"} or child.due > self.world.now:
                continue
            if self.rules.dynamic and child not in self.wanted:
                continue
            before = child.group[: child.group.index(child)]
            if not all(each.settled for each in before):
                continue
            if any(each.doomed and not each.down for each in child.group):
                continue
            tried_again = child.state == "parked"
            child_item = ("Unparked", child.path, str(child.generation + 1))
            yield Move((child_item,) if tried_again else (), child.born, starts=child.path)

    # -- the end of a child -----------------------------------------------------------------------

    def _notice(self, child: Child) -> Move:
        items: list[Item] = []
        if child.error not in {"", "Escalated"}:
            items.append(child.item("Crashed", child.error))
        elif not child.error and isinstance(child, Player):
            items.append(child.item("Stopped", "cut" if child.cut_off else "in order"))
        elif not child.error:
            items.append(child.item("Stopped"))
        again = ("Restarting", child.path, str(child.generation + 1))
        if child.leaving:
            return Move(tuple(items), lambda: self._finish_child(child))
        if self.stopping:
            return Move(tuple(items), lambda: self._lay_down(child))
        if child.asked or child.doomed:
            items.append((*again, str(max(0.0, child.due - self.world.now))))
            return Move(tuple(items), lambda: self._lay_down(child))
        items.append(("draws",))
        verdict, number = self._verdict(child)
        if verdict == "restart":
            items.append((*again, str(number)))
        elif verdict == "park":
            items.append(child.item("Parked", str(number)))
        elif verdict == "give up":
            name = child.plan.id
            items.append(("EscalatedEvent", self.path, str(self.generation), name))
        return Move(tuple(items), lambda: self._judge(child, verdict, number))

    def _lay_down(self, child: Child) -> None:
        child.state, child.doomed = "waiting", False

    def _finish_child(self, child: Child) -> None:
        child.state = "finished"
        child.seal()
        if self.rules.dynamic:
            self.children.remove(child)
            self.wanted = [each for each in self.wanted if each is not child]

    def _recent(self, times: list[float]) -> int:
        return len([at for at in times if self.world.now - at <= self.rules.period])

    def _calm(self, child: Child) -> bool:
        return child.up_at is not None and self.world.now - child.up_at >= self.rules.calm

    def _verdict(self, child: Child) -> tuple[str, float]:
        """What becomes of a child that ended by itself; one draw is used whatever it is."""
        restart = child.plan.restart if isinstance(child.plan, ActorPlan) else "permanent"
        if restart == "temporary" or (restart == "transient" and not child.error):
            return "finish", 0.0
        calm = self._calm(child)
        if self.rules.park is None:
            if self._recent(self.spent) >= self.rules.restarts:
                return "give up", 0.0
        elif (
            self._recent(child.restarts) >= self.rules.restarts
            or not child.ever_up
            or child.error == "Escalated"
            or (child.probation and not calm)
        ):
            return "park", self.rules.park
        return "restart", self._delay(0 if calm else child.streak)

    def _delay(self, streak: int) -> float:
        if streak == 0:
            return self.rules.initial
        longest = min(self.rules.maximum, self.rules.base * 2.0 ** (streak - 1))
        return self.world.draw * longest

    def _judge(self, child: Child, verdict: str, number: float) -> None:
        now = self.world.now
        self.world.drawn += 1
        if verdict == "finish":
            self._finish_child(child)
            return
        if self._calm(child):
            child.streak, child.probation = 0, False
        if verdict == "give up":
            child.state = "waiting"
            self.gave_up = self.stopping = True
            self.cut_at = min(self.cut_at, now + self.rules.stop_within)
        elif verdict == "park":
            child.state, child.due, child.probation = "parked", now + number, True
        else:
            child.state = "waiting"
            child.streak += 1
            child.restarts.append(now)
            self.spent.append(now)
            self._regroup(child, now + number)

    def _regroup(self, failed: Child, due: float) -> None:
        position = self.children.index(failed)
        if self.rules.strategy == "one_for_one":
            members = [failed]
        elif self.rules.strategy == "one_for_all":
            members = list(self.children)
        else:
            members = self.children[position:]
        members = [each for each in members if each.state not in {"parked", "finished"}]
        waits_in_boot = self.rules.strategy == "one_for_one" and not failed.ever_up
        for each in members:
            if not waits_in_boot:
                each.group.remove(each)
                each.group = members
            each.due = due
            if not each.down:
                each.doomed = True
                if isinstance(each.plan, ActorPlan) and each.plan.restart == "temporary":
                    each.leaving = True
