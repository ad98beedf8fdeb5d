"""Events against an answer that was asked for before them: the newer counts, key by key. Pure."""

from collections.abc import Iterator, Mapping


def changed[K: (str, int), V](old: Mapping[K, V], new: Mapping[K, V]) -> Iterator[K]:
    """Keys whose values differ, or that only one of them has."""
    return (key for key in {**old, **new} if old.get(key) != new.get(key))


def overlaid[K: (str, int), V](
    read: Mapping[K, V], known: Mapping[K, V], seen: Mapping[str | int, float], began: float
) -> dict[K, V]:
    """An answer that was asked for at ``began``, with what events (``seen``) have said since then."""

    def newer(key: K) -> bool:
        return seen.get(key, -float("inf")) > began

    merged = {key: value for key, value in read.items() if not newer(key)}
    return merged | {key: value for key, value in known.items() if newer(key)}
