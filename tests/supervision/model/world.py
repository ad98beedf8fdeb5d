"""The whole state of the model: a tree, its host, and the trouble that comes from outside."""

import math
from collections.abc import Callable, Iterator

from attrs import define, field

from .plan import (
    ActorPlan,
    Add,
    Break,
    Cancel,
    ChildPlan,
    Inject,
    Item,
    Plan,
    Remove,
    Stop,
    Tell,
    Trouble,
)
from .players import Player
from .semantics import Child, Letter, Move
from .supervisors import Supervisor


@define(eq=False)
class World:
    """The whole state, and the host around it."""

    plan: Plan
    now: float = 0.0
    drawn: int = 0
    troubles_made: int = 0
    letters: list[Letter] = field(factory=list)
    mailboxes: dict[str, Player] = field(factory=dict)
    pools: dict[str, Supervisor] = field(factory=dict)
    host: str = "inside"
    """inside, leaving (it wants out and has not got to it yet), waiting (for the end), gone."""
    was_cancelled: bool = False
    shutting_down: bool = False
    root: Supervisor = field(init=False)

    def __attrs_post_init__(self) -> None:
        root = self._make(self.plan.root, self.plan.root.id)
        assert isinstance(root, Supervisor)
        self.root = root
        root.born()

    @property
    def draw(self) -> float:
        return self.plan.draws[self.drawn % len(self.plan.draws)]

    def _make(self, plan: ChildPlan, path: str) -> Child:
        if isinstance(plan, ActorPlan):
            player = self.mailboxes[path] = Player(plan, path, self)
            return player
        supervisor = Supervisor(plan, path, self)
        children = [self._make(each, f"{path}/{each.id}") for each in plan.children]
        if plan.dynamic:
            supervisor.wanted = children
            self.pools[path] = supervisor
        else:
            supervisor.children = children
        return supervisor

    def everyone(self) -> Iterator[Child]:
        waiting: list[Child] = [self.root]
        while waiting:
            child = waiting.pop(0)
            yield child
            if isinstance(child, Supervisor):
                waiting.extend(child.children)

    def next_time(self) -> float:
        times = [at for child in self.everyone() for at in child.times()]
        times += [at for at, _ in self.plan.troubles]
        return min((at for at in times if at > self.now), default=math.inf)

    def moves(self) -> list[Move]:
        """Everything that may happen now."""
        if self.host == "gone":
            return []
        found = list(self._trouble())
        for child in self.everyone():
            found.extend(child.moves())
        if self.host == "leaving":
            found.append(Move((), self._leave))
        if self.root.state == "ended":
            found.append(self._last())
        return found

    # -- the outside --------------------------------------------------------------------------

    def _last(self) -> Move:
        root = self.root
        if root.error == "Escalated":
            # It was told when it gave up.
            return Move((), self._close_root)
        end = root.item("Crashed", root.error) if root.error else root.item("Stopped")
        return Move((end,), self._close_root)

    def _close_root(self) -> None:
        self.root.state = "finished"
        self.root.seal()

    def over(self) -> Item | None:
        """The last item, once the root has ended."""
        if self.root.state != "finished":
            return None
        # A host that was cancelled in the meantime is told nothing any more.
        return ("over", "in order" if self.was_cancelled else self.root.error or "in order")

    def dead(self) -> tuple[tuple[str, str], ...]:
        return tuple(
            sorted((str(each.tell.number), each.cause) for each in self.letters if each.cause)
        )

    def _leave(self) -> None:
        self.host = "waiting"
        if self.root.state == "alive" and not self.root.asked:
            self.shutting_down = True
            self.root.ask(True, self.now + self.root.rules.stop_within)

    def _trouble(self) -> Iterator[Move]:
        flat = [(at, each) for at, several in self.plan.troubles for each in several]
        if self.troubles_made < len(flat) and self.root.state != "finished":
            at, trouble = flat[self.troubles_made]
            if at <= self.now:
                result, do = self._effect(trouble)
                yield Move((("trouble", repr(trouble), result),), lambda: self._make_it(do))

    @property
    def _places(self) -> set[str]:
        return {*self.mailboxes, *self.pools}

    def _make_it(self, do: Callable[[], None]) -> None:
        self.troubles_made += 1
        do()

    def _effect(self, trouble: Trouble) -> tuple[str, Callable[[], None]]:
        match trouble:
            case Break(path):
                return self._break(path)
            case Inject(path):
                return self._inject(path)
            case Tell(path) | Add(path) | Remove(path) if path not in self._places:
                return "nobody", _nothing
            case Tell(path):
                return "done", lambda: self._tell(path, trouble)
            case Add(path, child):
                return self._add(path, child)
            case Remove(path, child_id):
                return self._take_away(path, child_id)
            case Stop():
                if not self.root.ever_up:
                    return "too early", _nothing
                return "done", self._leave
            case Cancel():
                return "done", self._cancel

    def _break(self, path: str) -> tuple[str, Callable[[], None]]:
        player = self._living(path)
        if player is None or player.phase == "launched":
            return "nobody", _nothing
        return "done", lambda: setattr(player, "broken", True)

    def _living(self, path: str) -> Player | None:
        for child in self.everyone():
            if child.path == path and child.state == "alive" and isinstance(child, Player):
                return child
        return None

    def _inject(self, path: str) -> tuple[str, Callable[[], None]]:
        if not self.root.ever_up:
            return "too early", _nothing
        player = self._living(path)
        if player is None or not player.up or player.phase == "stopping":
            return "nobody", _nothing
        return "done", lambda: setattr(player, "injected", self.now)

    def _tell(self, path: str, tell: Tell) -> None:
        letter, player = Letter(tell), self.mailboxes[path]
        self.letters.append(letter)
        if player.closed:
            letter.cause = "shutdown" if self.shutting_down else "stopped"
        else:
            player.queue.append(letter)

    def _add(self, path: str, plan: ChildPlan) -> tuple[str, Callable[[], None]]:
        pool = self.pools[path]
        if pool.gone or any(each.plan.id == plan.id for each in pool.wanted):
            return "refused", _nothing
        return "done", lambda: pool.wanted.append(self._make(plan, f"{path}/{plan.id}"))

    def _take_away(self, path: str, child_id: str) -> tuple[str, Callable[[], None]]:
        pool = self.pools[path]
        if all(each.plan.id != child_id for each in pool.wanted):
            return "nobody", _nothing

        def remove() -> None:
            pool.wanted = [each for each in pool.wanted if each.plan.id != child_id]

        return "done", remove

    def _cancel(self) -> None:
        self.was_cancelled = True
        if self.host == "inside":
            self.host = "leaving"
        if not self.root.up:
            self.root.cancel()


def _nothing() -> None:
    """Some trouble hits nobody."""
