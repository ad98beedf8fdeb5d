"""Waiting for the disk: order, bound, and who is given up first."""

from hypothesis import given
from hypothesis import strategies as st

from store.backlog import Backlog
from store.entry import Entry

kinds = st.lists(st.sampled_from(["lock", "decision"]), max_size=40)


def entries(kinds: list[str]) -> list[Entry]:
    """Numbered entries of these kinds."""
    return [
        Entry(number, "2026-11-20T16:00:00+00:00", kind, None, "{}")
        for number, kind in enumerate(kinds, start=1)
    ]


@given(kinds, st.integers(0, 40))
def test_entries_come_out_in_the_order_of_their_numbers(kinds: list[str], first: int) -> None:
    """Also when a batch was refused and more came meanwhile."""
    given_in = entries(kinds)
    backlog = Backlog(100, frozenset({"lock"}))
    for entry in given_in[:first]:
        backlog.add(entry)
    refused = backlog.take()
    for entry in given_in[first:]:
        backlog.add(entry)
    backlog.give_back(refused)
    assert backlog.take() == given_in
    assert len(backlog) == 0


@given(kinds, st.integers(1, 10))
def test_the_bound_holds_and_locks_are_given_up_last(kinds: list[str], limit: int) -> None:
    """What is kept are the newest, locks before anything else; the rest is counted."""
    given_in = entries(kinds)
    backlog = Backlog(limit, frozenset({"lock"}))
    for entry in given_in:
        backlog.add(entry)
    assert len(backlog) == min(limit, len(given_in))
    assert backlog.given_up == len(given_in) - len(backlog)
    kept_locks = [entry for entry in backlog.take() if entry.kind == "lock"]
    assert kept_locks == [entry for entry in given_in if entry.kind == "lock"][-limit:]
