"""project-x-py, as its own users run it: plain asyncio, its own connect and subscribe."""

import asyncio
from typing import Any

import pytest
import trio

from tests.simulator.world import Served

NQ = "CON.F.US.ENQ.Z26"
EVENTS = ("order_update", "trade_execution", "position_update", "account_update", "quote_update")


async def a_day_with_the_sdk(
    api_url: str, user_hub_url: str, market_hub_url: str
) -> dict[str, Any]:
    from project_x_py import ProjectX
    from project_x_py.models import ProjectXConfig
    from project_x_py.realtime import ProjectXRealtimeClient

    config = ProjectXConfig(
        api_url=api_url, user_hub_url=user_hub_url, market_hub_url=market_hub_url
    )
    seen: dict[str, Any] = {event: [] for event in EVENTS}
    everything = asyncio.Event()
    async with ProjectX(username="someone", api_key="key", config=config) as px:
        await px.authenticate()
        seen["ping"] = await px._make_request("GET", "/Status/ping")
        seen["account"] = px.account_info
        seen["instrument"] = await px.get_instrument("NQ")
        assert px.account_info is not None
        client = ProjectXRealtimeClient(px.session_token, str(px.account_info.id), config=config)

        def recorder(event: str) -> Any:
            async def record(data: Any) -> None:
                seen[event].append(data)
                if all(seen[it] for it in EVENTS):
                    everything.set()

            return record

        for event in EVENTS:
            await client.add_callback(event, recorder(event))
        seen["connected"] = await client.connect()
        await client.subscribe_user_updates()
        await client.subscribe_market_data([NQ])
        order = {"accountId": 1001, "contractId": NQ, "type": 2, "side": 0, "size": 2}
        seen["placed"] = await px._make_request("POST", "/Order/place", data=order)
        seen["positions"] = await px.search_open_positions()
        close = {"accountId": 1001, "contractId": NQ}
        seen["closed"] = await px._make_request("POST", "/Position/closeContract", data=close)
        seen["trades"] = await px.search_trades()
        async with asyncio.timeout(10):
            await everything.wait()
        await client.disconnect()
    return seen


async def test_the_sdk_trades_and_hears_of_it(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Log in, find NQ, connect both hubs, subscribe, trade, and get every kind of event."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    at = served.at
    with trio.fail_after(30):
        seen = await trio.to_thread.run_sync(
            lambda: asyncio.run(a_day_with_the_sdk(at.api_url, at.user_hub_url, at.market_hub_url)),
            abandon_on_cancel=True,
        )
    assert seen["connected"] is True
    assert (seen["ping"], seen["account"].name) == ("pong", "SIM-50K-1")
    assert seen["instrument"].id == NQ
    assert seen["placed"]["success"]
    assert seen["closed"]["success"]
    assert [(it.contractId, it.size) for it in seen["positions"]] == [(NQ, 2)]
    assert [it.profitAndLoss is None for it in seen["trades"]] == [True, False]
