"""What lives in place of each actor of a simulated daemon: the actor itself, and what befalls it.

Passed to ``open_system(haunt=...)``. A haunted actor hands everything on to the real one; on the way
its messages are counted and noted, and spells may strike at them: it crashes before or after the
handler has run, is late, never comes back, or something happens elsewhere just then.

Nothing is awaited and no coroutine is added while no spell lies on an actor, so it costs a function
call and an addition for each message.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

import trio
from attrs import define, field

from supervision import Actor, Context, FaultInjected

Moment = Literal["before", "after"]
ANY = "*"
"""Every class of messages; what is no message (``started``, ``stopping``) must be named."""


@define(eq=False)
class Spell:
    """What is to happen at certain messages to certain actors."""

    actor: str
    """Pattern of the end of its path: ``enforcement``, ``SIM-50K-1/account``, ``*/rules``."""
    message: str = ANY
    """Name of the class of messages; also ``started`` and ``stopping``."""
    nth: int = 1
    """How many of them must have come, counted from when the spell was cast."""
    times: int | None = 1
    """How many of them it strikes; None: all, until it is lifted."""
    moment: Moment = "before"
    crash: str = ""
    """Raise FaultInjected with this text."""
    late: float = 0.0
    """Seconds to wait; infinite: until the actor is cancelled."""
    call: Callable[[], None] | None = None
    """Do this elsewhere."""
    struck: int = 0
    _came: int = 0

    def concerns(self, path: str) -> bool:
        """Whether the actor at this path is meant."""
        return path == self.actor or fnmatchcase(path, "*/" + self.actor)

    def strikes(self, kind: str) -> bool:
        """Count a message; whether it is struck."""
        if self.message != kind and (self.message != ANY or kind in _NO_MESSAGES):
            return False
        self._came += 1
        if self._came < self.nth or self.spent:
            return False
        self.struck += 1
        return True

    @property
    def spent(self) -> bool:
        """It has struck as often as it was to."""
        return self.times is not None and self.struck >= self.times


_NO_MESSAGES = frozenset({"started", "stopping"})


@define(eq=False)
class _Room:
    """One path of the tree, through all incarnations and lives."""

    path: str
    counts: defaultdict[type, int] = field(factory=lambda: defaultdict(int))
    spells: list[Spell] = field(factory=list)


class Haunting:
    """The ``haunt`` of a simulated daemon; one for all its lives."""

    def __init__(self, note: Callable[[str, str], None] | None = None) -> None:
        """``note(path, class name)`` is told each message before it is handled."""
        self._note = note
        self._rooms: dict[str, _Room] = {}
        self._spells: list[Spell] = []
        self._freed = trio.Event()
        self.held_up: Counter[str] = Counter()
        """Handlers that are late on purpose just now, by their actor's path."""
        self.caught_up: dict[str, float] = {}
        """Trio's time when a handler of a path was last late on purpose."""
        self._fallen: set[str] = set()
        """Paths whose actor was made to crash and is not replaced yet: what it was asking the broker
        is waited for, some seconds at most."""

    def __call__(self, path: str, actor: Actor[Any]) -> Actor[Any]:
        """The actor, haunted."""
        if path in self._fallen:
            self._fallen.discard(path)
            self.caught_up[path] = trio.current_time()
        room = self._rooms.get(path)
        if room is None:
            room = self._rooms[path] = _Room(path)
            room.spells = [it for it in self._spells if it.concerns(path)]
        return _Haunted(actor, room, self)

    def cast(self, spell: Spell) -> None:
        """Let a spell lie on all actors that it concerns, also future ones."""
        self._spells = [it for it in self._spells if not it.spent]
        self._spells.append(spell)
        for room in self._rooms.values():
            if spell.concerns(room.path):
                room.spells.append(spell)

    def lift(self, spell: Spell | None = None) -> None:
        """End a spell, or all; who hangs under it goes on only by :meth:`free`."""
        for spells in (self._spells, *(room.spells for room in self._rooms.values())):
            spells[:] = [it for it in spells if spell is not None and it is not spell]

    def free(self) -> None:
        """Whoever waits under a spell goes on now: the process dies, or all is to be well."""
        self._freed.set()
        self._freed = trio.Event()

    def paths(self, pattern: str) -> list[str]:
        """Paths of all actors there ever were that a spell of this pattern would concern."""
        spell = Spell(pattern)
        return [path for path in self._rooms if spell.concerns(path)]

    def late_since(self, since: float) -> set[str]:
        """Paths that were late on purpose, or had fallen, at some time since then (Trio's time)."""
        late = {path for path, handlers in self.held_up.items() if handlers} | self._fallen
        return late.union(path for path, at in self.caught_up.items() if at >= since)

    @property
    def messages(self) -> int:
        """Messages that were given to handlers."""
        return sum(sum(room.counts.values()) for room in self._rooms.values())

    def counts(self) -> Mapping[tuple[str, str], int]:
        """Messages by the actor's path and their class."""
        return Counter(
            {
                (room.path, kind.__name__): count
                for room in self._rooms.values()
                for kind, count in room.counts.items()
            }
        )

    def fell(self, path: str) -> None:
        """Its actor crashes now."""
        self._fallen.add(path)

    async def wait(self, seconds: float) -> None:
        """Be late, unless freed."""
        with trio.move_on_after(seconds):
            await self._freed.wait()


class _Haunted(Actor[Any]):
    """One incarnation, and what befalls it."""

    def __init__(self, inner: Actor[Any], room: _Room, house: Haunting) -> None:
        self._inner = inner
        self._handle = inner.handle
        # What no spell touches is the inner actor's own.
        self.turn_ended = inner.turn_ended  # type: ignore[method-assign]
        self.status = inner.status  # type: ignore[method-assign]
        self._room = room
        self._counts = room.counts
        self._spells = room.spells
        self._house = house
        self._note = house._note  # noqa: SLF001 - of one piece

    @property
    def context(self) -> Context[Any]:
        """The inner actor's."""
        return self._inner.context

    @context.setter
    def context(self, context: Context[Any]) -> None:
        self._inner.context = context

    async def started(self) -> None:
        """Under spells, as the inner actor."""
        await self._under_spells("started", self._inner.started)

    def handle(self, message: Any) -> Coroutine[Any, Any, None]:
        """The inner actor's handler itself, unless a spell lies here."""
        kind = type(message)
        self._counts[kind] += 1
        if self._note is not None:
            self._note(self._room.path, kind.__name__)
        if self._spells:
            return self._under_spells(kind.__name__, lambda: self._handle(message))
        return self._handle(message)

    async def stopping(self) -> None:
        """Under spells, as the inner actor."""
        await self._under_spells("stopping", self._inner.stopping)

    async def _under_spells(self, kind: str, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        struck = [it for it in self._spells if it.strikes(kind)]
        self._spells[:] = [it for it in self._spells if not it.spent]
        for spell in struck:
            if spell.moment == "before":
                await self._befall(spell)
        await act()
        for spell in struck:
            if spell.moment == "after":
                await self._befall(spell)

    async def _befall(self, spell: Spell) -> None:
        if spell.call is not None:
            spell.call()
        if spell.late:
            self._house.held_up[self._room.path] += 1
            try:
                await self._house.wait(spell.late)
            finally:
                self._house.held_up[self._room.path] -= 1
                self._house.caught_up[self._room.path] = trio.current_time()
        if spell.crash:
            self._house.fell(self._room.path)
            raise FaultInjected(spell.crash)
