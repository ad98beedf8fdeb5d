"""Putting it together: gateway process, daemon, story, and what is left when the curtain falls."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import httpx
import trio
from attrs import frozen

from actors.daemon import log_supervision
from actors.enforced import Enforced
from broker.clock import GatewayClock
from config import Config, load
from console.demo.cast import KEY, KEY_VARIABLE, configuration, scenario
from console.demo.chronicle import Chronicle, Enforcement, Told
from console.demo.flows import Flows
from console.demo.gateway import ANSWER_WITHIN, Addresses, Control, open_gateway
from console.demo.scenes import RESET, STORY
from console.demo.stage import Noted, Pace, Stage
from console.service import Surroundings, open_daemon
from simulator.trader import TradingDesk
from store.database import Database
from store.journal import DATABASE
from store.records import Kind
from supervision import Cause, DeadLetters, SupervisionEvent

SEED = 7
LIVE_WITHIN = 15.0
START = RESET - timedelta(minutes=18)
FULL = Pace(start=START, speed=6, read_s=1.9, rush_s=3.0, volley=12)
FAST = Pace(start=START, speed=12, read_s=0.04, rush_s=0.4, volley=8)


class Audience(Protocol):
    """Whoever is shown the story."""

    def show(self, told: Told, /) -> None:
        """One thing is told."""

    async def watch(self, stage: Stage, /) -> None:
        """Follow the accounts until cancelled."""


@frozen
class Played:
    """What is left of a demo."""

    noted: Noted
    flows: Flows
    dead_letters: int


async def play(folder: Path, pace: Pace, audience: Audience) -> Played:
    """Run everything; what it leaves on disk is in the folder.

    Raises GatewayFailed, OrderRefused or httpx.HTTPError, in groups, when the story cannot be played.
    """
    async with (
        open_gateway(folder, scenario(), start=pace.start, speed=pace.speed, seed=SEED) as found,
        httpx.AsyncClient(timeout=ANSWER_WITHIN, trust_env=False) as client,
        trio.open_nursery() as nursery,
    ):
        clock = GatewayClock(found.url)
        await nursery.start(clock.follow)
        desk = TradingDesk(found.api_url, client)
        await desk.log_in()
        stage = Stage(
            pace=pace,
            clock=clock,
            control=Control(found, client),
            desk=desk,
            chronicle=Chronicle(clock.now, audience.show),
            noted=Noted(),
        )
        nursery.start_soon(audience.watch, stage)
        lost = await _guarded(stage, _configured(folder, found), clock)
        nursery.cancel_scope.cancel(reason="the story is over")
    flows = stage.noted.flows(_decisions(folder))
    if lost:
        stage.wrong(f"{lost} messages were handled by nobody")
    return Played(stage.noted, flows, lost)


async def _guarded(stage: Stage, config: Config, clock: GatewayClock) -> int:
    """Start the daemon and play every scene; answers how many messages nobody handled."""

    def observe(event: SupervisionEvent) -> None:
        log_supervision(event)
        stage.supervised(event)

    def report(account: str, enforced: Enforced) -> None:
        stage.enforced(Enforcement(account, enforced))

    around = Surroundings(
        random.SystemRandom(),
        observe=observe,
        report=report,
        signals=False,
        stuck_after=None,
        clock=clock,
        loopback_only=True,
    )
    started = trio.current_time()
    async with open_daemon(config, around) as system:
        stage.enter(system)
        if await stage.until("every account is live", lambda: _live(stage), within=LIVE_WITHIN):
            stage.noted.startup_s = trio.current_time() - started
        for scene in STORY:
            await scene(stage)
    return _lost(system.dead_letters)


def _live(stage: Stage) -> bool:
    picture = stage.picture()
    return picture is not None and picture.all_live


def _lost(letters: DeadLetters) -> int:
    """What is told to actors that have stopped in the course of the ordered end is no loss."""
    return sum(
        count for (*_, cause), count in letters.counts.items() if cause is not Cause.SHUTDOWN
    )


def _configured(folder: Path, found: Addresses) -> Config:
    path = folder / "seawall.toml"
    path.write_text(configuration(found.api_url, found.user_hub_url, found.market_hub_url), "utf-8")
    today = datetime.now(UTC).date()
    return load(path, environment={KEY_VARIABLE: KEY}, today=today, for_run=True)


def _decisions(folder: Path) -> tuple[float, ...]:
    """Milliseconds from event to verdict, of every decision in the journal."""
    database = Database(folder / "state" / DATABASE)
    try:
        bodies = [json.loads(entry.body) for entry in database.entries((Kind.DECISION,))]
    finally:
        database.close()
    return tuple(body["decided_after_ms"] for body in bodies if "decided_after_ms" in body)
