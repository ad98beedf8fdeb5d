"""What a journal has of earlier configurations is read back as it was meant."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from attrs import frozen

from config.history import OlderGroup, accounts_of, groups_of, in_force_since
from config.model import GroupConfig
from config.words import plain
from risk.group_rules import CrossAccountHedge, GroupDailyLoss, GroupRule
from risk.rules import RULES, Rule
from tests.risk.story import examples

NOON = datetime(2026, 11, 18, 18, tzinfo=UTC)
EVERY = {repr(it.rule): it.rule for it in examples()}


def document(rule: Rule) -> dict[str, object]:
    account = {"name": "A", "login": "topstep", "armed": True, "rules": {rule.name: plain(rule)}}
    return {"accounts": [account]}


@pytest.mark.parametrize("rule", EVERY.values(), ids=[it.name for it in EVERY.values()])
def test_every_rule_of_the_book_is_read_back_exactly(rule: Rule) -> None:
    """With every key that an example sets, files and durations among them."""
    (account,) = accounts_of(document(rule), RULES)
    assert account.rules == (rule,)
    assert account.lost == ()


def test_a_rule_that_is_gone_is_told() -> None:
    """Its package was removed, or its keys have changed."""
    said = {"accounts": [{"name": "A", "rules": {"no_shorts": {}, "daily_loss": {"limit": "x"}}}]}
    (account,) = accounts_of(said, RULES)
    assert account.rules == ()
    assert account.lost == ("A.no_shorts", "A.daily_loss")


@pytest.mark.parametrize(
    "rule",
    [GroupDailyLoss(Decimal(1500)), CrossAccountHedge(action="close_newer")],
    ids=lambda rule: rule.name,
)
def test_every_rule_of_a_group_is_read_back_exactly(rule: GroupRule) -> None:
    """With its members, as it was accepted; a document from before there were groups has none."""
    written = GroupConfig("mine", ("A", "B"), (rule,), ()).document()
    assert groups_of({"groups": [written]}) == (OlderGroup("mine", ("A", "B"), (rule,), ()),)
    assert groups_of({"accounts": []}) == ()


@frozen
class Accepted:
    at: datetime
    document: dict[str, object]


def test_what_held_when_the_day_began_counts_and_nothing_older() -> None:
    """Those accepted today, and the last one before."""
    said = [Accepted(NOON + timedelta(hours=hour), {"n": hour}) for hour in (-48, -24, -1, 1, 2)]
    assert [it["n"] for it in in_force_since(said, NOON)] == [-1, 1, 2]
