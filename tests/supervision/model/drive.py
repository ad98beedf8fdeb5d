"""Runs a plan on the real runtime in virtual time and writes down what is seen."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import trio
import trio._core._run as scheduler
from attrs import define, field
from trio.testing import MockClock

from supervision import (
    Actor,
    Backoff,
    ChildSpec,
    Crashed,
    Dynamic,
    Escalate,
    Escalated,
    EscalatedEvent,
    Intensity,
    Park,
    Parked,
    Ref,
    Restart,
    Restarting,
    StartTimeout,
    Stopped,
    Strategy,
    SupervisionEvent,
    SupervisorSpec,
    System,
    open_system,
)

from .plan import (
    ActorPlan,
    Add,
    Break,
    Cancel,
    ChildPlan,
    Inject,
    Item,
    Life,
    Plan,
    Remove,
    Run,
    Stop,
    SupervisorPlan,
    Tell,
    Trouble,
)

EVENTS_AT_MOST = 5_000


class Boom(Exception):
    """The crash of the campaign."""


class Endless(Exception):
    """More happens than any plan asks for."""


class Draws(random.Random):
    """Chance that was written down before; it tells when it is asked."""

    def __init__(self, draws: tuple[float, ...], tell: Callable[[str], None]) -> None:
        super().__init__(0)
        self._draws = draws
        self._drawn = 0
        self._tell = tell

    def random(self) -> float:
        self._drawn += 1
        self._tell("draws")
        return self._draws[(self._drawn - 1) % len(self._draws)]


@define(eq=False)
class Stage:
    """What the actors, the observer and the schedule of one run share."""

    plan: Plan
    steps: list[tuple[float, Item]] = field(factory=list)
    refs: dict[str, Ref[Tell]] = field(factory=dict)
    """The newest at every path."""
    made: list[Ref[Tell]] = field(factory=list)
    pools: dict[str, Dynamic] = field(factory=dict)
    traps: dict[str, trio.Event] = field(factory=dict)
    """One for every path where an incarnation is alive; set, it crashes it."""
    paths: set[str] = field(factory=set)
    system: System | None = None
    host: trio.CancelScope = field(factory=trio.CancelScope)
    leave: trio.Event = field(factory=trio.Event)

    def saw(self, *item: str) -> None:
        self.steps.append((trio.current_time(), item))
        if len(self.steps) > EVENTS_AT_MOST:
            raise Endless

    def observe(self, event: SupervisionEvent) -> None:
        details: tuple[str, ...] = ()
        if isinstance(event, Crashed):
            details = (_name(event.error),)
        elif isinstance(event, Restarting):
            details = (str(event.delay),)
        elif isinstance(event, Parked):
            details = (str(event.retry_in),)
        elif isinstance(event, Stopped) and event.path in self.refs:
            details = ("cut" if event.reason.startswith("cancelled") else "in order",)
        elif isinstance(event, EscalatedEvent):
            details = (event.child,)
        self.saw(type(event).__name__, event.path, str(event.generation), *details)


def _name(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__


class Player(Actor[Tell]):
    """An actor that lives as its plan says."""

    def __init__(self, plan: ActorPlan, path: str, stage: Stage) -> None:
        self.plan = plan
        self.path = path
        self.stage = stage
        self.life = Life()
        self.trap = trio.Event()

    def saw(self, word: str, *details: str) -> None:
        self.stage.saw(word, self.path, str(self.context.generation), *details)

    async def started(self) -> None:
        self.life = self.plan.life(self.context.generation)
        self.saw("begins")
        self.stage.traps[self.path] = self.trap
        self.context.start_task(self.until_the_end)
        await self.spend(self.life.start)
        if self.life.start_fails:
            raise Boom
        if self.life.fate != "none":
            self.context.start_task(self.meet_fate)

    async def handle(self, message: Tell) -> None:
        self.saw("takes", str(message.number))
        if message.takes:
            await trio.sleep(message.takes)
        if message.ends == "crash":
            raise Boom
        if message.ends == "leave":
            self.context.stop()
        self.saw("handled", str(message.number))

    async def stopping(self) -> None:
        self.saw("stops")
        await self.spend(self.life.stop)
        if self.life.stop_fails:
            raise Boom

    async def spend(self, seconds: float) -> None:
        if not seconds:
            return
        torn = self.life.torn
        try:
            await trio.sleep(seconds)
            torn = False
        finally:
            if torn:
                raise Boom

    async def meet_fate(self) -> None:
        await trio.sleep(self.life.fate_after)
        if self.life.fate == "crash":
            raise Boom
        self.context.stop()

    async def until_the_end(self) -> None:
        try:
            await self.trap.wait()
            raise Boom
        finally:
            self.saw("ends")
            if self.stage.traps.get(self.path) is self.trap:
                del self.stage.traps[self.path]


def _spec(plan: ChildPlan, path: str, stage: Stage) -> ChildSpec[Tell] | SupervisorSpec:
    if isinstance(plan, SupervisorPlan):
        return _supervisor(plan, path, stage)
    ref: Ref[Tell] = Ref(path)
    stage.refs[path] = ref
    stage.made.append(ref)
    return ChildSpec(
        plan.id,
        ref,
        lambda: Player(plan, path, stage),
        restart=Restart(plan.restart),
        start_within=plan.start_within,
        stop_within=plan.stop_within,
        handle_within=1_000.0,
    )


def _supervisor(plan: SupervisorPlan, path: str, stage: Stage) -> SupervisorSpec:
    children = tuple(_spec(child, f"{path}/{child.id}", stage) for child in plan.children)
    pool = Dynamic() if plan.dynamic else None
    if pool is not None:
        stage.pools[path] = pool
        for child in children:
            pool.start_child(child)
    return SupervisorSpec(
        plan.id,
        () if plan.dynamic else children,
        strategy=Strategy(plan.strategy),
        intensity=Intensity(plan.restarts, plan.period),
        backoff=Backoff(plan.initial, plan.base, plan.maximum, plan.calm),
        exhausted=Escalate() if plan.park is None else Park(plan.park),
        dynamic=pool,
        start_within=plan.start_within,
        stop_within=plan.stop_within,
    )


def _cause(trouble: Trouble, stage: Stage) -> str:
    match trouble:
        case Break(path):
            if path in stage.traps:
                stage.traps[path].set()
                return "done"
            return "nobody"
        case Inject(path):
            return _inject(path, stage.system)
        case Tell(path):
            if path not in stage.refs:
                return "nobody"
            stage.refs[path].tell(trouble)
            return "done"
        case Add(path, child):
            return _add(path, child, stage)
        case Remove(path, child_id):
            try:
                stage.pools[path].stop_child(child_id)
            except KeyError:
                return "nobody"
            return "done"
        case Stop():
            if stage.system is None:
                return "too early"
            stage.system.stop()
            stage.leave.set()
            return "done"
        case Cancel():
            stage.host.cancel()
            return "done"


def _inject(path: str, system: System | None) -> str:
    if system is None:
        return "too early"
    try:
        system.crash(path, "on purpose")
    except LookupError:
        return "nobody"
    return "done"


def _add(path: str, child: ChildPlan, stage: Stage) -> str:
    if path not in stage.pools:
        return "nobody"
    refs, pools = dict(stage.refs), dict(stage.pools)
    try:
        stage.pools[path].start_child(_spec(child, f"{path}/{child.id}", stage))
    except ValueError:
        stage.refs, stage.pools = refs, pools
        return "refused"
    return "done"


async def _make_trouble(stage: Stage) -> None:
    for at, troubles in stage.plan.troubles:
        await trio.sleep_until(at)
        for trouble in troubles:
            stage.saw("trouble", repr(trouble), _cause(trouble, stage))


async def _host(stage: Stage, root: SupervisorSpec) -> str:
    try:
        with stage.host:
            chance = Draws(stage.plan.draws, stage.saw)
            async with open_system(root, chance=chance, observe=stage.observe) as system:
                stage.system = system
                await (system.wait() if stage.plan.waits else stage.leave.wait())
    except (Escalated, StartTimeout) as error:
        return _name(error)
    return "in order"


async def _play(stage: Stage) -> tuple[tuple[str, str], ...]:
    root = _supervisor(stage.plan.root, stage.plan.root.id, stage)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_make_trouble, stage)
        outcome = await _host(stage, root)
        nursery.cancel_scope.cancel()
    stage.saw("over", outcome)
    return _dead(stage)


def _dead(stage: Stage) -> tuple[tuple[str, str], ...]:
    letters = next((r._dead_letters for r in stage.made if r._dead_letters), None)
    recent = () if letters is None else letters.recent
    return tuple(
        sorted(
            (str(letter.message.number), letter.cause.name.lower())
            for letter in recent
            if isinstance(letter.message, Tell)
        )
    )


@contextmanager
def scheduled(seed: int) -> Iterator[None]:
    run: Any = scheduler
    before = run._ALLOW_DETERMINISTIC_SCHEDULING
    run._ALLOW_DETERMINISTIC_SCHEDULING = True
    run._r.seed(seed)
    try:
        yield
    finally:
        run._ALLOW_DETERMINISTIC_SCHEDULING = before


def drive(plan: Plan) -> Run:
    """Run the plan; the same plan gives the same steps."""
    stage = Stage(plan)
    with scheduled(plan.seed):
        dead = trio.run(_play, stage, clock=MockClock(autojump_threshold=0))
    return Run(tuple(stage.steps), dead)
