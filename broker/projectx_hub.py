"""One guard per hub: connects, subscribes with proof, notices the end, connects again, for ever.

The SDK's own reconnect gives up, forgets subscriptions and keeps dead hubs (see the table in the
project's notes on the gateway), so each attempt here is a fresh connection with the current token,
and the hub's asyncio task is watched until it ends.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote

import trio
from attrs import define, field, frozen
from project_x_py.realtime.async_hub import AsyncHubConnection
from pysignalr.exceptions import AuthorizationError, HubError
from websockets.exceptions import InvalidStatus, WebSocketException

from broker.inbox import Inbox
from broker.port import ConnectionChange, Hub
from broker.projectx_loop import Loop
from broker.projectx_sdk import OPEN_WITHIN, HubClosed
from broker.projectx_token import TokenOwner
from broker.redaction import redact

PROOF_WITHIN = 1.0
"""Seconds within which every subscription has to be confirmed."""

SUBSCRIBE_AGAIN = 2.0
"""Seconds until subscriptions that were not confirmed are sent again."""

FIRST_WATCH_WITHIN = 1.0
"""Seconds an opened hub waits to be told what to subscribe before it reports itself up."""

STOP_WITHIN = 2.0
LONGEST_PAUSE = 4.0
"""Seconds between attempts at most: live is wanted within 5 s of a gateway that is back."""
STEADY_AFTER = 1.0
"""Seconds; a connection that held this long makes the next attempt immediate."""


@frozen(order=True)
class Topic:
    """One subscription: ``Subscribe`` + name is the method that asks for it."""

    name: str
    argument: int | str | None = None

    @property
    def arguments(self) -> list[Any]:
        """Of the method."""
        return [] if self.argument is None else [self.argument]


def account_topics(accounts: Iterable[int]) -> frozenset[Topic]:
    """Everything the user hub tells about these accounts."""
    each = [Topic(name, id_) for id_ in accounts for name in ("Orders", "Positions", "Trades")]
    return frozenset([Topic("Accounts"), *each])


def quote_topics(contracts: Iterable[str]) -> frozenset[Topic]:
    """Quotes only: neither trades nor depth."""
    return frozenset(Topic("ContractQuotes", contract) for contract in contracts)


@define
class _Attempt:
    """One connection, from start to end."""

    opened: trio.Event = field(factory=trio.Event)
    ended: trio.Event = field(factory=trio.Event)
    link: int = 0
    # What was last reported of this connection; None before the first report.
    proven: bool | None = None
    # Every topic that was asked for on this connection.
    asked: frozenset[Topic] = frozenset()


@define(eq=False)
class HubGuard:
    """Keeps one hub up while ``run`` is running."""

    hub: Hub
    url: str
    _connection: AsyncHubConnection
    _loop: Loop
    _tokens: TokenOwner
    _inbox: Inbox
    _chance: random.Random
    _topics: frozenset[Topic]
    _watched: trio.Event = field(init=False, factory=trio.Event)
    _changed: trio.Event = field(init=False, factory=trio.Event)
    _attempt: _Attempt = field(init=False, factory=_Attempt)
    # The hub was reported down since it was last up.
    _reported_down: bool = field(init=False, default=False)
    _failures: int = field(init=False, default=0)

    def watch(self, topics: frozenset[Topic]) -> None:
        """Replace what is subscribed, at once if the hub is up."""
        self._topics = topics
        self._watched.set()
        self._changed.set()

    def opened(self) -> None:
        """The hub's own report that it is connected; its messages come after this returns."""
        if self.hub is Hub.USER:
            self._inbox.numbering.link += 1
            self._attempt.link = self._inbox.numbering.link
        self._attempt.opened.set()

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        while True:
            await self._connect_once()
            await trio.sleep(self._pause())
            self._failures += 1

    def _pause(self) -> float:
        if self._failures == 0:
            return 0.0
        steps: float = min(0.25 * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE)
        return min(steps * self._chance.uniform(0.5, 1.5), LONGEST_PAUSE)

    async def _connect_once(self) -> None:
        attempt = self._attempt = _Attempt()
        token = self._tokens.current
        self._connection.url = f"{self.url}?access_token={quote(token, safe='')}"
        await self._loop.run(self._connection.start())
        task = self._connection._run_task  # noqa: SLF001  nothing public tells when a hub has died
        assert task is not None
        task.add_done_callback(lambda _: attempt.ended.set())
        started = trio.current_time()
        try:
            await self._live(attempt)
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + STOP_WITHIN):
                await self._loop.run(_stop(self._connection, task))
        if attempt.opened.is_set() and trio.current_time() - started >= STEADY_AFTER:
            self._failures = 0
        if _unauthorised(task):
            self._tokens.request(token)
        self._report_down(attempt, _reason(task))

    async def _live(self, attempt: _Attempt) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._serve, attempt)
            await attempt.ended.wait()
            nursery.cancel_scope.cancel()

    async def _serve(self, attempt: _Attempt) -> None:
        with trio.move_on_after(2 * OPEN_WITHIN):
            await attempt.opened.wait()
        if not attempt.opened.is_set():
            attempt.ended.set()
            return
        with trio.move_on_after(FIRST_WATCH_WITHIN):
            await self._watched.wait()
        confirmed: frozenset[Topic] = frozenset()
        while True:
            self._changed = trio.Event()
            confirmed = await self._subscribe(attempt, confirmed)
            with trio.move_on_after(float("inf") if confirmed == self._topics else SUBSCRIBE_AGAIN):
                await self._changed.wait()

    async def _subscribe(self, attempt: _Attempt, confirmed: frozenset[Topic]) -> frozenset[Topic]:
        """Bring the subscriptions to what is watched, and say whether all were confirmed."""
        topics = self._topics
        added, removed = sorted(topics - confirmed, key=repr), sorted(confirmed - topics, key=repr)
        calls = [(f"Subscribe{topic.name}", topic.arguments) for topic in added]
        calls += [(f"Unsubscribe{topic.name}", topic.arguments) for topic in removed]
        answered = await self._invoke(calls)
        failed = {topic for topic, ok in zip(added, answered, strict=False) if not ok}
        news = self.hub is Hub.USER and not attempt.asked.issuperset(added)
        attempt.asked |= topics
        if news or attempt.proven is not (not failed):
            self._report_up(attempt, failed)
        return topics - failed

    async def _invoke(self, calls: list[tuple[str, list[Any]]]) -> list[bool]:
        """Whether each invocation was confirmed without an error within ``PROOF_WITHIN``."""
        answers: dict[int, bool] = {}
        complete = trio.Event()

        def answer_to(number: int) -> Callable[[Any], Any]:
            def answered(message: Any) -> _Nothing:
                answers[number] = not message.error
                if len(answers) == len(calls):
                    complete.set()
                return _Nothing()

            return answered

        async def send_all() -> None:
            client = self._connection._client  # noqa: SLF001  send() gives no invocation id
            for number, (method, arguments) in enumerate(calls):
                if client is not None:
                    await client.send(method, arguments, on_invocation=answer_to(number))

        if calls:
            with trio.move_on_after(PROOF_WITHIN):
                try:
                    await self._loop.run(send_all())
                except (RuntimeError, WebSocketException):
                    # The connection has just been lost; its task is about to end.
                    return [False] * len(calls)
                await complete.wait()
        return [answers.get(number, False) for number in range(len(calls))]

    def _report_up(self, attempt: _Attempt, failed: set[Topic]) -> None:
        attempt.proven = not failed
        self._reported_down = False
        reason = f"not confirmed: {', '.join(_named(failed))}" if failed else ""
        self._inbox.tell(
            ConnectionChange(
                self.hub, up=True, link=attempt.link, proven=attempt.proven, reason=reason
            )
        )

    def _report_down(self, attempt: _Attempt, reason: str) -> None:
        if attempt.proven is not None or not self._reported_down:
            self._reported_down = True
            self._inbox.tell(
                ConnectionChange(self.hub, up=False, link=attempt.link, proven=False, reason=reason)
            )


