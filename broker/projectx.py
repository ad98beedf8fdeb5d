"""The real gateway behind the port: project-x-py 4.4.1 for login, hubs and reads, our pool for the rest.

A session is one login. It owns an asyncio loop inside the Trio run, a token, two guarded hubs, a
request budget and a few warm connections, and keeps all of them in order by itself until it is
closed or its key is rejected. Importing this module imports the SDK; nothing else in Seawall does.
"""

import random
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import trio
from attrs import define, field, frozen

from broker.budget import RequestBudget
from broker.clock import Clock
from broker.hosts import bypass_proxies, check_hosts
from broker.inbox import Inbox
from broker.pool import Pool
from broker.port import (
    BadPayload,
    Hub,
    Login,
    NotExecuted,
    Numbering,
    Outcome,
    Priority,
    RequestRefused,
    Session,
    SessionStatistics,
    Sink,
)
from broker.projectx_api import Api, NotOffered, Observer
from broker.projectx_hub import HubGuard, account_topics, quote_topics
from broker.projectx_loop import Loop, open_loop
from broker.projectx_orders import mutate
from broker.projectx_sdk import RestClient, configuration, open_client, open_hubs
from broker.projectx_token import TokenOwner
from broker.redaction import hide
from broker.skew import SkewEstimate
from broker.wire import (
    decode_account,
    decode_contract,
    decode_newest_close,
    decode_order,
    decode_position,
    decode_trade,
)
from risk.domain import BrokerAccount, Contract, Order, OrderStatus, Position, Trade

WORKING = (
    OrderStatus.OPEN,
    OrderStatus.PENDING,
    OrderStatus.PENDING_CANCELLATION,
    OrderStatus.SUSPENDED,
)
ORDERS_PER_PAGE = 500
BARS_BACK = timedelta(days=5)
MINUTE = timedelta(minutes=1)
"""Long enough to reach over a weekend and a holiday."""

CLOSE_WITHIN = 2.0
"""Seconds for the SDK's HTTP client to close."""


@frozen
class ProjectXBroker:
    """Opens sessions at a ProjectX Gateway."""

    clock: Clock
    chance: random.Random = field(factory=random.SystemRandom)
    """For the jitter of pauses only."""
    loopback_only: bool = False
    """Refuse every address that is not on this machine: for simulated gateways."""
    pool_size: int = 4
    """Warm connections per login."""

    def session(
        self, login: Login, sink: Sink, numbering: Numbering
    ) -> AbstractAsyncContextManager[Session]:
        """Log in and start the hubs; entering raises LoginRejected, Unreachable or RateLimited.

        ValueError when the login's addresses mix this machine with others.
        """
        return _session(self, login, sink, numbering)


@asynccontextmanager
async def _session(
    broker: ProjectXBroker, login: Login, sink: Sink, numbering: Numbering
) -> AsyncIterator[Session]:
    if check_hosts(login, loopback_only=broker.loopback_only):
        bypass_proxies()
    hide(login.api_key)
    skew = SkewEstimate()
    observer = Observer(broker.clock, skew)
    async with open_loop() as loop, _rest_client(loop, login, observer) as client:
        parts = await _Parts.open(broker, login, loop, client, skew, Inbox(sink, numbering))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(parts.tokens.run)
            nursery.start_soon(parts.pool.run)
            nursery.start_soon(parts.user.run)
            nursery.start_soon(parts.market.run)
            yield ProjectXSession(parts)
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def _rest_client(loop: Loop, login: Login, observer: Observer) -> AsyncIterator[RestClient]:
    client = await loop.run(open_client(login, configuration(login), observer))
    try:
        yield client
    finally:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + CLOSE_WITHIN):
            await loop.run(client.__aexit__(None, None, None))


