"""A valid configuration: what it says, what applies, and what is only announced."""

import json
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from config import Provenance, load
from config.cursor import SCALARS
from config.profiles import FOLDER, names
from risk.rules import (
    RULES,
    Consistency,
    CooldownAfterLoss,
    DailyLoss,
    FlatBy,
    MaxContracts,
    MaxContractsPerInstrument,
    NoStopLoss,
    Session,
    SymbolBlock,
    TrailingDrawdown,
)
from risk.rules.cooldown_after_loss import Tier
from tests.config.documents import ENVIRONMENT, LOGIN, SMALL, TODAY, WHOLE, loaded, refused
from tests.conftest import ROOT


def test_the_whole_file_loads_and_names_what_is_not_enforced_yet(tmp_path: Path) -> None:
    """Known features of later work are notices with their place, not errors."""
    config = loaded(tmp_path, WHOLE)
    assert [(notice.line, notice.key) for notice in config.not_yet] == [
        (37, "notify.discord"),
    ]
    assert all("not yet" in notice.message for notice in config.not_yet)
    assert [warning.key for warning in config.warnings] == ["groups.mine.accounts[1]"]


def test_what_is_not_enforced_yet_cannot_be_run(tmp_path: Path) -> None:
    """A daemon that silently ignores a rule is worse than none: run refuses, all at once."""
    problems = refused(tmp_path, WHOLE, for_run=True)
    assert [problem.line for problem in problems] == [37]


def test_an_account_gets_defaults_profile_and_its_own_rules(tmp_path: Path) -> None:
    """The later layer replaces the earlier one rule by rule, and amounts are exact."""
    account = loaded(tmp_path, WHOLE).accounts[0]
    assert account.rules == (
        SymbolBlock(symbols=("GC",)),
        Session(times=("08:30-15:00",)),
        FlatBy(time=time(15, 8), margin=timedelta(minutes=3)),
        TrailingDrawdown(amount=Decimal(2000), lock_at=Decimal(50000)),
        DailyLoss(limit=Decimal(1000)),
        Consistency(share=50, action="warn"),
        *(rule for rule in account.rules if rule.name == "unrealized_loss"),
        NoStopLoss(grace=timedelta(seconds=120)),
        MaxContracts(limit=5, count="mini_equivalent"),
        CooldownAfterLoss(
            tiers=(
                Tier(Decimal(100), timedelta(minutes=5)),
                Tier(Decimal(200), timedelta(minutes=15)),
            )
        ),
    )
    assert account.armed


def test_every_value_says_where_it_comes_from(tmp_path: Path) -> None:
    """Default of the rule, defaults.rules, profile or account, with the line."""
    file = tmp_path / "seawall.toml"
    origins = loaded(tmp_path, WHOLE).accounts[0].provenance
    assert Provenance("max_contracts", "limit", "5", "profile topstep-combine-50k") in origins
    assert Provenance("no_stop_loss", "grace", "120s", f"defaults.rules {file}:17") in origins
    assert Provenance("daily_loss", "limit", "1000", f"account {file}:25") in origins
    assert Provenance("daily_loss", "warn_at", "50, 80", "default of the rule") in origins


def test_tables_by_root_and_a_number_or_a_word_are_read(tmp_path: Path) -> None:
    """``limits`` and ``by_root`` are tables of their own; ``other`` is a count or one of two words."""
    text = SMALL + (
        "[accounts.A.rules]\n"
        'session = { times = ["17:00-15:10"], by_root = { GC = ["07:20-12:30"] } }\n'
        "max_contracts_per_instrument = { limits = { ES = 2 }, other = %s }\n"
    )
    for written, read in (("3", 3), ('"block"', "block")):
        rules = loaded(tmp_path, text % written).accounts[0].rules
        assert Session(times=("17:00-15:10",), by_root={"GC": ("07:20-12:30",)}) in rules
        assert MaxContractsPerInstrument(limits={"ES": 2}, other=read) in rules  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("session = { times = [] }", "times must have a range at least"),
        ('session = { times = ["8-15"] }', "times must have a range such as"),
        ('session = { times = ["08:30-15:00"], days = ["someday"] }', "days must be of mon, tue"),
        (
            'session = { times = ["08:30-15:00"], by_root = { GX = ["08:30-15:00"] } }',
            "GX is no known root",
        ),
        ("max_contracts_per_instrument = { limits = 5 }", "must be a table"),
        ("max_contracts_per_instrument = { limits = { ES = -1 } }", "limits must be 0 or more"),
        ('max_contracts_per_instrument = { limits = { ES = 1 }, other = "no" }', 'or "block"'),
        ("max_contracts_per_instrument = { limits = {} }", "limits must name a root"),
        ('flat_by = { time = "15:10", margin = "13h" }', "margin must be from 0s to 12h"),
        ("daily_profit = { limit = 0 }", "limit must be more than 0"),
        ('unrealized_profit = { limit = 5, action = "half" }', 'must be "close" or "close_half"'),
    ],
)
def test_what_a_rule_refuses_is_said_at_its_place(tmp_path: Path, rule: str, said: str) -> None:
    """Line and reason, for every kind of mistake."""
    (problem,) = refused(tmp_path, SMALL + f"[accounts.A.rules]\n{rule}\n")
    assert said in problem.message
    assert problem.line == 8