class _Nothing:
    """What the SDK may await after a callback that was synchronous."""

    def __await__(self) -> Iterator[None]:
        return iter(())


def _named(topics: set[Topic]) -> list[str]:
    return sorted(" ".join(str(part) for part in (each.name, *each.arguments)) for each in topics)


async def _stop(connection: AsyncHubConnection, task: "asyncio.Task[None]") -> None:
    """End a hub's task and cut its socket at once: a half-open one would never say goodbye."""
    client = connection._client  # noqa: SLF001  the socket below it must not outlive the attempt
    socket = client._transport._ws if client is not None else None  # noqa: SLF001
    task.cancel()
    await asyncio.wait([task])
    await connection.stop()
    if socket is not None and socket.transport is not None:
        socket.transport.abort()
        # It ends a turn of the loop later; the loop may end with us.
        await socket.wait_closed()


def _error(task: "asyncio.Task[None]") -> BaseException | None:
    """What ended a hub's task: retrieved, or asyncio complains; unwrapped to the first cause."""
    if not task.done() or task.cancelled():
        return None
    error = task.exception()
    while error is not None and isinstance(error, HubClosed | HubError):
        inner = error.__cause__ or error.__context__
        if inner is None:
            return error
        error = inner
    return error


def _unauthorised(task: "asyncio.Task[None]") -> bool:
    error = _error(task)
    refused = isinstance(error, InvalidStatus) and error.response.status_code == 401
    return refused or isinstance(error, AuthorizationError)


def _reason(task: "asyncio.Task[None]") -> str:
    error = _error(task)
    if error is None:
        return "no connection in time"
    return redact(f"{type(error).__name__}: {error}")[:200]
