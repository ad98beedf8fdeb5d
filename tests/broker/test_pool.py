"""The warm pool, against a raw server of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import h11
import pytest
import trio
import trio.testing
from attrs import define, field

from broker.pool import Answer, Lost, Pool

Handler = Callable[[trio.SocketStream, h11.Request, bytes], Awaitable[bool]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ndate: x\r\n\r\n{}"


@define
class Server:
    """Counts connections and hands each parsed request to a handler; False ends the connection."""

    handler: Handler
    url: str = ""
    streams: list[trio.SocketStream] = field(factory=list)
    requests: list[tuple[str, bytes, bytes]] = field(factory=list)

    async def serve(self, stream: trio.SocketStream) -> None:
        self.streams.append(stream)
        parser = h11.Connection(h11.SERVER)
        async with stream:
            while (request := await self._read(stream, parser)) is not None:
                head, body = request
                token = dict(head.headers).get(b"authorization", b"")
                self.requests.append((head.target.decode(), token, body))
                if not await self.handler(stream, head, body):
                    return
                parser = h11.Connection(h11.SERVER)

    async def _read(
        self, stream: trio.SocketStream, parser: h11.Connection
    ) -> tuple[h11.Request, bytes] | None:
        head, body = None, b""
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                try:
                    data = bytes(await stream.receive_some())
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    return None
                if not data:
                    return None
                parser.receive_data(data)
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                return head, body


async def accept(stream: trio.SocketStream, _: h11.Request, __: bytes) -> bool:
    await stream.send_all(OK)
    return True


def unless_ping(answer: Handler) -> Handler:
    async def handler(stream: trio.SocketStream, head: h11.Request, body: bytes) -> bool:
        if head.target.endswith(b"/Status/ping"):
            return await accept(stream, head, body)
        return await answer(stream, head, body)

    return handler


@asynccontextmanager
async def serving(handler: Handler = accept) -> AsyncIterator[Server]:
    server = Server(handler)
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        server.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/api"
        await nursery.start(trio.serve_listeners, server.serve, listeners)
        yield server
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def warm(server: Server, size: int = 2) -> AsyncIterator[Pool]:
    pool = Pool(server.url, size=size)
    async with trio.open_nursery() as nursery:
        await nursery.start(pool.run)
        yield pool
        nursery.cancel_scope.cancel()


async def test_connections_are_open_before_they_are_needed() -> None:
    """A started pool has its connections, each proven by a ping, and a request opens none."""
    async with serving() as server, warm(server) as pool:
        assert pool.statistics().idle == 2
        assert [target for target, _, _ in server.requests] == ["/api/Status/ping"] * 2
        answer = await pool.post("/Position/closeContract", b'{"a":1}', "tok", 1)
        assert isinstance(answer, Answer)
        assert (answer.status, answer.body, answer.headers["date"]) == (200, b"{}", "x")
        assert server.requests[-1] == ("/api/Position/closeContract", b"Bearer tok", b'{"a":1}')
        assert len(server.streams) == 2


async def test_connection_that_died_while_idle_is_replaced_and_not_used() -> None:
    """The server closing idle connections costs no request and is repaired in the background."""
    async with serving() as server, warm(server) as pool:
        for stream in server.streams:
            await stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert isinstance(await pool.post("/x", b"{}", "t", 1), Answer)
        with trio.fail_after(5):
            while pool.statistics().idle < 2:
                await trio.sleep(0.01)
        assert pool.statistics().broken == 2


async def test_refused_connection_was_not_sent() -> None:
    """No server, no execution."""
    async with serving() as server:
        url = server.url
    result = await Pool(url).post("/x", b"{}", "t", 1)
    assert isinstance(result, Lost)
    assert not result.sent


async def drop(_: trio.SocketStream, __: h11.Request, ___: bytes) -> bool:
    return False


async def garbage(stream: trio.SocketStream, _: h11.Request, __: bytes) -> bool:
    await stream.send_all(b"what?\r\n\r\n")
    return True


async def half_an_answer(stream: trio.SocketStream, _: h11.Request, __: bytes) -> bool:
    await stream.send_all(OK[:-1])
    return False


async def silence(_: trio.SocketStream, __: h11.Request, ___: bytes) -> bool:
    await trio.sleep(60)
    return True


@pytest.mark.parametrize("fault", [drop, garbage, half_an_answer])
async def test_broken_answer_may_have_been_executed(fault: Handler) -> None:
    """Whatever breaks after the request left, the outcome is in doubt and nothing is repeated."""
    async with serving(unless_ping(fault)) as server, warm(server) as pool:
        result = await pool.post("/x", b"{}", "t", 5)
        assert isinstance(result, Lost)
        assert result.sent
        assert [target for target, _, _ in server.requests].count("/api/x") == 1


async def test_silence_ends_at_the_deadline_and_may_have_been_executed() -> None:
    """A half-open connection is given up, and not used again."""
    async with serving(unless_ping(silence)) as server, warm(server) as pool:
        result = await pool.post("/x", b"{}", "t", 0.05)
        assert isinstance(result, Lost)
        assert result.sent
        assert pool.statistics().broken == 1


async def test_cancelled_caller_does_not_abandon_a_request_under_way() -> None:
    """The answer is still taken in, so the caller knows what happened."""
    answers: list[Answer | Lost] = []
    async with serving() as server, warm(server) as pool:
        with trio.CancelScope() as scope:
            scope.cancel()
            answers.append(await pool.post("/x", b"{}", "t", 1))
    assert isinstance(answers[0], Answer)


async def test_answer_that_comes_after_the_pool_ended_leaves_no_connection_open() -> None:
    """A request under way when the pool ends is finished, and its connection closed."""
    release = trio.Event()
    answers: list[Answer | Lost] = []

    async def late(stream: trio.SocketStream, head: h11.Request, body: bytes) -> bool:
        await release.wait()
        return await accept(stream, head, body)

    async with serving(unless_ping(late)) as server, trio.open_nursery() as nursery:

        async def ask() -> None:
            answers.append(await pool.post("/x", b"{}", "t", 5))

        async with warm(server, size=1) as pool:
            nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
        release.set()
        while not answers:
            await trio.sleep(0.001)
        assert isinstance(answers[0], Answer)
        assert (pool.statistics().busy, pool.statistics().idle) == (0, 0)


async def test_closing_answer_is_taken_and_its_connection_replaced() -> None:
    """``Connection: close`` ends the connection, not the request."""

    async def closing(stream: trio.SocketStream, _: h11.Request, __: bytes) -> bool:
        await stream.send_all(OK.replace(b"date: x", b"connection: close"))
        return False

    async with serving(unless_ping(closing)) as server, warm(server) as pool:
        assert isinstance(await pool.post("/x", b"{}", "t", 1), Answer)
        assert pool.statistics().broken == 1


async def test_burst_is_served_at_once_and_settles_back() -> None:
    """More requests than warm connections open more; they do not queue behind each other."""
    inside = 0
    gate = trio.Event()

    async def together(stream: trio.SocketStream, head: h11.Request, body: bytes) -> bool:
        nonlocal inside
        inside += 1
        if inside == 10:
            gate.set()
        await gate.wait()
        return await accept(stream, head, body)

    results: list[Answer | Lost] = []

    async with serving(unless_ping(together)) as server, warm(server) as pool:

        async def ask() -> None:
            results.append(await pool.post("/x", b"{}", "t", 5))

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(ask)
        assert [type(result) for result in results] == [Answer] * 10


async def test_resting_connections_are_pinged_every_half_minute() -> None:
    """A pool that rests for two minutes keeps its connections alive by pings alone."""
    server_log: list[bytes] = []

    async def count(stream: trio.SocketStream, head: h11.Request, body: bytes) -> bool:
        server_log.append(head.target)
        return await accept(stream, head, body)

    async with serving(count) as server:
        clock = trio.current_time()
        pool = Pool(server.url, size=1)
        async with trio.open_nursery() as nursery:
            await nursery.start(pool.run)
            pool._idle[0].used_at = clock - 31
            pool._wake.set()
            with trio.fail_after(5):
                while len(server_log) < 2:
                    await trio.sleep(0.005)
            assert len(server.streams) == 1
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:80", "http://"])
def test_unusable_address_is_an_error(url: str) -> None:
    """Only http and https addresses with a host can be pooled."""
    with pytest.raises(ValueError, match="address"):
        Pool(url)
