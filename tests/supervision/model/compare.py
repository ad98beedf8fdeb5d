"""Whether what was seen in a run is something that the model allows, step by step.

The run leads. At every step the model must have a move with exactly the items seen next, at exactly
that time; moves that are not seen are made in between. When both kinds are possible their order is
not known, so if the run cannot be explained one way other ways are tried.
"""

import heapq
import itertools
from collections.abc import Iterator

from attrs import define, field, frozen

from .plan import Item, Plan, Run
from .semantics import Move
from .world import World

WAYS_AT_MOST = 200
AROUND = 12


@frozen
class Difference:
    """The first step that no order explains."""

    position: int
    at: float
    seen: tuple[tuple[float, Item], ...]
    """All steps of the run."""
    possible: tuple[str, ...]
    """What the model would allow instead."""
    why: str

    def __str__(self) -> str:
        lines = [f"{self.why} (the model is at {self.at:.9f})", ""]
        first = max(0, self.position - AROUND)
        for number, (at, item) in enumerate(self.seen[first : self.position + AROUND], first):
            mark = "=>" if number == self.position else "  "
            model = "as seen" if number < self.position else ""
            if number == self.position:
                model = " | ".join(self.possible) or "nothing"
            lines.append(f"{mark} {at:14.9f}  {' '.join(item):70.70}  {model}")
        if self.position >= len(self.seen):
            lines.append(f"=> {self.at:14.9f}  {'(nothing)':70}  {' | '.join(self.possible)}")
        return "\n".join(lines)


@define
class _Way:
    """Which move to make at each fork: the first, but for a few forks."""

    turns: dict[int, int]
    """Number of the move at those forks where it is not the first."""
    widths: list[int] = field(factory=list)
    """How many moves there were at each fork that was passed."""

    def choose(self, width: int) -> int:
        if width == 1:
            return 0
        self.widths.append(width)
        return self.turns.get(len(self.widths) - 1, 0)

    def others(self) -> Iterator["_Way"]:
        """The ways that turn off once more, the latest fork first."""
        after = max(self.turns, default=-1)
        for number in range(len(self.widths) - 1, after, -1):
            for turn in range(1, self.widths[number]):
                yield _Way({**self.turns, number: turn})


def difference(plan: Plan, run: Run) -> Difference | None:
    """None when the run is one that the model allows.

    Ways that led further are varied first: most of what two moves can do in either order comes to
    the same, so trying the orders one by one would not get to the fork that matters.
    """
    furthest: Difference | None = None
    untried: list[tuple[int, int, _Way]] = [(0, 0, _Way({}))]
    number = itertools.count(1)
    for _ in range(WAYS_AT_MOST):
        if not untried:
            break
        *_, way = heapq.heappop(untried)
        found = _follow(World(plan), run, way)
        if found is None:
            return None
        if furthest is None or found.position > furthest.position:
            furthest = found
        for other in way.others():
            heapq.heappush(untried, (-found.position, next(number), other))
    return furthest


def _follow(world: World, run: Run, way: _Way) -> Difference | None:
    position, steps = 0, run.steps
    told = {item for _, item in steps}

    def stuck(why: str, moves: list[Move]) -> Difference:
        words = [" + ".join(" ".join(item) for item in move.items) for move in moves]
        return Difference(position, world.now, steps, tuple(filter(None, words)), why)

    while True:
        moves = world.moves()
        if all(each.may_be_missing for each in moves) and (last := world.over()) is not None:
            if steps[position:] != ((world.now, last),):
                return stuck(f"the model is over: {last}", [])
            if world.dead() != run.dead:
                return stuck(f"dead letters: {run.dead} seen, {world.dead()} expected", [])
            return None
        if position == len(steps):
            return stuck("the run is over, the model is not", moves)
        at = steps[position][0]
        fitting = [move for move in moves if at == world.now and _fits(move, steps, position)]
        fitting.sort(key=lambda move: move.likely not in told)
        unseen = [move for move in moves if not move.items]
        unseen.sort(key=lambda move: not _is_due(move, steps, position))
        options = fitting + unseen
        if options:
            move = options[way.choose(len(options))]
            move.make()
            position += len(move.items)
        elif any(not move.may_be_missing for move in moves):
            return stuck("something else happened than may happen now", moves)
        elif world.next_time() <= at:
            world.now = world.next_time()
        else:
            return stuck("something happened where nothing may", moves)


def _fits(move: Move, steps: tuple[tuple[float, Item], ...], position: int) -> bool:
    seen = steps[position : position + len(move.items)]
    return bool(move.items) and tuple(item for _, item in seen) == move.items


def _is_due(move: Move, steps: tuple[tuple[float, Item], ...], position: int) -> bool:
    """Whether something that it starts is seen to begin, or to be up, at this very instant."""
    at = steps[position][0]
    for later, item in itertools.islice(steps, position, None):
        if later > at or not move.starts:
            return False
        if item[0] in ("begins", "Started") and f"{item[1]}/".startswith(f"{move.starts}/"):
            return True
    return False
