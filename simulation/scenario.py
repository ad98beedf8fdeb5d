"""One run as frozen data: who trades, in which market, what goes wrong when; and its JSON form.

A scenario says everything: together with the program it determines each event of the run. Chance is
drawn for each purpose from a generator of its own (:meth:`Scenario.chance`), so that a scenario with
one fault less has the same prices, the same traders' wishes and the same other faults.
"""

import math
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import evolve, frozen

from simulation.planning import planned_faults
from simulation.timetable import TIMED
from simulation.trading_days import next_reset
from simulation.trouble import CrashActor, Planned, Suspend
from simulator.faults import DropHubs, HttpStatus, MarketClosed

MORNING = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
"""9:00 in Chicago on a Wednesday."""
BEFORE_RESET = datetime(2026, 11, 18, 22, 50, tzinfo=UTC)
"""Ten minutes before the trading day ends."""
BEFORE_LONGER_NIGHT = datetime(2026, 10, 30, 21, 50, tzinfo=UTC)
"""A Friday, ten minutes before the day that lasts to Monday and in which one hour comes twice."""
BEFORE_SHORTER_NIGHT = datetime(2027, 3, 12, 22, 50, tzinfo=UTC)
"""The same before the day that lasts to Monday and in which one hour is missing."""
BEFORE_EARLY_CLOSE = datetime(2026, 11, 27, 18, 5, tzinfo=UTC)
"""The Friday after Thanksgiving, ten minutes before the exchange closes at 12:15 in Chicago."""
USUAL_RULES = "max_contracts=5 daily_loss=1000 unrealized_loss=400 symbol_block=GC no_stop_loss=90"


@frozen
class AccountPlan:
    """One account, who trades on it, and how it is guarded."""

    id: int
    name: str
    """As the broker calls it."""
    trader: str
    """One of ``simulation.traders.KINDS``; a copier names his leader's account: ``copier:1001``."""
    rules: str = USUAL_RULES
    """What ``simulation.rulebook.rules_of`` reads."""


@frozen
class LoginPlan:
    """One user of the gateway, and the accounts he sees."""

    name: str
    accounts: tuple[int, ...]


@frozen
class Scenario:
    """Everything that determines a run."""

    seed: int
    name: str = ""
    start: datetime = MORNING
    seconds: float = 1200.0
    """How long traders trade and trouble happens; afterwards all is healed, and must get well."""
    accounts: tuple[AccountPlan, ...] = (
        AccountPlan(1001, "SIM-50K-1", "disciplined"),
        AccountPlan(1002, "SIM-50K-2", "oversized"),
        AccountPlan(1003, "SIM-50K-3", "tilted"),
    )
    logins: tuple[LoginPlan, ...] = ()
    """Without any, one login sees every account."""
    market: str = "calm"
    """One of ``simulation.market.KINDS``."""
    pace: float = 1.0
    """How often traders act: at 1 some 13 fills an hour and account, at 5 five times as many."""
    faults: tuple[Planned, ...] = ()
    omitted: tuple[str, ...] = ()
    """Steps of traders that are left out, such as ``1002:17``: what shrinking took away."""
    shuffles: int | None = None
    """How often the scheduler shuffles before all runs in order; None: always. Fewer by shrinking."""

    def chance(self, purpose: str) -> random.Random:
        """The generator of one purpose."""
        return random.Random(f"{self.seed}:{purpose}")  # noqa: S311 - repeatable, not secret

    def seen_by(self) -> tuple[LoginPlan, ...]:
        """The logins, with the one that stands for none."""
        return self.logins or (LoginPlan("sim", tuple(it.id for it in self.accounts)),)

    def without(self, *faults: Planned) -> "Scenario":
        """The same with fewer faults."""
        return evolve(self, faults=tuple(it for it in self.faults if it not in faults))

    def document(self) -> dict[str, Any]:
        """The JSON object; :meth:`of` reads it back."""
        return {
            "seed": self.seed,
            "name": self.name,
            "start": self.start.isoformat(),
            "seconds": self.seconds,
            "accounts": [
                {"id": it.id, "name": it.name, "trader": it.trader, "rules": it.rules}
                for it in self.accounts
            ],
            "logins": [{"name": it.name, "accounts": list(it.accounts)} for it in self.logins],
            "market": self.market,
            "pace": self.pace,
            "faults": [it.document() for it in self.faults],
            "omitted": list(self.omitted),
            "shuffles": self.shuffles,
        }

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Scenario":
        """From its JSON object; KeyError, TypeError, ValueError or BadFault when it is none."""
        return cls(
            seed=int(said["seed"]),
            name=said.get("name", ""),
            start=datetime.fromisoformat(said["start"]),
            seconds=float(said["seconds"]),
            accounts=tuple(AccountPlan(**it) for it in said["accounts"]),
            logins=tuple(LoginPlan(it["name"], tuple(it["accounts"])) for it in said["logins"]),
            market=said["market"],
            pace=float(said["pace"]),
            faults=tuple(Planned.of(it) for it in said["faults"]),
            omitted=tuple(said["omitted"]),
            shuffles=said.get("shuffles"),
        )


