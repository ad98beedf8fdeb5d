"""From a configuration to the running daemon, as one block: entered when its tree is up.

``open_daemon`` owns everything a daemon needs for as long as the block runs: the state directory, the
journal, the clock, the tree. Whoever runs it decides what ends it.
"""

import random
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
import trio
from attrs import evolve, frozen

from actors.console import Console, picture
from actors.daemon import Daemon, GuardedAccount, GuardedGroup, Plan, Ports, log_supervision
from actors.enforced import Enforced
from broker.clock import Clock, GatewayClock, SystemClock
from broker.port import Broker
from config import Config
from config.model import AccountConfig
from console.before import Before, calendar_today, older_groups, older_today
from console.last_resort import condemning, watching
from risk.past import strictest
from store import records
from store.buffered import BufferedJournal
from store.journal import open_journal
from store.owner import claim
from store.projection import Projection
from supervision import (
    ChildSpec,
    Node,
    Park,
    Ref,
    Supervised,
    SupervisionEvent,
    SupervisorSpec,
    System,
    open_system,
)
from supervision.signals import Signals
from supervision.watchdog import LoopLag, Watchdog

STOPPED_WITHIN = 5.0
"""Seconds for the ordered stop."""
STUCK_AFTER = 10.0
"""Seconds after which a loop that does not turn ends the process; it is then started anew."""
CLOCK_PATIENCE = 5.0
"""Seconds between complaints while a gateway does not tell its time."""

STARTING = Node("seawall", "seawall", "supervisor", "starting", 1, 0)

log = structlog.get_logger("seawall")


@frozen
class Surroundings:
    """What differs between the daemon of a trader, the one of a demo and the one of a test."""

    chance: random.Random
    observe: Callable[[SupervisionEvent], None] = log_supervision
    report: Callable[[str, Enforced], None] = lambda account, enforced: None
    """Told of each answered enforcement request."""
    signals: bool = True
    """SIGINT and SIGTERM stop the tree in order; needs the main thread."""
    stuck_after: float | None = STUCK_AFTER
    """Seconds of patience with a loop that does not turn; None: no watchdog."""
    clock: Clock | None = None
    """Already running: the day is judged by this one, whatever the configuration says."""
    loopback_only: bool = False
    """Refuse every broker that is not on this machine."""


class StoppedWhileStarting(Exception):
    """A signal asked the daemon to stop before it was up."""


@asynccontextmanager
async def open_daemon(config: Config, around: Surroundings) -> AsyncIterator[System]:
    """Run the daemon of a configuration that was loaded to run; the block gets the started tree.

    The block may wait for ``System.wait``, or leave: that stops the tree in order. Raises
    StateDirectoryTaken, DatabaseHeld or OSError when the state cannot be had, StoppedWhileStarting,
    and Escalated when the tree gives up. They may come in groups: catch them with ``except*``.
    """
    with claim(config.daemon.state_dir):
        async with (
            _open_clock(config, around.clock) as clock,
            _open_journal(config, clock) as journal,
            _open_tree(config, clock, journal, around) as system,
        ):
            yield system


@asynccontextmanager
async def _open_tree(
    config: Config, clock: Clock, journal: BufferedJournal, around: Surroundings
) -> AsyncIterator[System]:
    way = _WayOut()
    ports = Ports(_broker(config, clock, around), clock, journal, around.chance)
    with watching(around.stuck_after) as watchdog, way.while_starting:
        daemon = Daemon(
            plan_of(config, journal.projection, clock.now()),
            ports,
            first=tuple(_guardians(around, way, watchdog)),
            last=(_console(config, way),),
            report=around.report,
        )
        async with open_system(
            evolve(daemon.spec, stop_within=STOPPED_WITHIN),
            chance=around.chance,
            observe=condemning(around.observe, watchdog),
        ) as system:
            way.system = system
            yield system
    if way.system is None:
        raise StoppedWhileStarting


class _WayOut:
    """What the first signal does: it stops the tree, or what is left of its start."""

    def __init__(self) -> None:
        self.while_starting = trio.CancelScope()
        self.system: System | None = None

    def take(self, number: signal.Signals) -> None:
        log.info("asked to stop; guarding ends now", signal=number.name)
        if self.system is None:
            self.while_starting.cancel(reason="asked to stop while starting")
        else:
            self.system.stop()

    def dump(self) -> None:
        """The whole house into the log, for whoever cannot reach the socket."""
        log.warning("asked for a picture of the tree", tree=picture(self.tree()))

    def tree(self) -> Node:
        """For the console, the last to start: it can be asked a moment before the tree is up."""
        return STARTING if self.system is None else self.system.tree()


