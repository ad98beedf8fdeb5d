"""What a dead letter tells of the error that it led to, and what it does not keep."""

import gc
import weakref

from supervision import Cause, DeadLetter, DeadLetters


class _Knowledge:
    """Stands for all that an actor knows."""


def _crash() -> tuple[RuntimeError, "weakref.ref[_Knowledge]"]:
    knowledge = _Knowledge()
    try:
        try:
            raise KeyError("where it began")
        except KeyError as cause:
            raise RuntimeError("where it ended") from cause
    except RuntimeError as error:
        return error, weakref.ref(knowledge)


def _buried(error: BaseException | None) -> DeadLetter:
    letters = DeadLetters()
    letters.record("root/a", "message", Cause.CRASHED, error)
    (letter,) = letters.recent
    return letter


def test_a_crash_is_told_with_its_causes() -> None:
    """Files, lines, source and every error of the chain, the last one last."""
    text = _buried(_crash()[0]).traceback
    assert "in _crash\n    raise RuntimeError" in text
    assert text.index("KeyError: 'where it began'") < text.index("RuntimeError: where it ended")


def test_several_errors_at_once_are_all_told() -> None:
    """An actor and one of its tasks may fail in the same instant."""
    text = _buried(ExceptionGroup("both", [ValueError("one"), TypeError("other")])).traceback
    assert "ValueError: one" in text
    assert "TypeError: other" in text


def test_the_dead_actor_is_not_kept() -> None:
    """A ring of dead letters would otherwise hold hundreds of actors with all their knowledge."""
    error, knowledge = _crash()
    letter = _buried(error)
    assert knowledge() is not None
    del error
    gc.collect()
    assert knowledge() is None
    assert "where it ended" in letter.traceback


def test_a_message_that_crashed_nobody_has_nothing_to_tell() -> None:
    """Most are buried because there was nobody."""
    assert not _buried(None).traceback
