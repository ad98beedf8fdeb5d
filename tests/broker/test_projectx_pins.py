"""Every private name and behaviour of the SDK that the adapter leans on: an upgrade fails here."""

import inspect
from importlib.metadata import version

import pysignalr.client
import pysignalr.transport.websocket as signalr_transport
import pytest
from project_x_py import ProjectX, ProjectXRealtimeClient
from project_x_py.models import ProjectXConfig
from project_x_py.realtime.async_hub import AsyncHubConnection
from project_x_py.utils import ProjectXLogger

from broker import projectx_sdk
from broker.projectx_sdk import EventClient, RestClient


def test_versions_are_the_ones_that_were_studied() -> None:
    """A new version has to be read before it is trusted."""
    assert version("project-x-py") == "4.4.1"
    assert version("pysignalr").startswith("1.3.")


@pytest.mark.parametrize(
    "name",
    [
        "_forward_account_update",
        "_forward_position_update",
        "_forward_order_update",
        "_forward_trade_execution",
        "_forward_quote_update",
        "_forward_market_trade",
        "_forward_market_depth",
        "_on_gateway_logout",
        "_on_user_hub_open",
        "_on_user_hub_close",
        "_on_market_hub_open",
        "_on_market_hub_close",
    ],
)
def test_handlers_still_override_something(name: str) -> None:
    """The SDK calls these names, synchronously, and ours stand in for them."""
    assert not inspect.iscoroutinefunction(getattr(ProjectXRealtimeClient, name))
    assert getattr(EventClient, name) is not getattr(ProjectXRealtimeClient, name)


def test_setup_binds_the_handlers_by_name() -> None:
    """setup_connections looks the handlers up on the instance and knows all hub events."""
    source = inspect.getsource(ProjectXRealtimeClient.setup_connections)
    for event in ("GatewayUserAccount", "GatewayUserPosition", "GatewayUserOrder"):
        assert event in source
    for text in ("GatewayUserTrade", "GatewayQuote", "GatewayLogout", "self._on_user_hub_close()"):
        assert text in source


def test_hub_connection_keeps_its_task_and_client() -> None:
    """start() makes a task of a fresh client from the current address."""
    source = inspect.getsource(AsyncHubConnection)
    for name in ("self._run_task", "self._client", "self.url", "asyncio.create_task(client.run()"):
        assert name in source
    assert "_ws" in vars(signalr_transport.WebsocketTransport("", None, None))  # type: ignore[arg-type]
    assert "on_invocation" in inspect.signature(pysignalr.client.SignalRClient.send).parameters


def test_websocket_is_opened_through_our_function() -> None:
    """The transport takes ``connect`` from its module, where ours has replaced it."""
    assert vars(signalr_transport)["connect"] is projectx_sdk._connect_once
    assert "async for conn in connection_loop" in inspect.getsource(signalr_transport)


def test_one_request_is_one_request() -> None:
    """The request below the SDK's retry and rate-limit policies still takes a body."""
    assert "data" in inspect.signature(RestClient._execute_http_request).parameters
    assert inspect.iscoroutinefunction(ProjectX._ensure_client)
    source = inspect.getsource(ProjectX._execute_http_request)
    assert "asyncio.sleep" not in source
    assert "self.session_token" in source


def test_limits_are_out_of_the_way() -> None:
    """The SDK's limiter never has a reason to sleep."""
    config = ProjectXConfig(requests_per_minute=10**9)
    assert ProjectX("u", "k", config=config).rate_limiter.max_requests == 10**9


def test_loggers_come_from_our_factory() -> None:
    """A logger made later has no handler of its own either."""
    assert ProjectXLogger.get_logger("project_x_py.made_later").handlers == []
