"""The handle by which children come and go at run time.

The handle holds the children that *should* exist; the supervisor brings the house into line with
it. So children may be named before the supervisor runs, and they outlive its restarts.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .reference import Ref

if TYPE_CHECKING:
    from .specs import ChildSpec, SupervisorSpec


class Dynamic:
    """The wanted children of one dynamic supervisor."""

    def __init__(self) -> None:
        self._specs: dict[str, ChildSpec | SupervisorSpec] = {}
        self._changed: Callable[[], None] = _nothing
        self._claimed = False

    def __contains__(self, child_id: object) -> bool:
        return child_id in self._specs

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._specs))

    def start_child(self, spec: "ChildSpec | SupervisorSpec") -> None:
        """Have a child started soon; ``ValueError`` when its id or one of its refs is in use."""
        if spec.id in self._specs:
            raise ValueError(f"there is already a child named {spec.id!r}")
        claim(spec)
        self._specs[spec.id] = spec
        self._changed()

    def stop_child(self, child_id: str) -> None:
        """Have a child stopped for good soon; ``KeyError`` when there is none of that id."""
        del self._specs[child_id]
        self._changed()

    def _discard(self, spec: "ChildSpec | SupervisorSpec") -> None:
        if self._specs.get(spec.id) is spec:
            del self._specs[spec.id]


def _nothing() -> None:
    """A handle without a running supervisor tells nobody."""


def claim(spec: "ChildSpec | SupervisorSpec") -> None:
    """Take the refs and handles of a tree for it; ``ValueError`` when one is in use already."""
    parts = list(_parts(spec))
    taken = [name for name, part in parts if part._claimed or _count(part, parts) > 1]
    if taken:
        raise ValueError(f"a ref or handle has one place, and only once: {', '.join(taken)}")
    for _, part in parts:
        part._claimed = True


def _count(part: object, parts: "list[tuple[str, Ref[Any] | Dynamic]]") -> int:
    return sum(other is part for _, other in parts)


def _parts(spec: "ChildSpec | SupervisorSpec") -> "Iterator[tuple[str, Ref[Any] | Dynamic]]":
    ref = getattr(spec, "ref", None)
    if ref is not None:
        yield ref.path, ref
    dynamic = getattr(spec, "dynamic", None)
    if dynamic is not None:
        yield spec.id, dynamic
    for child in getattr(spec, "children", ()):
        yield from _parts(child)
