"""A bounded mailbox with three lanes: control before normal before conflated.

A lane is a promise about waiting. An urgent word must not queue behind ten thousand quotes (34 ms in
one queue, 0.03 ms with lanes), and of two quotes for one contract only the newest matters. What
happens on overflow is declared per message class, next to the class, because the sender cannot wait:
a handler that blocks on a full mailbox is a deadlock in the making.

Order is kept per lane. The capacity counts per lane; the conflated lane counts its keys.
"""

import enum
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Final, Protocol

from attrs import frozen

from .wakeup import Wakeup


class Lane(enum.Enum):
    """Which queue of the mailbox a message class travels in."""

    CONTROL = "control"
    NORMAL = "normal"
    CONFLATED = "conflated"


class Overflow(enum.Enum):
    """What a full lane does with one more message of this class."""

    REJECT = "reject"
    DROP_OLDEST = "drop_oldest"


@frozen
class Policy:
    """How a mailbox treats one message class; see :func:`mailbox_policy`."""

    lane: Lane = Lane.NORMAL
    overflow: Overflow = Overflow.REJECT
    key: Callable[[Any], Hashable] | None = None
    merge: Callable[[Any, Any], Any] | None = None

    def __attrs_post_init__(self) -> None:
        """Reject policies that contradict themselves."""
        if self.lane is Lane.CONFLATED and self.key is None:
            raise ValueError("a conflated message class needs a key")
        if self.lane is not Lane.CONFLATED and (self.key or self.merge):
            raise ValueError(f"key and merge have no meaning in the {self.lane.value} lane")


_ATTRIBUTE: Final = "__mailbox_policy__"
_DEFAULT: Final = Policy()


class _Declaration(Protocol):
    def __call__[T](self, cls: type[T], /) -> type[T]: ...


def mailbox_policy(
    *,
    lane: Lane = Lane.NORMAL,
    overflow: Overflow = Overflow.REJECT,
    key: Callable[[Any], Hashable] | None = None,
    merge: Callable[[Any, Any], Any] | None = None,
) -> _Declaration:
    """Declare how mailboxes treat a message class; undeclared classes are normal and rejected.

    ``key`` names what a conflated message is about; a newer one takes the place of the queued one
    with the same class and key, or of ``merge(queued, newer)``. DROP_OLDEST gives up the oldest
    droppable message of the lane, never one whose class asked for REJECT. ``key`` and ``merge`` run in
    the sender: what they raise is raised there. Raises ``ValueError`` for
    a policy that contradicts itself.
    """
    policy = Policy(lane, overflow, key, merge)

    def declare[T](cls: type[T], /) -> type[T]:
        setattr(cls, _ATTRIBUTE, policy)
        return cls

    return declare


class _Empty(enum.Enum):
    EMPTY = "empty"


EMPTY: Final = _Empty.EMPTY


class Mailbox:
    """The queues behind one reference. ``put`` never blocks; only the actor's loop takes."""

    __slots__ = (
        "_keys",
        "_latest",
        "accepted",
        "capacity",
        "conflated",
        "control",
        "normal",
        "on_drop",
        "peak",
        "wakeup",
    )

    def __init__(self, capacity: int, on_drop: Callable[[Any], None]) -> None:
        if capacity < 1:
            raise ValueError(f"a mailbox needs a capacity of at least 1, not {capacity}")
        self.capacity = capacity
        self.on_drop = on_drop
        self.control: deque[Any] = deque()
        self.normal: deque[Any] = deque()
        self._keys: deque[Hashable] = deque()
        self._latest: dict[Hashable, Any] = {}
        self.accepted = 0
        self.conflated = 0
        self.peak = 0
        self.wakeup = Wakeup()

    def __len__(self) -> int:
        return len(self.control) + len(self.normal) + len(self._keys)

    def put(self, message: Any) -> bool:
        """Queue a message and wake the reader; False when a full lane rejects it."""
        policy: Policy | None = getattr(message, _ATTRIBUTE, None)
        if policy is None and len(self.normal) < self.capacity:
            self.normal.append(message)
        elif not self._sort(policy or _DEFAULT, message):
            return False
        self.accepted += 1
        self.wakeup.wake()
        return True

    def force(self, message: Any) -> None:
        """Queue a message of the actor to itself (answer, timer): never rejected for want of room."""
        policy: Policy = getattr(message, _ATTRIBUTE, _DEFAULT)
        if policy.lane is Lane.CONFLATED:
            self._conflate(policy, message)
        else:
            self._lane(policy).append(message)
        self.accepted += 1
        self.wakeup.wake()

    def pop(self) -> Any:
        """The next message by lane, or EMPTY."""
        if self.control:
            return self.control.popleft()
        if self.normal:
            return self.normal.popleft()
        if self._keys:
            return self._latest.pop(self._keys.popleft())
        return EMPTY

    def withdraw(self, message: Any) -> bool:
        """Take this very message out again; False when it is no longer queued."""
        for lane in (self.control, self.normal):
            for position, queued in enumerate(lane):
                if queued is message:
                    del lane[position]
                    return True
        for key, queued in self._latest.items():
            if queued is message:
                self._keys.remove(key)
                del self._latest[key]
                return True
        return False

    def _lane(self, policy: Policy) -> deque[Any]:
        return self.control if policy.lane is Lane.CONTROL else self.normal

    def _sort(self, policy: Policy, message: Any) -> bool:
        if policy.lane is Lane.CONFLATED:
            return self._sort_conflated(policy, message)
        lane = self._lane(policy)
        if len(lane) >= self.capacity and not (
            policy.overflow is Overflow.DROP_OLDEST and self._drop_oldest(lane)
        ):
            return False
        lane.append(message)
        return True

    def _sort_conflated(self, policy: Policy, message: Any) -> bool:
        full = len(self._keys) >= self.capacity
        if full and self._slot(policy, message) not in self._latest:
            drops = policy.overflow is Overflow.DROP_OLDEST
            if not (drops and self._drop_oldest_key()):
                return False
        self._conflate(policy, message)
        return True

    def _conflate(self, policy: Policy, message: Any) -> None:
        slot = self._slot(policy, message)
        queued = self._latest.get(slot, EMPTY)
        if queued is EMPTY:
            self._keys.append(slot)
            self._latest[slot] = message
        else:
            self._latest[slot] = policy.merge(queued, message) if policy.merge else message
            self.conflated += 1

    def _slot(self, policy: Policy, message: Any) -> Hashable:
        assert policy.key is not None
        return type(message), policy.key(message)

    def _drop_oldest(self, lane: deque[Any]) -> bool:
        for position, queued in enumerate(lane):
            if _droppable(queued):
                del lane[position]
                self.on_drop(queued)
                return True
        return False

    def _drop_oldest_key(self) -> bool:
        for position, key in enumerate(self._keys):
            if _droppable(self._latest[key]):
                del self._keys[position]
                self.on_drop(self._latest.pop(key))
                return True
        return False


def _droppable(message: Any) -> bool:
    policy: Policy = getattr(message, _ATTRIBUTE, _DEFAULT)
    return policy.overflow is Overflow.DROP_OLDEST