def plan_of(config: Config, journal: Projection | None = None, now: datetime | None = None) -> Plan:
    """What the tree is to do, in its words; what a journal has of this day's earlier ones included."""
    older: Mapping[str, Before] = {}
    groups = [GuardedGroup(it.name, it.accounts, it.rules) for it in config.groups if it.rules]
    if journal is not None and now is not None:
        config = evolve(config, calendar=calendar_today(config, journal, now))
        older = older_today(config, journal, now)
        groups += older_groups(config, journal, now)

    def adopt(login: str, name: str) -> GuardedAccount | None:
        account, before = config.adopt(name, login), older.get(name)
        if account is not None:
            return _guarded(account, before)
        return None if before is None else _no_more(name, login, before)

    configured = {account.name for account in config.accounts}
    logins = {each.name for each in config.logins}
    taken_out = (
        _no_more(name, it.login, it)
        for name, it in older.items()
        if name not in configured and it.login in logins and config.adopt(name, it.login) is None
    )
    return Plan(
        logins=tuple(each.login for each in config.logins),
        accounts=(
            *(_guarded(account, older.get(account.name)) for account in config.accounts),
            *taken_out,
        ),
        groups=tuple(groups),
        calendar=config.calendar,
        adopt=adopt,
    )


def _no_more(name: str, login: str, before: Before) -> GuardedAccount:
    """Nothing guards it any more but what held earlier today."""
    return GuardedAccount(name, login, (), armed=False, seed=before.seed, older=before.older)


def _guarded(account: AccountConfig, before: Before | None) -> GuardedAccount:
    older = None if before is None else before.older
    return GuardedAccount(
        account.name,
        account.login,
        account.rules,
        account.armed,
        account.seed if before is None else strictest(account.seed, before.seed),
        older,
        account.leader,
    )


def _guardians(
    around: Surroundings, way: _WayOut, watchdog: Watchdog | None
) -> Iterator[Supervised]:
    if around.signals:
        yield ChildSpec("signals", Ref("signals"), lambda: Signals(way.take, on_dump=way.dump))
    if watchdog is not None:
        yield ChildSpec("watchdog", Ref("watchdog"), lambda: LoopLag(watchdog))


def _console(config: Config, way: _WayOut) -> SupervisorSpec:
    """Its own bulkhead: whatever happens to it, the guard goes on."""
    actor = ChildSpec("socket", Ref("socket"), lambda: Console(config.daemon.state_dir, way.tree))
    return SupervisorSpec("console", (actor,), exhausted=Park())


def _broker(config: Config, clock: Clock, around: Surroundings) -> Broker:
    from broker.projectx import ProjectXBroker

    loopback_only = around.loopback_only or config.daemon.clock == "gateway"
    return ProjectXBroker(clock=clock, chance=around.chance, loopback_only=loopback_only)


@asynccontextmanager
async def _open_journal(config: Config, clock: Clock) -> AsyncIterator[BufferedJournal]:
    """The journal, with this configuration in it."""
    journal = await open_journal(config.daemon.state_dir, clock.now())
    try:
        for finding in journal.findings:
            log.critical(finding, code="journal")
        if journal.state.degraded:
            log.critical("%s; guarding goes on without it", journal.state.reason, code="journal")
        accepted = records.config(clock.now(), config.fingerprint(), config.document())
        journal.append((accepted,))
        await journal.commit()
        yield journal
    finally:
        with trio.CancelScope(shield=True):
            await journal.aclose()


@asynccontextmanager
async def _open_clock(config: Config, given: Clock | None) -> AsyncIterator[Clock]:
    """The clock that days, sessions and locks are judged by; a gateway's must have been heard."""
    if given is not None:
        yield given
        return
    if config.daemon.clock == "system":
        yield SystemClock()
        return
    url = config.logins[0].login.api_url
    clock = GatewayClock(url)
    async with trio.open_nursery() as nursery:
        waiting = trio.CancelScope()
        nursery.start_soon(_say_that_it_waits, url, waiting)
        await nursery.start(clock.follow)
        waiting.cancel()
        yield clock
        nursery.cancel_scope.cancel()


async def _say_that_it_waits(url: str, waiting: trio.CancelScope) -> None:
    with waiting:
        while True:
            await trio.sleep(CLOCK_PATIENCE)
            log.warning(
                "nothing is guarded yet: waiting for the clock of the simulated gateway, "
                'as clock = "gateway" asks for',
                address=url,
            )
