"""The rules of groups: their worked examples, and what holds for all of them."""

from decimal import Decimal

import pytest
from attrs import evolve

from risk.group_rules import GROUP_RULES, CrossAccountHedge, GroupDailyLoss
from risk.groups import UNHEARD, instructed
from risk.rules import Trigger
from risk.wires import wires
from tests.risk.group_story import FOLDER, GroupExample, GroupStory, group_examples

EXAMPLES = tuple(group_examples())


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=[f"{it.rule.name}: {it.title}" for it in EXAMPLES]
)
def test_example(example: GroupExample) -> None:
    """The accounts do what the example says, for the reason it says."""
    story = GroupStory(example.story, example.rule)
    answer = story.answer()
    reasons = {it.reason for asked in answer.instructions.values() for it in asked}
    assert story.does(answer) == example.does
    assert "; ".join(reasons) == example.because
    assert tuple(alert.code for alert in answer.alerts) == example.says


@pytest.mark.parametrize("name", GROUP_RULES)
def test_a_rule_has_examples_of_both_kinds(name: str) -> None:
    """At least eight, some in which it acts and some in which it does not."""
    own = [it for it in EXAMPLES if it.rule.name == name]
    assert len(own) >= 8
    assert {bool(it.does) for it in own} == {True, False}
    assert (FOLDER / f"{name}.toml").is_file()


def test_what_a_group_asked_yesterday_is_nothing_today() -> None:
    """A message that was under way at the reset must not lock the new day."""
    story = GroupStory(
        ("A: buy 10 MNQ at 25000", "A: quote MNQ 24925 24925.25"), GroupDailyLoss(Decimal(1500))
    )
    (asked,) = story.answer().instructions["A"]
    snapshot = story.account("A").world.snapshot()
    assert instructed(evolve(snapshot, instructions=(asked,)), Trigger.FULL).violations
    tomorrow = evolve(snapshot, instructions=(asked,), day=snapshot.day.replace(day=30))
    assert not instructed(tomorrow, Trigger.FULL).violations


def test_a_close_is_aimed_at_one_life_of_a_position() -> None:
    """Who has reversed meanwhile holds something that nobody asked to close."""
    story = GroupStory(
        ("A: buy 1 NQ at 25000", "wait 1s", "B: sell 1 NQ at 25000", "wait 3s"),
        CrossAccountHedge(action="close_newer"),
    )
    asked = story.answer().instructions["B"]
    story.account("B").play("buy 2 NQ at 25000")
    snapshot = evolve(story.account("B").world.snapshot(), instructions=asked)
    assert not instructed(snapshot, Trigger.FULL).violations


def test_a_group_is_told_before_its_members_together_can_reach_the_limit() -> None:
    """Each may lose its share of what is left to the next step; then it must say how it stands."""
    story = GroupStory(
        (
            "A: buy 5 MNQ at 25000",
            "A: quote MNQ 24990 24990.25",
            "B: buy 1 ES at 6800",
            "B: quote ES 6799 6799.25",
            "C: buy 1 MNQ at 25000",
            "C: sell 1 MNQ at 24950",
        ),
        GroupDailyLoss(Decimal(1500)),
    )
    reports = story.answer().reports
    assert reports == {"A": Decimal(-350), "B": Decimal(-300), "C": UNHEARD}
    snapshot = evolve(story.account("A").world.snapshot(), report_at=reports["A"])
    found = wires((), snapshot)
    assert found is not None
    (wire,) = found.values()
    assert Decimal(24965) <= wire.low < Decimal("24965.25")


def test_before_a_group_has_answered_every_worse_price_is_told() -> None:
    """A member that has just begun does not know how much the others have lost."""
    story = GroupStory(
        ("A: buy 5 MNQ at 25000", "A: quote MNQ 24990 24990.25"), GroupDailyLoss(Decimal(1500))
    )
    snapshot = evolve(story.account("A").world.snapshot(), report_at=UNHEARD)
    found = wires((), snapshot)
    assert found is not None
    (wire,) = found.values()
    assert wire.low == Decimal(24990)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: GroupDailyLoss(Decimal(0)), "limit must be more than 0"),
        (lambda: GroupDailyLoss(Decimal(9), warn_at=(100,)), "warn_at must be percentages"),
        (lambda: CrossAccountHedge(action="close"), "action must be"),  # type: ignore[arg-type]
    ],
)
def test_parameters_without_a_meaning_are_refused(make: object, error: str) -> None:
    """With a sentence that says what is allowed."""
    with pytest.raises(ValueError, match=error):
        make()  # type: ignore[operator]
