"""Supervised actors on Trio: mailboxes, references, restarts, bulkheads, ordered stop.

Knows nothing of what the actors are about.
"""

from .actor import Actor, Context, TaskHandle, Terminated
from .dead_letters import Cause, DeadLetter, DeadLetters
from .dynamic import Dynamic
from .errors import (
    ActorRestarting,
    ActorStopped,
    AskTimeout,
    Escalated,
    FaultInjected,
    HandlerStuck,
    MailboxFull,
    StartTimeout,
)
from .events import (
    Crashed,
    EscalatedEvent,
    Parked,
    Quarantined,
    Restarting,
    Started,
    Stopped,
    Stuck,
    SupervisionEvent,
    Unparked,
)
from .mailbox import Lane, Overflow, mailbox_policy
from .reference import MailboxStatistics, Ref, Reply
from .registry import Key
from .specs import (
    Backoff,
    ChildSpec,
    Escalate,
    Intensity,
    Park,
    Quarantine,
    Restart,
    Strategy,
    Supervised,
    SupervisorSpec,
)
from .system import System, open_system
from .timers import Timer
from .tree import Node

__all__ = [
    "Actor",
    "ActorRestarting",
    "ActorStopped",
    "AskTimeout",
    "Backoff",
    "Cause",
    "ChildSpec",
    "Context",
    "Crashed",
    "DeadLetter",
    "DeadLetters",
    "Dynamic",
    "Escalate",
    "Escalated",
    "EscalatedEvent",
    "FaultInjected",
    "HandlerStuck",
    "Intensity",
    "Key",
    "Lane",
    "MailboxFull",
    "MailboxStatistics",
    "Node",
    "Overflow",
    "Park",
    "Parked",
    "Quarantine",
    "Quarantined",
    "Ref",
    "Reply",
    "Restart",
    "Restarting",
    "StartTimeout",
    "Started",
    "Stopped",
    "Strategy",
    "Stuck",
    "Supervised",
    "SupervisionEvent",
    "SupervisorSpec",
    "System",
    "TaskHandle",
    "Terminated",
    "Timer",
    "Unparked",
    "mailbox_policy",
    "open_system",
]
