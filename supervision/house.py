"""What a whole tree shares: dead letters, the observer, chance, and the paths of its actors."""

import random
from collections.abc import Callable
from typing import Any

from .actor import Actor
from .dead_letters import Cause, DeadLetters
from .events import SupervisionEvent
from .reference import Ref
from .registry import Key

type Haunt = Callable[[str, Actor[Any]], Actor[Any]]
"""Fault injection: what lives in place of each fresh instance of the actor at a path."""


class House:
    """Shared by every supervisor of one system; touched only from its Trio run."""

    def __init__(
        self,
        chance: random.Random,
        observe: Callable[[SupervisionEvent], None] | None,
        haunt: Haunt | None,
    ) -> None:
        self.chance = chance
        self.dead_letters = DeadLetters()
        self.refs: dict[str, Ref[Any]] = {}
        self.keys: dict[Key[Any], Ref[Any]] = {}
        self._observe = observe
        self._haunt = haunt

    def create(self, path: str, start: Callable[[], Actor[Any]]) -> Actor[Any]:
        """A fresh instance of an actor, haunted if this house is."""
        actor = start()
        return actor if self._haunt is None else self._haunt(path, actor)

    def admit(self, ref: Ref[Any], path: str, key: Key[Any] | None) -> None:
        """Give a ref its place in the tree, and its name."""
        ref.path = path
        ref._dead_letters = self.dead_letters
        self.refs[path] = ref
        if key is not None:
            self.keys[key] = ref

    def dismiss(self, ref: Ref[Any], key: Key[Any] | None) -> None:
        """The actor behind a ref has stopped for good."""
        ref._seal()
        if self.refs.get(ref.path) is ref:
            del self.refs[ref.path]
        if key is not None and self.keys.get(key) is ref:
            del self.keys[key]
            key._claimed = False

    def tell(self, event: SupervisionEvent) -> None:
        """Show an event to the observer.

        An observer is foreign code (a log, a pipe that broke) called from within a supervisor:
        whatever it raises must not take the tree down, and must not vanish either.
        """
        if self._observe is None:
            return
        try:
            self._observe(event)
        except Exception as error:  # noqa: BLE001 - see above
            self.dead_letters.record(event.path, event, Cause.OBSERVER_FAILED, error)
