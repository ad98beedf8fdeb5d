"""An exchange to trade on, and a gateway served on loopback."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
from attrs import define, field, frozen

from simulator import (
    Account,
    Addresses,
    Exchange,
    Gateway,
    OrderRequest,
    OrderType,
    Side,
    front_contracts,
)
from simulator.events import Event, Kind
from simulator.orders import WorkingOrder
from simulator.validate import Answer

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
NQ = "CON.F.US.ENQ.Z26"
MNQ = "CON.F.US.MNQ.Z26"


@define
class Floor:
    """An exchange with one account, and everything it told."""

    exchange: Exchange
    events: list[Event] = field(factory=list)

    def quote(self, bid: str, ask: str | None = None, contract_id: str = NQ) -> None:
        above = Decimal(ask) if ask else Decimal(bid) + Decimal("0.25")
        self.exchange.set_quote(contract_id, Decimal(bid), above, NOW)

    def place(
        self, side: Side, size: int = 1, kind: OrderType = OrderType.MARKET, **more: Any
    ) -> Answer:
        contract_id = more.pop("contract_id", NQ)
        return self.exchange.place(OrderRequest(1001, contract_id, kind, side, size, **more), NOW)

    def order(self, answer: Answer) -> WorkingOrder:
        assert answer.order_id is not None
        return self.exchange.orders[answer.order_id]

    def net(self, contract_id: str = NQ) -> int:
        return self.exchange.ledger.net(1001, contract_id)

    @property
    def balance(self) -> Decimal:
        return self.exchange.accounts[1001].balance

    def told(self, kind: Kind) -> list[dict[str, Any]]:
        return [event.payload for event in self.events if event.kind is kind]


def open_floor(**options: Any) -> Floor:
    accounts = [Account(1001, "A", Decimal(50_000)), Account(1002, "B", Decimal(50_000))]
    floor = Floor(Exchange(front_contracts(["NQ", "MNQ", "ES"]), accounts, NOW, **options))
    floor.quote("25000")
    floor.exchange.listeners.append(floor.events.extend)
    return floor


@frozen
class Served:
    """A gateway on loopback, and a client of it that is logged in."""

    gateway: Gateway
    at: Addresses
    http: httpx.AsyncClient
    token: str

    async def post(self, path: str, /, **body: Any) -> dict[str, Any]:
        answer = await self.http.post(f"{self.at.url}{path}", json=body)
        document: dict[str, Any] = answer.json()
        return document

    async def api(self, path: str, /, **body: Any) -> dict[str, Any]:
        answer = await self.http.post(
            f"{self.at.api_url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.token}"},
        )
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def state(self) -> dict[str, Any]:
        document: dict[str, Any] = (await self.http.get(f"{self.at.url}/control/state")).json()
        return document

    async def buy(self, size: int = 1, contract_id: str = NQ, **more: Any) -> dict[str, Any]:
        body = {"accountId": 1001, "contractId": contract_id, "type": 2, "side": 0, "size": size}
        return await self.api("/Order/place", **(body | more))