def test_an_account_rule_replaces_the_whole_default(tmp_path: Path) -> None:
    """No key of a replaced rule shines through."""
    text = SMALL + (
        "[accounts.A.rules]\nmax_contracts = { limit = 2 }\n"
        '[defaults.rules]\nmax_contracts = { limit = 5, count = "mini_equivalent" }\n'
    )
    account = loaded(tmp_path, text).accounts[0]
    assert MaxContracts(limit=2, count="lots") in account.rules


STRICT = (
    "[accounts.A.rules]\n[defaults.rules]\nno_stop_loss = {}\n"
    'max_contracts = { limit = 1, count = "mini_equivalent" }\n'
)


def test_a_profile_that_replaces_one_s_own_default_warns(tmp_path: Path) -> None:
    """The order stays, but five contracts instead of one are nothing to find out by trading."""
    text = SMALL + 'profile = "topstep-combine-50k"\n' + STRICT
    config = loaded(tmp_path, text, for_run=True)
    (warning,) = config.warnings
    assert (warning.line, warning.key) == (7, "accounts.A.profile")
    assert warning.message == (
        "profile topstep-combine-50k replaces defaults.rules.max_contracts of "
        f"{tmp_path / 'seawall.toml'}:11 (limit 5 instead of 1)"
    )
    assert "[accounts.A.rules]" in warning.hint
    assert MaxContracts(limit=5, count="mini_equivalent") in config.accounts[0].rules


@pytest.mark.parametrize(
    "own", ["max_contracts = { limit = 1 }", 'max_contracts = { limit = 5, count = "lots" }']
)
def test_a_replaced_default_that_does_not_matter_does_not_warn(tmp_path: Path, own: str) -> None:
    """Because the account says itself what applies."""
    strict = STRICT.replace("[accounts.A.rules]\n", f"[accounts.A.rules]\n{own}\n")
    assert not loaded(tmp_path, SMALL + 'profile = "topstep-combine-50k"\n' + strict).warnings


def test_a_default_the_profile_repeats_does_not_warn(tmp_path: Path) -> None:
    """Nothing changes."""
    same = STRICT.replace("limit = 1", "limit = 5")
    assert not loaded(tmp_path, SMALL + 'profile = "topstep-combine-50k"\n' + same).warnings


def test_no_stop_loss_guards_every_account(tmp_path: Path) -> None:
    """The mandatory rule applies with its default where nobody mentions it."""
    account = loaded(tmp_path, SMALL).accounts[0]
    assert account.rules == (NoStopLoss(grace=timedelta(seconds=120)),)
    assert account.provenance[0] == ("no_stop_loss", "grace", "120s", "default of the rule")


def test_the_daemon_has_defaults_and_paths_start_at_the_file(tmp_path: Path) -> None:
    """A file without [daemon] enforces in Chicago, with its journal beside it."""
    daemon = loaded(tmp_path, SMALL).daemon
    assert daemon.state_dir == tmp_path / "state"
    assert (daemon.timezone, daemon.reset_at) == ("America/Chicago", time(17, 0))
    assert (daemon.mode, daemon.clock) == ("enforce", "system")


def test_the_calendar_is_the_daemon_s(tmp_path: Path) -> None:
    """Another reset time and zone reach the trading day."""
    calendar = loaded(
        tmp_path, SMALL + '[daemon]\ntimezone = "Europe/Berlin"\nreset_at = 06:30:00\n'
    ).calendar
    assert (calendar.timezone, calendar.reset_at) == ("Europe/Berlin", time(6, 30))


@pytest.mark.parametrize(
    ("role", "mode", "armed"),
    [
        ("enforced", "enforce", True),
        ("watched", "enforce", False),
        ("enforced", "shadow", False),
        ("watched", "shadow", False),
    ],
)
def test_only_an_enforced_account_in_enforce_mode_is_armed(
    tmp_path: Path, role: str, mode: str, armed: bool
) -> None:
    """Watched accounts and shadow mode can be run; they decide and send nothing."""
    text = SMALL + f'role = "{role}"\n[daemon]\nmode = "{mode}"\n'
    assert loaded(tmp_path, text, for_run=True).accounts[0].armed is armed


