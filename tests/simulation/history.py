"""Made-up histories for the referee: what the exchange says, what the daemon hears and does, by hand.

By default everything that is true is told in the same instant, and a daemon lives.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import define, field

from simulation.bench import Bench, Plea
from simulation.circumstances import Circumstances
from simulation.docket import Docket
from simulation.knowledge import Knowledge
from simulation.papers import Papers
from simulation.requests import Requests
from simulation.trading_days import day_name, next_reset
from simulation.truth import Instrument, Order, Terms, Trade

MORNING = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
MNQ, GC = "CON.F.US.MNQ.Z26", "CON.F.US.GCE.Z26"
A, B = 1001, 1002
USUAL = Terms(
    max_contracts=5.0,
    daily_loss=500.0,
    unrealized_loss=300.0,
    blocked=frozenset({"GC"}),
    grace=60.0,
)


@define
class History:
    """One run that nobody ran."""

    terms: Terms = USUAL
    start: datetime = MORNING
    alive: bool = True
    bench: Bench = field(init=False)
    knowledge: Knowledge = field(init=False)
    requests: Requests = field(init=False)
    circumstances: Circumstances = field(init=False)
    papers: Papers = field(init=False)
    price_of: dict[str, float] = field(factory=lambda: {MNQ: 25000.0, GC: 4100.0})
    lives: dict[tuple[int, str], tuple[int, int]] = field(factory=dict)
    """Number and net of the open position, by account and contract."""
    numbers: int = 0
    present: float = 0.0
    """Where the exchange's clock is; what is judged may lie before it."""

    def __attrs_post_init__(self) -> None:
        instruments = {
            MNQ: Instrument(MNQ, "MNQ", 2.0, 0.25),
            GC: Instrument(GC, "GC", 100.0, 0.1),
        }
        self.bench = Bench(instruments, lambda: self.start + timedelta(seconds=self.present))
        self.knowledge = Knowledge(self.bench)
        self.requests = Requests(self.bench)
        self.circumstances = Circumstances(self.bench)
        self.papers = Papers(self.bench, self.circumstances.links)
        for id_, name in ((A, "A"), (B, "B")):
            self.bench.guard(name, id_, "sim", self.terms)
        for contract in self.price_of:
            self.price(contract, self.price_of[contract])
        self.bench.tick(0.0)
        if self.alive:
            self.live()

    def live(self) -> None:
        """A daemon comes up, logs in, reads that all is flat, and records the day and its balance."""
        self.circumstances.life_begun()
        self.circumstances.session("sim", opened=True)
        self.circumstances.hub("sim", up=True)
        self.read()
        for docket in self.bench.dockets.values():
            day, balance = day_name(self.bench.wall()), str(docket.scaling.began_with)
            self.recorded(docket, "reset", day=day)
            self.recorded(docket, "opening", day=day, balance=balance)
        self.at(self.bench.now + 10)

    def read(self) -> None:
        """The daemon asks what the accounts hold, and is told the truth."""
        for id_, docket in self.bench.dockets.items():
            held = [(key, it.id, it.net, it.average) for key, it in docket.true.held.items()]
            self.knowledge.read_positions(id_, held, self.bench.now)

    # ---- time and truth -----------------------------------------------------------------------

    def at(self, seconds: float) -> None:
        """Time has come so far."""
        self.present = seconds
        self.bench.tick(seconds)

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.at(self.bench.now + seconds)

    def price(self, contract: str, bid: float, *, told: bool = True) -> None:
        """A new price."""
        self.price_of[contract] = bid
        ask = bid + self.bench.instruments[contract].tick
        self.knowledge.price(contract, bid, ask)
        if told:
            self.knowledge.told_price(contract, bid, ask)

    def trade(
        self, signed: int, contract: str = MNQ, *, account: int = A, told: bool = True
    ) -> Trade:
        """Contracts change hands at the touch."""
        self.numbers += 1
        life, net = self.lives.get((account, contract), (0, 0))
        bid = self.price_of[contract]
        price = bid + (self.bench.instruments[contract].tick if signed > 0 else 0.0)
        trade = Trade(
            self.numbers, contract, signed, price, 0.0, self.bench.wall(), order=self.numbers
        )
        if net == 0 or net * (net + signed) < 0:
            life = 700 + self.numbers
        self.lives[account, contract] = life, net + signed
        self.knowledge.trade(account, trade)
        self.knowledge.position(account, contract, life, net + signed, price)
        if told:
            self.tell(trade, account)
        return trade

    def tell(self, trade: Trade, account: int = A, *, position: bool = True) -> None:
        """The daemon hears of a trade, and of the position that it left."""
        life, net = self.lives[account, trade.contract]
        self.knowledge.told_trade(account, trade)
        if position:
            self.knowledge.told_position(account, trade.contract, life, net, trade.price)

    def stop(self, signed: int, contract: str = MNQ, *, number: int = 9001, type: int = 4) -> Order:
        """A protective stop works, or an order of another type."""
        order = Order(number, contract, 1 if signed > 0 else -1, abs(signed), type, 1, None)
        self.knowledge.order(A, order)
        self.knowledge.told_order(A, order)
        return order

    # ---- the daemon ---------------------------------------------------------------------------

    def ask(self, kind: str, target: str = MNQ, size: int = 0, *, account: int = A) -> Plea:
        """A request leaves."""
        return self.requests.asked(account, kind, target, size)

    def close(self, contract: str = MNQ, *, recorded: bool = True) -> None:
        """A close, executed and answered, and written down."""
        plea = self.ask("close", contract)
        self.wait(0.01)
        net = self.lives[A, contract][1]
        self.trade(-net, contract)
        self.requests.executed(A, "close", contract, 0, (), True)
        self.wait(0.01)
        self.requests.answered(plea, "done")
        if recorded:
            self.outcome()

    def reduce(self, size: int, contract: str = MNQ) -> None:
        """A partial close, likewise."""
        plea = self.ask("partial_close", contract, size)
        self.wait(0.01)
        net = self.lives[A, contract][1]
        self.trade(-size if net > 0 else size, contract)
        self.requests.executed(A, "partial_close", contract, size, (), True)
        self.requests.answered(plea, "done")
        self.outcome()

    def outcome(self) -> None:
        """An answer is recorded, with an intent of its own."""
        self.numbers += 1
        self.intent(f"intent-{self.numbers}")
        self.recorded(
            self.docket, "outcome", intent=f"intent-{self.numbers}", request=1, outcome="done"
        )

    def intent(self, number: str, *, closes: str = "", **missing: str) -> None:
        """An intent is recorded: to flatten, or to close a contract."""
        violation = {"rule": "x", "observed": "1", "limit": "0", "reason": "so", **missing}
        action = {"type": "close", "contract_id": closes} if closes else {"type": "flatten"}
        told = {"action": action, "violation": {**violation, "lock": None}}
        self.recorded(self.docket, "intent", id=number, **told)

    def lock(
        self, until: datetime | None = None, *, rule: str = "daily_loss"
    ) -> tuple[str, datetime]:
        """A lock of a rule is written."""
        until = until or next_reset(self.bench.wall())
        self.recorded(self.docket, "lock", rule=rule, until=until.isoformat())
        return rule, until

    def recorded(self, docket: Docket, kind: str, **body: Any) -> None:
        """Any record."""
        self.papers.recorded(kind, docket.name, body)

    def picture(self, **changed: Any) -> None:
        """The account says what is true of itself, but for what is changed."""
        docket = self.docket
        locks = [{"rule": rule, "until": until.isoformat()} for rule, until in docket.locks]
        held = [{"contract": it, "net": held.net} for it, held in docket.true.held.items()]
        net = docket.true.day(self.bench.true_prices)
        truth = {"phase": "live", "positions": held, "locks": locks, "net": str(net)}
        self.papers.pictured("A", truth | changed)

    # ---- what was found -----------------------------------------------------------------------

    @property
    def docket(self) -> Docket:
        """Of the first account."""
        return self.bench.dockets[A]

    @property
    def found(self) -> list[tuple[int, str]]:
        """Numbers of invariants and accounts."""
        return [(it.invariant, it.account) for it in self.bench.violations]
