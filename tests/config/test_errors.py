"""A broken configuration: everything at once, each with its place and a way out."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import ConfigErrors, Problem, load
from tests.config.documents import ENVIRONMENT, LOGIN, SMALL, TODAY, WHOLE, loaded, only, refused


def problems_of(path: Path, *, for_run: bool) -> tuple[Problem, ...]:
    """What ``load`` finds wrong; nothing for a file it accepts."""
    try:
        load(path, environment=ENVIRONMENT, today=TODAY, for_run=for_run)
    except ConfigErrors as errors:
        return errors.problems
    return ()


FIVE_MISTAKES = """\
[daemon]
mode = "enforced"

[logins.topstep]
username_env = "PROJECT_X_USERNAME"
api_key_env = "PROJECT_X_API_KEY"

[accounts.A]
login = "topstepp"
[accounts.A.rules]
daily_los = { limit = 1000 }
max_contracts = { limt = 5 }
symbol_block = { symbols = ["NQ", "GX"] }
"""


def test_five_mistakes_are_named_at_once_with_line_and_column(tmp_path: Path) -> None:
    """One run tells everything that has to be put right."""
    problems = refused(tmp_path, FIVE_MISTAKES)
    assert [(p.line, p.column, p.key) for p in problems] == [
        (2, 1, "daemon.mode"),
        (9, 1, "accounts.A.login"),
        (11, 1, "accounts.A.rules.daily_los"),
        (12, 19, "accounts.A.rules.max_contracts.limt"),
        (13, 35, "accounts.A.rules.symbol_block.symbols[1]"),
    ]
    hints = ["enforce", "topstep", "daily_loss", "limit"]
    assert [hint for hint, p in zip(hints, problems, strict=False) if hint in p.hint] == hints


def test_the_report_shows_file_place_line_and_caret(tmp_path: Path) -> None:
    """An editor can jump to it, and a person sees it without one."""
    path = tmp_path / "seawall.toml"
    path.write_text(FIVE_MISTAKES)
    with pytest.raises(ConfigErrors) as caught:
        load(path, environment={}, today=TODAY)
    assert str(caught.value).startswith(
        f'{path}:2:1: daemon.mode: must be "enforce" or "shadow", got "enforced";'
        ' did you mean "enforce"?\n  2 | mode = "enforced"\n    | ^\n'
    )
    assert "\n  12 | max_contracts = { limt = 5 }\n     |                   ^\n" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("a = \n", 1, 5, "Invalid value"),
        ("[daemon]\nmode = 'x'\nmode = 'y'\n", 3, 11, "Cannot overwrite"),
        ("[daemon\n", 1, 8, "Expected"),
        ("x = [1,\n", 2, 1, "Invalid value"),
        ("x = " + "[" * 3000, 1, 1, "nested too deeply"),
        ("a." * 500 + "b = 1", 1, 1, "nested too deeply"),
        ("x = " + "9" * 5000, 1, 1, "too many digits"),
    ],
)
def test_what_is_no_toml_has_its_place_too(
    tmp_path: Path, text: str, line: int, column: int, said: str
) -> None:
    """Syntax errors look like all the others."""
    problem = only(refused(tmp_path, text))
    assert (problem.line, problem.column) == (line, column)
    assert said in problem.message


def test_what_is_no_text_has_its_place_too(tmp_path: Path) -> None:
    """A byte that is not UTF-8 is found."""
    path = tmp_path / "seawall.toml"
    path.write_bytes(b"[daemon]\r\nmode = \xff\n")
    with pytest.raises(ConfigErrors) as caught:
        load(path, environment={}, today=TODAY)
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == (2, 8)


def test_windows_text_reads_like_any_other(tmp_path: Path) -> None:
    """Carriage returns and a byte order mark are no mistakes and move nothing."""
    path = tmp_path / "seawall.toml"
    path.write_bytes(b"\xef\xbb\xbf" + FIVE_MISTAKES.replace("\n", "\r\n").encode())
    with pytest.raises(ConfigErrors) as caught:
        load(path, environment=ENVIRONMENT, today=TODAY)
    assert [p.line for p in caught.value.problems] == [2, 9, 11, 12, 13]


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    """The first start has no configuration yet."""
    with pytest.raises(ConfigErrors, match="cannot be read: No such file.*seawall.example.toml"):
        load(tmp_path / "none.toml", environment={}, today=TODAY)


def test_an_empty_file_guards_nothing(tmp_path: Path) -> None:
    """A daemon without logins and accounts would look like protection."""
    assert [p.message for p in refused(tmp_path, "")] == [
        "there is no account to guard",
        "there is no login",
    ]


@pytest.mark.parametrize("off", ["false", "0", '"off"'])
def test_the_mandatory_rule_cannot_be_switched_off(tmp_path: Path, off: str) -> None:
    """An account without a stop rule is the one that is lost."""
    problem = only(refused(tmp_path, SMALL + f"rules.no_stop_loss = {off}\n"))
    assert "mandatory" in problem.message


@pytest.mark.parametrize(
    ("rule", "column", "said"),
    [
        ("daily_loss = { limit = -1 }", 22, "more than 0"),
        ("daily_loss = { limit = 0 }", 22, "more than 0"),
        ("daily_loss = { limit = true }", 22, "dollars"),
        ("daily_loss = { limit = nan }", 22, "dollars"),
        ("daily_loss = { limit = 1e999999999999999999999 }", 22, "dollars"),
        ('daily_loss = { limit = "1,000" }', 22, "dollars"),
        ("daily_loss = { limit = 1, warn_at = [5, 500] }", 33, "warn_at"),
        ("daily_loss = { limit = 1, warn_at = 50 }", 33, "array"),
        ("daily_loss = { limit = 1, warn_at = [5.5] }", 44, "whole number"),
        ("daily_loss = 1000", 7, "table"),
        ("daily_loss = false", 7, "left out"),
        ("daily_loss = {}", 7, "needs limit"),
        ("no_stop_loss = { grace = 120 }", 24, "unit"),
        ('no_stop_loss = { grace = "10m" }', 24, "300 s"),
        ('no_stop_loss = { grace = "2x" }', 24, "duration"),
        ("max_contracts = { limit = 2.5 }", 25, "whole number"),
        ("max_contracts = { limit = 1, include_working = 1 }", 36, "true or false"),
        ('symbol_block = { symbols = ["NQ"], only = ["ES"] }', 7, "exactly one"),
        ("group_daily_loss = { limit = 1 }", 7, "groups.NAME.rules"),
        ("session = 3", 7, "table"),
    ],
)
def test_a_wrong_rule_value_is_found_at_its_key(
    tmp_path: Path, rule: str, column: int, said: str
) -> None:
    """What a rule's class refuses is shown at the key it speaks of."""
    problem = only(refused(tmp_path, SMALL + f"rules.{rule}\n"))
    assert (problem.line, problem.column) == (7, column)
    assert said in f"{problem.message} {problem.hint}"


