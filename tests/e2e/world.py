"""Everything real but the broker: sockets, SDK, journal and actors, against a gateway of its own.

A :class:`World` is one gateway process with a trader at it, and the daemon that guards his accounts.
"""

import random
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
)
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import trio
from attrs import define, field

from actors.daemon import Daemon, GuardedAccount, GuardedGroup, Plan, Ports, log_supervision
from actors.enforced import Enforced
from actors.older import Older
from broker.clock import Clock, GatewayClock, SystemClock
from broker.port import Login
from broker.projectx import ProjectXBroker
from risk.past import Seed
from risk.rules import Rule
from risk.rules.daily_loss import DailyLoss
from risk.rules.max_contracts import MaxContracts
from risk.rules.no_stop_loss import NoStopLoss
from risk.rules.symbol_block import SymbolBlock
from risk.rules.unrealized_loss import UnrealizedLoss
from store.journal import open_journal
from store.port import Journal, JournalState, JournalStatistics, Record
from store.projection import Projection
from store.records import Kind
from supervision import Node, System, open_system
from tests.conftest import Gateway

MNQ = "CON.F.US.MNQ.Z26"
GC = "CON.F.US.GCE.Z26"
CLOSE = "/api/Position/closeContract"
PARTIAL_CLOSE = "/api/Position/partialCloseContract"
POSITIONS = "/api/Position/searchOpen"
LOGIN = "/api/Auth/loginKey"
GUARD = "guard"
"""User name of the daemon at the gateway; the trader has his own."""
TRADER = "trader"

PATIENCE = 20.0
"""Seconds after which what a test waits for counts as missing; other suites may share the machine."""

Lines = list[MutableMapping[str, Any]]


def only(rule: Rule) -> Callable[[], tuple[Rule, ...]]:
    """One rule for a guarded account."""
    return lambda: (rule,)


def usual_rules() -> tuple[Rule, ...]:
    """One of each kind of action."""
    return (
        MaxContracts(limit=5),
        DailyLoss(limit=Decimal(500)),
        UnrealizedLoss(limit=Decimal(200)),
        SymbolBlock(symbols=("GC",)),
        NoStopLoss(),
    )


class WitnessedJournal:
    """A journal that also keeps what it was given, for the test to read."""

    def __init__(self, journal: Journal, witnessed: list[Record]) -> None:
        self._journal = journal
        self._witnessed = witnessed

    @property
    def state(self) -> JournalState:
        return self._journal.state

    @property
    def projection(self) -> Projection:
        return self._journal.projection

    @property
    def findings(self) -> tuple[str, ...]:
        return self._journal.findings

    def statistics(self) -> JournalStatistics:
        return self._journal.statistics()

    def spool(self, record: Record) -> None:
        self._witnessed.append(record)
        self._journal.spool(record)

    def append(self, records: Iterable[Record]) -> None:
        given = list(records)
        self._witnessed += given
        self._journal.append(given)

    async def commit(self) -> int:
        return await self._journal.commit()

    async def aclose(self) -> None:
        await self._journal.aclose()


