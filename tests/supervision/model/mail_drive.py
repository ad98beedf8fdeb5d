"""Runs a plan of the mailbox campaign on the real runtime, in virtual time."""

from functools import partial
from typing import Any

import trio
from attrs import define, evolve, field
from trio.testing import MockClock

from supervision import (
    Actor,
    ActorRestarting,
    ActorStopped,
    AskTimeout,
    Backoff,
    ChildSpec,
    Intensity,
    MailboxFull,
    Ref,
    Reply,
    SupervisorSpec,
    System,
    open_system,
)

from .drive import Boom, Draws, scheduled
from .mail import Ask, Break, Deed, MailPlan, MailRun, Message, Plain, Stop, seen, told

TIMER_AFTER = 0.3125 + 2.0**-20


@define(eq=False)
class Post:
    """What the actor and those who tell it things share."""

    plan: MailPlan
    ref: Ref[Message]
    taken: list[str] = field(factory=list)
    happened: list[str] = field(factory=list)
    trap: trio.Event = field(factory=trio.Event)

    def saw(self, word: str, number: int, details: object = "") -> None:
        self.happened.append(told(trio.current_time(), word, number, details))


class Reader(Actor[Message]):
    """Does with each message what it says."""

    def __init__(self, post: Post) -> None:
        self.post = post

    async def started(self) -> None:
        self.post.trap = trio.Event()
        self.context.start_task(self.fall, self.post.trap)

    async def fall(self, trap: trio.Event) -> None:
        await trap.wait()
        raise Boom

    async def handle(self, message: Message) -> None:
        self.post.taken.append(seen(trio.current_time(), message))
        if message.takes:
            await trio.sleep(message.takes)
        if message.ends == "crash":
            raise Boom
        if message.ends == "leave":
            self.context.stop()
        if message.ends == "timer":
            self.context.after(TIMER_AFTER, Plain(-message.number))
        if message.reply is not None and message.ends != "silent":
            message.reply.send(message.number)


async def _ask(post: Post, ask: Ask) -> None:
    number = ask.message.number

    def make(reply: Reply[int]) -> Message:
        return evolve(ask.message, reply=reply)

    try:
        answer = await post.ref.ask(make, within=ask.within)
    except AskTimeout:
        post.saw("unknown", number)
    except ActorRestarting:
        post.saw("restarting", number)
    except ActorStopped:
        post.saw("has stopped", number)
    except MailboxFull:
        post.saw("refused", number)
    else:
        post.saw("answered", number, answer)


def _do(post: Post, deed: Deed, nursery: trio.Nursery, system: System) -> None:
    if isinstance(deed, Ask):
        nursery.start_soon(_ask, post, deed)
    elif isinstance(deed, Break):
        post.trap.set()
    elif isinstance(deed, Stop):
        system.stop()
    else:
        try:
            post.ref.tell(deed)
        except MailboxFull as full:
            post.saw("refused", full.message.number)


async def _play(plan: MailPlan) -> MailRun:
    ref: Ref[Message] = Ref("reader", capacity=plan.capacity)
    post = Post(plan, ref)
    root = SupervisorSpec(
        "root",
        (
            ChildSpec(
                "reader",
                ref,
                partial(Reader, post),
                stop_within=plan.stop_within,
                handle_within=1_000.0,
            ),
        ),
        intensity=Intensity(1_000, 1_000.0),
        # With a constant draw of a half every restart waits the same.
        backoff=Backoff(plan.down, 2 * plan.down, 2 * plan.down),
        stop_within=1_000.0,
    )
    async with open_system(root, chance=Draws((0.5,), lambda _: None)) as system:
        letters = system.dead_letters
        record = letters.record

        def recorded(path: str, message: Any, *details: Any) -> None:
            number = message.number if isinstance(message, Message) else message
            post.saw("dead", number, details[0].value)
            record(path, message, *details)

        letters.record = recorded  # type: ignore[assignment, method-assign]
        async with trio.open_nursery() as nursery:
            for at, deeds in plan.deeds:
                await trio.sleep_until(at)
                for deed in deeds:
                    _do(post, deed, nursery, system)
        await system.wait()
    mail = ref.statistics()
    assert mail.depth == 0
    counts = (mail.accepted, mail.handled, mail.conflated)
    return MailRun(tuple(post.taken), tuple(sorted(post.happened)), counts)


def drive_mail(plan: MailPlan) -> MailRun:
    """Run the plan; the same plan gives the same run."""
    with scheduled(plan.seed):
        return trio.run(_play, plan, clock=MockClock(autojump_threshold=0))
