"""Makes a plan that shows a difference smaller, as long as it still shows one."""

from collections.abc import Callable, Iterator

from attrs import evolve

from .plan import ActorPlan, ChildPlan, Life, Plan, SupervisorPlan


def smaller(plan: Plan, differs: Callable[[Plan], bool]) -> Plan:
    """The smallest plan that single steps lead to."""
    while True:
        for candidate in _candidates(plan):
            if candidate != plan and differs(candidate):
                plan = candidate
                break
        else:
            return plan


def _candidates(plan: Plan) -> Iterator[Plan]:
    for position, (at, several) in enumerate(plan.troubles):
        before, after = plan.troubles[:position], plan.troubles[position + 1 :]
        if after:
            yield evolve(plan, troubles=(*before, *after))
        for number in range(len(several)):
            rest = several[:number] + several[number + 1 :]
            if rest:
                yield evolve(plan, troubles=(*before, (at, rest), *after))
    for root in _trees(plan.root):
        if isinstance(root, SupervisorPlan):
            yield evolve(plan, root=root)
    if plan.draws != (0.5,):
        yield evolve(plan, draws=(0.5,))
    if plan.waits:
        yield evolve(plan, waits=False)


def _trees(plan: ChildPlan) -> Iterator[ChildPlan]:
    if isinstance(plan, ActorPlan):
        yield from _actors(plan)
        return
    for number, child in enumerate(plan.children):
        before, after = plan.children[:number], plan.children[number + 1 :]
        yield evolve(plan, children=(*before, *after))
        if isinstance(child, SupervisorPlan):
            yield evolve(plan, children=(*before, *child.children, *after))
        for less in _trees(child):
            yield evolve(plan, children=(*before, less, *after))
    for change in (
        evolve(plan, start_within=60.0),
        evolve(plan, stop_within=60.0),
        evolve(plan, strategy="one_for_one"),
        evolve(plan, initial=0.0),
        evolve(plan, park=None),
    ):
        if change != plan:
            yield change


def _actors(plan: ActorPlan) -> Iterator[ActorPlan]:
    if plan.restart != "permanent":
        yield evolve(plan, restart="permanent")
    if len(plan.lives) > 1:
        yield evolve(plan, lives=plan.lives[:-1])
        yield evolve(plan, lives=plan.lives[1:])
    for number, life in enumerate(plan.lives):
        for less in (
            Life(),
            evolve(life, start=0.0),
            evolve(life, start_fails=False),
            evolve(life, fate="none", fate_after=0.0),
            evolve(life, stop=0.0),
            evolve(life, stop_fails=False, torn=False),
        ):
            if less != life:
                yield evolve(plan, lives=(*plan.lives[:number], less, *plan.lives[number + 1 :]))
