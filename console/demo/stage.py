"""The stage: the running daemon, the gateway's controls and the traders, and what is noted of them."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import trio
from attrs import define, field, frozen

from broker.clock import GatewayClock
from console.demo.cast import BALANCE, TRADERS, Trader
from console.demo.chronicle import Chronicle, Deed, Enforcement, Kind
from console.demo.flows import Distribution, Flows
from console.demo.gateway import Control
from console.demo.picture import AccountShown, Picture, path_of, picture_of
from console.demo.truth import Truth, disagreements, locked_but_open, truth_of
from simulator.trader import TradingDesk
from supervision import Crashed, Restarting, SupervisionEvent, System

LOOK_EVERY = 0.002
"""Seconds between looks at the daemon's picture while something is awaited."""
PATIENCE = 5.0
"""Seconds that anything may take which the daemon does by itself."""
AGREED_WITHIN = 3.0
"""Seconds for daemon and exchange to tell the same story once nobody trades."""


@frozen
class Pace:
    """How fast the story goes."""

    start: datetime
    speed: float
    """Of the gateway's clock between scenes and in them."""
    read_s: float
    """Real seconds a sentence stays before the next thing happens."""
    rush_s: float
    """Real seconds in which idle time of the story flies by."""
    volley: int
    """Orders in a row when the oversized trader does not stop."""


@define
class Noted:
    """Everything noted on the way to the report."""

    startup_s: float | None = None
    enforcements: list[Enforcement] = field(factory=list)
    fills_ms: list[float] = field(factory=list)
    quotes_ms: list[float] = field(factory=list)
    reconciled_s: list[float] = field(factory=list)
    reset_offset_s: float | None = None
    restarts: list[dict[str, object]] = field(factory=list)
    violations: list[str] = field(factory=list)
    at_close: tuple[AccountShown, ...] = ()
    """The accounts at the end of the trading day, just before the reset."""

    def flows(self, decisions_ms: tuple[float, ...]) -> Flows:
        """The measurements, with those that only the journal has."""
        return Flows(
            startup_s=self.startup_s,
            fill_to_enforcement_ms=Distribution(tuple(self.fills_ms)),
            decision_ms=Distribution(decisions_ms),
            quote_to_pnl_ms=Distribution(tuple(self.quotes_ms)),
            reconnect_to_reconciled_s=Distribution(tuple(self.reconciled_s)),
            daily_reset_offset_s=self.reset_offset_s,
        )


