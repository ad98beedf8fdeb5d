"""An account's part in its groups: it says how it stands, and remembers what they ask of it."""

from collections.abc import Sequence
from decimal import Decimal

import trio
from attrs import define, evolve, field

from actors.group_messages import GroupMessage, Instructed, Stands
from actors.messages import CloseFirst
from risk.account_state import AccountState
from risk.groups import UNHEARD, member_of
from risk.snapshot import Snapshot
from risk.verdict import Close, Instruction
from supervision import Ref

ASKED_FOR = 1.0
"""Seconds for which a follower's wish stands: a later position of its leader is another matter."""


@define
class Membership:
    """The groups of one account; a part of its actor."""

    groups: Sequence[Ref[GroupMessage]]
    _heard: dict[str, Instructed] = field(factory=dict)
    _first: dict[str, tuple[float, Instruction]] = field(factory=dict)
    """By follower: what it asks of this account, its leader, and until when (monotonic seconds)."""

    def heard(self, message: Instructed | CloseFirst, state: AccountState) -> bool:
        """Whether others ask for anything else than before, or want to hear earlier or later."""
        if isinstance(message, CloseFirst):
            self._lead(message, state)
            return True
        known = self._heard.get(message.group)
        self._heard[message.group] = message
        return message != known

    def _lead(self, message: CloseFirst, state: AccountState) -> None:
        """A follower is to be closed, so this account goes first; for a moment only, and no lock."""
        action, episode = message.action, None
        if isinstance(action, Close):
            held = {it.contract_id: it.episode for it in state.positions()}
            episode = held.get(action.contract_id)
        asked = Instruction(
            f"copied by {message.follower}",
            message.rule,
            state.day,
            action,
            Decimal(0),
            Decimal(0),
            f"{message.follower} is being closed ({message.reason})",
            {"follower": message.follower},
            episode=episode,
        )
        self._first[message.follower] = trio.current_time() + ASKED_FOR, asked

    def onto(self, snapshot: Snapshot) -> Snapshot:
        """The account with what its groups, and those that follow it, ask of it."""
        if not self._first and not self.groups:
            return snapshot
        self._first = {who: it for who, it in self._first.items() if it[0] > snapshot.mono}
        asked = [it for _, it in self._first.values()]
        asked += [each for it in self._heard.values() for each in it.instructions]
        return evolve(snapshot, instructions=tuple(asked), report_at=self._report_at())

    def _report_at(self) -> Decimal | None:
        """The earliest that any group wants to hear; None without a group."""
        if len(self._heard) < len(self.groups):
            return UNHEARD
        return max((it.report_at for it in self._heard.values()), default=None)

    def report(self, snapshot: Snapshot, reply_to: Ref[Instructed]) -> None:
        """Say how the account stands."""
        if self.groups:
            stands = Stands(member_of(snapshot), reply_to)
            for group in self.groups:
                group.tell(stands)
