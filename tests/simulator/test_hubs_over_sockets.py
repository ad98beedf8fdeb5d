"""Both hubs over real WebSockets, with the ``websockets`` client in a thread; and their faults."""

import json
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import trio
from attrs import define
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.simulator.world import Served

NQ = "CON.F.US.ENQ.Z26"
RS = "\x1e"


@define
class Trader:
    """A blocking client of everything."""

    url: str
    token: str
    http: httpx.Client
    open: ExitStack

    def post(self, path: str, /, **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.http.post(f"{self.url}{path}", json=body, headers=headers).json()

    def fault(self, name: str, **more: Any) -> Any:
        return self.post("/control/fault", fault=name, **more)

    def buy(self) -> None:
        body = {"accountId": 1001, "contractId": NQ, "type": 2, "side": 0, "size": 1}
        assert self.post("/api/Order/place", **body)["success"]

    def negotiate(self, hub: str) -> str:
        answer = self.http.post(f"{self.url}/hubs/{hub}/negotiate?access_token={self.token}")
        connection_id: str = answer.json()["connectionId"]
        return connection_id

    def socket(
        self, hub: str = "user", query: str | None = None, **options: Any
    ) -> ClientConnection:
        query = f"access_token={self.token}" if query is None else query
        address = f"{self.url.replace('http', 'ws')}/hubs/{hub}?{query}"
        dial = connect(address, proxy=None, open_timeout=5, close_timeout=1, **options)
        socket: ClientConnection = self.open.enter_context(dial)
        return socket

    def hub(self, hub: str = "user", *methods: str, argument: Any = 1001) -> ClientConnection:
        socket = self.socket(hub)
        socket.send(json.dumps({"protocol": "json", "version": 1}) + RS)
        assert socket.recv(5) == "{}" + RS
        for n, method in enumerate(methods):
            arguments = [] if method == "SubscribeAccounts" else [argument]
            record = {"type": 1, "target": method, "arguments": arguments, "invocationId": str(n)}
            socket.send(json.dumps(record) + RS)
            while read(socket).get("invocationId") != str(n):
                pass
        return socket


_left: dict[int, list[dict[str, Any]]] = {}


def read(socket: ClientConnection) -> dict[str, Any]:
    waiting = _left.setdefault(id(socket), [])
    while not waiting:
        text = socket.recv(5)
        assert isinstance(text, str)
        waiting += [json.loads(it) for it in text.split(RS) if it]
    return waiting.pop(0)


def pushes(socket: ClientConnection, count: int) -> list[tuple[str, Any]]:
    got: list[tuple[str, Any]] = []
    while len(got) < count:
        record = read(socket)
        if record["type"] == 1:
            got.append((record["target"], record["arguments"]))
    return got


Blocking = Callable[[Callable[[Trader], None]], Awaitable[None]]
"""Runs a story in a thread while the gateway is served."""

USER = ("SubscribeAccounts", "SubscribeOrders", "SubscribePositions", "SubscribeTrades")


@pytest.fixture
async def blocking(served: Served) -> Blocking:
    async def run(story: Callable[[Trader], None]) -> None:
        def body() -> None:
            with httpx.Client(trust_env=False) as http, ExitStack() as stack:
                story(Trader(served.at.url, served.token, http, stack))
            _left.clear()

        with trio.fail_after(20):
            await trio.to_thread.run_sync(body, abandon_on_cancel=True)

    return run


async def test_a_fill_reaches_a_subscriber(blocking: Blocking) -> None:
    """Order, order, trade, position, account: to the account's subscribers alone."""

    def story(trader: Trader) -> None:
        mine = trader.hub("user", *USER)
        other = trader.hub("user", *USER, argument=1002)
        trader.buy()
        targets = [target for target, _ in pushes(mine, 5)]
        assert targets == [
            "GatewayUserOrder",
            "GatewayUserOrder",
            "GatewayUserTrade",
            "GatewayUserPosition",
            "GatewayUserAccount",
        ]
        ((target, (account,)),) = pushes(other, 1)
        assert (target, account["id"]) == ("GatewayUserAccount", 1001)

    await blocking(story)


async def test_clients_may_negotiate_or_not_and_carry_the_token_either_way(
    blocking: Blocking,
) -> None:
    """Query, header, negotiated id, version 0, handshake and invocation in one frame."""

    def story(trader: Trader) -> None:
        query = f"access_token={trader.token}&id={trader.negotiate('user')}"
        header = {"Authorization": f"Bearer {trader.token}"}
        for socket in (
            trader.socket(query=query),
            trader.socket(query="", additional_headers=header),
            trader.socket(),
        ):
            beat = {"type": 1, "target": "Heartbeat", "arguments": [], "invocationId": "1"}
            socket.send('{"protocol":"json","version":0}' + RS + json.dumps(beat) + RS)
            assert read(socket) == {}
            assert read(socket)["invocationId"] == "1"

    await blocking(story)


async def test_without_a_token_nothing_comes_up(blocking: Blocking) -> None:
    """401 at negotiation and at the WebSocket handshake."""

    def story(trader: Trader) -> None:
        answer = trader.http.post(f"{trader.url}/hubs/user/negotiate?access_token=x")
        assert answer.status_code == 401
        with pytest.raises(InvalidStatus, match="401"):
            trader.socket(query="access_token=x")

    await blocking(story)


async def test_connection_ids_work_once_unless_told_otherwise(blocking: Blocking) -> None:
    """A used id is a 404, an unknown one too; the switch allows reuse."""

    def story(trader: Trader) -> None:
        query = f"access_token={trader.token}&id={trader.negotiate('market')}"
        trader.socket("market", query).close()
        with pytest.raises(InvalidStatus, match="404"):
            trader.socket("market", query)
        with pytest.raises(InvalidStatus, match="404"):
            trader.socket("market", f"access_token={trader.token}&id=nix")
        trader.fault("one_shot_ids", enabled=False)
        trader.socket("market", query).close()

    await blocking(story)


async def test_quotes_go_to_who_watches_the_contract(blocking: Blocking) -> None:
    """The current quote at once, then each new one; trades and depth to who asked."""

    def story(trader: Trader) -> None:
        methods = (
            "SubscribeContractTrades",
            "SubscribeContractMarketDepth",
            "SubscribeContractQuotes",
        )
        socket = trader.hub("market", *methods, argument=NQ)
        trader.post("/control/quote", contractId=NQ, bid=24000, ask=24000.25, last=24000.25)
        got = pushes(socket, 3)
        (contract_id, quote) = next(
            arguments for target, arguments in got if target == "GatewayQuote"
        )
        assert contract_id == NQ
        assert (quote["bestBid"], quote["bestAsk"], quote["lastPrice"]) == (
            24000,
            24000.25,
            24000.25,
        )
        assert {target for target, _ in got} == {"GatewayQuote", "GatewayTrade", "GatewayDepth"}

    await blocking(story)


@pytest.mark.parametrize("name", ["drop", "reset"])
async def test_hubs_can_be_cut(blocking: Blocking, name: str) -> None:
    """The client sees a broken connection, and may come back."""

    def story(trader: Trader) -> None:
        socket = trader.hub("user", *USER)
        market = trader.hub("market")
        trader.fault(name, hub="user")
        with pytest.raises(ConnectionClosed):
            socket.recv(5)
        trader.fault("garbage_frame", hub="market", text="still here")
        assert market.recv(5) == "still here"
        market.close()
        trader.hub("user", *USER).close()

    await blocking(story)


async def test_a_half_open_hub_is_silent(blocking: Blocking) -> None:
    """The socket stays, no ping is answered, nothing arrives; a new connection works."""

    def story(trader: Trader) -> None:
        silent = trader.hub("user", *USER)
        trader.fault("half_open")
        pong = silent.ping()
        trader.buy()
        with pytest.raises(TimeoutError):
            silent.recv(0.2)
        assert not pong.wait(0.1)
        fresh = trader.hub("user", *USER)
        trader.buy()
        assert len(pushes(fresh, 5)) == 5
        silent.socket.close()

    await blocking(story)


async def test_a_stalled_hub_delivers_later(blocking: Blocking) -> None:
    """Nothing during the stall, everything after it, in order."""

    def story(trader: Trader) -> None:
        socket = trader.hub("user", *USER)
        trader.fault("stall", duration=1.5)
        trader.buy()
        with pytest.raises(TimeoutError):
            socket.recv(0.1)
        assert [target for target, _ in pushes(socket, 5)][-1] == "GatewayUserAccount"

    await blocking(story)


async def test_garbage_logout_and_goodbye(blocking: Blocking) -> None:
    """A frame that is no record, a payload that makes no sense, GatewayLogout, a type-7 close."""

    def story(trader: Trader) -> None:
        socket = trader.hub("user", *USER)
        trader.fault("garbage_payload", payload=[1, {}])
        trader.fault("logout_push", reason="bye")
        trader.fault("garbage_frame")
        trader.fault("close_hubs", error="going down", allow_reconnect=True)
        assert pushes(socket, 2) == [
            ("GatewayUserPosition", [[1, {}]]),
            ("GatewayLogout", [{"reason": "bye"}]),
        ]
        assert socket.recv(5) == '{"type":1,"target":'
        assert read(socket) == {"type": 7, "allowReconnect": True, "error": "going down"}
        with pytest.raises(ConnectionClosed):
            socket.recv(5)

    await blocking(story)


async def test_event_faults_reach_the_wire(blocking: Blocking) -> None:
    """Positions three times, everything wrapped, and scattered apart."""

    def story(trader: Trader) -> None:
        trader.fault("duplicate", kinds=["position"], copies=3)
        trader.fault("payload_shape", shape="wrapped")
        trader.fault("scatter", apart_ms=20)
        socket = trader.hub("user", "SubscribePositions")
        trader.buy()
        got = pushes(socket, 3)
        assert len({json.dumps(it) for it in got}) == 1
        assert got[0][1][0]["data"]["size"] == 1

    await blocking(story)


async def test_a_bad_handshake_is_told_why(blocking: Blocking) -> None:
    """A close record with the reason, then the end; a missing one ends too."""

    def story(trader: Trader) -> None:
        socket = trader.socket()
        socket.send('{"protocol":"messagepack","version":1}' + RS)
        assert "protocol json" in read(socket)["error"]
        with pytest.raises(ConnectionClosed):
            socket.recv(5)

    await blocking(story)


async def test_the_truth_knows_connections_and_pushes(blocking: Blocking, served: Served) -> None:
    """Who is connected to what, and when each user event was written."""

    def story(trader: Trader) -> None:
        socket = trader.hub("user", *USER)
        trader.buy()
        pushes(socket, 5)
        state = trader.http.get(f"{trader.url}/control/state").json()
        (link,) = state["connections"]
        assert (link["hub"], link["user"], len(link["subscriptions"])) == ("user", "trader", 4)
        written = trader.http.get(f"{trader.url}/control/latency").json()["pushes"]
        assert [it["event"] for it in written][-1] == "GatewayUserAccount"
        assert all(it["written"] <= state["monotonic"] for it in written)

    await blocking(story)
    assert served.gateway.links == []
