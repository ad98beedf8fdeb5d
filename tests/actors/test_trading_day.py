"""A whole trading day of two accounts in virtual time: the same trace twice, the same verdicts always."""

from collections.abc import Sequence
from datetime import datetime
from itertools import permutations

import pytest
import trio

from broker.memory import Arrange
from simulator.delivery import Delayed
from simulator.events import Event, Kind
from tests.actors.world import GC, World, run

PUSHES = (Kind.TRADE, Kind.POSITION, Kind.ORDER, Kind.ACCOUNT)
APART = 0.12
"""Seconds between the events of one execution."""
YESTERDAY_EVENING = datetime.fromisoformat("2026-11-17T23:00:05+00:00")
AFTERNOON = datetime.fromisoformat("2026-11-18T21:30:00+00:00")
"""15:30 in Chicago: every execution of the day lies before its end, so this is enough for its order."""


@pytest.fixture(autouse=True)
def one_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trio shuffles tasks that are ready together; a trace needs the same shuffle each time."""
    monkeypatch.setattr(trio._core._run, "_ALLOW_DETERMINISTIC_SCHEDULING", True)


def in_order(order: Sequence[Kind]) -> Arrange:
    """Deliver the events of each execution in this order of kinds, some time apart."""

    def arrange(events: Sequence[Event]) -> list[Delayed]:
        ranked = sorted(events, key=lambda event: order.index(event.kind))
        return [(order.index(event.kind) * APART, event) for event in ranked]

    return arrange


async def the_day(world: World) -> None:
    """A disciplined trader, and one who goes over every line."""
    world.begin()
    async with world.daemon():
        world.price("25000")
        # 1001 trades within his limits, covered, and takes his profit.
        world.trade(1001, 2)
        world.trade(1001, -2, stop=world.broker.exchange.quotes["CON.F.US.MNQ.Z26"].bid - 40)
        await trio.sleep(600)
        world.price("25030")
        await trio.sleep(2)
        world.trade(1001, -2)
        await trio.sleep(5)
        for order in world.working(1001):
            world.broker.exchange.cancel(1001, order, world.clock.now())
        await trio.sleep(60)
        # 1002 is too big, in a blocked market, without a stop, and then loses.
        world.trade(1002, 8)
        await trio.sleep(10)
        world.trade(1002, 1, GC)
        await trio.sleep(10)
        world.price("25010")
        await trio.sleep(10)
        world.trade(1002, 4)
        await trio.sleep(10)
        world.price("24950")
        await trio.sleep(10)
        world.trade(1002, 5)
        await trio.sleep(10)
        world.price("24890")
        await trio.sleep(10)
        world.trade(1002, 2)  # tilted: tries again on a locked account
        await trio.sleep(30)
        assert world.held(1002) == 0
        # To the reset, and on.
        until = datetime.fromisoformat("2026-11-18T23:00:01+00:00")
        await trio.sleep((until - world.clock.now()).total_seconds())
        assert world.locks("SIM-50K-2") == []
        world.trade(1002, 1)
        await trio.sleep(130)
        assert [world.held(it) for it in (1001, 1002)] == [0, 0]


def verdicts(world: World) -> list[tuple[str, str, str]]:
    """What was enforced, without times and figures."""
    return [(account, it.rule, it.action) for account, it in world.enforced]


def trace(world: World) -> list[object]:
    """Everything that was journalled, with its times."""
    return [(e.seq, e.at, e.kind, e.account, e.body) for e in world.disk.durable]


def lived(start: datetime, arrange: Arrange | None = None) -> World:
    """The day, from ``start`` to past its reset."""
    trio._core._run._r.seed(7)
    world = World(start=start, arrange=arrange)
    run(lambda: the_day(world))
    return world


EXPECTED = [
    ("SIM-50K-2", "max_contracts", "reduce CON.F.US.MNQ.Z26 to 5"),
    ("SIM-50K-2", "symbol_block", "close CON.F.US.GCE.Z26"),
    ("SIM-50K-2", "unrealized_loss", "close CON.F.US.MNQ.Z26"),
    ("SIM-50K-2", "daily_loss", "flatten: close CON.F.US.MNQ.Z26"),
    ("SIM-50K-2", "daily_loss", "flatten: close CON.F.US.MNQ.Z26"),
    ("SIM-50K-2", "daily_loss", "flatten: close CON.F.US.MNQ.Z26"),
    ("SIM-50K-2", "no_stop_loss", "close CON.F.US.MNQ.Z26"),
]


def test_the_same_day_leaves_the_same_trace() -> None:
    """One seed, two whole days: every record of the journal is the same, to the microsecond."""
    one, other = lived(YESTERDAY_EVENING), lived(YESTERDAY_EVENING)
    assert trace(one) == trace(other)
    assert verdicts(one) == EXPECTED


@pytest.mark.parametrize(
    "order", list(permutations(PUSHES)), ids=lambda order: "-".join(it.name for it in order)
)
def test_the_order_of_events_changes_no_verdict(order: tuple[Kind, ...]) -> None:
    """However Trade, Position, Order and Account of one execution arrive, the verdicts are these."""
    assert verdicts(lived(AFTERNOON, in_order(order))) == EXPECTED
