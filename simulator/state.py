"""The gateway's whole truth, for tests and invariants."""

from typing import Any

from attrs import asdict

from simulator.gateway import Gateway
from simulator.record import Record


def state(gateway: Gateway) -> dict[str, Any]:
    """Accounts with positions, orders and trades; prices; connections; requests; faults."""
    gateway.desk.refresh()
    exchange = gateway.exchange
    now = gateway.monotonic()
    return {
        "now": gateway.time.now().isoformat(),
        "speed": gateway.time.speed,
        "monotonic": now,
        "market_open": exchange.open,
        "lot_method": exchange.ledger.lot_method.value,
        "accounts": [_account(gateway, it) for it in exchange.accounts],
        "quotes": {
            it: {"bid": quote.bid, "ask": quote.ask, "last": quote.last}
            for it, quote in exchange.quotes.items()
        },
        "connections": [
            {
                "id": link.session.id,
                "hub": link.session.hub,
                "user": link.session.user,
                "opened": link.opened,
                "frames": link.frames,
                "half_open": link.half_open,
                "subscriptions": sorted(map(list, link.session.subscriptions), key=str),
            }
            for link in gateway.links
        ],
        "requests": {
            "endpoints": gateway.record.endpoints(),
            "last_minute": {
                name: traffic.count(now) for name, traffic in gateway.sessions.traffic.items()
            },
            "peak_in_60s": {
                name: traffic.peak for name, traffic in gateway.sessions.traffic.items()
            },
        },
        "quotes_pushed": gateway.record.quotes,
        "faults": gateway.board.show(),
        "mishaps": list(gateway.mishaps),
    }


def _account(gateway: Gateway, account_id: int) -> dict[str, Any]:
    truth = gateway.desk.truth(account_id)
    account = gateway.exchange.accounts[account_id]
    return {**truth, "refuses": sorted(account.refuses)}


def latencies(record: Record) -> dict[str, Any]:
    """Every remembered request and push with its monotonic times, oldest first."""
    return {
        "requests": [asdict(it) for it in record.served],
        "pushes": [asdict(it) for it in record.pushed],
    }
