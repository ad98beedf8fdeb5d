"""Refs, handles and keys have one place in one tree; what comes and goes is told to the supervisor."""

from collections.abc import Callable
from typing import Any

import pytest

from supervision import Actor, ChildSpec, Dynamic, Key, Ref, SupervisorSpec
from supervision.dynamic import claim


def child(name: str, **wishes: Any) -> ChildSpec[Any]:
    return ChildSpec(name, wishes.pop("ref", None) or Ref(name), Actor, **wishes)


def test_a_handle_knows_the_children_that_should_be_there_in_order() -> None:
    """Whether or not a supervisor runs them yet."""
    handle = Dynamic()
    handle.start_child(child("b"))
    handle.start_child(child("a"))
    assert list(handle) == ["b", "a"]
    assert "a" in handle
    handle.stop_child("b")
    assert list(handle) == ["a"]
    assert "b" not in handle


def test_the_children_may_change_while_they_are_counted() -> None:
    """Who stops them all goes through the very list that becomes shorter."""
    handle = Dynamic()
    for name in "abc":
        handle.start_child(child(name))
    for name in handle:
        handle.stop_child(name)
    assert list(handle) == []


def test_every_change_of_a_handle_is_told_to_its_supervisor() -> None:
    """Once it has happened, or the supervisor would not find it."""
    handle = Dynamic()
    told: list[list[str]] = []
    handle._changed = lambda: told.append(list(handle))
    handle.start_child(child("a"))
    handle.stop_child("a")
    assert told == [["a"], []]


def test_a_name_in_use_is_refused_and_a_name_unknown_too() -> None:
    """The first keeps its place; its handle is as it was."""
    handle = Dynamic()
    first = child("a")
    handle.start_child(first)
    with pytest.raises(ValueError, match="already a child named 'a'"):
        handle.start_child(child("a"))
    with pytest.raises(KeyError, match="b"):
        handle.stop_child("b")
    assert handle._specs == {"a": first}


def test_one_that_ended_for_good_leaves_the_handle_and_its_namesake_stays() -> None:
    """Its name may be in use again by the time it has ended."""
    handle = Dynamic()
    first, second = child("a"), child("a")
    handle.start_child(second)
    handle._discard(first)
    assert "a" in handle
    handle._discard(second)
    assert "a" not in handle
    handle._discard(second)


def test_a_handle_whose_supervisor_has_stopped_for_good_takes_nobody() -> None:
    """And what was offered to it has a place elsewhere."""
    handle, spec = Dynamic(), child("a")
    handle._closed = True
    with pytest.raises(ValueError, match="'a' cannot be started"):
        handle.start_child(spec)
    assert list(handle) == []
    claim(spec)


REF: Ref[Any] = Ref("ref")
KEY: Key[Any] = Key("key")


@pytest.mark.parametrize(
    ("names", "build"),
    [
        ("ref, ref", lambda ref, key, handle: (child("a", ref=ref), child("b", ref=ref))),
        ("key, key", lambda ref, key, handle: (child("a", key=key), child("b", key=key))),
        (
            "x, y",
            lambda ref, key, handle: (
                SupervisorSpec("x", dynamic=handle),
                SupervisorSpec("y", (), dynamic=handle),
            ),
        ),
        (
            "ref, ref",
            lambda ref, key, handle: (
                SupervisorSpec("x", (child("a", ref=ref),)),
                SupervisorSpec("y", (SupervisorSpec("z", (child("a", ref=ref),)),)),
            ),
        ),
    ],
)
def test_nothing_has_two_places_in_one_tree(
    names: str, build: Callable[..., tuple[ChildSpec[Any] | SupervisorSpec, ...]]
) -> None:
    """Wherever in it they are; and nothing is taken when anything is refused."""
    ref: Ref[Any] = Ref("ref")
    key: Key[Any] = Key("key")
    handle = Dynamic()
    other: Ref[Any] = Ref("other")
    parts = (child("other", ref=other), *build(ref, key, handle))
    with pytest.raises(ValueError, match=f"one place, and only once: {names}$"):
        claim(SupervisorSpec("root", parts))
    claim(child("ref", ref=ref, key=key))
    claim(SupervisorSpec("root", dynamic=handle))
    claim(child("other", ref=other))


@pytest.mark.parametrize("part", ["ref", "key"])
def test_what_has_a_place_in_one_tree_gets_none_in_another(part: str) -> None:
    """Two trees would pull at one mailbox."""
    taken: dict[str, Any] = {"ref": Ref("it"), "key": Key("it")}
    claim(child("a", **taken))
    with pytest.raises(ValueError, match="only once: it"):
        claim(child("b", **{part: taken[part]}))
    with pytest.raises(ValueError, match="only once: it"):
        Dynamic().start_child(child("b", **{part: taken[part]}))


def test_a_child_that_was_refused_a_place_is_not_wanted() -> None:
    """The supervisor never gets to see it."""
    handle, ref = Dynamic(), Ref[Any]("it")
    handle.start_child(child("a", ref=ref))
    handle._changed = lambda: pytest.fail("there is nothing to see")
    with pytest.raises(ValueError, match="only once"):
        handle.start_child(child("b", ref=ref))
    assert list(handle) == ["a"]


def test_a_key_and_a_ref_show_their_names() -> None:
    """In a log, or in the message of a failed assertion."""
    assert repr(KEY) == "<Key key>"
    assert repr(REF) == "<Ref ref>"
    assert KEY._of(REF) is REF
