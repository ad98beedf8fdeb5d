"""Which faults stand at the moment, and how much is left of each."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from attrs import define

from simulator.faults import Fault


@define(eq=False)
class _Standing:
    fault: Fault
    left: int | None
    until: float | None

    def over(self, monotonic: float) -> bool:
        return self.left == 0 or (self.until is not None and monotonic >= self.until)


class FaultBoard:
    """The standing faults, oldest first; only this object counts them down."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._standing: list[_Standing] = []

    def add(self, fault: Fault) -> None:
        """Let a fault stand from now on."""
        until = None if fault.duration is None else self._monotonic() + fault.duration
        self._standing.append(_Standing(fault, fault.times, until))

    def clear(self, kind: type[Fault] | None = None) -> None:
        """End all faults, or those of one kind."""
        kept = [] if kind is None else [it for it in self._standing if type(it.fault) is not kind]
        self._standing = kept

    def take[F: Fault](
        self, kind: type[F], meant: Callable[[F], bool] = lambda _: True
    ) -> F | None:
        """The oldest standing fault of this kind that is meant, counted down by one."""
        if not self._standing:
            return None
        for standing in self._live():
            if isinstance(standing.fault, kind) and meant(standing.fault):
                if standing.left is not None:
                    standing.left -= 1
                return standing.fault
        return None

    def standing[F: Fault](self, kind: type[F]) -> F | None:
        """The newest standing fault of this kind, not counted down."""
        if not self._standing:
            return None
        found = [it.fault for it in self._live() if isinstance(it.fault, kind)]
        return found[-1] if found else None

    def show(self) -> list[dict[str, Any]]:
        """The standing faults as JSON objects, with what is left of them."""
        return [
            {
                "fault": it.fault.name,
                **msgspec.to_builtins(it.fault),
                "left": it.left,
                "seconds_left": None if it.until is None else it.until - self._monotonic(),
            }
            for it in self._live()
        ]

    def _live(self) -> Iterator[_Standing]:
        now = self._monotonic()
        self._standing = [it for it in self._standing if not it.over(now)]
        return iter(self._standing)
