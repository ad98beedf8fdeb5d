"""Delta debugging: the smallest part of a sequence that still fails (Zeller's ddmin)."""

from collections.abc import Callable, Sequence
from itertools import pairwise


def ddmin[T](items: Sequence[T], fails: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """A part of ``items`` that fails although no single item can be left out of it.

    ``items`` as a whole must fail; ``fails`` is asked about parts of it, in its order, never twice
    in a row about the same, and the empty one first.
    """
    if fails(()):
        return ()
    left, pieces = tuple(items), 2
    while len(left) >= 2:
        smaller = _without_a_piece(left, pieces, fails)
        if smaller is not None:
            left, pieces = smaller, max(pieces - 1, 2)
        elif pieces >= len(left):
            break
        else:
            pieces = min(2 * pieces, len(left))
    return left


def _without_a_piece[T](
    items: tuple[T, ...], pieces: int, fails: Callable[[tuple[T, ...]], bool]
) -> tuple[T, ...] | None:
    """The first part that fails without one of the pieces; with two pieces that is the other one."""
    bounds = [len(items) * n // pieces for n in range(pieces + 1)]
    for start, end in pairwise(bounds):
        rest = items[:start] + items[end:]
        if fails(rest):
            return rest
    return None