def test_all_that_is_wrong_in_one_rule_is_found(tmp_path: Path) -> None:
    """A refused value does not hide the next one."""
    rule = 'daily_loss = { limit = -5, warn_at = [500], basis = "nett", reduce_only_at = "x" }'
    problems = refused(tmp_path, SMALL + f"rules.{rule}\n")
    keys = [problem.key.rpartition(".")[2] for problem in problems]
    assert keys == ["limit", "warn_at", "basis", "reduce_only_at"]


def test_an_option_that_is_not_enforced_yet_is_a_notice(tmp_path: Path) -> None:
    """The rules apply; run refuses the option."""
    text = SMALL + 'guard_lost = "flatten"\nrules.daily_loss = { limit = 1000 }\n'
    config = loaded(tmp_path, text)
    assert [notice.key for notice in config.not_yet] == ["accounts.A.guard_lost"]
    assert any(getattr(rule, "limit", None) == Decimal(1000) for rule in config.accounts[0].rules)
    assert only(refused(tmp_path, text, for_run=True)).column == 1


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("colour = 1\n" + SMALL, "colour", "allowed: daemon, logins"),
        (SMALL + "[daemon]\ncolour = 1\n", "daemon.colour", "unknown key"),
        (SMALL + '[daemon]\nreset_at = "24:00"\n', "daemon.reset_at", "17:00"),
        (SMALL + '[daemon]\ntimezone = "America/Chigaco"\n', "daemon.timezone", "America/Chicago"),
        (SMALL + '[daemon]\ntimezone = "America"\n', "daemon.timezone", "unknown time zone"),
        (SMALL + '[daemon]\nstate_dir = "~/x"\n', "daemon.state_dir", "whole path"),
        (SMALL + '[daemon]\nclock = "gateway"\n', "logins.topstep", "not loopback"),
        (SMALL + '[accounts.a]\nlogin = "topstep"\n', "accounts.a", "is the account A again"),
        (LOGIN + "[accounts.A]\n", "accounts.A", "needs login"),
        (SMALL + 'profile = "apex"\n', "accounts.A.profile", "topstep-combine-50k"),
        (SMALL + 'leader = "A"\n', "accounts.A.leader", "another configured account"),
        (SMALL + "seed = { high_wate = 1 }\n", "accounts.A.seed.high_wate", "high_water"),
        (SMALL + 'role = "watch"\n', "accounts.A.role", "watched"),
        (SMALL + "[groups.g]\n", "groups.g", "needs accounts"),
        (
            SMALL + '[groups.g]\naccounts = ["A"]\nrules.daily_loss = { limit = 1 }\n',
            "groups.g.rules.daily_loss",
            "rule of one account",
        ),
        (SMALL + '[notify]\nemail = "x"\n', "notify.email", "discord"),
        (SMALL + "[accounts.B]\nlogin = 3\n", "accounts.B.login", "text"),
        ("daemon = 3\n" + SMALL, "daemon", "table"),
        ("accounts = 3\n" + LOGIN, "accounts", "table"),
    ],
)
def test_a_mistake_outside_the_rules_is_named(
    tmp_path: Path, text: str, key: str, said: str
) -> None:
    """One mistake gives one problem, at its key, with what is allowed."""
    problem = only(refused(tmp_path, text))
    assert problem.key == key
    assert said in f"{problem.message} {problem.hint}"


