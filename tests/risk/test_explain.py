"""What people read: the whole sentence, and its numbers."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import attrs

from risk.explain import dollars, enforced, plain
from risk.group_rules import GROUP_RULES
from risk.rules import (
    RULES,
    DailyLoss,
    NoStopLoss,
    Trigger,
    UnrealizedLoss,
)
from tests.risk.world import CALENDAR, MNQ, World


def test_the_sentence_of_the_rule_book() -> None:
    """Rule, numbers, parts, trigger and latency in one line."""
    world = World()
    world.fill(5, "20000", fees="2.60")
    world.fill(-4, "19890", fees="2.60")
    world.quote("19941", "19941.25")
    (found,) = world.judge(DailyLoss(limit=Decimal(1000)), trigger=Trigger.FILL).violations
    assert found.reason == ("net day -1003.20 <= -1000 (realised -880.00, open -118.00, fees 5.20)")
    at = CALENDAR.local(world.now).replace(hour=10, minute=3, second=12)
    assert enforced("closed 1 MNQ", at, found.reason, latency_ms=143.2, trigger=found.trigger) == (
        "closed 1 MNQ at 10:03:12: net day -1003.20 <= -1000 "
        "(realised -880.00, open -118.00, fees 5.20), 143 ms after the fill"
    )


def test_an_open_loss_names_position_entry_and_mark() -> None:
    """So that a trader can check it on his own screen."""
    world = World()
    world.fill(-2, "20000")
    world.quote("20049", "20050")
    (found,) = world.judge(UnrealizedLoss(limit=Decimal(200))).violations
    assert found.reason == "open -200.00 <= -200 (-2 MNQ from 20000.00, marked 20050)"
    assert found.contract_id == MNQ.id
    assert found.observed == -200


def test_a_naked_position_says_for_how_long() -> None:
    """Seconds against seconds."""
    world = World()
    world.fill(2, "20000")
    world.stop(-1)
    world.wait(121.5)
    (found,) = world.judge(NoStopLoss()).violations
    assert found.reason == "+2 MNQ with stops for 1 was without a full stop for 121.5 s >= 120 s"
    assert found.inputs["covered"] == "1"


def test_an_estimate_is_called_one() -> None:
    """A number that is not final says so."""
    world = World()
    world.fill(1, "20000", fees=None)
    world.fill(-1, "19500", fees=None)
    (found,) = world.judge(DailyLoss(limit=Decimal(1000))).violations
    assert found.reason.endswith("fees 0.74, estimated)")


def test_a_violation_carries_everything_it_was_decided_on() -> None:
    """Enough to recompute it."""
    world = World()
    world.fill(1, "20000", fees="1")
    world.quote("19000", "19000.25")
    (found,) = world.judge(DailyLoss(limit=Decimal(1000)), trigger=Trigger.MARK).violations
    assert found.trigger == "mark"
    assert found.inputs[f"position {MNQ.id}"] == "1"
    assert found.inputs[f"mark {MNQ.id}"] == "19000"
    assert Decimal(found.inputs["net"]) == found.observed


def test_amounts_are_rounded_for_the_eye_only_where_nothing_is_lost() -> None:
    """A cent that decides stays visible."""
    assert dollars(Decimal("-1000.000000")) == "-1000.00"
    assert dollars(Decimal("-999.996000")) == "-999.996"
    assert plain(Decimal("1000.0")) == "1000"
    assert plain(Decimal("0.5")) == "0.5"


def test_the_rules_of_an_account_and_those_of_a_group_are_told_apart() -> None:
    """A name is in exactly one table; every parameter explains itself."""
    names = [*RULES, *GROUP_RULES]
    assert len(names) == len(set(names))
    assert len(names) == 21
    rules: tuple[Any, ...] = (*RULES.values(), *GROUP_RULES.values())
    for rule in rules:
        for parameter in attrs.fields(rule):
            assert parameter.metadata["doc"], (rule.name, parameter.name)


def test_waiting_for_a_deadline_never_sleeps_too_long() -> None:
    """The earliest of all rules' deadlines is the verdict's."""
    world = World()
    world.fill(1, "20000")
    rules = (NoStopLoss(), NoStopLoss(grace=timedelta(seconds=30)))
    assert world.judge(*rules).wake_at == world.now + timedelta(seconds=30)
