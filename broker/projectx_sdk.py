"""The SDK, tamed: quiet loggers, hubs that do not reconnect behind our back, sync handlers.

Facts about project-x-py 4.4.1 and pysignalr 1.3.3 that this file relies on are pinned by a test, so
that an upgrade fails there and not in front of a broker.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pysignalr.transport.websocket as signalr_transport
from project_x_py import ProjectX, ProjectXRealtimeClient
from project_x_py.models import ProjectXConfig
from project_x_py.utils import ProjectXLogger
from websockets.asyncio.client import connect

from broker.inbox import Inbox
from broker.port import Login
from broker.redaction import RedactingFilter

PING_EVERY = 5
PONG_WITHIN = 5
OPEN_WITHIN = 5
"""Seconds. A hub that answers no ping is dropped within PING_EVERY + PONG_WITHIN + a second."""

READ_WITHIN = 10
"""Seconds for one read over HTTP."""

_NOISY = ("project_x_py", "pysignalr", "httpx", "httpcore", "aiohttp", "websockets", "asyncio")
_redacting = RedactingFilter()


def _quiet(name: str, *_: object, **__: object) -> logging.Logger:
    """A logger that leaves output to the application; takes the place of the SDK's factory."""
    logger = logging.getLogger(name)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)
    logger.propagate = True
    if _redacting not in logger.filters:
        logger.addFilter(_redacting)
    return logger


def capture_logs() -> None:
    """Route what the SDK and its libraries log into the standard tree: warnings, no secrets.

    The SDK puts a handler on stdout at import and whenever it makes a logger, and it and its
    libraries write addresses with tokens in them.
    """
    ProjectXLogger.get_logger = staticmethod(_quiet)  # type: ignore[method-assign]
    for name in [*logging.Logger.manager.loggerDict, *_NOISY]:
        if name.partition(".")[0] in _NOISY:
            _quiet(name)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _connect_once(url: str, **options: Any) -> connect:
    """A WebSocket that notices a half-open link and reports every failure instead of retrying."""
    options |= {
        "ping_interval": PING_EVERY,
        "ping_timeout": PONG_WITHIN,
        "open_timeout": OPEN_WITHIN,
        "close_timeout": 1,
        "compression": None,
        "process_exception": lambda error: error,
    }
    return connect(url, **options)


capture_logs()
setattr(signalr_transport, "connect", _connect_once)  # noqa: B010  not exported, so not typed


CONNECTIONS = 6
"""For reads; more do not make a login's gateway answer faster."""


class HubClosed(Exception):
    """Ends a hub's task at the moment its connection is lost."""


class EventClient(ProjectXRealtimeClient):
    """The SDK's hub client with our own handlers in place of its task per event."""

    def __init__(self, config: ProjectXConfig, inbox: Inbox, on_logout: Callable[[], None]) -> None:
        super().__init__(jwt_token="", account_id="0", config=config)
        self._health_monitoring_enabled = False
        self._loop = asyncio.get_running_loop()
        self._inbox = inbox
        self._on_logout = on_logout
        # What to do when a hub has opened; set by its guard.
        self.on_user_open: Callable[[], None] = lambda: None
        self.on_market_open: Callable[[], None] = lambda: None

    def _forward_account_update(self, *args: Any) -> None:
        self._inbox.account(*args)

    def _forward_position_update(self, *args: Any) -> None:
        self._inbox.position(*args)

    def _forward_order_update(self, *args: Any) -> None:
        self._inbox.order(*args)

    def _forward_trade_execution(self, *args: Any) -> None:
        self._inbox.trade(*args)

    def _forward_quote_update(self, *args: Any) -> None:
        self._inbox.quote(*args)

    def _forward_market_trade(self, *args: Any) -> None:
        """Public trades are not subscribed."""

    def _forward_market_depth(self, *args: Any) -> None:
        """Depth is not subscribed."""

    def _on_gateway_logout(self, *args: Any) -> None:
        if self._inbox.logout(*args):
            self._on_logout()

    def _on_user_hub_open(self) -> None:
        self.on_user_open()

    def _on_market_hub_open(self) -> None:
        self.on_market_open()

    def _on_user_hub_close(self) -> None:
        raise HubClosed

    def _on_market_hub_close(self) -> None:
        raise HubClosed


class RestClient(ProjectX):
    """The SDK's REST client, one request at a time and with none of its policies."""

    async def _create_client(self) -> httpx.AsyncClient:
        """The SDK would keep up to 200 connections, and each request looks at every one of them."""
        return httpx.AsyncClient(
            timeout=httpx.Timeout(self.config.timeout_seconds),
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            http2=True,
        )

    async def observe(self, on_response: Callable[[httpx.Response], Any]) -> None:
        """Create the HTTP client and have every response shown to a hook first (asyncio)."""
        http = await self._ensure_client()  # type: ignore[misc]
        http.event_hooks = {"response": [on_response]}

    async def post(self, path: str, payload: dict[str, Any]) -> object:
        """The decoded answer of one request, sent with ``session_token`` (asyncio)."""
        return await self._execute_http_request("POST", path, data=payload)  # type: ignore[misc]


def configuration(login: Login) -> ProjectXConfig:
    """Every address explicit: the SDK's own defaults are production."""
    return ProjectXConfig(
        api_url=login.api_url.rstrip("/"),
        user_hub_url=login.user_hub_url,
        market_hub_url=login.market_hub_url,
        timeout_seconds=2 * READ_WITHIN,
        requests_per_minute=10**9,
    )


async def open_client(
    login: Login, config: ProjectXConfig, on_response: Callable[[httpx.Response], Any]
) -> RestClient:
    """The SDK's REST client with an observer of every response; not logged in (asyncio)."""
    client = RestClient(username=login.username, api_key=login.api_key, config=config)
    await client.observe(on_response)
    return client


async def open_hubs(
    config: ProjectXConfig, inbox: Inbox, on_logout: Callable[[], None]
) -> EventClient:
    """The SDK's hub client with both hubs set up and neither started (asyncio)."""
    client = EventClient(config, inbox, on_logout)
    await client.setup_connections()
    return client