# ---- scenarios at random ---------------------------------------------------------------------------

KINDS = ("minutes", "day", "reset", "night", "early")
"""``minutes``: twenty, rich in trouble. ``day``: three hours, five accounts, some trouble. ``reset``:
twenty minutes around the end of a trading day. ``night``: over one of the two weekends on which the
clocks change. ``early``: around the early close of a holiday."""
TRADERS = ("disciplined", "oversized", "tilted", "blind", "copier")
RULES = (
    USUAL_RULES,
    "max_contracts=3 daily_loss=500 unrealized_loss=200 symbol_block=GC,SI no_stop_loss=30",
    (
        "max_contracts=2:mini_equivalent daily_loss=2000 unrealized_loss=900:total "
        "symbol_block=MNQ,MES,NQ,ES:only no_stop_loss=120"
    ),
    "max_contracts=4 daily_loss=300 unrealized_loss=1000 symbol_block=GC no_stop_loss=60:uncovered",
    "max_contracts=6 daily_loss=800:realised unrealized_loss=350 symbol_block=CL no_stop_loss=20",
)
FURTHER_RULES = {
    "daily_profit": ("150", "400", "900", "40:give_back/60", "150:give_back/80"),
    "weekly_loss": ("200", "500", "900"),
    "unrealized_profit": ("60", "150", "400"),
    "trailing_drawdown": ("200", "300", "600"),
    "trade_frequency": ("1/minute", "2/minute,6/hour", "3/minute,8/session"),
    "connection_loss": ("",),
    "consistency": ("40:49925", "50:49850", "50:50100"),
    "max_risk_per_trade": ("60", "150", "400"),
    "max_contracts_per_instrument": ("MNQ/3,NQ/0", "MES/2:1", "MNQ/4,MES/1:block"),
    "scaling_plan": (
        "0/2,50001/6",
        "49000/1,49950/2,50000/3,50200/5",
        "0/1,50000/2,51000/4:mini_equivalent",
    ),
    "cooldown_after_loss": ("20/60,100/300", "200/600:2/90", "50/120,300/900:3/300"),
}
"""Rules that an account may have beside those, as :func:`simulation.rulebook.rules_of` reads them; there
are more whose limits depend on when a run begins (:mod:`simulation.timetable`)."""
OF_SEVERAL_DAYS = frozenset({"weekly_loss", "trailing_drawdown", "consistency"})
THREE_IN_FIVE, ONE_IN_TEN = 0.6, 0.1
MARKETS = ("calm", "calm", "trending", "wild", "gappy")


def generate(seed: int, kind: str = "minutes", *, seconds: float | None = None) -> Scenario:
    """The scenario of a seed; ValueError for an unknown kind or no time at all.

    ``seconds`` None: as long as its kind is.
    """
    if kind not in KINDS:
        raise ValueError(f"no kind of scenario called {kind}; there are {', '.join(KINDS)}")
    bare = Scenario(seed, name=f"{kind}-{seed}")
    chance = bare.chance(f"scenario:{kind}")
    accounts = _accounts(chance, 5 if kind == "day" else 3)
    lasts = usual_seconds(kind) if seconds is None else seconds
    if not 0 < lasts < math.inf:
        raise ValueError(f"a run lasts more than 0 seconds, not {lasts:g}")
    names = [it.name for it in accounts]
    start = _start(chance, kind)
    logins = _logins(chance, accounts)
    return evolve(
        bare,
        start=start,
        seconds=lasts,
        accounts=_with_further_rules(bare.chance("further rules"), accounts, start),
        logins=logins,
        market="calm" if kind == "day" else chance.choice(MARKETS),
        pace=0.6 if kind == "day" else chance.choice((4.0, 8.0, 12.0)),
        faults=(
            *_of_the_calendar(kind, start),
            *planned_faults(bare.chance("faults"), lasts, kind, names),
            *_of_one_login(bare.chance("one login"), lasts, logins),
            *_of_one_that_keeps_falling(bare.chance("keeps falling"), lasts, names),
        ),
    )


