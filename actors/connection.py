"""The connection actor: one login's session, its link, and every request of its accounts.

It keeps a session open, numbers nothing itself (the adapter stamps), routes events to accounts by
id, and turns each request into a task whose one answer goes back to the asker. If this actor dies,
its open mutations are answered as unknown by its next incarnation.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import structlog
import trio

from actors.look import Look
from actors.messages import (
    AccountsListed,
    CancelOrder,
    CloseContract,
    ConnectionMessage,
    ContractsListed,
    ContractWanted,
    Join,
    LinkDown,
    LinkMessage,
    LinkUp,
    Listed,
    ListingWanted,
    Missed,
    Mutation,
    MutationAnswered,
    OpeningPriceWanted,
    PartialCloseContract,
    PeerEnded,
    PriceWanted,
    ReadWanted,
    RequestAnswered,
    SessionEnded,
    SessionOpened,
    Wake,
)
from actors.price_messages import Feed, FeedChanged, PriceMessage, Quoted
from actors.reporting import Desk
from actors.requests import Read, answer_read, list_accounts, list_contracts, mutation, refuse_read
from actors.roster import Member, Roster
from actors.store import Commit
from broker.clock import Clock
from broker.port import (
    AccountUpdate,
    Broker,
    BrokerError,
    BrokerEvent,
    ConnectionChange,
    Fill,
    Hub,
    LoggedOut,
    Login,
    LoginRejected,
    NotExecuted,
    Numbering,
    OrderUpdate,
    Outcome,
    PositionUpdate,
    QuoteUpdate,
    RateLimited,
    Session,
    Unknown,
    Unreadable,
)
from broker.roots import conflicting_root
from risk.domain import BrokerAccount, Contract
from risk.verdict import Alert
from store.port import Journal
from supervision import Actor, MailboxFull, Ref, Timer

LIST_EVERY = 15.0
"""Seconds between looks at the account list."""
LIST_AGAIN_AFTER = 2.0
"""Seconds after a look that failed."""
RETRY_AFTER = (0.5, 1.0, 2.0, 5.0)
"""Seconds between tries to reach a gateway that does not answer; the last repeats."""
REJECTED_AFTER = (30.0, 60.0, 120.0, 300.0)
"""Seconds between logins with a key that was rejected: slowly, a lockout helps nobody."""

log = structlog.get_logger("seawall.connection")


class Connection(Actor[ConnectionMessage]):
    """Owner of one login's session."""

    def __init__(
        self,
        *,
        login: Login,
        broker: Broker,
        journal: Journal,
        clock: Clock,
        store: Ref[Commit],
        prices: Ref[PriceMessage],
        numbering: Numbering,
        adopt: Callable[[BrokerAccount], bool],
    ) -> None:
        self._login = login
        self._broker = broker
        self._clock = clock
        self._desk = Desk(journal, clock, store)
        self._prices = prices
        self._numbering = numbering
        self._session: Session | None = None
        self._roster = Roster(login.name, adopt)
        self._contracts: dict[str, Contract] = {}
        self._feed: frozenset[str] = frozenset()
        self._user_hub: ConnectionChange | None = None
        self._market_up = False
        self._fresh = False
        """The user hub's last news has not been passed on yet."""
        self._listing = False
        self._list_again = False
        self._listed: AccountsListed | None = None
        """The newest list that could be read."""
        self._relist: Timer | None = None
        """The one timer after a failed look at the account list."""
        self._closing: Counter[tuple[int, str]] = Counter()
        """Closes under way by account and contract, also those of an enforcement that has died."""
        self._problem = "not connected yet"

    async def started(self) -> None:
        """Begin to keep a session, and to look at the account list regularly."""
        self.context.start_task(self._keep_session, name="session")
        self.context.every(LIST_EVERY, Wake("list"))
        self.context.watch(self._prices, partial(PeerEnded, "prices"))
        if self.context.generation > 1:
            # The hub has ended with the life before, which may not have said so: others can feed.
            self._prices.tell(FeedChanged(self._login.name, False, self.context.self))

    async def handle(self, message: ConnectionMessage) -> None:
        """A request to the broker, or news of the session."""
        match message:
            case CloseContract() | PartialCloseContract() | CancelOrder():
                self._mutate(message)
            case MutationAnswered(request, outcome, reply_to):
                reply_to.tell(RequestAnswered(request, outcome))
            case ReadWanted() | ContractWanted() | PriceWanted() | OpeningPriceWanted():
                self._read(message)
            case ConnectionChange():
                self._hub_changed(message)
            case Join():
                self._join(message)
            case Feed(contracts):
                self._feed = contracts
                self._watch()
            case AccountsListed():
                self._accounts_listed(message)
            case ListingWanted() | Wake("list"):
                self._list_accounts()
            case SessionOpened(session):
                self._session, self._problem = session, ""
                if self._roster.by_id:
                    # Else the list comes first: a hub that opens without accounts would say twice
                    # that it is up, and everything would be read twice.
                    self._watch()
                self._list_accounts()
                self.context.request(partial(list_contracts, session), _same)
            case ContractsListed(contracts):
                self._contracts = {contract.id: contract for contract in contracts}
                self._check_roots()
                self._announce()
            case SessionEnded(problem):
                self._session_ended(problem)
            case LoggedOut(reason):
                self._logged_out(reason)
            case Unreadable(hub, problem):
                self._unreadable(hub, problem)
            case PeerEnded("prices") if self._market_up:
                self._prices.tell(FeedChanged(self._login.name, True, self.context.self))
            case PeerEnded() | Wake():
                pass

    def status(self) -> Mapping[str, Any]:
        """Link, hubs and requests of this login."""
        session = self._session
        figures = None if session is None else session.statistics()
        hub = self._user_hub
        return {
            "login": self._login.name,
            "user_hub": "up" if hub is not None and hub.up else "down",
            "market_hub": "up" if self._market_up else "down",
            "link": None if figures is None else figures.link,
            "events": None if figures is None else figures.received,
            "requests_last_minute": None if figures is None else figures.requests_last_minute,
            "skew_s": None if figures is None else figures.skew,
            "problem": self._problem,
        }

    # ---- the session --------------------------------------------------------------------------

    async def _keep_session(self) -> None:
        tries = rejections = 0
        while True:
            error, lived = await self._one_session()
            if lived:
                tries = rejections = 0
            match error:
                case LoginRejected():
                    delay = REJECTED_AFTER[min(rejections, len(REJECTED_AFTER) - 1)]
                    rejections += 1
                    self._alert_session("login_rejected", error, delay)
                case RateLimited():
                    delay = error.retry_after or REJECTED_AFTER[0]
                    self._alert_session("rate_limited", error, delay)
                case _:
                    delay = RETRY_AFTER[min(tries, len(RETRY_AFTER) - 1)]
                    tries += 1
                    if tries == 1 or tries % 10 == 0:
                        self._alert_session("unreachable", error, delay)
            self.context.self.tell(SessionEnded(str(error)))
            await trio.sleep(delay)

    async def _one_session(self) -> tuple[BrokerError, bool]:
        """Live in one session; what ended it, and whether it had opened at all."""
        try:
            async with self._broker.session(self._login, self._receive, self._numbering) as session:
                self.context.self.tell(SessionOpened(session))
                try:
                    await session.wait_failed()
                except BrokerError as error:
                    return error, True
        except BrokerError as error:
            return error, False
        raise AssertionError("a session fails or is cancelled, it does not end")

    def _alert_session(self, code: str, error: BrokerError, delay: float) -> None:
        message = (
            f"login {self._login.name} is not connected: {error}. Its accounts are UNGUARDED; "
            f"next try in {delay:g} s"
        )
        self._desk.alert(Alert(code, message, critical=True))

    def _receive(self, event: BrokerEvent) -> None:
        """Sink of the session: straight to whom it concerns; what concerns this actor comes here."""
        match event:
            case QuoteUpdate(contract_id, mark):
                self._prices.tell(Quoted(self._login.name, contract_id, mark))
            case PositionUpdate(position=position):
                self._route(position.account_id, event)
            case Fill(trade=trade):
                self._route(trade.account_id, event)
            case OrderUpdate(order=order):
                self._route(order.account_id, event)
            case AccountUpdate(account=account):
                self._route(account.id, event)
            case _:
                self.context.self.tell(event)

    def _session_ended(self, problem: str) -> None:
        self._session, self._problem, self._user_hub = None, problem, None
        self._listing = False
        self._feed_down()
        self._tell_all(LinkDown(problem))

    def _hub_changed(self, change: ConnectionChange) -> None:
        log.info(
            "hub up" if change.up else "hub down",
            hub=change.hub.value,
            login=self._login.name,
            link=change.link,
            proven=change.proven,
            reason=change.reason,
        )
        if change.hub is Hub.MARKET:
            self._market_up = change.up
            self._prices.tell(FeedChanged(self._login.name, change.up, self.context.self))
            return
        self._user_hub, self._fresh = change, change.up
        if change.up:
            self._list_accounts(again=True)
        else:
            self._problem = change.reason
            self._tell_all(LinkDown(change.reason or "the user hub is down"))

    def _feed_down(self) -> None:
        if self._market_up:
            self._market_up = False
            self._prices.tell(FeedChanged(self._login.name, False, self.context.self))

    def _logged_out(self, reason: str) -> None:
        message = (
            f"the gateway ended the session of login {self._login.name} ({reason}): the same user "
            "may have logged in elsewhere. Seawall reconnects without fighting over it"
        )
        self._desk.alert(Alert("logged_out", message, critical=True))

    def _unreadable(self, hub: Hub, problem: str) -> None:
        message = f"something on the {hub.value} hub could not be read: {problem}"
        self._desk.alert(Alert("unreadable", message))
        if hub is Hub.USER:
            self._tell_all(Missed(problem))

    # ---- accounts -----------------------------------------------------------------------------

    def _join(self, join: Join) -> None:
        self._roster.join(join.account, join.reply_to, join.broker_id)
        if self._session is not None:
            self._list_accounts(again=True)

    def _list_accounts(self, *, again: bool = False) -> None:
        """One look at a time; ``again``: one more afterwards, since this one may be too old."""
        if self._session is None:
            return
        if self._listing:
            self._list_again = again or self._list_again
            return
        self._listing, self._list_again = True, False
        self.context.request(partial(list_accounts, self._session, self._clock), _same)

    def _accounts_listed(self, listed: AccountsListed) -> None:
        self._listing = False
        if self._list_again:
            self._list_accounts()
            return
        if listed.accounts is None:
            log.warning("account list not read", login=self._login.name, problem=listed.problem)
            if self._relist is not None:
                self._relist.cancel()
            self._relist = self.context.after(LIST_AGAIN_AFTER, Wake("list"))
            return
        self._listed = listed
        known = frozenset(self._roster.by_id)
        for alert in self._roster.listed(listed.accounts):
            self._desk.alert_once(alert, alert.message)
        if frozenset(self._roster.by_id) != known:
            self._watch()
        self._announce()

    def _announce(self) -> None:
        """Tell each account how it stands with the broker, on the present link if there is one."""
        hub, listed = self._user_hub, self._listed
        if listed is None:
            return
        figures = None if self._session is None else self._session.statistics()
        skew = 0.0 if figures is None or figures.skew is None else figures.skew
        for member in self._roster.by_id.values():
            assert member.account is not None
            look = Look(member.account, skew, listed.asked, listed.answered)
            news: LinkMessage = Listed(look)
            if hub is not None and hub.up:
                news = LinkUp(look, hub.link, hub.proven, self._contracts, self._fresh)
            self._tell(member, news)
        self._fresh = False

    def _watch(self) -> None:
        if self._session is not None:
            self._session.watch(sorted(self._roster.by_id), sorted(self._feed))

    def _route(self, account_id: int, message: LinkMessage) -> None:
        member = self._roster.by_id.get(account_id)
        if member is not None:
            self._tell(member, message)

    def _tell(self, member: Member, message: LinkMessage) -> None:
        try:
            member.reply_to.tell(message)
        except MailboxFull:
            # One account's backlog must not touch the others: it reads its state anew instead.
            self._alert_overflow(f"account {member.name}")
            member.reply_to.tell(Missed("more events came than could be kept"))

    def _alert_overflow(self, who: str) -> None:
        self._desk.alert_once(
            Alert(
                "overflow",
                f"more events came for {who} than could be kept; the broker is asked instead",
                critical=True,
            ),
            who,
        )

    def _check_roots(self) -> None:
        for contract in self._contracts.values():
            other = conflicting_root(contract.id, contract.name)
            if other is not None:
                self._desk.alert_once(
                    Alert(
                        "root_conflict",
                        f"the broker calls {contract.id} {contract.name}, yet that id was known as "
                        f"{other}: it counts under both, the stricter rule wins",
                        contract.id,
                        critical=True,
                    )
                )

    def _tell_all(self, message: LinkMessage) -> None:
        for member in self._roster.members.values():
            self._tell(member, message)

    # ---- requests -----------------------------------------------------------------------------

    def _mutate(self, message: Mutation) -> None:
        session, request, reply_to = self._session, message.request, message.reply_to
        if session is None:
            reply_to.tell(RequestAnswered(request, NotExecuted(f"no session: {self._problem}")))
            return
        call = mutation(session, message)
        if not isinstance(message, CancelOrder):
            contract = message.account_id, message.contract_id
            if isinstance(message, PartialCloseContract) and self._closing[contract]:
                # Sized without knowledge of the one under way, both together would close too much.
                busy = NotExecuted("another close of this position is under way", busy=True)
                reply_to.tell(RequestAnswered(request, busy))
                return
            self._closing[contract] += 1
            call = partial(self._closed, contract, call)
        self.context.request(
            call,
            lambda outcome: MutationAnswered(request, outcome, reply_to),
            lost=MutationAnswered(
                request, Unknown("the connection restarted before the answer"), reply_to
            ),
        )

    async def _closed(
        self, contract: tuple[int, str], call: Callable[[], Awaitable[Outcome]]
    ) -> Outcome:
        try:
            return await call()
        finally:
            self._closing[contract] -= 1

    def _read(self, message: Read) -> None:
        if self._session is None:
            refuse_read(message, f"no session: {self._problem}")
        else:
            self.context.start_task(answer_read, self._session, message, name="read")


def _same[T](answer: T) -> T:
    return answer
