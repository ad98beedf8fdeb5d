"""Lanes, conflation and overflow of a mailbox."""

from collections.abc import Hashable

import pytest
from attrs import evolve, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from supervision import Lane, MailboxFull, Overflow, Ref, mailbox_policy
from supervision.mailbox import EMPTY, Mailbox


@frozen
class Plain:
    number: int


@mailbox_policy(lane=Lane.CONTROL)
@frozen
class Urgent:
    number: int


@mailbox_policy(overflow=Overflow.DROP_OLDEST)
@frozen
class Droppable:
    number: int


@mailbox_policy(lane=Lane.CONFLATED, key=lambda quote: quote.symbol)
@frozen
class Quote:
    symbol: str
    price: int


@mailbox_policy(
    lane=Lane.CONFLATED,
    key=lambda move: move.symbol,
    merge=lambda queued, newer: evolve(newer, low=min(queued.low, newer.low)),
)
@frozen
class Move:
    symbol: str
    low: int


@mailbox_policy(lane=Lane.CONFLATED, key=lambda _: "all", overflow=Overflow.DROP_OLDEST)
@frozen
class Hint:
    number: int


def mailbox(capacity: int = 10) -> tuple[Mailbox, list[object]]:
    dropped: list[object] = []
    return Mailbox(capacity, dropped.append), dropped


def everything(box: Mailbox) -> list[object]:
    return list(iter(box.pop, EMPTY))


def test_control_comes_before_normal_before_conflated() -> None:
    """An urgent message overtakes all others, and a conflated one waits for all others."""
    box, _ = mailbox()
    for message in (Quote("ES", 1), Plain(1), Urgent(1), Plain(2), Urgent(2)):
        assert box.put(message)
    assert everything(box) == [Urgent(1), Urgent(2), Plain(1), Plain(2), Quote("ES", 1)]


def test_the_newest_of_a_key_takes_the_place_of_the_queued_one() -> None:
    """Conflation keeps one message per key, at the place in line of the first."""
    box, _ = mailbox()
    for message in (Quote("ES", 1), Quote("NQ", 2), Quote("ES", 3)):
        box.put(message)
    assert len(box) == 2
    assert everything(box) == [Quote("ES", 3), Quote("NQ", 2)]
    assert box.conflated == 1


def test_a_class_merges_with_its_own_function_and_only_with_itself() -> None:
    """Two classes with equal keys never replace one another."""
    box, _ = mailbox()
    for message in (Move("ES", 5), Quote("ES", 9), Move("ES", 7)):
        box.put(message)
    assert everything(box) == [Move("ES", 5), Quote("ES", 9)]


def test_a_full_lane_rejects_and_gives_the_message_back() -> None:
    """The sender learns what was not queued; the queue is as it was."""
    ref: Ref[Plain] = Ref("full", capacity=1)
    ref.tell(Plain(1))
    with pytest.raises(MailboxFull) as caught:
        ref.tell(Plain(2))
    assert caught.value.message == Plain(2)
    assert ref.statistics().depth == 1


def test_a_full_lane_does_not_close_the_others() -> None:
    """A flood of one kind leaves room for urgent words."""
    box, _ = mailbox(capacity=1)
    assert box.put(Plain(1))
    assert not box.put(Plain(2))
    assert box.put(Urgent(1))
    assert box.put(Quote("ES", 1))


def test_drop_oldest_gives_up_only_what_may_be_dropped() -> None:
    """A message whose class asked for REJECT is never sacrificed for another."""
    box, dropped = mailbox(capacity=2)
    box.put(Plain(1))
    box.put(Droppable(1))
    assert box.put(Droppable(2))
    assert dropped == [Droppable(1)]
    assert everything(box) == [Plain(1), Droppable(2)]


def test_drop_oldest_rejects_when_nothing_may_be_dropped() -> None:
    """Among messages that must stay there is no room to be made."""
    box, dropped = mailbox(capacity=1)
    box.put(Plain(1))
    assert not box.put(Droppable(1))
    assert dropped == []


def test_the_conflated_lane_counts_keys() -> None:
    """A known key always has its place; a new one over the capacity is refused or makes room."""
    box, dropped = mailbox(capacity=1)
    box.put(Quote("ES", 1))
    assert box.put(Quote("ES", 2))
    assert not box.put(Quote("NQ", 1))
    assert not box.put(Hint(1))
    roomy, dropped = mailbox(capacity=1)
    roomy.put(Hint(1))
    assert not roomy.put(Quote("ES", 1))
    assert dropped == []
    assert everything(roomy) == [Hint(1)]


