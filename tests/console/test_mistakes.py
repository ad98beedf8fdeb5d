"""Mistakes of earlier systems: documentation that claims what is not wired; the list is in the risk tests."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trio
import typer.main

from config import load
from config.source import parse
from console.app import application
from console.service import plan_of
from risk.group_rules import GROUP_RULES
from risk.rules import RULES
from tests.actors.world import World, nodes, run
from tests.conftest import ROOT
from tests.risk.story import FOLDER

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BOOK = (ROOT / "docs" / "rules.md").read_text("utf-8")
CODE = re.compile(r"^```[a-z]*\n(.*?)^```|`([^`\n]+)`", re.DOTALL | re.MULTILINE)
CALL = re.compile(r"(?<![\w/.-])(?:\./)?seawall ([a-z]+)([^\n#]*)")


def code(page: Path) -> Iterator[str]:
    """What a page shows as something to be typed."""
    for block, span in CODE.findall(page.read_text("utf-8")):
        yield block or span


def named_in(text: str) -> set[str]:
    """Words in backticks."""
    return set(re.findall(r"`([a-z_]+)`", text))


def written(value: Any) -> str:
    """A value as a configuration file has it."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float() | Decimal():
            return str(value)
        case Mapping():
            inside = ", ".join(f"{key} = {written(each)}" for key, each in value.items())
            return f"{{ {inside} }}"
        case Sequence() if not isinstance(value, str):
            return f"[{', '.join(written(each) for each in value)}]"
        case _:
            return f'"{value}"'


def keys_of(name: str) -> Mapping[str, Any]:
    """Of the first example of a rule in the rule book."""
    path = FOLDER / f"{name}.toml"
    values = parse(path, path.read_bytes()).values
    keys = {**values.get("keys", {}), **values["example"][0].get("keys", {})}
    if name == "news_blackout":
        keys["file"] = str(FOLDER / keys["file"])
    return keys


def test_every_rule_of_the_rule_book_can_be_configured_and_is_guarded(tmp_path: Path) -> None:
    """Mistake of earlier systems: a rule was documented, and no account was ever judged by it.

    Each section of the book: from a line of the configuration to the actor that asks the rule.
    """
    claimed = re.findall(r"^## `(\w+)`", BOOK, re.MULTILINE)
    assert set(claimed) == set(RULES) | set(GROUP_RULES)
    stated = "\n".join(f"{name} = {written(keys_of(name))}" for name in RULES)
    path = tmp_path / "seawall.toml"
    path.write_text(
        "[logins.sim]\nusername = 'trader'\napi_key_env = 'KEY'\n"
        f"[accounts.SIM-50K-1]\nlogin = 'sim'\n[accounts.SIM-50K-1.rules]\n{stated}\n",
        "utf-8",
    )
    today = date(2026, 11, 18)
    config = load(path, environment={"KEY": "secret"}, today=today, for_run=True)
    (account,) = plan_of(config).accounts
    assert {type(rule) for rule in account.rules} == set(RULES.values())

    async def story() -> None:
        world = World(accounts=("SIM-50K-1",), rules=lambda: account.rules)
        world.begin()
        async with world.daemon():
            await trio.sleep(6)
            (judge,) = [it for it in nodes(world.system.tree()) if it.path.endswith("1/rules")]
            asked: Mapping[str, Any] = judge.status
            assert set(asked["rules"]) == set(RULES)
            assert asked["evaluations"] > 0

    run(story)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_that_is_shown_exists(page: Path) -> None:
    """Mistake of earlier systems: the documentation showed commands that nobody had written."""
    commands = typer.main.get_command(application()).commands  # type: ignore[attr-defined]
    for shown in code(page):
        for name, rest in CALL.findall(shown):
            assert name in commands, f"{page.name}: seawall {name}"
            known = {option for it in commands[name].params for option in it.opts}
            asked = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", rest))
            assert asked <= known, f"{page.name}: seawall {name}{rest}"


def test_every_command_is_shown() -> None:
    """In the table of the README."""
    commands = typer.main.get_command(application()).commands  # type: ignore[attr-defined]
    shown = {name for block in code(ROOT / "README.md") for name, _ in CALL.findall(block)}
    assert shown == set(commands)


def test_the_rules_that_are_claimed_to_be_enforced_are() -> None:
    """Mistake of earlier systems: a list of features that was longer than the program.

    README and changelog name exactly the rules there are, and count them right.
    """
    readme = (ROOT / "README.md").read_text("utf-8")
    (paragraph,) = re.findall(
        r"^Nineteen rules of an account .*?`status`", readme, re.DOTALL | re.MULTILINE
    )
    assert named_in(paragraph) - {"status"} == set(RULES)
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    (bullet,) = re.findall(r"^- Nineteen rules, .*?^- Groups", changelog, re.DOTALL | re.MULTILINE)
    assert named_in(bullet) == set(RULES)
    assert len(RULES) == 19
