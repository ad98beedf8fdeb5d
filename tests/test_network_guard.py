"""The guard that keeps every test on this machine."""

import socket
import subprocess
import sys

import pytest
import trio

from tests.conftest import network_guard

# Documentation addresses (RFC 5737, RFC 2606): nobody answers there, should the guard fail.
OUTSIDE = ("192.0.2.1", 9)


@pytest.fixture
def attempts() -> list[str]:
    """Attempts seen so far; emptied after the look, so that the guard itself does not complain."""
    seen: list[str] = network_guard.violations
    return seen


def test_a_connection_to_another_host_is_blocked(attempts: list[str]) -> None:
    """connect, connect_ex and datagrams to an outside address raise before a packet leaves."""
    with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
        with pytest.raises(network_guard.OutsideNetworkBlocked):
            stream.connect(OUTSIDE)
        with pytest.raises(network_guard.OutsideNetworkBlocked):
            stream.connect_ex(OUTSIDE)
        with pytest.raises(network_guard.OutsideNetworkBlocked):
            datagram.sendto(b"x", OUTSIDE)
    assert len(attempts) == 3
    attempts.clear()


def test_a_name_lookup_is_blocked(attempts: list[str]) -> None:
    """Names other than localhost are not even asked for."""
    with pytest.raises(network_guard.OutsideNetworkBlocked):
        socket.getaddrinfo("gateway.example", 443)
    attempts.clear()


async def test_trio_is_blocked_too(attempts: list[str]) -> None:
    """Trio's lookups, which run in threads, meet the same guard."""
    with pytest.raises(network_guard.OutsideNetworkBlocked):
        await trio.open_tcp_stream("gateway.example", 443)
    attempts.clear()


async def test_loopback_is_open() -> None:
    """A server on 127.0.0.1 is reachable by address and by name."""
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, trio.aclose_forcefully, 0)
        port = listeners[0].socket.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            async with await trio.open_tcp_stream(host, port):
                pass
        nursery.cancel_scope.cancel()


def test_child_processes_are_blocked_too() -> None:
    """A Python started by a test carries the guard."""
    script = "import socket; socket.create_connection(('192.0.2.1', 9), 1)"
    child = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert child.returncode == 1
    assert "OutsideNetworkBlocked" in child.stderr
