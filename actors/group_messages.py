"""What a group and its members say to each other."""

from decimal import Decimal

from attrs import frozen

from risk.groups import Member
from risk.verdict import Instruction
from supervision import Lane, Ref, mailbox_policy


@mailbox_policy(lane=Lane.CONFLATED, key=lambda m: m.group)
@frozen
class Instructed:
    """All that a group asks of one account at the moment."""

    group: str
    instructions: tuple[Instruction, ...]
    report_at: Decimal
    """Dollars of the day at which it must say how it stands."""


@mailbox_policy(lane=Lane.CONFLATED, key=lambda m: m.member.account)
@frozen
class Stands:
    """How an account stands; it is answered."""

    member: Member
    reply_to: "Ref[Instructed]"


@frozen
class LookAgain:
    """The group's own timer."""


GroupMessage = Stands | LookAgain
