"""What a hostile or broken client can say ends its own connection, and nothing else."""

import socket

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.world import Served

UPGRADE = (
    b"GET /hubs/user?access_token=%s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n"
)


async def say(served: Served, data: bytes, *, until: bytes | None = None) -> bytes:
    """Everything the gateway answers until it closes, or has said ``until``."""
    port = int(served.at.url.rsplit(":", 1)[1])
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    answer = b""
    async with stream:
        try:
            await stream.send_all(data)
            with trio.move_on_after(5):
                while (until is None or until not in answer) and (
                    part := await stream.receive_some()
                ):
                    answer += part
        except trio.BrokenResourceError:
            pass
    return answer


def upgrade(served: Served, more: bytes = b"") -> bytes:
    return UPGRADE % (served.token.encode(), more)


async def alive(served: Served) -> bool:
    return bool((await served.api("/Account/search"))["success"])


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (b"GET / HTTP/x.y\r\n\r\n", b"400"),
        (b"POST /api/Account/search HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"GET /" + b"a" * 100_000, b"431"),
        (b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"GET /%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
        (b"GET /hubs/user HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n", b"400"),
        (
            b"GET /hubs/user HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nHTTP2-Settings: !!\r\n\r\n",
            b"400",
        ),
        (b"GET /hubs/user HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
    ],
)
async def test_a_broken_request_gets_an_error(served: Served, data: bytes, status: bytes) -> None:
    """A status that says so, and the gateway goes on."""
    answer = await say(served, data, until=b"\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:200]
    assert await alive(served)


async def test_two_requests_may_be_sent_at_once(served: Served) -> None:
    """Pipelined requests are answered in turn."""
    ping = b"GET /api/Status/ping HTTP/1.1\r\nHost: x\r\n\r\n"
    last = ping.replace(b"Host", b"Connection: close\r\nHost")
    assert (await say(served, ping + last)).count(b'"pong"') == 2


async def test_a_request_in_two_parts_is_one_request(served: Served) -> None:
    """The body may come late."""
    port = int(served.at.url.rsplit(":", 1)[1])
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(
            b"POST /api/Auth/loginKey HTTP/1.1\r\nHost: x\r\nContent-Length: 29\r\n\r\n"
        )
        await trio.sleep(0.01)
        await stream.send_all(b'{"userName":"a","apiKey":"b"}')
        assert b'"success":true' in await stream.receive_some()


async def test_bytes_right_behind_the_upgrade_are_the_first_frame(served: Served) -> None:
    """A handshake that does not wait for the 101 is served."""
    record = b'{"protocol":"json","version":1}\x1e'
    masked = bytes((0x81, 0x80 | len(record))) + b"\0\0\0\0" + record
    answer = await say(served, upgrade(served) + masked, until=b"{}\x1e")
    assert answer.startswith(b"HTTP/1.1 101")
    assert b"\x81\x03{}\x1e" in answer


@pytest.mark.parametrize(
    "frames",
    [
        b"GET / HTTP/1.1\r\n\r\n",  # not a frame at all
        b"\x81\x05hello",  # not masked
        b"\x8f\x80\0\0\0\0",  # no such opcode
        b"\x80\x80\0\0\0\0",  # a continuation of nothing
        b"\x82\x84\0\0\0\0\xff\xfe\x00\x1e",  # binary garbage
        b"\x81\x82\0\0\0\0\xff\xff",  # text that is no UTF-8
        b"\x88\x82\0\0\0\0\x00\x01",  # a close with a code that does not exist
        b"\x89\xfe\x01\x00\0\0\0\0" + b"x" * 256,  # a ping that is too long
    ],
)
async def test_broken_frames_end_their_connection(served: Served, frames: bytes) -> None:
    """Whatever comes after the upgrade."""
    await say(served, upgrade(served) + frames)
    assert await alive(served)
    with trio.fail_after(2):
        while served.gateway.links:
            await trio.sleep(0.01)


async def test_a_frame_without_end_is_cut_off(served: Served) -> None:
    """It claims 2**63 bytes; after a megabyte the gateway has had enough."""
    frame = b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0" + b"x" * 1_100_000
    answer = await say(served, upgrade(served) + frame)
    assert b"too long" in answer or answer == b""
    assert await alive(served)


async def test_a_client_that_vanishes_is_forgotten(served: Served) -> None:
    """Reset in the middle of a request and of a hub connection."""
    port = int(served.at.url.rsplit(":", 1)[1])
    for data in (b"POST /api/Order/place HTTP/1.1\r\nContent-", upgrade(served)):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(data)
        await trio.sleep(0.02)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        stream.socket.close()
    await trio.sleep(0.02)
    assert await alive(served)
    assert served.gateway.links == []


def test_no_bytes_kill_the_gateway() -> None:
    """Random bytes, alone, behind a request's head, and behind an upgrade."""
    from datetime import UTC, datetime

    from simulator import Gateway, build_gateway, serve

    async def run(gateway: Gateway, data: bytes) -> None:
        async with trio.open_nursery() as nursery:
            addresses = await nursery.start(serve, gateway)
            port = int(addresses.url.rsplit(":", 1)[1])
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            async with stream:
                try:
                    await stream.send_all(data)
                    await stream.send_eof()
                    while await stream.receive_some():
                        pass
                except trio.BrokenResourceError:
                    pass
            nursery.cancel_scope.cancel()

    @given(
        head=st.sampled_from(["", "POST /api/Order/place HTTP/1.1\r\nHost: x\r\n", "UP"]),
        tail=st.binary(max_size=300),
    )
    def check(head: str, tail: bytes) -> None:
        async def main() -> None:
            gateway = build_gateway(datetime(2026, 11, 20, 15, tzinfo=UTC))
            token = gateway.sessions.login("a", "b", gateway.machine_time())
            assert token is not None
            first = UPGRADE % (token.encode(), b"") if head == "UP" else head.encode()
            with trio.fail_after(10):
                await run(gateway, first + tail)

        trio.run(main)

    check()
