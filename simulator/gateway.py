"""The simulated gateway behind its sockets: what each request gets, what each connection is pushed.

Synchronous; the shell in ``simulator.server`` moves the bytes. Times that clients see (timestamps,
the Date header) are the gateway's simulated wall time; token lifetimes are the machine's.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import msgspec
from attrs import define, field, frozen

from simulator.board import FaultBoard
from simulator.clock import GatewayTime
from simulator.delivery import packed, plan, quote_as_sent
from simulator.desk import Desk
from simulator.events import Event, Kind
from simulator.exchange import Exchange
from simulator.faults import (
    Fault,
    HalfOpen,
    HttpStatus,
    HubFault,
    OneShotIds,
    RateLimit,
    RejectLogin,
    RevokeTokens,
    Skew,
    Slow,
    StaleSnapshot,
)
from simulator.hub import HubSession, Key, invocation
from simulator.link import Link, Note
from simulator.messages import LoginKey
from simulator.payloads import Payload, encode
from simulator.prices import PriceWalk
from simulator.record import Pushed, Record, Served
from simulator.rest import ENDPOINTS, Caller, Told, refused, succeeded
from simulator.sessions import Sessions, User

HUBS = {"/hubs/user": "user", "/hubs/market": "market"}
MOST_IDS = 10_000
"""Negotiated connection ids that are remembered."""


@frozen
class Call:
    """A complete HTTP request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[bytes, bytes]
    body: bytes
    received: float
    """Monotonic seconds at which its last byte was there."""

    @property
    def token(self) -> str | None:
        """From the Authorization header or, as the hubs' clients send it, from the query."""
        header = self.headers.get(b"authorization", b"").decode("latin-1")
        scheme, _, token = header.partition(" ")
        if scheme.lower() == "bearer" and token:
            return token.strip()
        return self.query.get("access_token") or None


