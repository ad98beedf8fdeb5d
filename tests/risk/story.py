"""Worked examples of rules: read from files that people read, too, and played in the small world.

A story is a list of steps, each a short sentence:

``buy 2 MNQ at 25000``              a fill and the position it makes; ``fees 1.40`` may follow, and
                                    ``of order 1`` where several fills are of one order
``quote MNQ 24999.75 25000``        bid and ask
``order stop sell 2 MNQ``           a working order: ``stop``, ``limit`` or ``trail``
``order stop sell 2 MNQ at 24990``  the same with its price
``cancel 1``                        the order of that number, counted from 1, is gone
``the day began with 50000``        the closed balance then; also ``it started with 50000``, ``its
                                    highest was 52000``, ``its best day was 900``, ``a payout was taken``
``2026-11-17 earned -300``          the result of an earlier day
``the link is lost``                nothing is heard of the account any more
``its lock is set``                 what the rule wants to lock by now is locked
``wait 30s``                        time passes on both clocks
``until 15:07:00``                  time passes until the wall in Chicago shows this
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from attrs import asdict, evolve, frozen

from config.cursor import Cursor
from config.problem import Findings
from config.source import parse
from config.words import duration
from risk.domain import Order, OrderStatus, OrderType
from risk.past import PastDay, Seed, past_of
from risk.rules import RULES, Rule, Trigger
from risk.rules.trailing_drawdown import UNTIL_SEEDED
from risk.verdict import Action, Cancel, Close, Flatten, Lock, Reduce, Verdict
from tests.risk.world import CONTRACTS, World

FOLDER = Path(__file__).with_name("examples")
_CHICAGO = ZoneInfo("America/Chicago")
_OF = {contract.root: contract for contract in CONTRACTS}
_ROOT = {contract.id: contract.root for contract in CONTRACTS}
_TYPES = {"stop": OrderType.STOP, "limit": OrderType.LIMIT, "trail": OrderType.TRAILING_STOP}
_SIGN = {"buy": 1, "sell": -1}


@frozen
class Example:
    """One worked example of one rule."""

    title: str
    story: tuple[str, ...]
    rule: Rule
    starts: datetime
    """Aware; the clocks when the story begins."""
    trigger: Trigger
    does: tuple[str, ...]
    because: str
    locked: str
    """``2026-11-18 17:00`` in Chicago, or ``a new seed``; ``... but to reduce`` of a pause."""
    says: tuple[str, ...]
    """Codes of the alerts, where the example tells of any."""


class Story:
    """A small world that understands sentences."""

    def __init__(self, example: Example) -> None:
        self.world = World(example.starts)
        self._orders: list[Order] = []
        self._opening: Decimal | None = None
        self._seed = Seed()
        self._days: tuple[PastDay, ...] = ()
        self._rule = example.rule
        for step in example.story:
            self.play(step)

    def play(self, step: str) -> None:
        """One sentence."""
        for pattern, act in _STEPS:
            found = re.fullmatch(pattern, step)
            if found is not None:
                act(self, **found.groupdict())
                return
        raise ValueError(f"no such step: {step}")

    def fill(
        self, side: str, size: str, root: str, price: str, fees: str | None, own: str | None
    ) -> None:
        """A fill and the position it makes."""
        order_id = None if own is None else int(own)
        signed = _SIGN[side] * int(size)
        self.world.fill(signed, price, _OF[root], fees=fees or "0", order_id=order_id)

    def quote(self, root: str, bid: str, ask: str) -> None:
        """Bid and ask; whoever looks at the account then sees its peaks."""
        self.world.quote(bid, ask, _OF[root])
        self.world.snapshot()

    def order(self, kind: str, side: str, size: str, root: str, price: str | None) -> None:
        """A working order, numbered in the order of the story."""
        order = self.world.make_order(_SIGN[side] * int(size), _TYPES[kind], _OF[root])
        if price is not None:
            at = Decimal(price)
            limited = kind == "limit"
            order = evolve(order, limit_price=at) if limited else evolve(order, stop_price=at)
        self._orders.append(self.world.place(order))

    def cancel(self, number: str) -> None:
        """An order is gone."""
        order = evolve(self._orders[int(number) - 1], status=OrderStatus.CANCELLED)
        self.world.place(evolve(order, updated=self.world.now))

    def began(self, amount: str) -> None:
        """The closed balance at the beginning of the day."""
        self._opening = Decimal(amount)
        self._remember()

    def sown(self, what: str, amount: str) -> None:
        """What the operator knows."""
        key = {"started with": "starting_balance", "highest was": "high_water"}.get(
            what, "best_day"
        )
        self._seed = Seed(**{**asdict(self._seed), key: Decimal(amount)})
        self._remember()

    def paid(self) -> None:
        """The first payout was taken."""
        self._seed = evolve(self._seed, payout_taken=True)
        self._remember()

    def earned(self, day: str, amount: str) -> None:
        """The result of an earlier day."""
        self._days = (*self._days, PastDay(date.fromisoformat(day), None, Decimal(amount)))
        self._remember()

    def _remember(self) -> None:
        state = self.world.state
        state.standing.past = past_of(
            self._days, self._seed, state.day, self._opening, state.carried()
        )

    def lose(self) -> None:
        """The hub is gone."""
        self.world.state.lost_hub()

    def lock(self) -> None:
        """The rule's locks and pauses stand from now on; whatever else it wants is not done."""
        for lock in self.world.judge(self._rule).locks:
            self.world.state.locks.add(lock)

    def wait(self, span: str) -> None:
        """Time passes."""
        self._pass(duration(span))

    def until(self, wall: str) -> None:
        """Time passes until the wall shows this."""
        shows = datetime.strptime(wall, "%H:%M:%S").time()  # noqa: DTZ007 - a time of day
        local = self.world.now.astimezone(_CHICAGO)
        aim = datetime.combine(local.date(), shows, _CHICAGO)
        if aim < local:
            aim = datetime.combine(local.date() + timedelta(days=1), shows, _CHICAGO)
        self._pass(aim - self.world.now)

    def _pass(self, span: timedelta) -> None:
        world = self.world
        world.wait(span / timedelta(seconds=1))
        world.state.locks.expire(world.now)
        world.state.roll_day(world.now, world.mono)

    def number_of(self, order_id: int) -> int:
        """Which order of the story this is, from 1."""
        return [order.id for order in self._orders].index(order_id) + 1

    def said(self, action: Action) -> str:
        """An action as an example writes it."""
        match action:
            case Flatten():
                return "flatten"
            case Close(contract_id):
                return f"close {_ROOT[contract_id]}"
            case Reduce(contract_id, keep):
                return f"reduce {_ROOT[contract_id]} to {keep}"
            case Cancel(order_id):
                return f"cancel {self.number_of(order_id)}"