def usual_seconds(kind: str) -> float:
    """How long the runs of a kind are, unless told otherwise."""
    return 10_800.0 if kind == "day" else 1_200.0


def _start(chance: random.Random, kind: str) -> datetime:
    match kind:
        case "reset":
            return BEFORE_RESET
        case "night":
            return chance.choice((BEFORE_LONGER_NIGHT, BEFORE_SHORTER_NIGHT))
        case "early":
            return BEFORE_EARLY_CLOSE
        case "minutes":
            return chance.choice((MORNING, MORNING, MORNING, BEFORE_RESET))
        case _:
            return MORNING


def _accounts(chance: random.Random, number: int) -> tuple[AccountPlan, ...]:
    """The first is always disciplined: whatever is done to it is a false alarm."""
    traders = ["disciplined", *chance.choices(TRADERS[1:], k=number - 1)]
    plans = []
    leader = 1001
    for n, trader in enumerate(traders):
        # Followers of followers would repeat each of our closes twice as often.
        whose = f"{trader}:{leader}" if trader == "copier" else trader
        leader = leader if trader == "copier" else 1001 + n
        rules = USUAL_RULES if n == 0 else chance.choice(RULES)
        plans.append(AccountPlan(1001 + n, f"SIM-50K-{n + 1}", whose, rules))
    return tuple(plans)


def _with_further_rules(
    chance: random.Random, accounts: Sequence[AccountPlan], start: datetime
) -> tuple[AccountPlan, ...]:
    """Some accounts but the first have one rule more; of several days only where there is but one."""
    every = (*FURTHER_RULES, *TIMED)
    known = [it for it in every if start == MORNING or it not in OF_SEVERAL_DAYS]
    plans = list(accounts[:1])
    for plan in accounts[1:]:
        rule, rolled = chance.choice(known), chance.random()
        timed = TIMED.get(rule)
        limit = chance.choice(FURTHER_RULES[rule]) if timed is None else timed(chance, start)
        more = f"{plan.rules} {rule}={limit}" if rolled < THREE_IN_FIVE else plan.rules
        plans.append(evolve(plan, rules=more))
    return tuple(plans)


def _logins(chance: random.Random, accounts: tuple[AccountPlan, ...]) -> tuple[LoginPlan, ...]:
    """Now and then two, each with some of the accounts."""
    ids = [it.id for it in accounts]
    if chance.random() < 0.7:
        return (LoginPlan("sim", tuple(ids)),)
    first = chance.randint(1, len(ids) - 1)
    return LoginPlan("one", tuple(ids[:first])), LoginPlan("two", tuple(ids[first:]))


def _of_the_calendar(kind: str, start: datetime) -> tuple[Planned, ...]:
    """What befalls everybody on such a day.

    ``night``: the machine sleeps from Friday, 100 s after the day's end, to Monday, 300 s before the
    next. ``early``: the exchange closes in the middle of the day, and stays closed.
    """
    if kind == "early":
        return (Planned(600.0, MarketClosed(duration=3_600.0)),)
    if kind != "night":
        return ()
    friday = next_reset(start)
    weekend = (next_reset(friday) - friday).total_seconds()
    return (Planned(700.0, Suspend(seconds=weekend - 400.0, seen=False)),)


def _of_one_login(
    chance: random.Random, seconds: float, logins: tuple[LoginPlan, ...]
) -> tuple[Planned, ...]:
    """Where there are several, the market hub of one is down for a while: another must feed it."""
    if len(logins) < 2:
        return ()
    at, user = round(chance.uniform(0.1, 0.7) * seconds, 3), chance.choice(logins).name
    out_for = round(chance.uniform(20.0, 120.0), 2)
    refused = HttpStatus(path="/hubs/market", user=user, duration=out_for)
    return Planned(at, refused), Planned(at, DropHubs(hub="market", user=user))


def _of_one_that_keeps_falling(
    chance: random.Random, seconds: float, names: Sequence[str]
) -> tuple[Planned, ...]:
    """In one run of ten a part of an account falls until its account is set aside, and returns."""
    if chance.random() >= ONE_IN_TEN:
        return ()
    actor = f"{chance.choice(names)}/{chance.choice(('account', 'rules', 'enforcement'))}"
    falling = CrashActor(
        actor=actor, times=20, moment="before", duration=round(chance.uniform(10.0, 40.0), 2)
    )
    return (Planned(round(chance.uniform(0.1, 0.7) * seconds, 3), falling),)
