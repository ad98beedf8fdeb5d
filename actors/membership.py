"""An account's part in its groups: it says how it stands, and remembers what they ask of it."""

from collections.abc import Sequence

from attrs import define, evolve, field

from actors.group_messages import GroupMessage, Instructed, Stands
from risk.groups import UNHEARD, member_of
from risk.snapshot import Snapshot
from supervision import Ref


@define
class Membership:
    """The groups of one account; a part of its actor."""

    groups: Sequence[Ref[GroupMessage]]
    _heard: dict[str, Instructed] = field(factory=dict)

    def heard(self, message: Instructed) -> bool:
        """Whether a group asks for anything else than before, or wants to hear earlier or later."""
        known = self._heard.get(message.group)
        self._heard[message.group] = message
        return message != known

    def onto(self, snapshot: Snapshot) -> Snapshot:
        """The account with what its groups ask of it."""
        if not self.groups:
            return snapshot
        said = self._heard.values()
        unheard = UNHEARD if len(said) < len(self.groups) else None
        reports = [it.report_at for it in said] if unheard is None else [unheard]
        asked = tuple(each for it in said for each in it.instructions)
        return evolve(snapshot, instructions=asked, report_at=max(reports))

    def report(self, snapshot: Snapshot, reply_to: Ref[Instructed]) -> None:
        """Say how the account stands."""
        if self.groups:
            stands = Stands(member_of(snapshot), reply_to)
            for group in self.groups:
                group.tell(stands)
