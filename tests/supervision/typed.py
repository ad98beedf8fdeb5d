"""Programs for the type checker: who may be told what. Nothing here is ever run.

A line with an ignore is one that must be rejected, with that very error: as unused ignores are
errors too, the check of the whole project fails as soon as one of them would pass. A line without
must be accepted.
"""

from typing import assert_never, assert_type

import trio
from attrs import frozen

from supervision import (
    Actor,
    ChildSpec,
    Context,
    Dynamic,
    Key,
    Ref,
    Reply,
    SupervisionEvent,
    SupervisorSpec,
    System,
    Terminated,
)
from supervision.testing import Probe


@frozen
class Open:
    by: str


@frozen
class Count:
    reply: Reply[int]


@frozen
class Closed:
    why: str


@frozen
class Alien:
    """A message of another actor."""


type DoorMessage = Open | Count | Closed


class Door(Actor[DoorMessage]):
    async def handle(self, message: DoorMessage) -> None:
        match message:
            case Open():
                pass
            case Count(reply):
                reply.send(7)
                reply.send("seven")  # type: ignore[arg-type]
            case Closed():
                pass
            case _:
                assert_never(message)


class ForgetfulDoor(Actor[DoorMessage]):
    async def handle(self, message: DoorMessage) -> None:
        match message:
            case Open() | Count():
                pass
            case _:
                assert_never(message)  # type: ignore[arg-type]


class DeafDoor(Actor[DoorMessage]):
    async def handle(self, message: Open) -> None:  # type: ignore[override]
        """Takes less than it says."""


class HearingDoor(Actor[Open]):
    async def handle(self, message: DoorMessage) -> None:
        """Takes more than it says, which does no harm."""


class AlienActor(Actor[Alien]):
    async def handle(self, message: Alien) -> None:
        self.context.self.tell(message)
        self.context.self.tell(Open("me"))  # type: ignore[arg-type]


# ---- tell ---------------------------------------------------------------------------------------


def told(door: Ref[DoorMessage]) -> None:
    door.tell(Open("me"))
    door.tell(Closed("night"))
    door.tell(Alien())  # type: ignore[arg-type]
    door.tell("open")  # type: ignore[arg-type]
    door.tell(Open)  # type: ignore[arg-type]


def opens(door: Ref[Open]) -> None:
    door.tell(Open("me"))


def opens_and_closes(door: Ref[Open | Closed]) -> None:
    door.tell(Closed("night"))


def handed_on(all_of_it: Ref[DoorMessage], one: Ref[Open], another: Ref[Open | Alien]) -> None:
    """Who takes more may stand where less is sent, never the other way round."""
    opens(all_of_it)
    opens(one)
    opens(another)
    opens_and_closes(all_of_it)
    opens_and_closes(one)  # type: ignore[arg-type]
    opens_and_closes(another)  # type: ignore[arg-type]
    less: Ref[Open] = all_of_it
    more: Ref[DoorMessage] = less  # type: ignore[assignment]
    more.tell(Closed("night"))


# ---- ask ----------------------------------------------------------------------------------------


def counted(number: int) -> None: ...


def named(text: str) -> None: ...


async def asked(door: Ref[DoorMessage], narrow: Ref[Open]) -> None:
    assert_type(await door.ask(Count, within=1), int)
    counted(await door.ask(Count, within=1))
    named(await door.ask(Count, within=1))  # type: ignore[arg-type]
    await narrow.ask(Count, within=1)  # type: ignore[arg-type]
    await door.ask(Open, within=1)  # type: ignore[arg-type]
    await door.ask(Count)  # type: ignore[call-arg]


# ---- what a context is given --------------------------------------------------------------------


async def fetch() -> int:
    await trio.lowlevel.checkpoint()
    return 7


def opened_by(number: int) -> Open:
    return Open(str(number))


def opened_for(name: str) -> Open:
    return Open(name)


def alien(_: object) -> Alien:
    return Alien()


