"""The handle by which children come and go at run time.

The handle holds the children that *should* exist; the supervisor brings the house into line with
it. So children may be named before the supervisor runs, and they outlive its restarts.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .reference import Ref

if TYPE_CHECKING:
    from .registry import Key
    from .specs import ChildSpec, SupervisorSpec

type _Part = Ref[Any] | Dynamic | Key[Any]


class Dynamic:
    """The wanted children of one dynamic supervisor."""

    def __init__(self) -> None:
        self._specs: dict[str, ChildSpec[Any] | SupervisorSpec] = {}
        self._changed: Callable[[], None] = _nothing
        self._claimed = False
        self._closed = False

    def __contains__(self, child_id: object) -> bool:
        return child_id in self._specs

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._specs))

    def start_child[M](self, spec: "ChildSpec[M] | SupervisorSpec") -> None:
        """Have a child started soon; ``ValueError`` when its id, a ref or a key is in use."""
        if self._closed:
            raise ValueError(f"{spec.id!r} cannot be started: its supervisor has stopped for good")
        if spec.id in self._specs:
            raise ValueError(f"there is already a child named {spec.id!r}")
        claim(spec)
        self._specs[spec.id] = spec
        self._changed()

    def stop_child(self, child_id: str) -> None:
        """Have a child stopped for good soon; ``KeyError`` when there is none of that id."""
        del self._specs[child_id]
        self._changed()

    def _discard(self, spec: "ChildSpec[Any] | SupervisorSpec") -> None:
        if self._specs.get(spec.id) is spec:
            del self._specs[spec.id]


def _nothing() -> None:
    """A handle without a running supervisor tells nobody."""


def claim(spec: "ChildSpec[Any] | SupervisorSpec") -> None:
    """Take the refs, handles and keys of a tree for it; ``ValueError`` when one is in use."""
    parts = list(_parts(spec))
    taken = [name for name, part in parts if part._claimed or _count(part, parts) > 1]
    if taken:
        raise ValueError(f"a ref, handle or key has one place, and only once: {', '.join(taken)}")
    for _, part in parts:
        part._claimed = True


def _count(part: object, parts: "list[tuple[str, _Part]]") -> int:
    return sum(other is part for _, other in parts)


def _parts(spec: "ChildSpec[Any] | SupervisorSpec") -> "Iterator[tuple[str, _Part]]":
    ref = getattr(spec, "ref", None)
    if ref is not None:
        yield ref.path, ref
    key = getattr(spec, "key", None)
    if key is not None:
        yield key.name, key
    dynamic = getattr(spec, "dynamic", None)
    if dynamic is not None:
        yield spec.id, dynamic
    for child in getattr(spec, "children", ()):
        yield from _parts(child)