@define(eq=False)
class _Parts:
    """What a session is made of."""

    clock: Clock
    budget: RequestBudget
    skew: SkewEstimate
    tokens: TokenOwner
    api: Api
    pool: Pool
    inbox: Inbox
    user: HubGuard
    market: HubGuard

    @classmethod
    async def open(
        cls,
        broker: ProjectXBroker,
        login: Login,
        loop: Loop,
        client: RestClient,
        skew: SkewEstimate,
        inbox: Inbox,
    ) -> "_Parts":
        """Log in and prepare everything, starting nothing; raises BrokerError."""
        budget = RequestBudget()
        api = Api(loop, client, budget, broker.clock)
        tokens = TokenOwner(lambda: api.log_in(login.name), broker.clock.now, broker.chance)
        await tokens.first()
        hubs = await loop.run(open_hubs(configuration(login), inbox, tokens.logged_out))

        guard = partial(HubGuard, loop=loop, tokens=tokens, inbox=inbox, chance=broker.chance)
        user = guard(
            hub=Hub.USER,
            url=login.user_hub_url,
            connection=hubs.user_connection,
            topics=account_topics(()),
        )
        market = guard(
            hub=Hub.MARKET,
            url=login.market_hub_url,
            connection=hubs.market_connection,
            topics=quote_topics(()),
        )
        hubs.on_user_open, hubs.on_market_open = user.opened, market.opened
        pool = Pool(
            login.api_url,
            size=broker.pool_size,
            context=httpx.create_ssl_context,
            on_ping=budget.note,
        )
        return cls(broker.clock, budget, skew, tokens, api, pool, inbox, user, market)