def ended(end: Terminated) -> Closed:
    return Closed(end.reason)


def contextual(context: Context[DoorMessage], mortal: Ref[Alien]) -> None:
    context.after(1, Open("me"))
    context.after(1, Alien())  # type: ignore[arg-type]
    context.every(1, Closed("night"))
    context.every(1, Alien())  # type: ignore[arg-type]
    context.request(fetch, opened_by, lost=Closed("unknown"))
    context.request(fetch, then=lambda number: Open(str(number)))
    context.request(fetch, then=alien)  # type: ignore[arg-type]
    context.request(fetch, then=opened_for)  # type: ignore[misc]
    context.request(fetch, opened_by, lost=Alien())  # type: ignore[arg-type]
    context.watch(mortal, ended)
    context.watch(mortal, alien)  # type: ignore[arg-type]
    context.watch(mortal, opened_by)  # type: ignore[arg-type]
    context.self.tell(Alien())  # type: ignore[arg-type]


# ---- trees --------------------------------------------------------------------------------------

DOOR = Key[DoorMessage]("door")
ALIEN = Key[Alien]("alien")


def trees(door: Ref[DoorMessage], other: Ref[Alien]) -> SupervisorSpec:
    good = ChildSpec("door", door, Door, key=DOOR)
    assert_type(good, ChildSpec[DoorMessage])
    return SupervisorSpec(
        "root",
        (
            good,
            ChildSpec("other", other, AlienActor, key=ALIEN),
            ChildSpec("a", other, Door),  # type: ignore[arg-type]
            ChildSpec("b", door, AlienActor),  # type: ignore[arg-type]
            ChildSpec("c", door, Door()),  # type: ignore[arg-type]
            ChildSpec("d", door, Door, key=ALIEN),  # type: ignore[misc]
            ChildSpec[DoorMessage]("e", Ref[Open]("e"), Door),  # type: ignore[arg-type]
            ChildSpec("f", Ref[Open]("f"), Door),
            ChildSpec("g", Ref[Open | Alien]("g"), HearingDoor),  # type: ignore[arg-type]
            ChildSpec("h", door, Door, key=Key[Open]("less than it takes")),
            ChildSpec("i", door, Door, key=Key[DoorMessage | Alien]("more")),  # type: ignore[misc]
        ),
    )


def no_child(door: Ref[DoorMessage]) -> SupervisorSpec:
    return SupervisorSpec("root", (door,))  # type: ignore[arg-type]


def come_and_go(house: Dynamic, door: Ref[DoorMessage]) -> None:
    house.start_child(ChildSpec("door", door, Door))
    house.start_child(ChildSpec("alien", door, AlienActor))  # type: ignore[arg-type]


def found(system: System) -> None:
    assert_type(system.find(DOOR), Ref[DoorMessage] | None)
    system.find(DOOR).tell(Open("me"))  # type: ignore[union-attr]
    if door := system.find(DOOR):
        door.tell(Open("me"))
        door.tell(Alien())  # type: ignore[arg-type]
        stranger: Ref[Alien] = door  # type: ignore[assignment]
        stranger.tell(Alien())
    system.find("root/door")  # type: ignore[arg-type]


# ---- the kit ------------------------------------------------------------------------------------


async def probed(probe: Probe[Open | Closed]) -> None:
    assert_type(await probe.next(within=1), Open | Closed)
    assert_type(await probe.next_of(Closed, within=1), Closed)
    assert_type(probe.drain(), list[Open | Closed])
    probe.ref.tell(Alien())  # type: ignore[arg-type]
    opens_and_closes(probe.ref)
    handed_on(probe.ref, probe.ref, probe.ref)  # type: ignore[arg-type]


def observed(event: SupervisionEvent) -> str:
    """An observer that knows only some of the events is told so."""
    match event:
        case _ if event.path:
            return event.path
        case _:
            assert_never(event)  # type: ignore[arg-type]