@pytest.mark.parametrize("key", ['on_partial_refused = "close"', 'guard_lost = "flatten"'])
def test_later_account_keys_are_notices(tmp_path: Path, key: str) -> None:
    """Known and accepted by check, refused by run."""
    text = SMALL + f'{key}\n[accounts.B]\nlogin = "topstep"\n'
    assert len(loaded(tmp_path, text).not_yet) == 1
    assert only(refused(tmp_path, text, for_run=True)).line == 7


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mangled_file_is_accepted_or_refused_but_never_crashes(
    tmp_path: Path, data: st.DataObject
) -> None:
    """Whatever a hand or a disk does to a file, the answer is a Config or ConfigErrors."""
    text = WHOLE
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        junk = [
            "",
            "=",
            "[",
            "]]",
            '"',
            "'''",
            "\n",
            "{",
            "}",
            "-1",
            "nan",
            "false",
            "é",
            "\0",
            ".",
        ]
        text = text[:start] + data.draw(st.sampled_from(junk) | st.text(max_size=4)) + text[end:]
    path = tmp_path / "seawall.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    problems = problems_of(path, for_run=data.draw(st.booleans()))
    for problem in problems:
        assert str(problem).startswith(f"{path}:{problem.line}:{problem.column}: ")


@pytest.mark.parametrize(
    ("keys", "locked"),
    [
        ('time = "16:59"', False),
        ('time = "17:00"', True),
        ('time = "17:02"', True),
        ('time = "17:04"', True),
        ('time = "20:00"', False),
        ('time = "20:00", margin = "4h"', True),
    ],
)
def test_a_time_to_be_flat_by_that_leaves_no_hour_of_the_day_is_refused(
    tmp_path: Path, keys: str, locked: bool
) -> None:
    """From the reset on it is the evening of the day before: all of the day would lie behind it."""
    text = SMALL + f"rules.flat_by = {{ {keys} }}\n"
    if not locked:
        loaded(tmp_path, text)
        return
    problem = only(refused(tmp_path, text))
    assert "the account would always be locked" in str(problem)
    assert problem.line == text.count("\n")


@pytest.mark.parametrize(("today", "told"), [(date(2026, 12, 31), 0), (date(2027, 1, 1), 1)])
def test_the_end_of_the_table_of_early_closes_is_told(
    tmp_path: Path, today: date, told: int
) -> None:
    """From then on the day before a holiday looks like any other."""
    warnings = loaded(tmp_path, SMALL, today=today).warnings
    assert sum("early closes" in str(it) for it in warnings) == told


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_value_of_any_kind_is_accepted_or_refused_at_its_line(
    tmp_path: Path, data: st.DataObject
) -> None:
    """Every key takes every kind of value without a crash."""
    lines = WHOLE.split("\n")
    at = data.draw(st.sampled_from([n for n, line in enumerate(lines) if "=" in line]))
    kinds = [
        "1",
        "-1",
        "0.5",
        "inf",
        "true",
        '""',
        '"x"',
        "[]",
        "[1]",
        "{}",
        "{ x = 1 }",
        "17:00:00",
    ]
    kinds += ["2026-01-01", "2026-01-01T00:00:00Z", "0x" + "f" * 5000, '["a", ["b"]]']
    key = lines[at].partition("=")[0]
    lines[at] = f"{key}= {data.draw(st.sampled_from(kinds))}"
    path = tmp_path / "seawall.toml"
    path.write_text("\n".join(lines), "utf-8")
    problems = problems_of(path, for_run=False)
    assert not problems or "login" in lines[at] or at + 1 in {each.line for each in problems}
