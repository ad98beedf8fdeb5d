"""Haunted actors do what they always did, and fail exactly where they are told to."""

import random
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import pytest
import trio
from attrs import define, field, frozen

from simulation.haunting import Haunting, Spell
from supervision import (
    Actor,
    ChildSpec,
    FaultInjected,
    HandlerStuck,
    Ref,
    SupervisorSpec,
    System,
    open_system,
)
from supervision.testing import run_virtual


@frozen
class Word:
    text: str


@frozen
class Sign:
    text: str


@define
class House:
    """A tree of two scribes, and what they wrote."""

    haunting: Haunting = field(factory=Haunting)
    wrote: list[str] = field(factory=list)
    a: Ref[Word | Sign] = field(factory=lambda: Ref("a"))
    b: Ref[Word | Sign] = field(factory=lambda: Ref("b"))
    system: System = field(init=False)

    def open(self) -> AbstractAsyncContextManager[System]:
        children = tuple(
            ChildSpec(name, ref, partial(Scribe, name, self.wrote))
            for name, ref in (("a", self.a), ("b", self.b))
        )
        spec = SupervisorSpec("house", children)
        return open_system(spec, chance=random.Random(1), haunt=self.haunting)


class Scribe(Actor[Word | Sign]):
    def __init__(self, name: str, wrote: list[str]) -> None:
        self._name = name
        self._wrote = wrote

    async def started(self) -> None:
        self._wrote.append(f"{self._name} begins {self.context.generation}")

    async def handle(self, message: Word | Sign) -> None:
        self._wrote.append(f"{self._name} {message.text}")

    async def turn_ended(self) -> None:
        self._wrote.append(f"{self._name}.")

    async def stopping(self) -> None:
        self._wrote.append(f"{self._name} ends")

    def status(self) -> dict[str, object]:
        return {"name": self._name}


def told(story: Callable[[House], Coroutine[Any, Any, None]]) -> House:
    async def run() -> House:
        house = House()
        async with house.open() as house.system:
            await story(house)
        return house

    return run_virtual(run, seed=1)


def test_a_haunted_actor_does_what_it_always_did() -> None:
    """Start, messages, turns, status and stop reach the actor; messages are counted."""

    async def story(house: House) -> None:
        house.a.tell(Word("x"))
        house.a.tell(Sign("y"))
        await trio.sleep(1)
        (a, _) = house.system.tree().children
        assert a.status == {"name": "a"}
        assert house.haunting.messages == 2
        assert house.haunting.counts() == {("house/a", "Word"): 1, ("house/a", "Sign"): 1}

    house = told(story)
    assert [it for it in house.wrote if it.startswith("a")] == [
        "a begins 1",
        "a x",
        "a y",
        "a.",
        "a ends",
    ]


def test_messages_are_noted_in_order() -> None:
    """Each before it is handled, by the actor's path and its class."""
    seen: list[tuple[str, str]] = []

    async def run() -> None:
        house = House(haunting=Haunting(lambda path, kind: seen.append((path, kind))))
        async with house.open():
            house.b.tell(Sign("1"))
            house.b.tell(Word("2"))
            await trio.sleep(1)

    run_virtual(run, seed=1)
    assert seen == [("house/b", "Sign"), ("house/b", "Word")]


@pytest.mark.parametrize(("moment", "second"), [("before", []), ("after", ["a 2"])])
def test_an_actor_crashes_at_the_chosen_message(moment: Any, second: list[str]) -> None:
    """At the n-th of its class, before or after it was handled; that one message is lost."""

    async def story(house: House) -> None:
        house.haunting.cast(Spell("a", "Word", nth=2, moment=moment, crash="planned"))
        for word in ("1", "2", "3"):
            house.a.tell(Sign("-"))
            house.a.tell(Word(word))
        await trio.sleep(5)
        (letter,) = house.system.dead_letters.recent
        assert letter.message == Word("2")
        assert FaultInjected.__name__ in letter.traceback
        assert house.system.tree().children[0].restarts == 1

    words = [it for it in told(story).wrote if it[:2] == "a " and it[2:].isdigit()]
    assert words == ["a 1", *second, "a 3"]


def test_a_start_can_fail() -> None:
    """The next incarnation crashes in its start, once."""

    async def story(house: House) -> None:
        house.haunting.cast(Spell("a", "started", crash="planned"))
        house.system.crash("house/a", "planned")
        await trio.sleep(5)
        assert house.system.tree().children[0].restarts == 2

    assert [it for it in told(story).wrote if "begins" in it] == [
        "a begins 1",
        "b begins 1",
        "a begins 3",
    ]


def test_a_slow_actor_is_late_and_its_neighbour_is_not() -> None:
    """As long as the spell lies on it."""

    async def story(house: House) -> None:
        slow = Spell("a", late=1.0, times=None)
        house.haunting.cast(slow)
        for it in (house.a, house.a, house.b):
            it.tell(Word("w"))
        await trio.sleep(0.5)
        assert house.wrote[2:] == ["b w", "b."]
        await trio.sleep(2)
        house.haunting.lift(slow)
        house.a.tell(Word("quick"))
        await trio.sleep(0.1)
        written = [it for it in house.wrote if not it.endswith(".")]
        assert written[3:] == ["a w", "a w", "a quick"]

    told(story)


def test_a_handler_that_hangs_is_ended_by_the_overseer() -> None:
    """It is cancelled, counts as crashed, and the next message is handled."""

    async def story(house: House) -> None:
        house.haunting.cast(Spell("a", late=float("inf")))
        house.a.tell(Word("lost"))
        house.a.tell(Word("kept"))
        await trio.sleep(10)
        (letter,) = house.system.dead_letters.recent
        assert letter.message == Word("lost")
        assert HandlerStuck.__name__ in letter.traceback
        assert "a kept" in house.wrote

    told(story)


def test_whoever_hangs_can_be_freed() -> None:
    """Then the handler goes on as if nothing had been."""

    async def story(house: House) -> None:
        house.haunting.cast(Spell("a", late=float("inf")))
        house.a.tell(Word("late"))
        await trio.sleep(1)
        house.haunting.free()
        await trio.sleep(0.1)
        assert "a late" in house.wrote

    told(story)


def test_something_else_can_happen_at_a_message() -> None:
    """Elsewhere, at the chosen place, as often as wanted."""
    rang: list[int] = []

    async def story(house: House) -> None:
        def ring() -> None:
            rang.append(len(house.wrote))

        house.haunting.cast(Spell("*", "Word", nth=2, times=2, moment="after", call=ring))
        for _ in range(2):
            house.a.tell(Word("w"))
            house.b.tell(Word("w"))
        await trio.sleep(1)

    told(story)
    assert len(rang) == 2


def test_a_pattern_means_the_end_of_a_path() -> None:
    """Whole parts of it."""
    spell = Spell("SIM-1/account")
    assert spell.concerns("seawall/logins/x/accounts/SIM-1/account")
    assert not spell.concerns("seawall/logins/x/accounts/XSIM-1/account")
    assert Spell("account").concerns("seawall/SIM-1/account")
    assert Spell("*/account").concerns("seawall/SIM-1/account")
    assert not Spell("count").concerns("seawall/SIM-1/account")
