"""What is left of a failing sequence fails, and nothing more of it can be left out."""

from hypothesis import given
from hypothesis import strategies as st

from simulation.reduction import ddmin


@given(st.lists(st.integers(0, 30), unique=True, max_size=30), st.data())
def test_what_is_needed_together_is_found(items: list[int], data: st.DataObject) -> None:
    """Whatever part of it makes it fail: exactly that is left, in its order."""
    needed = set(data.draw(st.lists(st.sampled_from(items)))) if items else set()

    def fails(part: tuple[int, ...]) -> bool:
        return needed <= set(part)

    assert ddmin(items, fails) == tuple(it for it in items if it in needed)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_nothing_more_can_be_left_out(items: list[int]) -> None:
    """Also where several parts would do."""

    def fails(part: tuple[int, ...]) -> bool:
        return sum(part) >= sum(items) / 2 and sum(part) > 0

    if fails(tuple(items)):
        left = ddmin(items, fails)
        assert fails(left)
        assert not any(fails(left[:n] + left[n + 1 :]) for n in range(len(left)))


def test_few_questions_are_asked() -> None:
    """A run costs a second: of sixty troubles one is found in a dozen or two."""
    asked: list[tuple[int, ...]] = []

    def fails(part: tuple[int, ...]) -> bool:
        asked.append(part)
        return 41 in part

    assert ddmin(range(60), fails) == (41,)
    assert len(asked) <= 24