@frozen
class Reply:
    """What goes back, and how."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json; charset=utf-8"
    delay: float = 0.0
    """Seconds to wait before writing it."""
    disconnect: bool = False
    """Write nothing, break the connection."""


def json_reply(status: int, document: object, **more: Any) -> Reply:
    """A reply with a JSON body."""
    return Reply(status, encode(document), **more)


def problem(status: int, text: str, **more: Any) -> Reply:
    """A clear error for a request that reached no endpoint."""
    return json_reply(status, {"error": text}, **more)


@define(eq=False)
class Gateway:
    """Everything the gateway knows; one instance serves all connections of a process."""

    exchange: Exchange
    time: GatewayTime
    machine_time: Callable[[], datetime]
    """Aware UTC of the machine, by which clients judge tokens."""
    monotonic: Callable[[], float]
    chance: random.Random
    sessions: Sessions
    walk: PriceWalk
    later: Callable[[float, Callable[[], None]], None] = lambda _, action: action()
    """Runs an action after some seconds; the server sets it."""
    board: FaultBoard = field(init=False)
    desk: Desk = field(init=False)
    record: Record = field(init=False, factory=Record)
    links: list[Link] = field(init=False, factory=list)
    """Hub connections that are up, oldest first."""
    mishaps: list[str] = field(init=False, factory=list)
    """Scenario steps that could not be done."""
    _ids: dict[str, bool] = field(init=False, factory=dict)
    """Negotiated connection ids; True once used."""

    def __attrs_post_init__(self) -> None:
        self.board = FaultBoard(self.monotonic)
        self.desk = Desk(self.exchange, self.board)
        self.exchange.listeners.append(self._publish)

    # --- REST

    def answer(self, call: Call) -> Reply:
        """The reply to an API request or a negotiation; always one, whatever was asked."""
        user = self._owner(call)
        name = self._caller_name(call, user)
        reply = self._faulty(call, name) or self._limited(call, name) or self._answer(call, user)
        date = ("Date", self._date())
        served = Served(
            path=call.path,
            user=name,
            status=0 if reply.disconnect else reply.status,
            received=call.received,
            answered=self.monotonic(),
            subject=_subject(call),
        )
        self.record.serve(served)
        slow = self.board.take(Slow, lambda it: _matches(it, call.path))
        delay = slow.delay_ms / 1000 if slow else 0.0
        return Reply(
            reply.status,
            reply.body,
            (*reply.headers, date),
            reply.content_type,
            delay,
            reply.disconnect,
        )

    def _answer(self, call: Call, user: User | None) -> Reply:
        if call.path == "/api/Status/ping":
            return _allow(call, "GET") or json_reply(200, "pong")
        if call.path == "/api/Auth/loginKey":
            return _allow(call, "POST") or self._login(call)
        if call.path.removesuffix("/negotiate") in HUBS:
            return _allow(call, "POST") or self._negotiate(user)
        endpoint = ENDPOINTS.get(call.path)
        if endpoint is None and call.path not in ("/api/Auth/validate", "/api/Auth/logout"):
            return problem(404, f"there is nothing at {call.path}")
        if wrong := _allow(call, "POST"):
            return wrong
        if user is None:
            return problem(401, "the token is missing, expired or revoked")
        if endpoint is None:
            return self._renew_or_end(call)
        shape, handle = endpoint
        try:
            request = msgspec.json.decode(call.body or b"{}", type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return problem(400, f"{call.path}: {error}")
        told = handle(self.desk, Caller(user, self.time.now()), request)
        return _told(told) if isinstance(told, Told) else json_reply(200, told)

    def _login(self, call: Call) -> Reply:
        try:
            request = msgspec.json.decode(call.body, type=LoginKey)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return problem(400, f"{call.path}: {error}")
        rejected = self.board.take(RejectLogin, lambda it: it.user in (None, request.user_name))
        token = None
        if rejected is None:
            token = self.sessions.login(request.user_name, request.api_key, self.machine_time())
        if token is None:
            return json_reply(200, refused(3, "invalid user name or API key", token=None))
        return json_reply(200, succeeded(token=token))

    def _renew_or_end(self, call: Call) -> Reply:
        token = call.token
        assert token is not None
        if call.path == "/api/Auth/logout":
            self.sessions.revoke(token)
            return json_reply(200, succeeded())
        return json_reply(200, succeeded(newToken=self.sessions.renew(token, self.machine_time())))

    def _limited(self, call: Call, name: str | None) -> Reply | None:
        if name is None or not call.path.startswith("/api/"):
            return None
        count = self.sessions.traffic_of(name).note(self.monotonic())
        limit = self.board.standing(RateLimit) or RateLimit()
        if not limit.enabled or count <= limit.requests:
            return None
        text = f"more than {limit.requests} requests in 60 s"
        return problem(429, text, headers=(("Retry-After", "5"),))

    def _faulty(self, call: Call, name: str | None) -> Reply | None:
        fault = self.board.take(HttpStatus, lambda it: it.concerns(call.path, name))
        if fault is None:
            return None
        wait = fault.retry_after
        headers = () if wait is None else (("Retry-After", f"{wait:g}"),)
        return problem(fault.status, "as the fault demands", headers=headers)

    def _owner(self, call: Call) -> User | None:
        token = call.token
        return self.sessions.owner(token, self.machine_time()) if token else None

    def _caller_name(self, call: Call, user: User | None) -> str | None:
        if user is not None or call.path != "/api/Auth/loginKey":
            return user.name if user else None
        try:
            return msgspec.json.decode(call.body, type=LoginKey).user_name
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def _date(self) -> str:
        skew = self.board.standing(Skew)
        ahead = timedelta(seconds=float(skew.seconds)) if skew else timedelta()
        return format_datetime(self.time.now() + ahead, usegmt=True)

    # --- hubs

    def _negotiate(self, user: User | None) -> Reply:
        if user is None:
            return problem(401, "the token is missing, expired or revoked")
        connection_id = self._new_id()
        self._ids[connection_id] = False
        while len(self._ids) > MOST_IDS:
            del self._ids[next(iter(self._ids))]
        transports = [{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}]
        document = {
            "negotiateVersion": 0,
            "connectionId": connection_id,
            "availableTransports": transports,
        }
        return json_reply(200, document)

    def admit(self, call: Call, hub: str) -> HubSession | Reply:
        """A session for a WebSocket that wants to come up, or why not."""
        user = self._owner(call)
        if reply := self._faulty(call, user.name if user else None):
            return reply
        if user is None:
            return problem(401, "the token is missing, expired or revoked")
        connection_id = call.query.get("id")
        if connection_id is None:
            connection_id = self._new_id()
        elif connection_id not in self._ids:
            return problem(404, "no connection with that id")
        elif self._ids[connection_id] and (self.board.standing(OneShotIds) or OneShotIds()).enabled:
            return problem(404, "this connection id was used before")
        self._ids[connection_id] = True
        caller = Caller(user, self.time.now())
        return HubSession(
            id=connection_id,
            hub=hub,
            user=user.name,
            may_see=lambda it: it in self.exchange.accounts and caller.may_see(it),
            is_listed=self.exchange.listings.__contains__,
        )

    def _new_id(self) -> str:
        return f"{self.chance.getrandbits(128):032x}"

    def connect(self, link: Link) -> None:
        """A hub connection is up."""
        self.links.append(link)
        link.session.subscribed = lambda key: self._greet(link, key)

    def disconnect(self, link: Link) -> None:
        """A hub connection is gone."""
        self.links.remove(link)

    def _greet(self, link: Link, key: Key) -> None:
        topic, contract_id = key
        if topic == "GatewayQuote" and isinstance(contract_id, str):
            payload = self.exchange.quote_payload(contract_id, self.time.now())
            link.push(invocation(topic, contract_id, payload))

    # --- pushes

    def _publish(self, events: tuple[Event, ...]) -> None:
        users = tuple(it for it in events if it.kind is not Kind.QUOTE)
        for event in events:
            if event.kind is Kind.QUOTE:
                self._push_quote(event.contract_id, event.payload)
        for delay, event in plan(users, self.board, self.chance):
            if delay:
                self.later(delay, lambda event=event: self._push_user(event))  # type: ignore[misc]
            else:
                self._push_user(event)

    def _push_user(self, event: Event) -> None:
        topic = event.kind.value
        key = (topic, None if event.kind is Kind.ACCOUNT else event.account_id)
        links = [it for it in self.links if key in it.session.subscriptions]
        if not links:
            return
        frame = invocation(topic, packed(event.payload, self.board))
        for link in links:
            if event.account_id is not None and link.session.may_see(event.account_id):
                link.push(frame, self._note(link, event))

    def _note(self, link: Link, event: Event) -> Note:
        return lambda written: self.record.pushed.append(
            Pushed(
                event=event.kind.value,
                user=link.session.user,
                connection=link.session.id,
                account_id=event.account_id,
                contract_id=event.contract_id,
                id=event.payload.get("id"),
                written=written,
            )
        )

    def _push_quote(self, contract_id: str, payload: Payload) -> None:
        key = ("GatewayQuote", contract_id)
        links = [it for it in self.links if key in it.session.subscriptions]
        if links:
            frame = invocation("GatewayQuote", contract_id, quote_as_sent(payload, self.board))
            self.record.quotes += len(links)
            for link in links:
                link.push(frame)
        self._push_market(contract_id, payload)

    def _push_market(self, contract_id: str, payload: Payload) -> None:
        """Trades and depth follow the quote; no rule reads them, other clients subscribe them."""
        last, now = payload["lastPrice"], payload["timestamp"]
        trade = {"symbolId": payload["symbol"], "price": last, "timestamp": now}
        depth = {"timestamp": now, "type": 3, "price": payload["bestBid"], "volume": 10}
        rows = {
            "GatewayTrade": {**trade, "type": 0, "volume": 1},
            "GatewayDepth": {**depth, "currentVolume": 10},
        }
        for link in self.links:
            for topic, row in rows.items():
                if (topic, contract_id) in link.session.subscriptions:
                    link.push(invocation(topic, contract_id, [row]))

    # --- time and trouble

    def step(self) -> None:
        """The next quote of the living prices."""
        made = self.walk.step()
        if made is not None:
            self.desk.refresh()
            contract_id, bid, ask = made
            self.exchange.set_quote(contract_id, bid, ask, self.time.now())

    def inject(self, fault: Fault) -> None:
        """Let a fault strike now, or stand until it is used up or cleared."""
        if isinstance(fault, RevokeTokens):
            self.sessions.revoke_all(fault.user)
            return
        if isinstance(fault, HubFault):
            for link in list(self.links):
                link.strike(fault)
            if not isinstance(fault, HalfOpen) or fault.duration is None:
                return
        if isinstance(fault, StaleSnapshot):
            self.desk.freeze_reads()
        self.board.add(fault)
        self.desk.refresh()

    def heal(self, kind: type[Fault] | None) -> None:
        """End the standing faults, or those of one kind."""
        self.board.clear(kind)
        self.desk.refresh()


def _allow(call: Call, method: str) -> Reply | None:
    if call.method == method:
        return None
    return problem(405, f"{call.path} takes {method}", headers=(("Allow", method),))


def _matches(slow: Slow, path: str) -> bool:
    return HttpStatus(path=slow.path).concerns(path, None)


def _told(told: Told) -> Reply:
    uncertain = told.handled.uncertain if told.handled else None
    if uncertain is None:
        return json_reply(200, told.body)
    if uncertain.how == "disconnect":
        return Reply(502, b"", disconnect=True)
    return problem(uncertain.status, "as the fault demands")


def _subject(call: Call) -> dict[str, Any]:
    if not call.path.startswith(("/api/Position/", "/api/Order/")):
        return {}
    try:
        body = msgspec.json.decode(call.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    if not isinstance(body, dict):
        return {}
    return {it: body[it] for it in ("accountId", "contractId", "orderId", "size") if it in body}
