"""Trading as any client of a ProjectX gateway does it: REST, a token, and no favours.

For demos and tests, against a simulated gateway on this machine only: nothing else of this project
can place an order.
"""

from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

LIMIT, MARKET, STOP = 1, 2, 4
"""Order types of the gateway's API."""


class Trader(Protocol):
    """Whose orders they are."""

    @property
    def account_id(self) -> int:
        """Of the account traded on."""

    @property
    def root(self) -> str:
        """Of the contract traded, such as ``NQ``."""


class OrderRefused(RuntimeError):
    """The exchange said no to an order."""


class TradingDesk:
    """The traders' access to the gateway."""

    def __init__(self, api_url: str, client: httpx.AsyncClient) -> None:
        """ValueError for a gateway that is not on this machine."""
        if urlsplit(api_url).hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError(f"orders are for a simulated gateway on this machine, not {api_url}")
        self._url = api_url
        self._client = client
        self._headers: dict[str, str] = {}
        self.contracts: dict[str, str] = {}
        """Contract id by root, such as ``NQ``."""
        self.point_values: dict[str, Decimal] = {}
        """Dollars per point by contract id."""

    async def log_in(self) -> None:
        """Get a token, and learn the contracts' ids."""
        token = (await self._post("Auth/loginKey", userName="traders", apiKey="any"))["token"]
        self._headers = {"Authorization": f"Bearer {token}"}
        for each in (await self._post("Contract/available", live=False))["contracts"]:
            # A name is the root, a month and a year: NQZ6.
            self.contracts[each["name"][:-2]] = each["id"]
            per_tick, tick = Decimal(str(each["tickValue"])), Decimal(str(each["tickSize"]))
            self.point_values[each["id"]] = per_tick / tick

    async def buy(self, trader: Trader, size: int, *, stop_ticks: int | None = None) -> None:
        """Buy at the market, with a stop this many ticks below the fill if one is wanted."""
        bracket = None if stop_ticks is None else {"ticks": -stop_ticks, "type": STOP}
        await self._place(trader, type=MARKET, size=size, stopLossBracket=bracket)

    async def rest_bid(self, trader: Trader, size: int, price: Decimal) -> None:
        """Leave a buy order in the book."""
        await self._place(trader, type=LIMIT, size=size, limitPrice=str(price))

    async def tidy(self, trader: Trader) -> None:
        """Take back whatever the trader still has in the book."""
        found = await self._post("Order/searchOpen", accountId=trader.account_id)
        for order in found["orders"]:
            await self._send("Order/cancel", accountId=trader.account_id, orderId=order["id"])

    async def _place(self, trader: Trader, **order: object) -> None:
        contract = self.contracts[trader.root]
        await self._post(
            "Order/place", accountId=trader.account_id, contractId=contract, side=0, **order
        )

    async def _post(self, path: str, **body: object) -> dict[str, Any]:
        answer = await self._send(path, **body)
        if not answer["success"]:
            raise OrderRefused(f"{path} was refused: {answer['errorMessage']}")
        return answer

    async def _send(self, path: str, **body: object) -> dict[str, Any]:
        reply = await self._client.post(f"{self._url}/{path}", json=body, headers=self._headers)
        answer: dict[str, Any] = reply.raise_for_status().json()
        return answer
