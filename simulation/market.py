"""Prices that live by themselves: a seeded path per contract, and quotes of it as the world needs.

The price at each second is a function of the seed, the contract and the second alone, whatever the
traders do and however often it is quoted: a contract that somebody holds once a second, any other
every 30 s, as on a hub that sends changes only.
"""

import random
from functools import partial

import trio
from attrs import define, field, frozen

from simulation.machine import Machine
from simulator.contracts import Listing
from simulator.events import Event, Kind

HELD_EVERY = 1
ELSE_EVERY = 30
"""Seconds between two quotes of a contract."""
CALM_TICKS = 2.2
"""Ticks that an index moves in a second of a calm market, one standard deviation."""
VOLATILITY = {"ES": 0.5, "MES": 0.5, "NQ": 1.0, "MNQ": 1.0, "CL": 0.4, "SI": 0.6}
"""Of the contracts whose ticks are not those of an index, against :data:`CALM_TICKS`."""


@frozen
class Mood:
    """A kind of market."""

    nerves: float = 1.0
    """Volatility against a calm one."""
    trends: float = 0.0
    """Ticks a second at the height of a trend."""
    gaps: float = 0.0
    """Leaps an hour, of :data:`GAP_TICKS` either way."""


KINDS = {
    "still": Mood(nerves=0.1),
    "calm": Mood(),
    "trending": Mood(nerves=1.2, trends=1.0),
    "wild": Mood(nerves=2.5, trends=1.5, gaps=20.0),
    "gappy": Mood(nerves=0.8, gaps=60.0),
}
GAP_TICKS = (40, 160)
TREND_LASTS = (60, 600)


@define(eq=False)
class Path:
    """Bids of one contract, in ticks away from where it began, second by second."""

    chance: random.Random
    mood: Mood
    scale: float
    ticks: list[int] = field(factory=lambda: [0])
    _drift: float = 0.0
    _trend_left: int = 0
    _exact: float = 0.0

    def at(self, second: int) -> int:
        """The bid then."""
        if len(self.ticks) <= second:
            self._go_on(second)
        return self.ticks[second]

    def _go_on(self, second: int) -> None:
        chance, trends, exact, ticks = self.chance, self.mood.trends, self._exact, self.ticks
        gauss, sigma = chance.gauss, CALM_TICKS * self.mood.nerves
        gaps = self.mood.gaps / 3600
        while len(ticks) <= second:
            if trends and self._trend_left == 0:
                self._trend_left = chance.randint(*TREND_LASTS)
                self._drift = chance.uniform(-trends, trends)
            self._trend_left -= 1
            # A weak pull home keeps a long day plausible.
            pull = -exact * 0.0005
            exact += gauss(0.0, sigma) + self._drift + pull
            if gaps and chance.random() < gaps:
                exact += chance.choice((-1, 1)) * chance.randint(*GAP_TICKS)
            ticks.append(round(exact * self.scale))
        self._exact = exact


@define(eq=False)
class _Quoted:
    """A contract of the market."""

    listing: Listing
    path: Path
    offset: float
    """Seconds into each second at which it is quoted."""
    due: int = 0
    """The second of its next quote."""
    holders: dict[int | None, bool] = field(factory=dict)
    """Ids of the accounts that hold it."""


class Market:
    """Quotes every contract of an exchange for as long as the agenda is run."""

    def __init__(self, machine: Machine) -> None:
        scenario, exchange = machine.scenario, machine.exchange
        mood = KINDS[scenario.market]
        self._agenda = machine.agenda
        self._exchange = exchange
        self._quote = machine.broker.quote
        self._origin = machine.origin
        self._quoted = {
            it.id: _Quoted(
                it,
                Path(scenario.chance(f"market:{it.root}"), mood, VOLATILITY.get(it.root, 1.0)),
                offset=round((n + 1) / (len(exchange.listings) + 1), 3),
            )
            for n, it in enumerate(exchange.listings.values())
        }
        self._open = True
        for n, contract in enumerate(self._quoted.values()):
            self._plan(contract, n * ELSE_EVERY // len(self._quoted))
        exchange.listeners.append(self._note)

    def close(self) -> None:
        """Prices stand still from now on."""
        self._open = False

    def _note(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if event.kind is Kind.POSITION:
                self._held(self._quoted[event.contract_id], event)

    def _held(self, contract: "_Quoted", event: Event) -> None:
        if event.payload["size"]:
            contract.holders[event.account_id] = True
            second = int(trio.current_time() - self._origin) + 1
            if contract.due > second:
                self._plan(contract, second)
        else:
            contract.holders.pop(event.account_id, None)

    def _plan(self, contract: "_Quoted", second: int) -> None:
        contract.due = second
        due = self._origin + second + contract.offset
        self._agenda.at(due, partial(self._tick, contract, second))

    def _tick(self, contract: "_Quoted", second: int) -> None:
        if second != contract.due or not self._open:
            return  # it was planned anew for an earlier second
        listing = contract.listing
        bid = max(listing.price + contract.path.at(second) * listing.tick_size, listing.tick_size)
        if self._exchange.open:
            self._quote(listing.id, bid, bid + listing.tick_size)
        self._plan(contract, second + (HELD_EVERY if contract.holders else ELSE_EVERY))
