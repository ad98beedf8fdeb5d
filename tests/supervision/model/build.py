"""Random plans from any source of chance: a seeded generator, or Hypothesis, which shrinks them.

Two things that happen at one instant by accident would leave open which comes first, and with it
what follows. So every length of time gets a tiny addition of its own, except where an accident is
wanted: no time at all, several crashes at once, and a life that ends to the instant with a period.
"""

import random
from typing import Literal

from attrs import define, evolve, field, frozen

from .plan import (
    ActorPlan,
    Add,
    Break,
    Cancel,
    ChildPlan,
    Inject,
    Life,
    Plan,
    Remove,
    Stop,
    SupervisorPlan,
    Tell,
    Trouble,
)

DEPTH = 4
_TINY = 2.0**-32


@frozen
class Climate:
    """What sort of plans: numbers are percentages, but for the actors of the listed tree."""

    actors: int = 9
    nested: int = 40
    pools: int = 20
    bursts: int = 30
    kinds: tuple[Literal["break", "inject", "tell", "pool"], ...] = (
        "break",
        "break",
        "tell",
        "tell",
        "inject",
        "pool",
    )


MIXED = Climate()
SMALL = Climate(actors=4, nested=20, bursts=60, kinds=("break", "break", "inject", "tell"))
DEEP = Climate(actors=7, nested=65, pools=10)
POOLS = Climate(pools=70, kinds=("pool", "pool", "break", "tell"))
CLIMATES = (MIXED, SMALL, DEEP, POOLS)


