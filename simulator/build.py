"""Put a gateway together from a seed, a scenario and two clocks."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import trio

from simulator.clock import GatewayTime
from simulator.exchange import Exchange
from simulator.gateway import Gateway
from simulator.lots import LotMethod
from simulator.prices import PriceWalk
from simulator.scenario import Scenario
from simulator.sessions import Sessions


def build_gateway(
    machine_now: datetime,
    *,
    seed: int = 1,
    start: datetime | None = None,
    speed: float = 1.0,
    scenario: Scenario | None = None,
    monotonic: Callable[[], float] = trio.current_time,
    token_lifetime: timedelta = timedelta(hours=24),
) -> Gateway:
    """A gateway that has not been served yet; call it inside ``trio.run``, whose clock it takes.

    ``machine_now`` is the machine's aware UTC at this moment; ``start`` (default: the same) where the
    simulated wall time begins. The same seed gives the same prices, ids and faults.
    """
    scenario = scenario or Scenario()
    origin = monotonic()
    time = GatewayTime(start or machine_now, monotonic, speed=speed)
    listings = scenario.listings()
    exchange = Exchange(
        listings,
        scenario.opening_accounts(),
        time.now(),
        lot_method=LotMethod(scenario.lot_method),
        fills_at_once=scenario.fills_at_once,
    )
    chance = random.Random(seed)  # noqa: S311
    return Gateway(
        exchange=exchange,
        time=time,
        machine_time=lambda: machine_now + timedelta(seconds=monotonic() - origin),
        monotonic=monotonic,
        chance=chance,
        sessions=Sessions(scenario.logins(), chance, token_lifetime),
        walk=PriceWalk(listings, random.Random(seed)),  # noqa: S311
    )