def test_the_template_adopts_accounts_nobody_named(tmp_path: Path) -> None:
    """``*`` is no account but how the others are guarded, on its login or on all."""
    text = (
        SMALL + '[accounts."*"]\nrole = "watched"\n[accounts."*".rules]\ndaily_loss = {limit=1}\n'
    )
    config = loaded(tmp_path, text)
    assert [account.name for account in config.accounts] == ["A"]
    adopted = config.adopt("B", "topstep")
    assert adopted is not None
    assert (adopted.name, adopted.login, adopted.armed) == ("B", "topstep", False)
    assert DailyLoss(limit=Decimal(1)) in adopted.rules


def test_a_template_of_one_login_adopts_only_there(tmp_path: Path) -> None:
    """An account of another login stays unguarded."""
    config = loaded(tmp_path, SMALL + '[accounts."*"]\nlogin = "topstep"\n')
    assert config.adopt("B", "topstep") is not None
    assert config.adopt("B", "another") is None
    assert loaded(tmp_path, SMALL).adopt("B", "topstep") is None


def test_the_fingerprint_follows_the_content_only(tmp_path: Path) -> None:
    """Comments, order and spelling change nothing; a limit does."""
    same = LOGIN.replace("\n", "  # said\n") + '[accounts]\nA.login = "topstep"\n'
    first = loaded(tmp_path, SMALL).fingerprint()
    assert loaded(tmp_path, same).fingerprint() == first
    assert loaded(tmp_path, SMALL + "rules.daily_loss.limit = 1000\n").fingerprint() != first
    one = loaded(tmp_path, SMALL + "rules.daily_loss.limit = 1000\n").fingerprint()
    assert (
        loaded(
            tmp_path, SMALL + 'rules.daily_loss.limit = "1e3"'.replace("1e3", "1000.0")
        ).fingerprint()
        == one
    )


def test_the_document_is_json_with_exact_amounts(tmp_path: Path) -> None:
    """Programs read the effective rules; money is text there, never a float."""
    text = SMALL + "rules.daily_loss = { limit = 1000.10, warn_at = [50, 80] }\n"
    document = json.loads(json.dumps(loaded(tmp_path, text).document()))
    rules = document["accounts"][0]["rules"]
    assert rules["daily_loss"]["limit"] == "1000.1"
    assert rules["daily_loss"]["warn_at"] == [50, 80]
    assert rules["no_stop_loss"]["grace"] == "120s"


def test_old_profile_data_warns(tmp_path: Path) -> None:
    """Firms change their rules: after 60 days somebody should compare again."""
    text = SMALL + 'profile = "topstep-combine-50k"\n'
    fresh, old = (
        [it for it in loaded(tmp_path, text, today=day).warnings if it.key == "accounts.A.profile"]
        for day in (date(2027, 1, 21), date(2027, 1, 22))
    )
    assert not fresh
    (warning,) = old
    assert warning.line == 7
    assert "61 days ago" in warning.message
    assert "https://" in warning.hint


@pytest.mark.parametrize("name", names())
def test_profiles_that_come_with_it_are_sound(tmp_path: Path, name: str) -> None:
    """Each has a source, a date and rules that can be run."""
    assert (
        loaded(tmp_path, SMALL + f'profile = "{name}"\n', for_run=True).accounts[0].profile == name
    )
    assert (FOLDER / f"{name}.toml").is_file()


def test_a_broken_profile_is_named_by_its_own_file(tmp_path: Path) -> None:
    """Its problems point into the profile, not into the configuration."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "mine.toml").write_text('source = "x"\n[rules]\ndaily_loss = { limit = 0 }\n')
    problems = refused(tmp_path, SMALL + 'profile = "mine"\n', profiles_folder=folder)
    assert [(p.path.name, p.line, p.key) for p in problems] == [
        ("mine.toml", 1, ""),
        ("mine.toml", 3, "rules.daily_loss.limit"),
    ]


def test_the_example_file_is_valid() -> None:
    """What people copy first can be run as it is, once the variables are set."""
    config = load(ROOT / "seawall.example.toml", environment=ENVIRONMENT, today=TODAY, for_run=True)
    assert not config.warnings
    assert not config.logins[0].loopback


def test_the_example_s_simulated_block_is_valid(tmp_path: Path) -> None:
    """Without its comment signs the second block works too."""
    text = (ROOT / "seawall.example.toml").read_text()
    start = text.index("# [logins.simulated]")
    block = "\n".join(line.removeprefix("#").removeprefix(" ") for line in text[start:].split("\n"))
    block = block[: block.index("With  clock")]
    config = loaded(tmp_path, block, {"SIMULATED_KEY": "any"}, for_run=True)
    assert config.logins[0].loopback


def test_every_rule_s_fields_can_be_read_and_are_explained() -> None:
    """The loader reads the types the rules use, and every key has a sentence."""
    for rule in RULES.values():
        for each in attrs.fields(rule):  # type: ignore[arg-type]
            assert each.metadata.get("doc"), f"{rule.name}.{each.name}"
    assert {str, int, bool, Decimal, timedelta} <= set(SCALARS)