_FILL = r"(?P<side>buy|sell) (?P<size>\d+) (?P<root>\w+) at (?P<price>[\d.]+)"
_ORDER = r"order (?P<kind>stop|limit|trail) (?P<side>buy|sell) (?P<size>\d+) (?P<root>\w+)"

_STEPS: tuple[tuple[str, Callable[..., None]], ...] = (
    (_FILL + r"(?: fees (?P<fees>[\d.]+))?(?: of order (?P<own>\d+))?", Story.fill),
    (r"quote (?P<root>\w+) (?P<bid>[\d.]+) (?P<ask>[\d.]+)", Story.quote),
    (_ORDER + r"(?: at (?P<price>[\d.]+))?", Story.order),
    (r"cancel (?P<number>\d+)", Story.cancel),
    (r"the day began with (?P<amount>[-\d.]+)", Story.began),
    (r"(?:it|its) (?P<what>started with|highest was|best day was) (?P<amount>[-\d.]+)", Story.sown),
    (r"a payout was taken", Story.paid),
    (r"(?P<day>\d{4}-\d\d-\d\d) earned (?P<amount>[-\d.]+)", Story.earned),
    (r"the link is lost", Story.lose),
    (r"its lock is set", Story.lock),
    (r"wait (?P<span>\w+)", Story.wait),
    (r"until (?P<wall>\d\d:\d\d:\d\d)", Story.until),
)


def judged(example: Example) -> tuple[tuple[str, ...], str, str, Verdict]:
    """What the rule does in the end, why, until when it locks, and the verdict whole."""
    story = Story(example)
    verdict = story.world.judge(example.rule, trigger=example.trigger)
    does = tuple(story.said(action) for action in verdict.plan)
    because = "; ".join(found.reason for found in verdict.violations)
    until = [_until(lock) for lock in verdict.locks]
    return does, because, "; ".join(until), verdict


def _until(lock: Lock) -> str:
    if lock.until >= UNTIL_SEEDED:
        return "a new seed"
    until = f"{lock.until.astimezone(_CHICAGO):%Y-%m-%d %H:%M}"
    return f"{until} but to reduce" if lock.reduce_only else until


def examples() -> Iterator[Example]:
    """Every example of every file."""
    for path in sorted(FOLDER.glob("*.toml")):
        source = parse(path, path.read_bytes())
        common: Mapping[str, Any] = source.values.get("keys", {})
        for number, raw in enumerate(source.values["example"]):
            keys = {**common, **raw.get("keys", {})}
            findings = Findings()
            at = Cursor(source, findings, ("example", number), keys)
            rule = at.read(RULES[path.stem])
            if findings.errors:
                raise ValueError(f"{path.name}, {raw['title']}: {findings.errors}")
            starts = datetime.fromisoformat(raw.get("starts", "2026-11-18 12:00"))
            yield Example(
                raw["title"],
                tuple(raw["story"]),
                rule,
                starts.replace(tzinfo=_CHICAGO),
                Trigger(raw.get("trigger", "full")),
                tuple(raw.get("does", ())),
                raw.get("because", ""),
                raw.get("locked", ""),
                tuple(raw.get("says", ())),
            )
