"""The locks of one account: a set of (rule, until) that holds until the last of them has ended."""

from datetime import datetime

from attrs import define

from risk.verdict import Lock


@define
class LockSet:
    """Owned by one account state; only what its owner takes out has ended."""

    held: tuple[Lock, ...] = ()
    """In the order in which they were set, pauses included."""

    @property
    def full(self) -> tuple[Lock, ...]:
        """Those under which nothing may be held."""
        return tuple(lock for lock in self.held if not lock.reduce_only)

    @property
    def pauses(self) -> tuple[Lock, ...]:
        """Those under which nothing may be opened or added."""
        return tuple(lock for lock in self.held if lock.reduce_only)

    def add(self, lock: Lock) -> bool:
        """Add one; False when it is there already."""
        if any(held.key == lock.key for held in self.held):
            return False
        self.held = (*self.held, lock)
        return True

    def expire(self, now: datetime) -> tuple[Lock, ...]:
        """Take out those whose time has come, and say which."""
        ended = tuple(lock for lock in self.held if lock.until <= now)
        self.held = tuple(lock for lock in self.held if lock.until > now)
        return ended
