"""The gateway's socket shell: HTTP/1.1 by h11, WebSockets by wsproto, straight on Trio streams.

No web framework: faults need the TCP connection itself (resets, half-open sockets), benchmarks need
the instant at which a request was complete, and a client's mistake must end its connection alone.
"""

import base64
import hashlib
from collections.abc import Callable
from http.client import responses
from urllib.parse import parse_qsl, unquote, urlsplit

import h11
import trio
from attrs import define, field, frozen

from simulator.control import Control
from simulator.faults import HalfOpen
from simulator.gateway import HUBS, Call, Gateway, Reply, problem
from simulator.hub import HubSession
from simulator.link import Link
from simulator.scenario import Step

HOST = "127.0.0.1"
LARGEST_BODY = 1024 * 1024
LARGEST_HEAD = 64 * 1024
QUOTE_TICK = 0.001
"""Seconds between batches of living quotes, at the least."""
_ACCEPT_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


@frozen
class Addresses:
    """Where a served gateway is to be found."""

    url: str
    """Such as ``http://127.0.0.1:40123``."""

    @property
    def api_url(self) -> str:
        """Base of the REST surface."""
        return f"{self.url}/api"

    @property
    def user_hub_url(self) -> str:
        """The user hub; clients change the scheme to ws themselves."""
        return f"{self.url}/hubs/user"

    @property
    def market_hub_url(self) -> str:
        """The market hub."""
        return f"{self.url}/hubs/market"

    def as_json(self) -> dict[str, str]:
        """All four, for programs."""
        return {
            "url": self.url,
            "api_url": self.api_url,
            "user_hub_url": self.user_hub_url,
            "market_hub_url": self.market_hub_url,
        }


async def serve(
    gateway: Gateway,
    *,
    port: int = 0,
    quotes_per_second: float = 0.0,
    steps: tuple[Step, ...] = (),
    task_status: trio.TaskStatus[Addresses] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve on loopback until cancelled; ``nursery.start`` answers the addresses.

    OSError when the port is taken. ``quotes_per_second`` drives the living prices, in real time; ``steps`` of a
    scenario begin now.
    """
    listeners = await trio.open_tcp_listeners(port, host=HOST)
    bound = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        gateway.later = lambda seconds, action: nursery.start_soon(_after, seconds, action)
        control = Control(gateway, nursery)
        control.play(steps)
        if quotes_per_second > 0:
            nursery.start_soon(_live, gateway, quotes_per_second)
        task_status.started(Addresses(f"http://{HOST}:{bound}"))

        async def client(stream: trio.SocketStream) -> None:
            await _Client(stream, gateway, control).run()

        await trio.serve_listeners(client, listeners)


async def _after(seconds: float, action: Callable[[], None]) -> None:
    await trio.sleep(seconds)
    action()


async def _live(gateway: Gateway, per_second: float) -> None:
    start, made = trio.current_time(), 0
    while True:
        await trio.sleep(max(1 / per_second, QUOTE_TICK))
        due = int((trio.current_time() - start) * per_second)
        made = max(made, due - int(per_second) - 1)
        while made < due:
            gateway.step()
            made += 1


@define(eq=False)
class _Client:
    """One TCP connection, first as HTTP, perhaps later as a WebSocket."""

    stream: trio.SocketStream
    gateway: Gateway
    control: Control
    _http: h11.Connection = field(
        factory=lambda: h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_HEAD)
    )
    _received: float = 0.0

    async def run(self) -> None:
        try:
            async with self.stream:
                await self._serve()
        except _GONE:
            return
        except BaseExceptionGroup as errors:
            if rest := errors.split(_GONE)[1]:
                raise rest from None

    async def _serve(self) -> None:
        try:
            while call := await self._next_call():
                if not await self._respond(call):
                    return
                self._http.start_next_cycle()
        except h11.RemoteProtocolError as error:
            await self._complain(error)

    async def _complain(self, error: h11.RemoteProtocolError) -> None:
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            status = error.error_status_hint
            await self._send(problem(status, f"this is no HTTP request: {error}"), close=True)

    async def _respond(self, call: Call) -> bool:
        """Answer one request; whether the connection may serve another."""
        if call.path in HUBS and b"upgrade" in call.headers:
            return await self._upgrade(call, HUBS[call.path])
        if call.path.startswith("/control/"):
            reply = self.control.answer(call)
        else:
            reply = self.gateway.answer(call)
        if reply.delay:
            await trio.sleep(reply.delay)
        if reply.disconnect:
            return False
        await self._send(reply)
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _next_call(self) -> Call | None:
        head = await self._event()
        if not isinstance(head, h11.Request):
            return None
        if self._http.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            await self.stream.send_all(self._http.send(go_on) or b"")
        body = b""
        while isinstance(event := await self._event(), h11.Data):
            body += event.data
            if len(body) > LARGEST_BODY:
                text = f"a body may have {LARGEST_BODY} bytes"
                await self._send(problem(413, text), close=True)
                return None
        if not isinstance(event, h11.EndOfMessage):
            return None
        try:
            return _call(head, body, self._received)
        except ValueError as error:
            await self._send(problem(400, f"the request's target: {error}"), close=True)
            return None

    async def _event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            data = await self.stream.receive_some(65536)
            self._received = self.gateway.monotonic()
            self._http.receive_data(data)
        return event

    async def _send(self, reply: Reply, *, close: bool = False) -> None:
        headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body)))]
        headers += reply.headers
        if close:
            headers.append(("Connection", "close"))
        send = self._http.send
        parts = [
            send(h11.Response(status_code=reply.status, headers=headers, reason=_reason(reply))),
            send(h11.Data(data=reply.body)),
            send(h11.EndOfMessage()),
        ]
        await self.stream.send_all(b"".join(part or b"" for part in parts))

    async def _upgrade(self, call: Call, hub: str) -> bool:
        key = call.headers.get(b"sec-websocket-key")
        if key is None or call.headers.get(b"upgrade", b"").lower() != b"websocket":
            await self._send(problem(400, "this is no WebSocket handshake"), close=True)
            return False
        session = self.gateway.admit(call, hub)
        if isinstance(session, Reply):
            await self._send(session, close=True)
            return False
        trailing, _ = self._http.trailing_data
        await self.stream.send_all(_switching(key))
        await self._hub(session, trailing)
        return False

    async def _hub(self, session: HubSession, trailing: bytes) -> None:
        gateway = self.gateway
        link = Link(self.stream, session, gateway.monotonic, gateway.monotonic())
        gateway.connect(link)
        if frozen_network := gateway.board.standing(HalfOpen):
            link.strike(frozen_network)
        try:
            await link.run(trailing)
        finally:
            gateway.disconnect(link)


def _call(head: h11.Request, body: bytes, received: float) -> Call:
    target = urlsplit(head.target.decode("latin-1"))
    return Call(
        method=head.method.decode("latin-1"),
        path=unquote(target.path),
        query=dict(parse_qsl(target.query)),
        headers=dict(head.headers),
        body=body,
        received=received,
    )


def _reason(reply: Reply) -> str:
    return responses.get(reply.status, "As The Fault Demands")


def _switching(key: bytes) -> bytes:
    accept = base64.b64encode(hashlib.sha1(key + _ACCEPT_KEY, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
