"""The tree of the daemon: which actor stands where, who is told to whom, what happens when one falls.

Every port comes in from outside, so that the same tree runs against the real gateway, against the
simulated one, and in virtual time on the exchange model.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial

import structlog
from attrs import field, frozen

from actors.account import Account
from actors.connection import Connection
from actors.enforced import Enforced
from actors.enforcement import Enforcement
from actors.group import Group
from actors.group_messages import GroupMessage
from actors.messages import (
    AccountMessage,
    ClockMessage,
    ConnectionMessage,
    EnforcementMessage,
    Evaluate,
)
from actors.older import Older
from actors.price_cache import PriceCache
from actors.price_messages import PriceMessage
from actors.reporting import Desk
from actors.rules import Rules
from actors.session_clock import SessionClock
from actors.store import Store, StoreMessage
from broker.clock import Clock
from broker.port import Broker, Login, Numbering
from risk.domain import BrokerAccount
from risk.groups import GroupRule
from risk.past import Seed
from risk.rules import Rule
from risk.trading_day import TradingCalendar
from store.port import Journal
from supervision import (
    ChildSpec,
    Crashed,
    Dynamic,
    EscalatedEvent,
    Intensity,
    Park,
    Parked,
    Quarantined,
    Ref,
    Restarting,
    Started,
    Stopped,
    Stuck,
    Supervised,
    SupervisionEvent,
    SupervisorSpec,
    Unparked,
)

PARKED_FOR = 30.0
"""Seconds between tries to bring back an account or login that fails again and again."""
EVENTS_AT_MOST = 100_000
"""Messages a mailbox of an account or connection holds; beyond it something is badly wrong."""

log = structlog.get_logger("seawall.supervision")


@frozen
class GuardedAccount:
    """One account as the daemon is to guard it."""

    name: str
    """As the broker calls it."""
    login: str
    rules: tuple[Rule, ...]
    armed: bool = True
    """False: decide and say so, send nothing."""
    seed: Seed | None = None
    """What the broker does not tell about its past."""
    older: Older | None = None
    """How it was guarded by configurations of the same trading day."""
    leader: str | None = None
    """The account that a copier copies to this one."""


@frozen
class GuardedGroup:
    """Several accounts as the daemon is to guard them together."""

    name: str
    accounts: tuple[str, ...]
    rules: tuple[GroupRule, ...]
    until: datetime | None = None
    """When it ends: one of a configuration that was changed earlier today."""


@frozen
class Plan:
    """What the daemon is to do."""

    logins: tuple[Login, ...]
    accounts: tuple[GuardedAccount, ...]
    groups: tuple[GuardedGroup, ...] = ()
    calendar: TradingCalendar = field(factory=TradingCalendar)
    adopt: Callable[[str, str], GuardedAccount | None] = lambda login, name: None
    """How an account of this login and name is guarded that nobody configured; None: it is not."""


@frozen
class Ports:
    """The outside world."""

    broker: Broker
    clock: Clock
    journal: Journal
    chance: random.Random = field(factory=random.SystemRandom)


class Daemon:
    """Builds the tree of a plan; ``spec`` is what ``supervision.open_system`` runs."""

    def __init__(
        self,
        plan: Plan,
        ports: Ports,
        *,
        first: tuple[Supervised, ...] = (),
        last: tuple[Supervised, ...] = (),
        report: Callable[[str, Enforced], None] = lambda account, enforced: None,
    ) -> None:
        self._plan = plan
        self._ports = ports
        self._report = report
        self._store: Ref[StoreMessage] = Ref("store")
        self._prices: Ref[PriceMessage] = Ref("prices")
        self._clock: Ref[ClockMessage] = Ref("clock")
        self._states: dict[str, Ref[AccountMessage]] = {
            it.name: Ref("account", capacity=EVENTS_AT_MOST) for it in plan.accounts
        }
        self._groups: Mapping[str, Ref[GroupMessage]] = {
            it.name: Ref(it.name) for it in plan.groups
        }
        self.spec = SupervisorSpec(
            "seawall",
            (
                *first,
                ChildSpec("store", self._store, lambda: Store(ports.journal, ports.clock)),
                ChildSpec(
                    "session clock",
                    self._clock,
                    lambda: SessionClock(plan.calendar, ports.clock),
                ),
                ChildSpec("price cache", self._prices, PriceCache),
                *self._grouped(),
                self._logins(),
                *last,
            ),
            intensity=Intensity(10, 60.0),
        )

    def _grouped(self) -> Iterator[SupervisorSpec]:
        """One bulkhead with an actor for each group; none where there are no groups."""
        if not self._plan.groups:
            return
        groups = Dynamic()
        for group in self._plan.groups:
            groups.start_child(
                ChildSpec(group.name, self._groups[group.name], partial(self._group, group))
            )
        yield SupervisorSpec("groups", dynamic=groups, exhausted=Park(PARKED_FOR))

    def _group(self, group: GuardedGroup) -> Group:
        desk = Desk(self._ports.journal, self._ports.clock, self._store)
        clock = self._ports.clock
        return Group(group.name, group.accounts, group.rules, clock, desk, group.until)

    def _logins(self) -> SupervisorSpec:
        logins = Dynamic()
        for login in self._plan.logins:
            logins.start_child(self._login(login))
        return SupervisorSpec("logins", dynamic=logins, exhausted=Park(PARKED_FOR))

    def _login(self, login: Login) -> SupervisorSpec:
        connection: Ref[ConnectionMessage] = Ref("connection", capacity=EVENTS_AT_MOST)
        numbering = Numbering()
        accounts = Dynamic()
        for account in self._plan.accounts:
            if account.login == login.name:
                accounts.start_child(self._account(account, connection))

        def adopt(found: BrokerAccount) -> bool:
            if found.name.replace("/", "|") in accounts:
                return True
            adopted = self._plan.adopt(login.name, found.name)
            if adopted is not None:
                log.warning("account adopted", account=found.name, login=login.name)
                accounts.start_child(self._account(adopted, connection))
            return adopted is not None

        return SupervisorSpec(
            login.name,
            (
                ChildSpec(
                    "connection",
                    connection,
                    lambda: Connection(
                        login=login,
                        broker=self._ports.broker,
                        journal=self._ports.journal,
                        clock=self._ports.clock,
                        store=self._store,
                        prices=self._prices,
                        numbering=numbering,
                        adopt=adopt,
                    ),
                ),
                SupervisorSpec("accounts", dynamic=accounts, exhausted=Park(PARKED_FOR)),
            ),
        )

    def _account(
        self, account: GuardedAccount, connection: Ref[ConnectionMessage]
    ) -> SupervisorSpec:
        state = self._states.setdefault(account.name, Ref("account", capacity=EVENTS_AT_MOST))
        leader = None if account.leader is None else self._states.get(account.leader)
        rules: Ref[Evaluate] = Ref("rules")
        enforcement: Ref[EnforcementMessage] = Ref("enforcement")
        journal, clock = self._ports.journal, self._ports.clock
        groups = [self._groups[it.name] for it in self._plan.groups if account.name in it.accounts]
        return SupervisorSpec(
            account.name.replace("/", "|"),
            (
                ChildSpec(
                    "account",
                    state,
                    lambda: Account(
                        name=account.name,
                        login=account.login,
                        calendar=self._plan.calendar,
                        journal=journal,
                        clock=clock,
                        store=self._store,
                        connection=connection,
                        prices=self._prices,
                        session_clock=self._clock,
                        rules=rules,
                        enforcement=enforcement,
                        limits=account.rules,
                        seed=account.seed,
                        groups=groups,
                    ),
                ),
                ChildSpec(
                    "rules",
                    rules,
                    lambda: Rules(account.rules, clock, state, enforcement, account.older),
                ),
                ChildSpec(
                    "enforcement",
                    enforcement,
                    lambda: Enforcement(
                        account=account.name,
                        armed=partial(_is_armed, account, clock),
                        journal=journal,
                        clock=clock,
                        store=self._store,
                        state=state,
                        connection=connection,
                        report=partial(self._report, account.name),
                        leader=leader,
                    ),
                ),
            ),
        )


def _is_armed(account: GuardedAccount, clock: Clock) -> bool:
    older = account.older
    return account.armed or (older is not None and older.armed and clock.now() < older.until)


def log_supervision(event: SupervisionEvent) -> None:
    """What the trader must know of falls and restarts."""
    match event:
        case Crashed(path, generation, error):
            log.error("crashed", actor=path, generation=generation, exc_info=error)
        case Restarting(path, generation, delay):
            log.warning("restarting", actor=path, generation=generation, in_s=round(delay, 3))
        case Parked(path, _, error, retry_in):
            log.critical(
                "UNGUARDED: it failed too often and is set aside",
                actor=path,
                problem=str(error),
                retry_in_s=retry_in,
            )
        case Unparked(path, generation):
            log.warning("tried again", actor=path, generation=generation)
        case EscalatedEvent(path, _, child, error):
            log.critical("gives up", actor=path, child=child, problem=str(error))
        case Quarantined(path, _, kind, kills):
            log.critical("goes on without messages that kill it", actor=path, of=kind, kills=kills)
        case Stuck(path):
            log.critical("UNGUARDED: it can neither go on nor be ended", actor=path)
        case Started() | Stopped():
            pass
