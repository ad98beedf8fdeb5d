"""Names by which actors are found, typed: what is found takes what the key says."""

from .reference import Ref


class Key[M]:
    """A name under which one actor of a tree is found, and the messages that this actor takes.

    Keys are told apart by identity: make one where both sides can import it. It is free again once
    its actor has stopped for good.
    """

    __slots__ = ("_claimed", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._claimed = False

    def __repr__(self) -> str:
        return f"<Key {self.name}>"

    def _of(self, ref: Ref[M]) -> Ref[M]:
        """The ref that was admitted under this very key.

        As M goes in and comes out, the key of a spec pins the messages of its ref and its actor.
        """
        return ref