@define
class World:
    """A gateway, its trader, and what the daemon did and said."""

    gateway: Gateway
    directory: Path
    http: httpx.AsyncClient
    lines: Lines
    """Every log line of the process, oldest first."""
    accounts: tuple[GuardedAccount, ...] = ()
    logins: tuple[Login, ...] = ()
    groups: tuple[GuardedGroup, ...] = ()
    clock: Clock = field(factory=SystemClock)
    records: list[Record] = field(factory=list)
    """Everything given to the journal, oldest first."""
    enforced: list[tuple[str, Enforced]] = field(factory=list)
    system: System = field(init=False)
    _token: str = ""

    # ---- the daemon ---------------------------------------------------------------------------

    def login(self, name: str = "sim", username: str = GUARD, api_key: str = "a key") -> Login:
        """A login at this gateway."""
        at = self.gateway
        return Login(name, username, api_key, at.api_url, at.user_hub_url, at.market_hub_url)

    def guard(
        self,
        *names: str,
        login: str = "sim",
        rules: Callable[[], tuple[Rule, ...]] = usual_rules,
        seed: Seed | None = None,
        older: Older | None = None,
    ) -> None:
        """Have the daemon guard these accounts, SIM-50K-1 and so on."""
        self.accounts += tuple(
            GuardedAccount(name, login, rules(), seed=seed, older=older) for name in names
        )

    @asynccontextmanager
    async def daemon(self, *, live: bool = True) -> AsyncIterator[System]:
        """The daemon, with every account live unless told otherwise; nothing may go unhandled."""
        broker = ProjectXBroker(clock=self.clock, chance=random.Random(1), loopback_only=True)
        found = await open_journal(self.directory, self.clock.now())
        journal = WitnessedJournal(found, self.records)
        daemon = Daemon(
            Plan(self.logins or (self.login(),), self.accounts, self.groups),
            Ports(broker, self.clock, journal, random.Random(1)),
            report=lambda account, enforced: self.enforced.append((account, enforced)),
        )
        try:
            async with open_system(
                daemon.spec, chance=random.Random(1), observe=log_supervision
            ) as self.system:
                if live:
                    await self.until_live()
                yield self.system
                letters = self.system.dead_letters
                assert letters.total == 0, letters.recent
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 5):
                await journal.aclose()

    @asynccontextmanager
    async def gateway_time(self) -> AsyncIterator[None]:
        """Within this the daemon's wall clock is the gateway's."""
        clock = GatewayClock(self.gateway.url)
        async with trio.open_nursery() as nursery:
            await nursery.start(clock.follow)
            self.clock = clock
            yield
            nursery.cancel_scope.cancel()

    # ---- the trader ---------------------------------------------------------------------------

    async def trade(
        self,
        account_id: int,
        size: int,
        contract_id: str = MNQ,
        *,
        stop: Decimal | None = None,
        limit: Decimal | None = None,
    ) -> int:
        """Order ``size`` contracts, signed, at the market or as a stop or limit; its order id."""
        order = {
            "accountId": account_id,
            "contractId": contract_id,
            "type": 4 if stop else 1 if limit else 2,
            "side": 0 if size > 0 else 1,
            "size": abs(size),
            "stopPrice": None if stop is None else str(stop),
            "limitPrice": None if limit is None else str(limit),
        }
        answer = await self._as_trader("/Order/place", order)
        assert answer["success"], answer
        return int(answer["orderId"])

    async def _as_trader(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if not self._token:
            key = {"userName": TRADER, "apiKey": "a key"}
            answer = await self.http.post(f"{self.gateway.api_url}/Auth/loginKey", json=key)
            self._token = answer.json()["token"]
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = await self.http.post(f"{self.gateway.api_url}{path}", json=body, headers=headers)
        if answer.status_code == 401:
            self._token = ""
            return await self._as_trader(path, body)
        decoded = answer.json()
        assert isinstance(decoded, dict)
        return decoded

    # ---- the gateway --------------------------------------------------------------------------

    async def control(self, endpoint: str, **body: Any) -> dict[str, Any]:
        """POST to a control endpoint."""
        answer = await self.http.post(f"{self.gateway.url}/control/{endpoint}", json=body)
        assert answer.status_code == 200, answer.text
        decoded = answer.json()
        assert isinstance(decoded, dict)
        return decoded

    async def fault(self, name: str, **fields: Any) -> None:
        """Let the gateway make trouble."""
        await self.control("fault", fault=name, **fields)

    async def heal(self, name: str | bool = True) -> None:
        """End the trouble of one kind, or all of it."""
        await self.control("fault", clear=name)

    async def price(self, bid: str, contract_id: str = MNQ, tick: str = "0.25") -> None:
        """Quote a contract one tick wide, and keep it there."""
        ask = Decimal(bid) + Decimal(tick)
        await self.control("quote", contractId=contract_id, bid=bid, ask=str(ask))

    async def look(self, what: str) -> dict[str, Any]:
        """GET from a control endpoint."""
        answer = await self.http.get(f"{self.gateway.url}/control/{what}")
        decoded = answer.json()
        assert isinstance(decoded, dict)
        return decoded

    async def truth(self, account_id: int) -> dict[str, Any]:
        """An account as the exchange has it: positions, orders, trades."""
        state = await self.look("state")
        return next(it for it in state["accounts"] if it["id"] == account_id)

    async def held(self, account_id: int, contract_id: str = MNQ) -> int:
        """Contracts the exchange says the account holds, signed."""
        for position in (await self.truth(account_id))["positions"]:
            if position["contractId"] == contract_id:
                return int(position["size"]) * (1 if position["type"] == 1 else -1)
        return 0

    async def flat(self, account_id: int) -> bool:
        """Nothing is held and nothing works."""
        truth = await self.truth(account_id)
        return not truth["positions"] and not [o for o in truth["orders"] if o["status"] in WORKING]

    async def fills(self, account_id: int) -> list[tuple[int, int]]:
        """(side, size) of each half-turn, oldest first; side 0 buys."""
        return [(t["side"], t["size"]) for t in (await self.truth(account_id))["trades"]]

    async def requests(
        self, path: str, account_id: int | None = None, user: str = GUARD
    ) -> list[dict[str, Any]]:
        """What a user asked at a path, oldest first, with monotonic times of the gateway."""
        served = (await self.look("latency"))["requests"]
        return [
            it
            for it in served
            if (it["path"], it["user"]) == (path, user)
            and account_id in (None, it["subject"].get("accountId"))
        ]

    async def links(self, hub: str, user: str = GUARD) -> list[dict[str, Any]]:
        """Connections of a user to a hub, as the gateway sees them."""
        connections = (await self.look("state"))["connections"]
        return [it for it in connections if (it["hub"], it["user"]) == (hub, user)]

    # ---- what the daemon knows and says ---------------------------------------------------------

    def status(self, path: str) -> Mapping[str, Any]:
        """What the actor at ``seawall/PATH`` says of itself; empty while it is not running."""
        wanted = f"seawall/{path}"
        return next((n.status for n in _walk(self.system.tree()) if n.path == wanted), {})

    def account(self, number: int) -> Mapping[str, Any]:
        """The picture that the actor of account SIM-50K-``number`` has."""
        name = f"SIM-50K-{number}"
        login = next(it.login for it in self.accounts if it.name == name)
        return self.status(f"logins/{login}/accounts/{name}/account")

    def locks(self, number: int) -> list[str]:
        """Rules by which account SIM-50K-``number`` is locked."""
        return [lock["rule"] for lock in self.account(number)["locks"]]

    def locked_until(self, number: int) -> datetime:
        """When the last lock of account SIM-50K-``number`` ends, aware."""
        return max(datetime.fromisoformat(it["until"]) for it in self.account(number)["locks"])

    def idle(self, number: int) -> bool:
        """Nothing is being enforced on account SIM-50K-``number``."""
        name = f"SIM-50K-{number}"
        login = next(it.login for it in self.accounts if it.name == name)
        return not self.status(f"logins/{login}/accounts/{name}/enforcement").get("open", True)

    def of(self, kind: Kind, account: str | None = None) -> list[Record]:
        """Records of one kind, of one account or all."""
        return [r for r in self.records if r.kind == kind and account in (None, r.account)]

    def done_with(self, action: str) -> list[Record]:
        """Ends of intents of one type: close, reduce, cancel."""
        bodies: list[Mapping[str, Any]] = [it.body for it in self.of(Kind.INTENT)]
        of_type = {body["id"] for body in bodies if body["action"]["type"] == action}
        return [it for it in self.of(Kind.INTENT_DONE) if it.body["id"] in of_type]

    def reasons(self, number: int = 1) -> list[str]:
        """Why each decision on account SIM-50K-``number`` was made, word for word, each reason once."""
        decisions = self.of(Kind.DECISION, f"SIM-50K-{number}")
        return list(dict.fromkeys(str(record.body["reason"]) for record in decisions))

    def alerts(self, code: str) -> list[str]:
        """What the trader was told under this code."""
        return [str(r.body["message"]) for r in self.of(Kind.ALERT) if r.body["code"] == code]

    def said(self, event: str, **fields: Any) -> Lines:
        """Log lines that begin like this and carry these fields."""
        return [
            line
            for line in self.lines
            if str(line["event"]).startswith(event)
            and all(line.get(key) == value for key, value in fields.items())
        ]

    async def until(
        self, true: Callable[[], object | Awaitable[object]], within: float = PATIENCE
    ) -> None:
        """Wait for a condition; ``within`` seconds are a deadline, not an expectation."""
        until = trio.current_time() + within
        while not await _value(true()):
            assert trio.current_time() < until, f"not within {within} s: {_source(true)}"
            await trio.sleep(0.02)

    async def until_count(self, kind: Kind, count: int) -> None:
        """So many records of a kind were written."""
        await self.until(lambda: len(self.of(kind)) >= count)

    async def until_done_with(self, action: str, count: int) -> None:
        """So many intents of one type have ended."""
        await self.until(lambda: len(self.done_with(action)) >= count)

    async def until_requests(self, path: str, count: int) -> None:
        """The daemon has asked so many times at a path."""

        async def asked() -> bool:
            return len(await self.requests(path)) >= count

        await self.until(asked)

    async def until_live(self, *numbers: int) -> None:
        """Every account, or these, have been reconciled."""
        wanted = numbers or [int(it.name.rsplit("-", 1)[1]) for it in self.accounts]
        await self.until(lambda: all(self.account(n).get("phase") == "live" for n in wanted))

    async def until_link(self, link: int, within: float = PATIENCE, *, login: str = "sim") -> None:
        """Both hubs are up, the user's on its connection of this number, and every account is live.

        Both: what is cut off in the middle of a connect leaves its socket to the collector.
        """

        def up() -> bool:
            hub = self.status(f"logins/{login}/connection")
            hubs = (hub.get("user_hub"), hub.get("market_hub"))
            return hub.get("link") == link and hubs == ("up", "up")

        await self.until(up, within)
        await self.until_live()

    async def until_held(
        self, account_id: int, net: int, contract_id: str = MNQ, within: float = PATIENCE
    ) -> None:
        """The exchange says that so much is held, and enforcement has seen it."""

        async def held() -> bool:
            return await self.held(account_id, contract_id) == net

        await self.until(held, within)
        await self.until(lambda: self.idle(account_id - 1000), within)

    async def until_flat(self, account_id: int, within: float = PATIENCE) -> None:
        """The exchange says that nothing is left, and enforcement has seen it."""
        await self.until(lambda: self.flat(account_id), within)
        await self.until(lambda: self.idle(account_id - 1000), within)


WORKING = (1, 6, 7, 8)
"""Order statuses that can still trade: open, pending, pending cancellation, suspended."""


async def _value(answer: object) -> object:
    return await answer if isinstance(answer, Awaitable) else answer


def _source(condition: Callable[[], object]) -> str:
    code = condition.__code__
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}"


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


@asynccontextmanager
async def open_world(gateway: Gateway, directory: Path, lines: Lines) -> AsyncIterator[World]:
    """A world at a gateway; several may share a test."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        yield World(gateway, directory, http, lines)
