"""A flatten under way, and what it is aimed at: under a lock also whatever still comes. Pure."""

from collections.abc import Mapping

from attrs import define

from risk.domain import Episode, Order, Position
from risk.verdict import Violation
from store.records import Intent


@define
class Flattening:
    """One intent to have nothing open; mutated only by its Enforcer."""

    intent: Intent
    read_from: float
    """Monotonic seconds: only a read that began from then on can show that it has come true."""
    _aimed_at: set[Episode | int | None] | None = None
    """Lives of positions and ids of orders; None: whatever is there."""

    @classmethod
    def decided(cls, intent: Intent) -> "Flattening":
        """A verdict's, aimed at nothing yet."""
        return cls(intent, 0.0, set())

    def aim(
        self,
        violation: Violation,
        positions: Mapping[str, Position],
        orders: Mapping[int, Order],
        mono: float,
    ) -> None:
        """The verdict was given, perhaps again: what is there now was judged."""
        self.read_from = mono
        if violation.lock is not None or "lock" in violation.inputs:
            self._aimed_at = None
        if self._aimed_at is not None:
            self._aimed_at |= {position.episode for position in positions.values()}
            self._aimed_at |= set(orders)

    def takes(self, one: Position | Order) -> bool:
        """Whether this was judged; what a trader opens later is for the next verdict."""
        key = one.id if isinstance(one, Order) else one.episode
        return self._aimed_at is None or key in self._aimed_at

    def left(self, positions: Mapping[str, Position], orders: Mapping[int, Order]) -> bool:
        """Whether anything of it is still there."""
        return any(map(self.takes, positions.values())) or any(map(self.takes, orders.values()))

    def episode_of(self, position: Position) -> Episode | None:
        """The life that a close is aimed at; None: whatever is found in the contract."""
        return None if self._aimed_at is None else position.episode