class Stage:
    """What the scenes play on."""

    def __init__(
        self,
        *,
        pace: Pace,
        clock: GatewayClock,
        control: Control,
        desk: TradingDesk,
        chronicle: Chronicle,
        noted: Noted,
    ) -> None:
        self.pace = pace
        self.control = control
        self.desk = desk
        self.noted = noted
        self._clock = clock
        self._chronicle = chronicle
        self._system: System | None = None
        self.names = {contract: root for root, contract in desk.contracts.items()}
        self._equity_before = {each.account: BALANCE for each in TRADERS}

    # ---- telling --------------------------------------------------------------------------------

    def scene(self, title: str) -> None:
        """Begin a scene."""
        self._chronicle.tell(Kind.SCENE, title)

    async def say(self, text: str) -> None:
        """Tell what happens next, and leave time to read it."""
        self._chronicle.tell(Kind.SENTENCE, text)
        await trio.sleep(self.pace.read_s)

    def wrong(self, problem: str) -> None:
        """Something is not as it must be: the demo goes on, and fails."""
        self.noted.violations.append(problem)
        self._chronicle.tell(Kind.PROBLEM, problem)

    def enforced(self, enforcement: Enforcement) -> None:
        """The daemon's report of one answered request."""
        self.noted.enforcements.append(enforcement)
        self._chronicle.tell(Kind.ENFORCED, enforcement.deed(self.names))

    def supervised(self, event: SupervisionEvent) -> None:
        """The daemon's report of a fall or a restart."""
        match event:
            case Crashed(path, generation, error):
                self._chronicle.tell(Kind.FALL, Deed(_actor(path), "fell", why=str(error)))
                self.noted.restarts.append(
                    {"actor": path, "generation": generation, "reason": str(error)}
                )
            case Restarting(path, generation, delay):
                again = f"starts again, life number {generation}"
                self._chronicle.tell(Kind.FALL, Deed(_actor(path), again, f"in {delay:.1f} s"))
            case _:
                pass

    # ---- the daemon -----------------------------------------------------------------------------

    def enter(self, system: System) -> None:
        """The daemon's tree is up."""
        self._system = system

    @property
    def system(self) -> System:
        """The daemon's tree."""
        assert self._system is not None, "the daemon is started before anybody plays"
        return self._system

    def picture(self) -> Picture | None:
        """The daemon's own picture; None before it is up."""
        return None if self._system is None else picture_of(self._system.tree())

    def account(self, trader: Trader) -> AccountShown | None:
        """One account in it; None while its actor is down."""
        picture = self.picture()
        return None if picture is None else picture.accounts.get(trader.account)

    def kill(self, trader: Trader, actor: str, why: str) -> None:
        """Crash an actor of a trader's account, by a control message."""
        self.system.crash(path_of(self.system.tree(), trader.account, actor), why)

    # ---- waiting --------------------------------------------------------------------------------

    async def until(
        self, what: str, condition: Callable[[], bool], *, within: float = PATIENCE
    ) -> bool:
        """Wait until something holds; otherwise it is noted that it did not."""
        with trio.move_on_after(within):
            while not condition():  # noqa: ASYNC110 - a picture is taken, nobody tells
                await trio.sleep(LOOK_EVERY)
            return True
        self.wrong(f"{what}: not within {within:g} s")
        return False

    async def holds(self, trader: Trader, net: int) -> None:
        """Wait until the daemon sees a trader with this position in his contract, and no intent."""
        contract = self.desk.contracts[trader.root]

        def seen() -> bool:
            shown = self.account(trader)
            return shown is not None and shown.positions.get(contract, 0) == net

        await self.until(f"{trader.account} holds {net} {trader.root}", seen)

    def of(self, trader: Trader) -> list[Enforcement]:
        """What was enforced against a trader so far."""
        return [each for each in self.noted.enforcements if each.account == trader.account]

    async def breaks_a_rule(self, trader: Trader, act: Awaitable[None], *, leaves: int) -> None:
        """A trader's fill breaks a rule; it is answered, ``leaves`` contracts stay."""
        before, began = len(self.of(trader)), trio.current_time()
        await act
        if await self.answered(trader, before):
            latency = self.of(trader)[before].enforced.latency_ms
            # A request that was not the first of its kind has no latency of its own.
            since = (trio.current_time() - began) * 1000
            self.noted.fills_ms.append(since if latency is None else latency)
        await self.holds(trader, leaves)

    async def answered(self, trader: Trader, before: int) -> bool:
        """Wait for one more enforcement than there was."""
        return await self.until(
            f"an enforcement against {trader.account}", lambda: len(self.of(trader)) > before
        )

    # ---- time -----------------------------------------------------------------------------------

    def now(self) -> datetime:
        """On the gateway's clock."""
        return self._clock.now()

    @property
    def speed(self) -> float:
        """Seconds of the gateway's clock per real second."""
        return self._clock.speed

    async def run_clock(self, speed: float) -> None:
        """Let the gateway's time run at this speed; the daemon knows it at once."""
        await self.control.clock(speed=speed)
        await self._clock.look()

    async def rush(self, until: datetime, then: float) -> None:
        """Let time fly to an instant; afterwards it runs at the speed ``then``."""
        left = (until - self.now()) / timedelta(seconds=1)
        if left <= 0:
            return
        await self.run_clock(left / self.pace.rush_s)
        # A little early, so that what is left is a jump forward and never one back.
        await trio.sleep(self.pace.rush_s * 0.95)
        await self.control.clock(now=until, speed=then)
        await self._clock.look()

    # ---- the exchange's truth -------------------------------------------------------------------

    async def truth(self) -> Truth:
        """The exchange as it is."""
        return truth_of(await self.control.state(), self.desk.point_values)

    async def stop_prices(self) -> None:
        """Hold every price where it is."""
        quotes = (await self.control.state())["quotes"]
        for contract, quote in quotes.items():
            await self.control.quote(contract, quote["bid"], quote["ask"])

    async def check_locked_are_flat(self) -> None:
        """Invariant: who is locked holds nothing at the exchange."""
        picture, truth = self.picture(), await self.truth()
        if picture is not None:
            for sentence in locked_but_open(picture, truth):
                self.wrong(sentence)

    async def check_agreement(self) -> bool:
        """Invariant: daemon and exchange agree on positions and net P&L, once nobody trades."""
        found: tuple[str, ...] = ("the daemon shows nothing",)
        with trio.move_on_after(AGREED_WITHIN):
            while found:
                await trio.sleep(LOOK_EVERY)
                truth, picture = await self.truth(), self.picture()
                if picture is not None:
                    found = disagreements(picture, truth, self._equity_before)
        for sentence in found:
            self.wrong(sentence)
        return not found

    async def check_untouched(self, trader: Trader, *, orders: int) -> None:
        """Invariant: nothing was enforced here, and the exchange has the trader's own orders only."""
        if closed := self.of(trader):
            self.wrong(f"{trader.account} kept every rule, but {closed[0].enforced.action}")
        found = len((await self.truth()).accounts[trader.account].orders)
        if found != orders:
            self.wrong(f"{trader.account} placed {orders} orders, the exchange has {found}")

    async def close_the_day(self) -> None:
        """From here on the day's net counts from what the accounts are worth now."""
        truth = await self.truth()
        self._equity_before = {name: each.equity for name, each in truth.accounts.items()}
        picture = self.picture()
        self.noted.at_close = () if picture is None else tuple(picture.accounts.values())


def _actor(path: str) -> str:
    """The last two parts of a path name an account's actor well enough."""
    return "/".join(path.split("/")[-2:])
