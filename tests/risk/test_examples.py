"""The worked examples of the rules, one test each."""

import pytest

from risk.rules import RULES
from tests.risk.rulebook import PAGE, page
from tests.risk.story import FOLDER, Example, examples, judged

EXAMPLES = tuple(examples())


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=[f"{it.rule.name}: {it.title}" for it in EXAMPLES]
)
def test_example(example: Example) -> None:
    """The rule does what the example says, for the reason it says."""
    does, because, locked, verdict = judged(example)
    assert (does, because, locked) == (example.does, example.because, example.locked)
    if example.says or example.rule.name == "connection_loss":
        assert tuple(alert.code for alert in verdict.alerts) == example.says


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_a_table_has_examples_of_both_kinds(path: object) -> None:
    """At least eight of each rule, some in which it acts and some in which it does not."""
    own = [it for it in EXAMPLES if it.rule.name == path.stem]  # type: ignore[attr-defined]
    assert len(own) >= 8
    assert {bool(it.does or it.says) for it in own} == {True, False}
    assert RULES[own[0].rule.name] is type(own[0].rule)


def test_the_rule_book_is_current() -> None:
    """Mistake of earlier systems: documentation claimed what the program did not do.

    After a change of a rule or an example: ``python -m tests.risk.rulebook``.
    """
    assert PAGE.read_text(encoding="utf-8") == page()