class ProjectXSession:
    """One login's session; see ``broker.port.Session``."""

    def __init__(self, parts: _Parts) -> None:
        self._parts = parts
        self._contracts: dict[str, Contract] = {}
        # False once the gateway has said that it does not know the second version of the query.
        self._has_order_query = True

    def watch(self, accounts: Iterable[int], contracts: Iterable[str]) -> None:
        """Replace what is subscribed, at once where a hub is up."""
        self._parts.user.watch(account_topics(accounts))
        self._parts.market.watch(quote_topics(contracts))

    def statistics(self) -> SessionStatistics:
        """Figures since the session opened."""
        parts = self._parts
        return SessionStatistics(
            link=parts.inbox.numbering.link,
            received=parts.inbox.numbering.received,
            requests_last_minute=parts.budget.used(),
            logins=parts.tokens.logins,
            skew=parts.skew.seconds,
            skew_at=parts.skew.measured_at,
        )

    async def wait_failed(self) -> None:
        """Return only by raising LoginRejected."""
        await self._parts.tokens.wait_failed()

    async def accounts(self, priority: Priority) -> tuple[BrokerAccount, ...]:
        """Account/search, inactive ones too."""
        body = await self._ask("/Account/search", {"onlyActiveAccounts": False}, priority)
        return tuple(decode_account(record) for record in _listed(body, "accounts"))

    async def positions(self, account_id: int, priority: Priority) -> tuple[Position, ...]:
        """Position/searchOpen."""
        body = await self._ask("/Position/searchOpen", {"accountId": account_id}, priority)
        return tuple(decode_position(record) for record in _listed(body, "positions"))

    async def orders(self, account_id: int, priority: Priority) -> tuple[Order, ...]:
        """Order/v2/query, which knows suspended bracket children; Order/searchOpen without it."""
        if self._has_order_query:
            try:
                return await self._query_orders(account_id, priority)
            except NotOffered:
                self._has_order_query = False
            except RequestRefused:
                pass
        body = await self._ask("/Order/searchOpen", {"accountId": account_id}, priority)
        return tuple(decode_order(record) for record in _listed(body, "orders"))

    async def _query_orders(self, account_id: int, priority: Priority) -> tuple[Order, ...]:
        wanted = {"accountId": account_id, "statuses": [int(status) for status in WORKING]}
        found: dict[int, Order] = {}
        offset = 0
        while True:
            page = {"filter": wanted, "pageSize": ORDERS_PER_PAGE, "pageOffset": offset}
            body = await self._ask("/Order/v2/query", page, priority)
            orders = [decode_order(record) for record in _listed(body, "orders")]
            found |= {order.id: order for order in orders}
            if len(orders) < ORDERS_PER_PAGE:
                return tuple(found.values())
            offset += len(orders)

    async def trades(
        self, account_id: int, since: datetime, priority: Priority
    ) -> tuple[Trade, ...]:
        """Trade/search, complete."""
        asked = {"accountId": account_id, "startTimestamp": since.isoformat()}
        body = await self._ask("/Trade/search", asked, priority)
        return tuple(decode_trade(record) for record in _listed(body, "trades"))

    async def contracts(self, priority: Priority) -> tuple[Contract, ...]:
        """Contract/available, so that a first fill waits for no record."""
        body = await self._ask("/Contract/available", {"live": False}, priority)
        for record in _listed(body, "contracts"):
            with suppress(BadPayload):
                contract = decode_contract(record)
                self._contracts[contract.id] = contract
        return tuple(self._contracts.values())

    async def contract(self, contract_id: str, priority: Priority) -> Contract:
        """Contract/searchById, asked once per contract."""
        known = self._contracts.get(contract_id)
        if known is None:
            body = await self._ask("/Contract/searchById", {"contractId": contract_id}, priority)
            known = self._contracts[contract_id] = decode_contract(body.get("contract"))
        return known

    async def last_price(self, contract_id: str, priority: Priority) -> Decimal | None:
        """History/retrieveBars."""
        end = self._parts.clock.now() + MINUTE
        return decode_newest_close(await self._bars(contract_id, end, priority))

    async def price_at(
        self, contract_id: str, instant: datetime, priority: Priority
    ) -> Decimal | None:
        """History/retrieveBars; the bar that begins at the instant may come with the answer."""
        bars = await self._bars(contract_id, instant, priority)
        return decode_newest_close(bars, begun_by=instant - MINUTE)

    async def _bars(self, contract_id: str, end: datetime, priority: Priority) -> object:
        """The newest one-minute bars that began by an instant, the running one included."""
        asked = {
            "contractId": contract_id,
            "live": False,
            "startTime": (end - BARS_BACK).isoformat(),
            "endTime": end.isoformat(),
            "unit": 2,
            "unitNumber": 1,
            "limit": 5,
            "includePartialBar": True,
        }
        return (await self._ask("/History/retrieveBars", asked, priority)).get("bars")

    async def close(self, account_id: int, contract_id: str) -> Outcome:
        """Position/closeContract; the request leaves before this first yields."""
        return await self._mutate(
            "/Position/closeContract", {"accountId": account_id, "contractId": contract_id}
        )

    async def partial_close(self, account_id: int, contract_id: str, size: int) -> Outcome:
        """Position/partialCloseContract."""
        return await self._mutate(
            "/Position/partialCloseContract",
            {"accountId": account_id, "contractId": contract_id, "size": size},
        )

    async def cancel(self, account_id: int, order_id: int) -> Outcome:
        """Order/cancel."""
        return await self._mutate("/Order/cancel", {"accountId": account_id, "orderId": order_id})

    async def _mutate(self, path: str, payload: dict[str, object]) -> Outcome:
        parts = self._parts
        token = parts.tokens.current
        parts.budget.note()
        outcome = await mutate(parts.pool, path, payload, token)
        if isinstance(outcome, NotExecuted) and "401" in outcome.reason:
            parts.tokens.request(token)
        return outcome

    async def _ask(self, path: str, payload: dict[str, Any], priority: Priority) -> dict[str, Any]:
        return await self._parts.api.ask(self._parts.tokens, path, payload, priority)


def _listed(body: dict[str, Any], key: str) -> list[Any]:
    listed = body.get(key)
    if not isinstance(listed, list):
        raise BadPayload(f"{key}: missing from the answer")
    return listed
