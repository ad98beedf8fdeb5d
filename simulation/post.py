"""The mail of a daemon at rest: what each mailbox accepted, and what became of it."""

from collections.abc import Iterator

from supervision import Node, System
from supervision.dead_letters import Cause

ACCEPTED = frozenset({Cause.CRASHED, Cause.CANCELLED, Cause.DROPPED, Cause.QUARANTINED})
"""Causes of dead letters that had been accepted by a mailbox."""


def mail_of(system: System) -> Iterator[tuple[str, int, int]]:
    """Path, accepted, and handled + conflated + queued + dead, of each actor that is at rest."""
    dead: dict[str, int] = {}
    for (path, _, cause), number in system.dead_letters.counts.items():
        if cause in ACCEPTED:
            dead[path] = dead.get(path, 0) + number
    for node in nodes_of(system.tree()):
        ref = None if node.kind == "supervisor" else system.at(node.path)
        if ref is None or node.busy_for > 0:
            continue
        mail = ref.statistics()
        accounted = mail.handled + mail.conflated + mail.depth + dead.get(node.path, 0)
        yield node.path, mail.accepted, accounted


def nodes_of(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for child in node.children:
        yield from nodes_of(child)
