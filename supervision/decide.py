"""What a supervisor does next: ``decide(state, event, now) -> (state, actions)``, pure and total.

It brings the children into line with what should be. After every event it takes the next possible
steps: stop, in reverse order, what must go down; start, in order, what must come up. It never waits
for any one of them, so it answers at once to a second failure in the middle of a restart. Whether a
failure means a restart at all is in :mod:`.policy`; :mod:`.supervisor` carries out the actions.
"""

import math
from types import MappingProxyType
from typing import Any, assert_never

from attrs import evolve

from . import policy
from .policy import Again, Exit, Finish, GiveUp, SetAside
from .specs import Restart
from .state import (
    Action,
    Admitted,
    AskStop,
    Began,
    ChildState,
    Cut,
    Dismissed,
    Ended,
    Event,
    Forget,
    Launch,
    Phase,
    Rose,
    StopAsked,
    TellEscalated,
    TellParked,
    TellRestart,
    TellUp,
    TimePassed,
    TreeState,
)


def decide(state: TreeState, event: Event, now: float) -> tuple[TreeState, tuple[Action, ...]]:
    """Take note of an event at ``now`` (monotonic seconds); the new state, and what to do in order."""
    turn = _Turn(state, now)
    turn.take_in(event)
    if isinstance(event, Began | Dismissed):
        # Who else comes or goes, and whether all are to stop at once, is told next.
        return turn.result()
    turn.stop_next()
    turn.start_next()
    turn.finish_start()
    turn.cut_late()
    return turn.result()


def next_due(state: TreeState, now: float) -> float:
    """When the passing of time alone will change something next; infinite when it will not."""
    if state.stopping:
        return state.cut_at
    waiting = (c for c in state.children.values() if c.wanted and not c.alive)
    return min((c.due for c in waiting if c.due > now), default=math.inf)


