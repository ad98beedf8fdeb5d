"""Warm HTTP/1.1 connections for the requests that must not wait: close, partial close, cancel.

A general HTTP client spends most of a millisecond on a request before a byte leaves. Here the
connections are open before they are needed, the request is one prepared string, and it is handed to
the operating system before the first checkpoint. Each connection is pinged every 30 seconds; one
that broke while idle is noticed before it is used and replaced in the background.

An answer is an ``Answer``. Anything else is ``Lost``, which says the one thing that matters: whether
the request may have been executed. A caller's cancellation does not abandon a request under way.
"""

import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import h11
import trio
from attrs import define, field, frozen

PING_EVERY = 30.0
PING_WITHIN = 5.0
OPEN_WITHIN = 5.0
MAINTAIN_EVERY = 1.0
MOST_CONNECTIONS = 32

_BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError, h11.RemoteProtocolError)


@frozen
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)


@frozen
class Lost:
    """No usable answer."""

    reason: str
    sent: bool
    """The complete request may have reached the server."""


@frozen
class PoolStatistics:
    """Connections now, and totals since the start."""

    idle: int
    busy: int
    opened: int
    broken: int


@frozen
class Endpoint:
    """Where and how to connect."""

    host: str
    port: int
    path: str
    """Of the base address, without a trailing slash."""
    tls: ssl.SSLContext | None

    @classmethod
    def of(cls, base_url: str, context: Callable[[], ssl.SSLContext]) -> "Endpoint":
        """Parse ``http://host:port/base`` or its https form; other schemes are a ``ValueError``."""
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an http or https address: {base_url}")
        tls = context() if parts.scheme == "https" else None
        port = parts.port or (443 if tls else 80)
        return cls(parts.hostname, port, parts.path.rstrip("/"), tls)

    def head(self, method: str, path: str) -> bytes:
        """First line and the fixed headers of a request, the last line unfinished."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            f"{method} {self.path}{path} HTTP/1.1\r\nhost: {host}:{self.port}\r\n"
            "accept: application/json\r\n"
        ).encode("ascii")


@define(eq=False)
class Connection:
    """One keep-alive connection; used by one request at a time."""

    _stream: trio.abc.Stream
    _transport: trio.SocketStream
    # The same file descriptor again, for looking at it without waiting.
    _view: socket.socket
    _parser: h11.Connection = field(factory=lambda: h11.Connection(h11.CLIENT))
    used_at: float = field(factory=trio.current_time)

    @classmethod
    async def open(cls, endpoint: Endpoint) -> "Connection":
        """Connect, with the TLS handshake; raises OSError or ``trio.BrokenResourceError``."""
        transport = await trio.open_tcp_stream(endpoint.host, endpoint.port)
        transport.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream: trio.abc.Stream = transport
        if endpoint.tls is not None:
            stream = await _secured(transport, endpoint.tls, endpoint.host)
        view = socket.socket(fileno=transport.socket.fileno())
        view.setblocking(False)
        return cls(stream, transport, view)

    @property
    def clean(self) -> bool:
        """Nothing has arrived while idle; the end of the stream, too, would be an arrival."""
        try:
            self._view.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    async def send(self, request: bytes) -> None:
        """Hand the whole request to the operating system; no checkpoint comes before that."""
        await self._stream.send_all(request)

    async def receive(self, method: str) -> Answer:
        """The answer to the request just sent."""
        self._parser.send(h11.Request(method=method, target="/", headers=[("host", "-")]))
        self._parser.send(h11.EndOfMessage())
        status, headers, body = 0, {}, bytearray()
        while not isinstance(event := await self._event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                status = event.status_code
                headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.ConnectionClosed):
                raise trio.BrokenResourceError("the server closed the connection")
        self.used_at = trio.current_time()
        return Answer(status, headers, bytes(body))

    async def _event(self) -> h11.Event:
        while not isinstance(event := self._parser.next_event(), h11.Event):
            self._parser.receive_data(bytes(await self._stream.receive_some(65536)))
        return event

    def reset(self) -> bool:
        """Make ready for the next request; False when this connection cannot serve another."""
        if self._parser.our_state is not h11.DONE or self._parser.their_state is not h11.DONE:
            return False
        self._parser.start_next_cycle()
        return True

    def close(self) -> None:
        """Close at once, without a goodbye."""
        self._view.detach()
        self._transport.socket.close()


async def _secured(
    transport: trio.SocketStream, context: ssl.SSLContext, host: str
) -> trio.SSLStream[trio.SocketStream]:
    secure = trio.SSLStream(transport, context, server_hostname=host, https_compatible=True)
    try:
        await secure.do_handshake()
    except BaseException:
        transport.socket.close()
        raise
    return secure


class Pool:
    """Keeps ``size`` connections to one base address warm while ``run`` is running."""

    def __init__(
        self,
        base_url: str,
        *,
        size: int = 4,
        context: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        on_ping: Callable[[], None] = lambda: None,
        ping_path: str = "/Status/ping",
    ) -> None:
        self._endpoint = Endpoint.of(base_url, context)
        self._size = size
        self._on_ping = on_ping
        self._ping_path = ping_path
        self._heads: dict[str, bytes] = {}
        # Ready for use, the most recently used last.
        self._idle: list[Connection] = []
        self._busy = 0
        # ``run`` has ended: a request under way may still finish, but nothing is kept after it.
        self._over = False
        self._opened = 0
        self._broken = 0
        self._wake = trio.Event()
        self._released = trio.lowlevel.ParkingLot()

    def statistics(self) -> PoolStatistics:
        """Figures now."""
        return PoolStatistics(len(self._idle), self._busy, self._opened, self._broken)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Open, ping and replace connections until cancelled; started after the first attempt."""
        try:
            await self._maintain()
            task_status.started()
            while True:
                with trio.move_on_after(MAINTAIN_EVERY):
                    await self._wake.wait()
                self._wake = trio.Event()
                await self._maintain()
        finally:
            self._over = True
            while self._idle:
                self._idle.pop().close()

    async def post(self, path: str, body: bytes, token: str, deadline: float) -> Answer | Lost:
        """Send a JSON body to a path under the base address; ``deadline`` in seconds from now.

        The request leaves before this function first yields, if a connection is idle. It is
        finished or given up at the deadline whatever happens to the caller.
        """
        head = self._heads.get(path)
        if head is None:
            head = self._endpoint.head("POST", path) + b"content-type: application/json\r\n"
            self._heads[path] = head
        request = b"%bauthorization: Bearer %b\r\ncontent-length: %d\r\n\r\n%b" % (
            head,
            token.encode("ascii"),
            len(body),
            body,
        )
        return await self.exchange("POST", request, deadline)

    async def get(self, path: str, deadline: float) -> Answer | Lost:
        """Ask for a path under the base address, without credentials."""
        return await self.exchange("GET", self._endpoint.head("GET", path) + b"\r\n", deadline)

    async def exchange(self, method: str, request: bytes, deadline: float) -> Answer | Lost:
        """Send prepared bytes over a connection of the pool."""
        under_way = _UnderWay()
        result: Answer | Lost | None = None
        with trio.CancelScope(shield=True, deadline=trio.current_time() + deadline):
            result = await self._exchange(method, request, under_way)
        if result is None:
            result = Lost(f"no answer within {deadline:g} s", under_way.sent)
        if isinstance(result, Lost):
            self._wake.set()
        return result

    async def _exchange(self, method: str, request: bytes, under_way: "_UnderWay") -> Answer | Lost:
        while True:
            connection = self._take()
            fresh = connection is None
            if connection is None:
                opened = await self._open_or_wait()
                if isinstance(opened, Lost):
                    return opened
                connection = opened
            result = await self._use(connection, method, request, under_way)
            # A connection that had died while idle took nothing: try the next one.
            if fresh or isinstance(result, Answer) or result.sent:
                return result

    async def _use(
        self, connection: Connection, method: str, request: bytes, under_way: "_UnderWay"
    ) -> Answer | Lost:
        self._busy += 1
        kept = False
        try:
            under_way.sent = True
            try:
                await connection.send(request)
            except _BROKEN as error:
                # A request that was not handed over completely cannot have been executed.
                under_way.sent = False
                return Lost(f"the connection broke: {error!r}", sent=False)
            answer = await connection.receive(method)
            kept = connection.reset()
        except _BROKEN as error:
            return Lost(f"the connection broke before the answer: {error!r}", sent=True)
        else:
            return answer
        finally:
            self._busy -= 1
            self._give_back(connection, kept=kept)

    def _give_back(self, connection: Connection, *, kept: bool) -> None:
        if not kept:
            self._discard(connection)
        elif self._over:
            connection.close()
        else:
            self._idle.append(connection)
        self._released.unpark()

    def _take(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.clean:
                return connection
            self._discard(connection)
            self._wake.set()
        return None

    def _discard(self, connection: Connection) -> None:
        self._broken += 1
        connection.close()

    async def _open_or_wait(self) -> Connection | Lost:
        while self._busy >= MOST_CONNECTIONS:
            await self._released.park()
            if connection := self._take():
                return connection
        return await self._open()

    async def _open(self) -> Connection | Lost:
        reason = f"no connection within {OPEN_WITHIN:g} s"
        with trio.move_on_after(OPEN_WITHIN):
            try:
                connection = await Connection.open(self._endpoint)
            except (OSError, trio.BrokenResourceError) as error:
                return Lost(f"no connection: {error}", sent=False)
            self._opened += 1
            return connection
        return Lost(reason, sent=False)

    async def _maintain(self) -> None:
        """Drop what broke, ping what was idle for long, open what is missing."""
        for connection in [each for each in self._idle if not each.clean]:
            self._idle.remove(connection)
            self._discard(connection)
        stale = trio.current_time() - PING_EVERY
        resting = [each for each in self._idle if each.used_at <= stale]
        missing = self._size - len(self._idle) - self._busy
        async with trio.open_nursery() as nursery:
            for connection in resting:
                self._idle.remove(connection)
                nursery.start_soon(self._ping, connection)
            for _ in range(missing):
                nursery.start_soon(self._add)

    async def _add(self) -> None:
        connection = await self._open()
        if isinstance(connection, Connection):
            await self._ping(connection)

    async def _ping(self, connection: Connection) -> None:
        """Prove a connection; over TLS this also takes in what follows the handshake."""
        if len(self._idle) >= self._size:
            connection.close()
            return
        self._on_ping()
        ping = self._endpoint.head("GET", self._ping_path) + b"\r\n"
        with trio.move_on_after(PING_WITHIN), contextlib.suppress(*_BROKEN):
            await self._use(connection, "GET", ping, _UnderWay())


@define
class _UnderWay:
    """Whether a request may have left, known also when its deadline ends it."""

    sent: bool = False
