"""``seawall check``: golden answers."""

import json
from pathlib import Path

from tests.console.world import seawall

VALID = """\
[logins.topstep]
username = "trader"
api_key_env = "TOPSTEP_KEY"

[defaults.rules]
max_contracts = { limit = 5 }

[accounts.50KTC-A]
login = "topstep"
guard_lost = "flatten"
[accounts.50KTC-A.rules]
daily_loss = { limit = 1000 }
unrealized_loss = { limit = 200, cooldown = "5m" }

[accounts."*"]
role = "watched"
"""

SHOWN = """\
50KTC-A (login topstep)
RULE             SETTING          VALUE     FROM
daily_loss       limit            1000      account seawall.toml:12
                 basis            net       default of the rule
                 warn_at          50, 80    default of the rule
                 reduce_only_at   none      default of the rule
                 buffer           0         default of the rule
unrealized_loss  limit            200       account seawall.toml:13
                 scope            position  default of the rule
                 cooldown         300s      account seawall.toml:13
no_stop_loss     grace            120s      default of the rule
                 close            position  default of the rule
max_contracts    limit            5         defaults.rules seawall.toml:6
                 count            lots      default of the rule
                 include_working  no        default of the rule

every other account (any login), WATCHED ONLY: breaches are told, nothing is closed
RULE           SETTING          VALUE     FROM
no_stop_loss   grace            120s      default of the rule
               close            position  default of the rule
max_contracts  limit            5         defaults.rules seawall.toml:6
               count            lots      default of the rule
               include_working  no        default of the rule

"""

WRONG = """\
[daemon]
mode = "enfroce"
[logins.topstep]
username = "trader"
[accounts.A]
login = "topstp"
[accounts.A.rules]
daily_los = { limit = 1000 }
max_contracts = { limit = "many" }
"""


def check(folder: Path, text: str, *more: str, key: str = "") -> tuple[int, str, str]:
    folder.joinpath("seawall.toml").write_text(text)
    environment = {"TOPSTEP_KEY": key} if key else {}
    ended = seawall("check", *more, cwd=folder, environment=environment)
    return ended.returncode, ended.stdout, ended.stderr


def test_a_valid_configuration_shows_every_rule_and_where_it_was_said(tmp_path: Path) -> None:
    """Aligned, without colours, with what is not enforced yet, and the verdict last."""
    code, shown, errors = check(tmp_path, VALID, key="secret-0815")
    assert (code, errors) == (0, "")
    assert shown.startswith(SHOWN)
    rest = shown.removeprefix(SHOWN).splitlines()
    assert rest[0].startswith("not yet enforced: seawall.toml:10:1: accounts.50KTC-A.guard_lost")
    assert rest[-1].startswith("valid, but `seawall run` refuses it")
    assert "secret-0815" not in shown
    assert "\x1b" not in shown


def test_a_variable_that_is_not_set_is_only_a_warning_here(tmp_path: Path) -> None:
    """`check` runs on machines that have no keys."""
    code, shown, _ = check(tmp_path, VALID)
    assert code == 0
    assert "\nwarning: seawall.toml:3:1: logins.topstep.api_key_env: " in shown


def test_every_mistake_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    """On stderr, exit code 2, nothing on stdout."""
    code, shown, errors = check(tmp_path, WRONG)
    assert (code, shown) == (2, "")
    places = [line.split(": ")[0] for line in errors.splitlines() if line.startswith("seawall.t")]
    lines = [place.split(":")[1] for place in places]
    assert lines == ["2", "3", "6", "8", "9"]


def test_programs_get_the_same_as_json(tmp_path: Path) -> None:
    """The effective document, where each value came from, warnings."""
    code, shown, _ = check(tmp_path, VALID, "--json")
    document = json.loads(shown)
    assert code == 0
    assert [a["name"] for a in document["effective"]["accounts"]] == ["50KTC-A"]
    assert document["provenance"]["50KTC-A"][0] == {
        "rule": "daily_loss",
        "key": "limit",
        "value": "1000",
        "origin": "account seawall.toml:12",
    }
    assert [each["line"] for each in document["warnings"]] == [3]
    assert [each["line"] for each in document["not_yet_enforced"]] == [10]
    assert len(document["fingerprint"]) == 64
