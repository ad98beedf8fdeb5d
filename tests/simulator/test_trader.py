"""The trading desk of demos and tests."""

import httpx
import pytest

from simulator.trader import TradingDesk


@pytest.mark.parametrize(
    "url", ["https://api.topstepx.com/api", "http://127.0.0.1.example.com/api", "api", ""]
)
async def test_orders_are_for_this_machine_alone(url: str) -> None:
    """A desk that could reach a real gateway is never made."""
    async with httpx.AsyncClient() as client:
        with pytest.raises(ValueError, match="simulated gateway on this machine"):
            TradingDesk(url, client)
