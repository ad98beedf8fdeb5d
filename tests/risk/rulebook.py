"""The rule book: ``docs/rules.md``, written from the rules' own classes and their worked examples.

``python -m tests.risk.rulebook`` writes it anew; a test fails while it is out of date.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import time, timedelta
from decimal import Decimal
from typing import Any, cast

import attrs

from config.words import spoken
from risk.group_rules import GROUP_RULES, GroupRule
from risk.rules import RULES, Priority, Rule, Trigger
from tests.conftest import ROOT
from tests.risk.group_story import GroupExample, group_examples
from tests.risk.story import Example, examples

PAGE = ROOT / "docs" / "rules.md"

_HEAD = """# The rules

This page is written from the rules themselves (`python -m tests.risk.rulebook`), and its examples are
tests: what it says is what Seawall does. A rule stands in `[accounts.NAME.rules]`, or for all accounts
in `[defaults.rules]`, as `name = { key = value }`. Amounts are dollars and positive, durations `"30s"`
or `"5m"`, times of day Chicago's. Limits are inclusive: a loss of exactly the limit is one, and as many
contracts as are allowed are allowed.

Whatever a rule closes, it closes after the trade: the broker's API allows nothing earlier. *Close* ends
one position and then cancels what is left of its orders; *reduce* ends the newest contracts of it;
*flatten* ends every position and order of the account. Rules are asked in the order of this page, and
what an earlier one closes a later one no longer sees. All of them are asked again every five seconds,
whatever was missed.
"""
_UNITS: dict[object, str] = {
    Decimal: "dollars",
    timedelta: "duration",
    time: "time of day",
    int: "number",
    bool: "true or false",
}


def page() -> str:
    """The whole page."""
    every = tuple(examples())
    order = sorted(RULES.values(), key=lambda rule: (rule.priority, rule.name))
    sections = [_section(rule, [it for it in every if it.rule.name == rule.name]) for rule in order]
    groups = tuple(group_examples())
    sections.append(_GROUPS)
    sections += [
        _group_section(rule, [it for it in groups if it.rule.name == rule.name])
        for rule in GROUP_RULES.values()
    ]
    return "\n".join([_HEAD, *sections])


def _section(rule: type[Rule], own: Sequence[Example]) -> str:
    lines = [f"## `{rule.name}`", "", _prose(rule), "", f"It acts when: {rule.formula}.", ""]
    lines += [f"Asked at {_asked(rule)}, priority {_spoken(rule.priority)}.{_mandatory(rule)}", ""]
    lines += ["| key | what it is | unit | default |", "|---|---|---|---|"]
    lines += [_key(each) for each in attrs.fields(cast(Any, rule))]
    lines += ["", "| example | what happens | what it does, and why |", "|---|---|---|"]
    lines += [_example(each) for each in own]
    return "\n".join([*lines, ""])


def _prose(rule: type[Rule | GroupRule]) -> str:
    paragraphs = (rule.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _asked(rule: type[Rule]) -> str:
    return ", ".join(_spoken(trigger) for trigger in Trigger if trigger in rule.triggers)


def _spoken(one: Trigger | Priority) -> str:
    return one.name.lower().replace("_", " ")


def _mandatory(rule: type[Rule]) -> str:
    return " It is mandatory: it cannot be left out." if rule.mandatory else ""


def _key(each: Any) -> str:
    needed = each.default is attrs.NOTHING
    default = _default(each)
    bare = (
        getattr(each.type, "__args__", (each.type,)) if "None" in str(each.type) else (each.type,)
    )
    unit = _UNITS.get(bare[0], "words" if "str" in str(each.type) else "numbers")
    if "Mapping" in str(each.type):
        unit = "table"
    elif getattr(each.type, "from_file", False):
        unit = "file"
    elif "risk.rules" in str(each.type):
        unit = "tables"
    elif "Literal" in str(each.type):
        unit = "a word" if "int" not in str(each.type) else "a number or a word"
    shown = "**needed**" if needed else f"`{spoken(default)}`"
    return f"| `{each.name}` | {each.metadata['doc']} | {unit} | {shown} |"


def _example(example: Example) -> str:
    story = "; ".join(example.story)
    begins = f"{example.starts:%Y-%m-%d %H:%M}: "
    keys = ", ".join(_changed(example.rule))
    does = "nothing"
    if example.does or example.locked:
        done = [f"**{', '.join(example.does)}**"] if example.does else []
        lock = [f"locked until {example.locked}"] if example.locked else []
        does = f"{'; '.join([*done, *lock])}: {example.because}"
    elif example.says:
        does = f"says **{', '.join(example.says)}**"
    return f"| {example.title} ({keys}) | {begins}{story} | {does} |"


def _changed(rule: Rule | GroupRule) -> Iterator[str]:
    """The keys of an example's rule that are not defaults."""
    for each in attrs.fields(cast(Any, type(rule))):
        value, default = getattr(rule, each.name), _default(each)
        if default is attrs.NOTHING or spoken(value) != spoken(default):
            yield f"{each.name} {spoken(value)}"


def _default(each: Any) -> Any:
    made = isinstance(each.default, attrs.Factory)  # type: ignore[arg-type]
    return each.default.factory() if made else each.default


_GROUPS = """# The rules of groups

A group stands in `[groups.NAME]` with its `accounts`, of one login or of several, and its rules in
`[groups.NAME.rules]`. Each member says how it stands; what the group finds, each member enforces and
records itself. A member of which nothing is heard counts with the last it said today.
"""


def _group_section(rule: type[GroupRule], own: Sequence[GroupExample]) -> str:
    lines = [f"## `{rule.name}`", "", _prose(rule), "", f"It acts when: {rule.formula}.", ""]
    lines += ["| key | what it is | unit | default |", "|---|---|---|---|"]
    lines += [_key(each) for each in attrs.fields(cast(Any, rule))]
    lines += ["", "| example | what happens | what it does, and why |", "|---|---|---|"]
    for each in own:
        done = f"**{', '.join(each.does)}**: {each.because}" if each.does else ""
        told = f"says **{', '.join(each.says)}**" if each.says and not each.does else ""
        keys = ", ".join(_changed(each.rule))
        lines.append(
            f"| {each.title} ({keys}) | {'; '.join(each.story)} | {done or told or 'nothing'} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} is written\n")
