"""The price cache: the latest mark of each contract that someone holds, and who feeds it.

One login's market hub feeds a contract; when that hub goes down another login that is up takes over.
Accounts say what they hold and get only the marks of that.
"""

from collections.abc import Mapping
from typing import Any

from attrs import define

from actors.price_messages import Feed, FeedChanged, Hold, Marked, PriceMessage, Quoted
from risk.domain import Mark
from supervision import Actor, Ref


@define
class _Holder:
    login: str
    contracts: frozenset[str]
    reply_to: Ref[Marked]


@define
class _Login:
    reply_to: Ref[Feed]
    fed: frozenset[str] | None = None
    """What it was last told to feed; None: it may still feed what it did before its hub went down."""


class PriceCache(Actor[PriceMessage]):
    """Owns the marks; a restart begins empty and the accounts say again what they hold."""

    def __init__(self) -> None:
        self._marks: dict[str, Mark] = {}
        self._holders: dict[str, _Holder] = {}
        self._interest: dict[str, list[Ref[Marked]]] = {}
        self._logins: dict[str, _Login] = {}
        """Logins whose market hub is up."""

    async def handle(self, message: PriceMessage) -> None:
        """Merge a quote and pass it on, or change who gets and who gives."""
        match message:
            case Quoted(_, contract_id, mark):
                self._quoted(contract_id, mark)
            case Hold():
                self._hold(message)
            case FeedChanged(login, up, reply_to):
                if up:
                    self._logins[login] = _Login(reply_to)
                else:
                    self._logins.pop(login, None)
                self._assign()

    def status(self) -> Mapping[str, Any]:
        """Latest prices as text."""
        return {
            "contracts": {
                contract: {
                    "bid": None if mark.bid is None else str(mark.bid),
                    "ask": None if mark.ask is None else str(mark.ask),
                }
                for contract, mark in self._marks.items()
            },
            "feeds": {name: sorted(login.fed or ()) for name, login in self._logins.items()},
        }

    def _quoted(self, contract_id: str, mark: Mark) -> None:
        holders = self._interest.get(contract_id)
        if holders is None:
            return  # nobody would hear what comes after it, and who comes later would take it for news
        known = self._marks.get(contract_id)
        merged = mark if known is None else known.merged(mark)
        self._marks[contract_id] = merged
        marked = Marked(contract_id, merged)
        for account in holders:
            account.tell(marked)

    def _hold(self, message: Hold) -> None:
        known = self._holders.get(message.account)
        if message.contracts:
            self._holders[message.account] = _Holder(
                message.login, message.contracts, message.reply_to
            )
        else:
            self._holders.pop(message.account, None)
        self._interest = {}
        for holder in self._holders.values():
            for contract_id in sorted(holder.contracts):
                self._interest.setdefault(contract_id, []).append(holder.reply_to)
        self._marks = {key: mark for key, mark in self._marks.items() if key in self._interest}
        for contract_id in sorted(message.contracts - (known.contracts if known else frozenset())):
            if contract_id in self._marks:
                message.reply_to.tell(Marked(contract_id, self._marks[contract_id]))
        self._assign()

    def _assign(self) -> None:
        """Each contract to the login of its first holder if that is up, else to any that is."""
        wanted: dict[str, set[str]] = {name: set() for name in self._logins}
        fed: set[str] = set()
        for holder in self._holders.values():
            for contract_id in sorted(holder.contracts - fed):
                login = holder.login if holder.login in wanted else next(iter(wanted), None)
                if login is not None:
                    wanted[login].add(contract_id)
                    fed.add(contract_id)
        for name, contracts in wanted.items():
            feed = frozenset(contracts)
            if self._logins[name].fed != feed:
                self._logins[name].fed = feed
                self._logins[name].reply_to.tell(Feed(feed))
