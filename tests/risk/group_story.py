"""Worked examples of the rules of groups: several small worlds, told of in one story.

``A: buy 2 MNQ at 25000``   any step of an account's story, on the account of that name
``wait 3s``                 time passes for all of them
``nothing is heard of C``   a member that has not spoken today
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from attrs import evolve, frozen

from config.cursor import Cursor
from config.problem import Findings
from config.source import parse
from config.words import duration
from risk.account_state import AccountState
from risk.domain import BrokerAccount
from risk.group_rules import GROUP_RULES, GroupRule
from risk.groups import GroupAnswer, Together, instructed, member_of
from risk.rules import Trigger
from tests.risk.story import Example, Story
from tests.risk.world import ACCOUNT_ID, CALENDAR, CONTRACTS, NOON, World

FOLDER = Path(__file__).with_name("group_examples")


@frozen
class GroupExample:
    """One worked example of one rule of a group."""

    title: str
    story: tuple[str, ...]
    rule: GroupRule
    does: tuple[str, ...]
    """``A: flatten``, by account."""
    because: str
    says: tuple[str, ...]
    """Codes of the alerts."""


class _Account(World):
    """An account of that name; its positions begin when they are opened."""

    def __init__(self, name: str, now: datetime) -> None:
        super().__init__(now)
        self.state = AccountState(name, CALENDAR, now)
        self.state.apply_account(BrokerAccount(ACCOUNT_ID, name, Decimal(50000), True))
        for each in CONTRACTS:
            self.state.apply_contract(each)

    def hold(self, net: int, price: str = "0", *more: Any, **named: Any) -> bool:
        of = named.get("of", more[0] if more else CONTRACTS[0])
        before = self.nets.get(of.id, 0)
        if net and net * before <= 0:
            self.lives += 1
            self.begun[of.id] = self.now - timedelta(microseconds=100 - self.lives)
            self.nets[of.id] = net
        return super().hold(net, price, *more, **named)


class GroupStory:
    """Accounts that understand sentences."""

    def __init__(self, story: tuple[str, ...], rule: GroupRule) -> None:
        self._rule = rule
        self._now = NOON
        self._accounts: dict[str, Story] = {}
        self._silent: list[str] = []
        for step in story:
            self._play(step)

    def _play(self, step: str) -> None:
        if found := re.fullmatch(r"(\w+): (.*)", step):
            self.account(found[1]).play(found[2])
        elif found := re.fullmatch(r"nothing is heard of (\w+)", step):
            self._silent.append(found[1])
        elif found := re.fullmatch(r"wait (\w+)", step):
            self._now += duration(found[1])
            for each in self._accounts.values():
                each.play(step)
        else:
            raise ValueError(f"no such step: {step}")

    def account(self, name: str) -> Story:
        """The account of that name."""
        if name not in self._accounts:
            blank = Example("", (), cast(Any, None), self._now, Trigger.FULL, (), "", "", ())
            self._accounts[name] = Story(blank)
            self._accounts[name].world = _Account(name, self._now)
        return self._accounts[name]

    def together(self) -> Together:
        """The group as its actor would see it."""
        snapshots = [it.world.snapshot() for it in self._accounts.values()]
        members = tuple(member_of(it) for it in snapshots)
        return Together("mine", members[0].day, self._now, members, tuple(self._silent))

    def answer(self) -> GroupAnswer:
        """What the rule says of them."""
        return self._rule.evaluate(self.together())

    def does(self, answer: GroupAnswer) -> tuple[str, ...]:
        """What each account makes of it, as an example writes it."""
        done = []
        for name, story in self._accounts.items():
            snapshot = story.world.snapshot()
            asked = answer.instructions.get(name, ())
            found = instructed(evolve(snapshot, instructions=asked), Trigger.FULL).violations
            actions = [story.said(action) for it in found for action in it.actions]
            done += [f"{name}: {action}" for action in actions]
        return tuple(done)


def group_examples() -> Iterator[GroupExample]:
    """Every example of every file."""
    for path in sorted(FOLDER.glob("*.toml")):
        source = parse(path, path.read_bytes())
        common: Mapping[str, Any] = source.values.get("keys", {})
        for number, raw in enumerate(source.values["example"]):
            findings = Findings()
            keys = {**common, **raw.get("keys", {})}
            at = Cursor(source, findings, ("example", number), keys)
            rule = at.read(GROUP_RULES[path.stem])
            if findings.errors:
                raise ValueError(f"{path.name}, {raw['title']}: {findings.errors}")
            yield GroupExample(
                raw["title"],
                tuple(raw["story"]),
                rule,
                tuple(raw.get("does", ())),
                raw.get("because", ""),
                tuple(raw.get("says", ())),
            )