@mailbox_policy(lane=Lane.CONFLATED, key=lambda tip: tip.symbol, overflow=Overflow.DROP_OLDEST)
@frozen
class Tip:
    symbol: str


def test_a_new_droppable_key_takes_the_room_of_the_oldest_droppable_one() -> None:
    """Dropping in the conflated lane gives up a whole key."""
    box, dropped = mailbox(capacity=2)
    for symbol in ("ES", "NQ", "CL"):
        assert box.put(Tip(symbol))
    assert dropped == [Tip("ES")]
    assert everything(box) == [Tip("NQ"), Tip("CL")]


def test_what_an_actor_tells_itself_is_never_rejected() -> None:
    """The answer to a request must arrive even in a full mailbox."""
    box, _ = mailbox(capacity=1)
    box.put(Plain(1))
    box.force(Plain(2))
    box.force(Quote("ES", 1))
    box.force(Urgent(1))
    assert everything(box) == [Urgent(1), Plain(1), Plain(2), Quote("ES", 1)]


def test_a_message_can_be_taken_back_while_it_is_queued() -> None:
    """Taking back goes by identity: an equal message of somebody else stays."""
    box, _ = mailbox()
    mine, other, quote = Plain(1), Plain(1), Quote("ES", 1)
    for message in (other, mine, quote):
        box.put(message)
    assert box.withdraw(mine)
    assert box.withdraw(quote)
    assert not box.withdraw(mine)
    (left,) = everything(box)
    assert left is other


@pytest.mark.parametrize(
    "nonsense",
    [
        {"lane": Lane.CONFLATED},
        {"key": lambda message: message},
        {"lane": Lane.CONTROL, "merge": lambda queued, _: queued},
    ],
)
def test_a_policy_that_contradicts_itself_is_refused_where_it_is_written(
    nonsense: dict[str, object],
) -> None:
    """Conflation needs a key, and a key means nothing elsewhere."""
    with pytest.raises(ValueError, match="key"):
        mailbox_policy(**nonsense)  # type: ignore[arg-type]


def test_a_mailbox_needs_room() -> None:
    """A capacity of zero could never deliver anything."""
    with pytest.raises(ValueError, match="capacity"):
        Ref("none", capacity=0)


@mailbox_policy(lane=Lane.CONFLATED, key=lambda note: note.about)
@frozen
class Note:
    about: int
    serial: int = field(eq=False)


def about(message: object) -> Hashable:
    return message.about if isinstance(message, Note) else None


messages = st.one_of(
    st.builds(Plain, st.integers()),
    st.builds(Urgent, st.integers()),
    st.builds(Droppable, st.integers()),
    st.builds(Note, st.integers(0, 4), st.integers()),
)


@given(st.lists(st.one_of(messages, st.just(EMPTY)), max_size=60), st.integers(1, 4))
def test_every_accepted_message_is_read_queued_conflated_or_dropped(
    steps: list[object], capacity: int
) -> None:
    """Nothing is lost between the counters, whatever the order of puts and reads."""
    box, dropped = mailbox(capacity)
    read = rejected = 0
    for step in steps:
        if step is EMPTY:
            read += box.pop() is not EMPTY
        else:
            rejected += not box.put(step)
    accepted = sum(step is not EMPTY for step in steps) - rejected
    assert box.accepted == accepted
    assert accepted == read + len(box) + box.conflated + len(dropped)
    assert all(isinstance(message, Droppable) for message in dropped)


@given(st.lists(messages, max_size=60))
def test_order_holds_within_each_lane(told: list[object]) -> None:
    """Per lane, messages are read in the order in which they (or their key's first) were told."""
    box, _ = mailbox(capacity=1000)
    for message in told:
        box.put(message)
    read = everything(box)
    for lane in (Urgent, (Plain, Droppable)):
        assert [m for m in read if isinstance(m, lane)] == [m for m in told if isinstance(m, lane)]
    keys = dict.fromkeys(about(m) for m in told if isinstance(m, Note))
    assert [about(m) for m in read if isinstance(m, Note)] == list(keys)
