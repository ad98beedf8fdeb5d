"""Rules that others install beside Seawall."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from config.plugins import GROUP, installed
from risk.rules import RULES
from tests.config.documents import SMALL, loaded, refused
from tests.guest_rules import NoShorts

TABLE = SMALL + "[accounts.A.rules]\nno_shorts = { allowed = 2 }\n"


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, f"tests.guest_rules:{value}", GROUP)


def test_an_installed_rule_is_configured_like_any_other(tmp_path: Path) -> None:
    """Nothing but its entry point is needed."""
    registry, problems = installed([entry("no_shorts", "NoShorts")])
    assert problems == ()
    (account,) = loaded(tmp_path, TABLE, registry=registry).accounts
    assert NoShorts(allowed=2) in account.rules
    assert ("no_shorts", "allowed", "2") in [it[:3] for it in account.provenance]


def test_without_its_package_it_is_unknown(tmp_path: Path) -> None:
    """A configuration that names it is refused, never half guarded."""
    (problem,) = refused(tmp_path, TABLE)
    assert "unknown rule" in problem.message


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("daily_loss", "NoShorts", "there is a rule of that name already"),
        ("group_daily_loss", "NoShorts", "there is a rule of that name already"),
        ("other", "NoShorts", "it calls itself no_shorts"),
        ("other", "Nothing", "has no attribute 'Nothing'"),
        ("other", "Unnamed", "it is no frozen attrs class with name"),
    ],
)
def test_one_that_cannot_be_used_is_said_and_left_out(name: str, value: str, why: str) -> None:
    """Whatever is wrong with it, Seawall's own rules are all there."""
    registry, (problem,) = installed([entry(name, value)])
    assert dict(registry) == dict(RULES)
    assert why in problem
