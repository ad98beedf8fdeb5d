"""Which machine an address means: a simulated gateway and a real one must never be mixed up."""

import ipaddress
import os
from collections.abc import MutableMapping
from urllib.parse import urlsplit

from broker.port import Login

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


def is_loopback(url: str) -> bool:
    """True when the address can only mean this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_hosts(login: Login, *, loopback_only: bool = False) -> bool:
    """Whether all three addresses of a login are loopback; ``ValueError`` when only some are.

    With ``loopback_only`` an address elsewhere is an error too: a simulation that could reach the
    real gateway might close a real position.
    """
    urls = (login.api_url, login.user_hub_url, login.market_hub_url)
    local = [is_loopback(url) for url in urls]
    outside = ", ".join(url for url, here in zip(urls, local, strict=True) if not here)
    if loopback_only and outside:
        raise ValueError(
            f"{login.name}: a simulated gateway must be on this machine, not {outside}"
        )
    if any(local) and outside:
        raise ValueError(
            f"{login.name}: simulated and real addresses are mixed; not on this machine: {outside}"
        )
    return not outside


def bypass_proxies(environment: MutableMapping[str, str] = os.environ) -> None:
    """Keep every HTTP client of this process from sending loopback traffic to a proxy."""
    for name in ("NO_PROXY", "no_proxy"):
        listed = [host.strip() for host in environment.get(name, "").split(",") if host.strip()]
        environment[name] = ",".join(dict.fromkeys([*listed, *LOOPBACK_NAMES]))
