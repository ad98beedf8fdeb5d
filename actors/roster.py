"""Who of a login's accounts is guarded: configured names against the broker's list. Pure."""

from collections.abc import Callable, Iterator

from attrs import define, field

from actors.messages import LinkMessage
from risk.domain import BrokerAccount
from risk.verdict import Alert
from supervision import Ref


@define
class Member:
    """One account that has introduced itself."""

    name: str
    """As configured."""
    reply_to: Ref[LinkMessage]
    known_id: int | None = None
    """The broker's id of it, as an earlier life knew it."""
    account: BrokerAccount | None = None
    """As the broker lists it; None until it was seen. Matched by id from then on."""


@define
class Roster:
    """The accounts of one login."""

    login: str
    adopt: Callable[[BrokerAccount], bool]
    """Asked for each tradable account that nobody joined for; True when it is taken in."""
    members: dict[str, Member] = field(factory=dict)
    by_id: dict[int, Member] = field(factory=dict)

    def join(self, name: str, reply_to: Ref[LinkMessage], known_id: int | None = None) -> None:
        """An account introduces itself, perhaps again."""
        self.members[name] = Member(name, reply_to, known_id)

    def listed(self, accounts: tuple[BrokerAccount, ...]) -> Iterator[Alert]:
        """Take in the broker's list; says what the trader must know of it."""
        names = {account.name: account for account in accounts}
        ids = {account.id: account for account in accounts}
        for member in self.members.values():
            before = member.account
            if before is None:
                # By the id of an earlier life first: a renamed account is the same account.
                found = ids.get(member.known_id or 0, names.get(member.name))
            else:
                found = ids.get(before.id)
            member.account = before if found is None else found
            if found is None:
                yield self._missing(member)
            elif (before.name if before is not None else member.name) != found.name:
                yield _renamed(before.name if before is not None else member.name, found.name)
        self.by_id = {m.account.id: m for m in self.members.values() if m.account is not None}
        for account in accounts:
            if account.can_trade and account.id not in self.by_id and not self.adopt(account):
                yield self._unguarded(account)

    def _missing(self, member: Member) -> Alert:
        what = "is unknown to" if member.account is None else "is gone from"
        return Alert(
            "account_missing",
            f"account {member.name} {what} login {self.login}: it is UNGUARDED. Check its name in "
            "the configuration",
            critical=True,
        )

    def _unguarded(self, account: BrokerAccount) -> Alert:
        return Alert(
            "account_unguarded",
            f"account {account.name} of login {self.login} can trade but is not configured: it is "
            "UNGUARDED",
            critical=True,
        )


def _renamed(before: str, now: str) -> Alert:
    return Alert(
        "account_renamed", f"the broker calls account {before} {now} now; it is still guarded"
    )
