"""Keep this process on loopback: every other connection or name lookup raises.

Python imports this file by itself in every process that the tests start, because ``conftest.py``
puts its folder on PYTHONPATH; the test process loads it from there too. It is an audit hook, so it
sees what any library does through the socket module, from any thread or event loop.
"""

import ipaddress
import sys

violations: list[str] = []
"""What was attempted, also when the code that tried it swallowed the error."""


class OutsideNetworkBlocked(RuntimeError):
    """A test tried to leave this machine."""


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def reachable(host: object) -> bool:
    """True for loopback and for addresses that are not Internet addresses (Unix sockets)."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str):
        return False
    address = _literal(host)
    return host == "localhost" if address is None else address.is_loopback


def resolvable(host: object) -> bool:
    """True when looking ``host`` up asks nobody: loopback, an address, or nothing at all."""
    if host is None or host in ("", b""):
        return True
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    return reachable(host) or (isinstance(host, str) and _literal(host) is not None)


def _allowed(event: str, args: tuple[object, ...]) -> bool:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[1]
        return not isinstance(address, tuple) or reachable(address[0])
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        return resolvable(args[0])
    if event == "socket.gethostbyaddr":
        return reachable(args[0])
    if event == "socket.getnameinfo":
        address = args[0]
        return isinstance(address, tuple) and reachable(address[0])
    return True


def _watch(event: str, args: tuple[object, ...]) -> None:
    if event.startswith("socket.") and not _allowed(event, args):
        attempt = f"{event} {args[1:] if event.startswith('socket.connect') else args}"
        violations.append(attempt)
        raise OutsideNetworkBlocked(f"tests may only talk to loopback: {attempt}")


sys.addaudithook(_watch)
