"""What Seawall is compared with: the shortest script that closes a blocked contract with the SDK.

``python -m benchmarks.bare ADDRESSES``: asyncio, the SDK's own callback for positions, the SDK's own
REST call. No state, no rules, no journal; all it knows is one contract id. Two things are kinder than
the SDK's defaults: its limit of 60 requests a minute is lifted, and only quotes are subscribed.
"""

import asyncio
import json
import sys
from typing import Any

from project_x_py import ProjectX, ProjectXRealtimeClient
from project_x_py.models import ProjectXConfig
from project_x_py.realtime.async_hub import invoke_maybe

from benchmarks.gateway import ACCOUNTS


async def _subscribe(hubs: ProjectXRealtimeClient, contracts: list[str]) -> None:
    assert await hubs.connect()
    assert await hubs.subscribe_user_updates()
    user, market = hubs.user_connection, hubs.market_connection
    assert user is not None
    assert market is not None
    for account in [it for it in ACCOUNTS if str(it) != hubs.account_id]:
        for topic in ("Orders", "Positions", "Trades"):
            await invoke_maybe(user.send, f"Subscribe{topic}", [account])
    for contract in contracts:
        await invoke_maybe(market.send, "SubscribeContractQuotes", [contract])


async def close_blocked(addresses: dict[str, str], blocked: str, contracts: list[str]) -> None:
    """Close every position in ``blocked`` that is reported, until the process is ended."""
    config = ProjectXConfig(
        api_url=addresses["api_url"],
        user_hub_url=addresses["user_hub_url"],
        market_hub_url=addresses["market_hub_url"],
        requests_per_minute=10**9,
    )
    async with ProjectX(username="bare", api_key="any", config=config) as client:
        await client.authenticate()
        account = client.get_account_info()
        hubs = ProjectXRealtimeClient(
            jwt_token=client.get_session_token(), account_id=str(account.id), config=config
        )

        async def on_position(position: Any) -> None:
            if position["contractId"] == blocked and position["size"]:
                asked = {"accountId": position["accountId"], "contractId": blocked}
                await client._make_request("POST", "/Position/closeContract", data=asked)  # noqa: SLF001

        async def on_quote(_: Any) -> None:
            pass

        await hubs.add_callback("position_update", on_position)
        await hubs.add_callback("quote_update", on_quote)
        await _subscribe(hubs, contracts)
        await asyncio.Event().wait()


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    asyncio.run(close_blocked(told["addresses"], told["blocked"], told["contracts"]))