@define
class Builder:
    """Makes one plan."""

    chance: random.Random
    climate: Climate
    lengths: int = 0
    names: int = 0
    messages: int = 0
    actors_left: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.actors_left = self.climate.actors

    def odd(self, *coarse: float) -> float:
        """One of these lengths of time, which no other will meet by accident."""
        length = self.chance.choice(coarse)
        if length == 0.0:
            return 0.0
        self.lengths += 1
        return length + random.Random(self.lengths).getrandbits(24) * _TINY

    def likely(self, percent: int) -> bool:
        return self.chance.randrange(100) >= 100 - percent

    def name(self) -> str:
        self.names += 1
        return "abcdefghijklmnopqrstuvwxyz"[self.names % 26] + str(self.names // 26 or "")

    # -- the tree -----------------------------------------------------------------------------

    def life(self, period: float, calm: float) -> Life:
        fate: Literal["none", "crash", "leave"] = self.chance.choice(
            ("none", "none", "crash", "leave")
        )
        after = self.odd(0.25, 1, 3, 8) if fate != "none" else 0.0
        if fate != "none" and self.likely(20):
            after = self.chance.choice((period, calm))
        return Life(
            start=self.odd(0, 0, 0.5, 1.5, 3) if self.likely(60) else 0.0,
            start_fails=self.likely(15),
            fate=fate,
            fate_after=after,
            stop=self.odd(0, 0, 0.5, 1.5, 3),
            stop_fails=self.likely(10),
            torn=self.likely(10),
        )

    def actor(self, above: SupervisorPlan) -> ActorPlan:
        self.actors_left -= 1
        lives = tuple(
            self.life(above.period, above.calm) for _ in range(self.chance.randrange(1, 4))
        )
        if self.likely(60):
            lives = (*lives, Life(stop=self.odd(0, 0.5)))
        return ActorPlan(
            self.name(),
            self.chance.choice(("permanent", "permanent", "permanent", "transient", "temporary")),
            start_within=self.odd(1, 2, 4),
            stop_within=self.odd(1, 2, 4),
            lives=lives,
        )

    def supervisor(self, depth: int) -> SupervisorPlan:
        dynamic = depth > 1 and self.likely(self.climate.pools)
        plan = SupervisorPlan(
            self.name(),
            (),
            strategy="one_for_one"
            if dynamic
            else self.chance.choice(("one_for_one", "one_for_all", "rest_for_one")),
            restarts=self.chance.choice((3, 2, 1, 0, 5)),
            period=self.odd(2, 6, 20),
            initial=self.odd(0, 0, 0.25, 1),
            base=self.chance.choice((0.25, 0.5)),
            maximum=self.chance.choice((1.0, 4.0)),
            calm=self.odd(2, 5),
            park=self.odd(2, 6) if self.likely(35) else None,
            dynamic=dynamic,
            start_within=self.odd(60, 60, 3, 8),
            stop_within=self.odd(60, 60, 2, 5),
        )
        count = self.chance.randrange(0 if dynamic else 1, 4)
        return evolve(plan, children=tuple(self.child(plan, depth) for _ in range(count)))

    def child(self, above: SupervisorPlan, depth: int) -> ChildPlan:
        if depth < DEPTH and self.actors_left > 1 and self.likely(self.climate.nested):
            return self.supervisor(depth + 1)
        return self.actor(above)

    # -- the trouble ----------------------------------------------------------------------------

    def trouble(self, paths: list[str], pools: list[tuple[str, SupervisorPlan]]) -> Trouble:
        kind = self.chance.choice(self.climate.kinds)
        if kind == "pool" and pools:
            path, plan = self.chance.choice(pools)
            names = [child.id for child in plan.children] or ["z"]
            child_id = self.chance.choice((*names, "y"))
            if self.likely(50):
                return Remove(path, child_id)
            # What was a supervisor comes back as one: a path is always of one kind.
            same = [each for each in plan.children if each.id == child_id]
            if same and isinstance(same[0], SupervisorPlan):
                return Add(path, same[0])
            return Add(path, evolve(self.actor(plan), id=child_id))
        if not paths:
            return Stop()
        path = self.chance.choice(paths)
        if kind == "tell":
            self.messages += 1
            ends: Literal["well", "crash", "leave"] = self.chance.choice(
                ("well", "well", "crash", "leave")
            )
            return Tell(path, self.messages, self.odd(0, 0.5, 1.5), ends)
        return Inject(path) if kind == "inject" else Break(path)

    def troubles(self, root: SupervisorPlan) -> tuple[tuple[float, tuple[Trouble, ...]], ...]:
        paths, pools = _places(root, root.id)
        at, found = 0.0, []
        for _ in range(self.chance.randrange(0, 8)):
            at += self.odd(0.125, 1, 4)
            many = self.chance.randrange(2, 4) if self.likely(self.climate.bursts) else 1
            at_once = [self.trouble(paths, pools) for _ in range(many)]
            if self.likely(5):
                at_once = [Stop()]
            found.append((at, tuple(at_once)))
        at += self.odd(0.25, 2, 8, 30)
        if self.likely(50):
            found.append((at, (Stop(),)))
            at += self.odd(0.5, 2, 100)
        found.append((at, (Cancel(),)))
        return tuple(found)

    def plan(self) -> Plan:
        root = self.supervisor(1)
        return Plan(
            root,
            self.troubles(root),
            tuple(self.draw() for _ in range(self.chance.randrange(1, 8))),
            waits=self.likely(50),
            seed=self.chance.randrange(1000),
        )

    def draw(self) -> float:
        self.lengths += 1
        fine = random.Random(self.lengths).getrandbits(24) * 2.0**-28
        return self.chance.randrange(1, 15) / 16 + fine


def _places(plan: SupervisorPlan, path: str) -> tuple[list[str], list[tuple[str, SupervisorPlan]]]:
    paths: list[str] = []
    pools = [(path, plan)] if plan.dynamic else []
    for child in plan.children:
        if isinstance(child, SupervisorPlan):
            more, further = _places(child, f"{path}/{child.id}")
            paths += more
            pools += further
        else:
            paths.append(f"{path}/{child.id}")
    return paths, pools


def plan_from(chance: random.Random, climate: Climate = MIXED) -> Plan:
    """One plan out of a source of chance."""
    return Builder(chance, climate).plan()
