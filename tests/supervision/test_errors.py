"""What the errors of the runtime carry, and how the one that matters is found in a group."""

from supervision import Escalated, MailboxFull
from supervision.errors import in_words, sole


def test_a_full_mailbox_gives_the_message_back_and_says_whose_it_is() -> None:
    """Whoever catches it needs no context of his own."""
    error = MailboxFull("root/a", "word")
    assert (error.path, error.message) == ("root/a", "word")
    assert str(error) == "the mailbox of root/a is full: str was not queued"


def test_an_escalation_names_the_supervisor_and_the_child() -> None:
    """The last line of a log says where to look."""
    error = Escalated("root/s", "a")
    assert (error.path, error.child) == ("root/s", "a")
    assert str(error) == "root/s gave up: its child 'a' failed too often"


def test_a_single_error_is_found_in_however_many_groups() -> None:
    """Nurseries wrap what passes through them, each once."""
    error = ValueError("it")
    assert sole(error) is error
    assert sole(ExceptionGroup("outer", [ExceptionGroup("inner", [error])])) is error


def test_several_errors_stay_together() -> None:
    """None of them is the one that matters."""
    both = ExceptionGroup("both", [ValueError("one"), TypeError("other")])
    assert sole(both) is both
    assert sole(ExceptionGroup("outer", [both])) is both


class Unspeakable(ValueError):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_an_error_is_told_by_its_name_and_its_whole_text() -> None:
    """Whatever the text looks like, wherever its class was made."""
    assert in_words(ValueError("no: not this")) == "ValueError: no: not this"
    assert in_words(MailboxFull("root/a", 1)).startswith("MailboxFull: the mailbox of root/a")
    assert in_words(ValueError()) == "ValueError: "


def test_an_error_that_cannot_tell_its_text_is_told_by_its_name() -> None:
    """What is said of a crash must not crash."""
    assert in_words(Unspeakable()) == "Unspeakable: <exception str() failed>"