class _Turn:
    """One decision in the making; nobody outside sees it change."""

    def __init__(self, state: TreeState, now: float) -> None:
        self.state = state
        self.now = now
        self.children = dict(state.children)
        self.actions: list[Action] = []

    def result(self) -> tuple[TreeState, tuple[Action, ...]]:
        children = MappingProxyType(self.children)
        return evolve(self.state, children=children), tuple(self.actions)

    def set(self, **changes: Any) -> None:
        self.state = evolve(self.state, **changes)

    def change(self, child_id: str, **changes: Any) -> ChildState:
        child = self.children[child_id] = evolve(self.children[child_id], **changes)
        return child

    def new_batch(self) -> int:
        self.set(batch=self.state.batch + 1)
        return self.state.batch

    # -- taking in -----------------------------------------------------------------------------

    def take_in(self, event: Event) -> None:
        match event:
            case Began():
                self.begin()
            case Rose(child_id):
                self.change(child_id, phase=Phase.UP, up_at=self.now, ever_up=True)
            case Ended():
                self.settle(event)
            case Admitted(child_id, restart):
                self.children[child_id] = ChildState(child_id, restart)
            case Dismissed(child_id):
                self.change(child_id, wanted=False, leaving=True)
                if not self.children[child_id].alive:
                    self.forget(child_id)
            case StopAsked(for_good, by):
                self.ask_all_to_stop(for_good, by)
            case TimePassed():
                pass
            case _:
                assert_never(event)

    def begin(self) -> None:
        """A new life: of the last one, only generations and who has finished are remembered."""
        self.state = TreeState(self.state.spec, batch=self.state.batch)
        batch = self.new_batch()
        for child in self.children.values():
            self.children[child.id] = ChildState(
                child.id,
                child.restart,
                generation=child.generation,
                batch=batch,
                wanted=child.wanted,
            )

    def ask_all_to_stop(self, for_good: bool, by: float) -> None:
        """A second wish does not take back the first: neither that it is final nor its deadline."""
        final, cut_at = self.state.for_good or for_good, min(by, self.state.cut_at)
        self.set(stopping=True, for_good=final, cut_at=cut_at)

    def settle(self, end: Ended) -> None:
        before = self.children[end.id]
        child = self.change(end.id, phase=Phase.DOWN, stopping=False, cycling=False)
        if child.leaving:
            self.forget(end.id)
        elif self.state.stopping:
            pass
        elif before.judged:
            self.judge(before, end)
        else:
            delay = max(0.0, child.due - self.now)
            self.actions.append(TellRestart(end.id, child.generation + 1, delay))

    def forget(self, child_id: str) -> None:
        self.actions.append(Forget(child_id))
        if self.state.dynamic:
            del self.children[child_id]
        else:
            self.change(child_id, wanted=False)

    def judge(self, child: ChildState, end: Ended) -> None:
        state = self.state
        facts = Exit(
            at=self.now,
            failed=end.failed,
            ran_for=self.now - child.up_at if child.up else 0.0,
            boot=not child.ever_up,
            gave_up=end.gave_up,
        )
        decision, history = policy.judge(
            state.spec, child.restart, child.history, state.spent, facts, draw=end.draw
        )
        self.change(child.id, history=history)
        match decision:
            case Again(delay):
                self.restart(child, delay)
            case SetAside(delay):
                self.change(child.id, parked=True, due=self.now + delay)
                self.actions.append(TellParked(child.id, delay))
            case Finish():
                self.forget(child.id)
            case GiveUp():
                by = self.now + state.spec.stop_within
                self.set(stopping=True, cut_at=by)
                self.actions.append(TellEscalated(child.id))
            case _:
                assert_never(decision)

    def restart(self, failed: ChildState, delay: float) -> None:
        spec, spent = self.state.spec, self.state.spent
        recent = policy.within(spec.intensity.period, spent, self.now)
        self.set(spent=(*recent, self.now))
        group = policy.affected(spec.strategy, tuple(self.children), failed.id)
        # Those after a child that has never been up still wait for it in their first batch.
        batch = self.new_batch() if failed.ever_up else failed.batch
        for child in [self.children[each] for each in group]:
            if child.wanted and not child.parked:
                self.join(child, batch, self.now + delay)
        self.actions.append(TellRestart(failed.id, failed.generation + 1, delay))

    def join(self, child: ChildState, batch: int, due: float) -> None:
        """Let it be restarted together with others, in order, not before ``due``."""
        leaving = child.alive and child.restart is Restart.TEMPORARY
        self.change(child.id, batch=batch, due=due, cycling=child.alive, leaving=leaving)

    # -- towards what is wanted ----------------------------------------------------------------

    def stop_next(self) -> None:
        """Ask those to stop whose turn it is: all of them, or the last in order."""
        stopping = self.state.stopping
        for child in list(reversed(self.children.values())):
            if child.going_down or (stopping and child.alive):
                leaving = child.leaving or self.state.for_good
                if not child.stopping or leaving is not child.leaving:
                    # One that was to come back may learn that it will not: it works off its queue.
                    self.change(child.id, stopping=True, leaving=leaving)
                    self.actions.append(AskStop(child.id, leaving))
                if not self.state.dynamic:
                    return

    def start_next(self) -> None:
        """Start everyone who is due and need not wait for another of the same batch."""
        if self.state.stopping:
            return
        held = {child.batch for child in self.children.values() if child.cycling}
        for child in list(self.children.values()):
            idle = child.wanted and not child.alive
            if idle and child.due <= self.now and child.batch not in held:
                self.launch(child)
            if self.children[child.id].unsettled and not self.state.dynamic:
                held.add(child.batch)

    def launch(self, child: ChildState) -> None:
        generation = child.generation + 1
        self.change(child.id, phase=Phase.STARTING, generation=generation, parked=False)
        self.actions.append(Launch(child.id, generation, unparked=child.parked))

    def finish_start(self) -> None:
        if self.state.up or self.state.stopping:
            return
        if not any(child.unsettled for child in self.children.values()):
            self.set(up=True)
            self.actions.append(TellUp())

    def cut_late(self) -> None:
        if self.now < self.state.cut_at:
            return
        self.set(cut_at=math.inf)
        for child in [child for child in self.children.values() if child.alive]:
            leaving = child.leaving or self.state.for_good
            self.change(child.id, stopping=True, leaving=leaving)
            self.actions.append(Cut(child.id, leaving))
