"""The simulated gateway as every end-to-end test meets it: a process of its own."""

import json
import os
import urllib.request
from collections.abc import Callable

from tests.conftest import Gateway


def test_it_announces_where_it_listens(gateway: Gateway) -> None:
    """All three addresses of a login lie on loopback, and somebody answers."""
    for url in (gateway.api_url, gateway.user_hub_url, gateway.market_hub_url):
        assert url.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(f"{gateway.url}/control/clock") as answer:
        assert set(json.load(answer)) >= {"now", "speed"}


def test_several_run_side_by_side(start_gateway: Callable[..., Gateway]) -> None:
    """Each takes a free port, so suites may run in parallel; arguments are passed on."""
    one, other = start_gateway(), start_gateway("--speed", "10", "--contracts", "MNQ")
    assert one.url != other.url
    assert {one.pid, other.pid}.isdisjoint({os.getpid()})
    with urllib.request.urlopen(f"{other.url}/control/clock") as answer:
        assert json.load(answer)["speed"] == 10
