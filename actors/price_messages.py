"""What is said about prices: login to cache, cache to account, and who feeds whom."""

from attrs import frozen

from risk.domain import Mark
from supervision import Lane, Ref, mailbox_policy


@mailbox_policy(
    lane=Lane.CONFLATED,
    key=lambda m: (m.login, m.contract_id),
    merge=lambda old, new: Quoted(new.login, new.contract_id, old.mark.merged(new.mark)),
)
@frozen
class Quoted:
    """A login's market hub quoted a contract."""

    login: str
    contract_id: str
    mark: Mark


@mailbox_policy(
    lane=Lane.CONFLATED,
    key=lambda m: m.contract_id,
    merge=lambda old, new: Marked(new.contract_id, old.mark.merged(new.mark)),
)
@frozen
class Marked:
    """The newest mark of a contract that an account asked for."""

    contract_id: str
    mark: Mark


@frozen
class Hold:
    """An account wants marks of exactly these contracts."""

    account: str
    login: str
    contracts: frozenset[str]
    reply_to: "Ref[Marked]"


@frozen
class FeedChanged:
    """A login's market hub came up or went down; ``reply_to`` takes the contracts to subscribe."""

    login: str
    up: bool
    reply_to: "Ref[Feed]"


@frozen
class Feed:
    """Subscribe exactly these contracts' quotes."""

    contracts: frozenset[str]


PriceMessage = Quoted | Hold | FeedChanged
