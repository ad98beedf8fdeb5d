"""An exchange to trade on, and a gateway served on loopback."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial

import httpx
import pytest
import trio

from simulator import build_gateway, serve
from tests.simulator.world import Floor, Served, open_floor


@pytest.fixture
def floor() -> Floor:
    return open_floor()


@pytest.fixture
async def served(nursery: trio.Nursery) -> AsyncIterator[Served]:
    gateway = build_gateway(datetime.now(UTC))
    addresses = await nursery.start(partial(serve, gateway))
    async with httpx.AsyncClient(trust_env=False) as http:
        login = {"userName": "trader", "apiKey": "key"}
        answer = await http.post(f"{addresses.api_url}/Auth/loginKey", json=login)
        yield Served(gateway, addresses, http, json.loads(answer.content)["token"])
