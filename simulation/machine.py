"""The trader's machine and the broker at the other end: where the daemon lives its lives.

The machine starts the daemon as a service manager does: again whenever it has ended, whether it was
killed or gave up. What a dead process leaves behind is what it would leave in truth: the disk, and
requests that had left already. The exchange, its clock and its prices know nothing of any of it.
"""

from decimal import Decimal
from functools import partial
from itertools import count
from math import inf
from typing import Any

import trio
from trio.testing import MockClock

from actors.daemon import Daemon, GuardedAccount, Plan, Ports
from actors.enforced import Enforced
from broker.memory import MemoryBroker
from broker.port import Login
from simulation.agenda import Agenda
from simulation.border import WatchedBroker, WatchedDesk, WatchedJournal
from simulation.clocks import MachineClock, TrueClock
from simulation.haunting import Haunting
from simulation.rulebook import rules_of, seed_of
from simulation.scenario import LoginPlan, Scenario
from simulation.watcher import Audience
from simulator.contracts import front_contracts
from simulator.exchange import Exchange
from simulator.faults import Stall
from simulator.ledger import Account
from simulator.sessions import User
from store.memory import MemoryDisk
from supervision import Escalated, SupervisionEvent, System, open_system

ROOTS = ("ES", "NQ", "MES", "MNQ", "CL", "GC", "MGC", "SI")
"""Contracts of the simulated exchange."""
READ_TAKES = 0.03
"""Seconds there and back, of a read."""
REQUEST_TAKES = 0.02
"""Of a close or cancellation."""
STARTED_AGAIN_AFTER = 1.0
"""Seconds until the service manager starts a daemon that gave up."""
LOOPBACK = "http://127.0.0.1"


class Machine:
    """Broker, machine and, life after life, the daemon of one scenario."""

    def __init__(self, scenario: Scenario, audience: Audience) -> None:
        """To be made inside the virtual run; everything counts from now."""
        self.scenario = scenario
        self.audience = audience
        self._time = trio.lowlevel.current_clock().current_time
        self.origin = self._time()
        self.truth = TrueClock(scenario.start)
        self.clock = MachineClock(self.truth)
        self.disk = MemoryDisk()
        self.agenda = Agenda()
        self.haunting = Haunting(self._message)
        self.exchange = Exchange(
            front_contracts(ROOTS),
            [Account(it.id, it.name, Decimal(50_000)) for it in scenario.accounts],
            self.truth.now(),
        )
        self.contracts = {it.root: it.id for it in self.exchange.listings.values()}
        """Contract id by root."""
        # Before the broker's own listener: the truth is known before anybody hears of it.
        self.exchange.listeners.append(audience.exchanged)
        self.broker = MemoryBroker(
            self.exchange,
            self.truth,
            scenario.chance("broker"),
            users={it.name: User(it.name, None, it.accounts) for it in scenario.seen_by()},
            read_latency=READ_TAKES,
            request_latency=REQUEST_TAKES,
            local=self.clock,
        )
        self.broker.desk = WatchedDesk(self.exchange, self.broker.board, audience)
        self.life = 0
        """Number of the daemon's newest life."""
        self.system: System | None = None
        """The daemon, while it is up."""
        self.journal: WatchedJournal | None = None
        """Of the newest life."""
        self._numbers = count(1)
        self._scope: trio.CancelScope | None = None
        self._border: WatchedBroker | None = None
        self._down_until = -inf
        self._names = {it.id: it.name for it in scenario.accounts}

    @property
    def elapsed(self) -> float:
        """Virtual seconds since the start."""
        return self._time() - self.origin

    def account_name(self, account_id: int) -> str:
        """What the broker calls an account."""
        return self._names[account_id]

    # ---- lives --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the daemon running until cancelled."""
        while True:
            if trio.current_time() < self._down_until:
                await trio.sleep_until(self._down_until)
                continue  # it may have become later meanwhile
            self.broker.mend()
            await self._live()

    async def _live(self) -> None:
        """One life of the daemon, to its death."""
        self.life += 1
        life, audience = self.life, self.audience
        self._border = WatchedBroker(self.broker, audience, life, self._numbers)
        journal = self.disk.open(self.clock.now())
        self.journal = WatchedJournal(journal, audience, partial(self._is_alive, life))
        daemon = self._daemon(self._border, self.journal, life)
        with trio.CancelScope() as self._scope:
            try:
                async with open_system(
                    daemon.spec,
                    chance=self.scenario.chance(f"supervision:{life}"),
                    observe=lambda event: self._supervised(life, event),
                    haunt=self.haunting,
                ) as self.system:
                    audience.life_began(life, self.system)
                    await trio.sleep_forever()
            except* Escalated:
                if self._is_alive(life):
                    self._down_until = trio.current_time() + STARTED_AGAIN_AFTER
                    self._die("gave up")
            finally:
                self.system = None
                if self._is_alive(life):
                    self._die("stopped")
        await trio.lowlevel.checkpoint()

    def _daemon(self, broker: WatchedBroker, journal: WatchedJournal, life: int) -> Daemon:
        logins = self.scenario.seen_by()
        login_of = {account: it.name for it in logins for account in it.accounts}
        accounts = tuple(
            GuardedAccount(it.name, login_of[it.id], rules_of(it.rules), seed=seed_of(it.rules))
            for it in self.scenario.accounts
        )

        def report(account: str, enforced: Enforced) -> None:
            if self._is_alive(life):
                self.audience.enforced(account, enforced)

        return Daemon(
            Plan(tuple(map(_login, logins)), accounts),
            Ports(broker, self.clock, journal, self.scenario.chance(f"daemon:{life}")),
            report=report,
        )

    def _is_alive(self, life: int) -> bool:
        return self._border is not None and self.life == life

    def _die(self, why: str) -> None:
        assert self._border is not None
        self._border.die()
        self._border = None
        self.system = None
        self.audience.life_ended(self.life, why)

    def _supervised(self, life: int, event: SupervisionEvent) -> None:
        if self._is_alive(life):
            self.audience.supervised(event)

    def _message(self, path: str, kind: str) -> None:
        if self._border is not None:
            self.audience.message(path, kind)

    # ---- what befalls it ----------------------------------------------------------------------

    def crash(self, path: str) -> None:
        """Crash the actor at this path between two messages, if it is running."""
        if self.system is not None:
            try:
                self.system.crash(path, "planned")
            except LookupError:
                return

    def kill(self, down_for: float) -> None:
        """End the daemon's process now, and start it again so many seconds later."""
        self._down_until = max(self._down_until, trio.current_time() + down_for)
        if self._border is None or self._scope is None:
            return
        self.broker.sever()
        self.disk.process_dies()
        self._die("killed")
        self.haunting.free()
        self._scope.cancel(reason="killed")

    def suspend(self, seconds: float) -> None:
        """Trio's clock moves on at once while the exchange goes on; then the machine wakes.

        What the hubs send meanwhile waits in their sockets.
        """
        self.audience.suspended(seconds)
        self.broker.inject(Stall(duration=seconds))
        self.agenda.catch_up(trio.current_time() + seconds, _clock().jump)
        self.audience.woken()


def _clock() -> MockClock:
    clock: Any = trio.lowlevel.current_clock()
    assert isinstance(clock, MockClock)
    return clock


def _login(plan: LoginPlan) -> Login:
    return Login(plan.name, plan.name, "any", LOOPBACK, LOOPBACK, LOOPBACK)
