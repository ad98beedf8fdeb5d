"""The hash chain: each row's hash covers the row and the hash before it.

Whoever changes, removes or inserts a row has to recompute everything after it, and anyone who noted
a later hash elsewhere sees that.
"""

import hashlib
from collections.abc import Iterable

from store.entry import Entry

GENESIS = "0" * 64
"""What the first row names as the hash before it."""


def digest(before: str, entry: Entry) -> str:
    """Return the hash (64 hexadecimal digits) of an entry that follows ``before``."""
    return hashlib.sha256(before.encode() + entry.line()).hexdigest()


def first_break(rows: Iterable[tuple[Entry, str, str]]) -> int | None:
    """Return the number of the first row (entry, prev_hash, hash) that does not fit, or None."""
    before = GENESIS
    for entry, previous, own in rows:
        if previous != before or own != digest(before, entry):
            return entry.seq
        before = own
    return None
