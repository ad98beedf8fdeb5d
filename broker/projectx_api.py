"""Requests through the SDK: its transport, our budget, our errors.

The SDK's own retry, re-login and rate-limit policies never get to run: a response hook of its HTTP
client turns every refusal into an error of the port before the SDK sees the status.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NoReturn

import httpx
import trio
from project_x_py.exceptions import ProjectXConnectionError, ProjectXDataError, ProjectXError

from broker.budget import RequestBudget
from broker.clock import Clock
from broker.port import (
    BadPayload,
    LoginRejected,
    Priority,
    RateLimited,
    RequestRefused,
    Unreachable,
)
from broker.projectx_loop import Loop
from broker.projectx_sdk import READ_WITHIN, RestClient
from broker.projectx_token import TokenOwner
from broker.redaction import redact
from broker.skew import SkewEstimate

_sent_at: ContextVar[datetime | None] = ContextVar("sent_at", default=None)


class TokenNotAccepted(LoginRejected):
    """401."""


class NotOffered(RequestRefused):
    """404: this gateway does not have the endpoint."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header; None when it is missing or a date."""
    try:
        return max(float(headers.get("retry-after", "")), 0.0)
    except ValueError:
        return None


def refusal(body: Mapping[str, Any], what: str) -> RequestRefused:
    """The error of an answer that says ``success: false``."""
    code = body.get("errorCode")
    said = body.get("errorMessage") or f"error code {code}"
    return RequestRefused(
        f"{what}: {redact(str(said))[:200]}", code if isinstance(code, int) else -1
    )


class Observer:
    """Sees every response of the SDK's client first."""

    def __init__(self, clock: Clock, skew: SkewEstimate) -> None:
        self._clock = clock
        self._skew = skew

    async def __call__(self, response: httpx.Response) -> None:
        """Measure the clock and raise for every status that is not a success (asyncio)."""
        received = self._clock.now()
        if date := response.headers.get("date"):
            sent = _sent_at.get() or received
            self._skew.note(date, sent, received, trio.current_time())
        if response.status_code >= 300:
            refuse(response.status_code, response.headers, response.url.path)


def refuse(status: int, headers: Mapping[str, str], path: str) -> NoReturn:
    """Raise what a status other than success means."""
    if status == 401:
        raise TokenNotAccepted(f"{path}: not authorised (401)")
    if status == 429:
        raise RateLimited(f"{path}: too many requests (429)", retry_after(headers))
    if status == 404:
        raise NotOffered(f"{path}: the gateway does not know this address (404)", status)
    if 400 <= status < 500:
        raise RequestRefused(f"{path}: HTTP {status}", status)
    raise Unreachable(f"{path}: HTTP {status}")


class Api:
    """Asks the gateway's REST endpoints over one SDK client."""

    def __init__(self, loop: Loop, client: RestClient, budget: RequestBudget, clock: Clock) -> None:
        self._loop = loop
        self._client = client
        self._budget = budget
        self._clock = clock

    async def log_in(self, name: str) -> str:
        """A new token; LoginRejected with the broker's own words, Unreachable or RateLimited."""
        self._budget.note()
        key = {"userName": self._client.username, "apiKey": self._client.api_key}
        try:
            body = await self.send("/Auth/loginKey", key)
            if body.get("success") is not True:
                raise refusal(body, "/Auth/loginKey")
        except (RequestRefused, TokenNotAccepted) as error:
            raise LoginRejected(
                f"login {name}: the broker rejected user {self._client.username}: {error}"
            ) from error
        token = body.get("token")
        if not isinstance(token, str) or not token or not token.isascii():
            raise BadPayload("/Auth/loginKey: token: missing from the answer")
        self._client.session_token = token
        return token

    async def ask(
        self, tokens: TokenOwner, path: str, payload: dict[str, Any], priority: Priority
    ) -> dict[str, Any]:
        """A read: waits for its place in the budget, and once for a new token after a 401."""
        await self._budget.acquire(priority)
        token = tokens.current
        try:
            body = await self.send(path, payload)
        except TokenNotAccepted:
            with trio.move_on_after(READ_WITHIN):
                await tokens.renewed(token)
            await self._budget.acquire(priority)
            body = await self.send(path, payload)
        if body.get("success") is not True:
            raise refusal(body, path)
        return body

    async def send(self, path: str, payload: dict[str, Any]) -> dict[str, Any]:
        """One request, once more if a connection of the SDK turned out to be dead."""
        try:
            return await self._send(path, payload)
        except _DeadConnection:
            self._budget.note()
            return await self._send(path, payload)

    async def _send(self, path: str, payload: dict[str, Any]) -> dict[str, Any]:
        try:
            with trio.fail_after(READ_WITHIN):
                body = await self._loop.run(self._request(path, payload))
        except trio.TooSlowError as error:
            raise Unreachable(f"{path}: no answer within {READ_WITHIN} s") from error
        except ProjectXConnectionError as error:
            raise _DeadConnection(
                f"{path}: {redact(str(error)) or 'the connection broke'}"
            ) from error
        except ProjectXDataError as error:
            raise BadPayload(f"{path}: the answer is not JSON") from error
        except (ProjectXError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"{path}: {redact(str(error))}") from error
        if not isinstance(body, dict):
            raise BadPayload(f"{path}: expected a record, got {type(body).__name__}")
        return body

    async def _request(self, path: str, payload: dict[str, Any]) -> object:
        _sent_at.set(self._clock.now())
        return await self._client.post(path, payload)


class _DeadConnection(Unreachable):
    """The SDK's transport failed."""
