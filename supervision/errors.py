"""The few ways in which the runtime says no, named after the state the caller is in."""

import traceback
from typing import Any


class MailboxFull(Exception):
    """The receiver's lane is full and rejects this class; ``message`` is given back, not queued."""

    def __init__(self, path: str, message: Any) -> None:
        super().__init__(f"the mailbox of {path} is full: {type(message).__name__} was not queued")
        self.path = path
        self.message = message


class AskTimeout(TimeoutError):
    """No answer in time, or a crash on the question itself: whether it took effect is unknown."""


class ActorRestarting(ConnectionError):
    """The actor was down for the whole wait; the question was taken back: safe to ask again."""


class ActorStopped(ConnectionError):
    """The actor has stopped for good and will never answer."""


class FaultInjected(RuntimeError):
    """This actor was crashed on purpose, by :meth:`System.crash`."""


class HandlerStuck(TimeoutError):
    """A handler took longer than its actor's ``handle_within`` seconds and was cancelled."""


class StartTimeout(TimeoutError):
    """A child did not finish starting within its ``start_within`` seconds."""


class Escalated(Exception):
    """A supervisor went over its restart budget and gave up its children."""

    def __init__(self, path: str, child: str) -> None:
        super().__init__(f"{path} gave up: its child {child!r} failed too often")
        self.path = path
        self.child = child


def sole(error: BaseException) -> BaseException:
    """The single error inside nested groups, or the group itself when it holds several."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def in_words(error: BaseException) -> str:
    """Name and text of an error, also of one that fails to tell its text."""
    _, _, text = "".join(traceback.format_exception_only(error)).strip().partition(": ")
    return f"{type(error).__name__}: {text}"
