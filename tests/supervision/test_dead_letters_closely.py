"""How dead letters are counted, how many are kept, and what burying one must not cost."""

import linecache
from traceback import TracebackException

import pytest

from supervision import Cause, DeadLetter, DeadLetters


def test_the_causes_are_told_in_these_words() -> None:
    """They stand in logs and in messages of failed tests."""
    assert [str(cause) for cause in Cause] == [
        "crashed",
        "cancelled",
        "stopped",
        "shutdown",
        "dropped",
        "quarantined",
        "late reply",
        "observer failed",
    ]


def test_the_newest_are_kept_and_all_are_counted() -> None:
    """A flood of one kind does not need the memory of a flood."""
    letters = DeadLetters()
    for number in range(300):
        letters.record("root/a", number, Cause.STOPPED)
    letters.record("root/a", 300, Cause.DROPPED)
    letters.record("root/a", "word", Cause.STOPPED)
    assert len(letters.recent) == 256
    assert [letter.message for letter in letters.recent[-3:]] == [299, 300, "word"]
    assert letters.total == 302
    assert letters.counts == {
        ("root/a", "int", Cause.STOPPED): 300,
        ("root/a", "int", Cause.DROPPED): 1,
        ("root/a", "str", Cause.STOPPED): 1,
    }


def test_the_counts_that_were_looked_at_do_not_change_afterwards() -> None:
    """Nor can they be changed by whoever looks."""
    letters = DeadLetters()
    letters.record("root/a", 1, Cause.STOPPED)
    counts = letters.counts
    letters.record("root/a", 1, Cause.STOPPED)
    assert counts == {("root/a", "int", Cause.STOPPED): 1}
    assert letters.total == 2


def test_nothing_shuts_down_unless_that_is_said() -> None:
    """What is told to a stopped actor counts as lost from the beginning."""
    assert DeadLetters().shutting_down is False


def test_two_letters_are_the_same_whatever_became_of_their_receiver() -> None:
    """What was raised is there to be read, and no part of the message."""
    crash = TracebackException.from_exception(ValueError("words"))
    plain = DeadLetter("root/a", 1, Cause.CRASHED)
    assert plain == DeadLetter("root/a", 1, Cause.CRASHED, crash)
    assert "crash=" not in repr(DeadLetter("root/a", 1, Cause.CRASHED, crash))
    assert plain.traceback == ""


def test_no_source_is_read_before_somebody_reads_the_letter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A crash is buried in the middle of a restart, which is not to wait for a disk."""
    looked_up: list[str] = []
    getline = linecache.getline

    def watched(file: str, number: int, *more: object) -> str:
        looked_up.append(file)
        return getline(file, number)

    monkeypatch.setattr(linecache, "getline", watched)
    letters = DeadLetters()
    try:
        try:
            raise KeyError("where it began")
        except KeyError as cause:
            raise RuntimeError("where it ended") from cause
    except RuntimeError as error:
        letters.record("root/a", "word", Cause.CRASHED, error)
    assert looked_up == []
    assert "raise KeyError" in letters.recent[0].traceback
    assert __file__ in looked_up
