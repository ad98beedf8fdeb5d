"""What a mailbox counts, whom it wakes, and whom it never sacrifices."""

import pytest
import trio
from attrs import frozen

from supervision import Lane, MailboxStatistics, Overflow, Ref, mailbox_policy
from supervision.mailbox import EMPTY, Mailbox


@frozen
class Plain:
    number: int


@mailbox_policy(overflow=Overflow.DROP_OLDEST)
@frozen
class Droppable:
    number: int


@mailbox_policy(lane=Lane.CONFLATED, key=lambda quote: quote.symbol)
@frozen(eq=False)
class Quote:
    symbol: str


def mailbox(capacity: int = 10) -> tuple[Mailbox, list[object]]:
    dropped: list[object] = []
    return Mailbox(capacity, dropped.append), dropped


def test_a_ref_begins_with_nothing_and_room_for_ten_thousand() -> None:
    """The documented default; nothing has passed through it."""
    ref: Ref[Plain] = Ref("new")
    assert ref.statistics() == MailboxStatistics(0, 0, 0, 0, 0)
    assert ref._mailbox.capacity == 10_000


def test_what_an_actor_tells_itself_is_counted_like_any_other() -> None:
    """Or more would have been handled than was ever accepted."""
    box, _ = mailbox()
    box.put(Plain(1))
    box.force(Plain(2))
    box.force(Quote("ES"))
    assert (box.accepted, len(box)) == (3, 3)


@pytest.mark.parametrize("word", [Plain(1), Droppable(1), Quote("ES")])
@pytest.mark.parametrize("way", ["put", "force"])
async def test_every_message_wakes_the_reader(word: object, way: str) -> None:
    """In whichever lane it travels, and from wherever it comes."""
    box, _ = mailbox()
    read: list[object] = []

    async def reader() -> None:
        await box.wakeup.sleep()
        read.append(box.pop())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader)
        await trio.testing.wait_all_tasks_blocked()
        getattr(box, way)(word)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert read == [word]


def test_a_message_that_must_be_queued_does_not_drive_out_a_droppable_one() -> None:
    """Its class asked to be rejected: only a droppable message makes room for itself."""
    box, dropped = mailbox(capacity=1)
    box.put(Droppable(1))
    assert not box.put(Plain(1))
    assert (dropped, len(box)) == ([], 1)


def test_a_conflated_message_that_was_taken_back_leaves_its_place() -> None:
    """The next one of its key is queued anew, and the others keep their order."""
    box, _ = mailbox()
    first, second, third = Quote("ES"), Quote("NQ"), Quote("CL")
    for quote in (first, second, third):
        box.put(quote)
    assert box.withdraw(second)
    assert not box.withdraw(second)
    again = Quote("NQ")
    assert box.put(again)
    assert box.conflated == 0
    assert list(iter(box.pop, EMPTY)) == [first, third, again]


def test_a_plain_message_is_found_behind_others() -> None:
    """Its place in the queue does not matter."""
    box, _ = mailbox()
    words = [Plain(number) for number in range(3)]
    for word in words:
        box.put(word)
    assert box.withdraw(words[2])
    assert list(iter(box.pop, EMPTY)) == words[:2]
