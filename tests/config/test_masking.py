"""What a report shows of a file that holds a key where none belongs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ConfigErrors
from config.source import parse
from tests.config.documents import SMALL, refused

KEY = "QWxhZGRpbjpvcGVuc2VzYW1l4Zm9vYmFyQmF6cXV4MTI"
"""Base64, as the gateway's keys are: what is pasted ends in ``=``, like the name of a value."""


def report(text: str) -> str:
    """What people see of a text that is no TOML."""
    with pytest.raises(ConfigErrors) as caught:
        parse(Path("seawall.toml"), text.encode())
    return f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize(
    "text",
    [
        f"[logins.a]\n{KEY}=\n",
        f"[logins.a]\n{KEY}==\n",
        f'[logins.a]\n"{KEY}=" \n',
        f"[logins.a]\n'{KEY}=\n",
        f"[ logins . a ]\n{KEY}= \n",
        f'[logins."a/b"]\n{KEY}= \n',
        f"[logins.a]\nusername = [\n[1],\n{KEY}=\n",
        f"[notify]\n{KEY}= x\n",
        f"api_key {KEY}= 1\n",
        f"api_key_env.{KEY}==\n",
        f"logins.a.{KEY}==\n",
        f'"logins".a.{KEY}==\n',
        f"[accounts.A]\n{KEY}== x\n",
        f'[logins.a]\napi_key = "{KEY}=\n',
        f'[logins.a]\napi_key = "x\n{KEY}="\n',
        f'[logins.a]\napi_key_env = "{KEY}="\nx y\n',
        f'[logins.a]\nusername_env = "X" api_key="{KEY}"\n',
        f'[logins.a]\n[logins.a."{KEY}"\n',
        f"[logins.{KEY}]\n[logins.{KEY}]\n",
        f"logins.{KEY}.a = 1\n[logins.{KEY}]\n",
        f"logins = {{ {KEY}.a = 1 }}\n[logins.{KEY}.b]\n",
        f"logins = {{ {KEY}.a = 1, {KEY}.a = 2 }}\n",
        f"logins = {{ {KEY} = 1, {KEY} = 2 }}\n",
        f"[logins.{KEY}]\na = {{}}\na.b = 1\n",
    ],
)
def test_a_key_in_a_broken_line_is_never_shown(text: str) -> None:
    """Neither as a name, nor in the words of the parser."""
    assert KEY not in report(text)


@pytest.mark.parametrize(
    "text",
    [
        f'[logins.topstep]\n"{KEY}=" = 1\n',
        f'[logins.topstep]\n{KEY} = ""\n',
        f'[logins]\n{KEY} = "x"\n',
        f'logins.{KEY} = "x"\n',
        f'[notify]\n{KEY} = ""\n',
        f'[accounts.A]\nlogin = "{KEY}"\n',
        f'[daemon]\nmode = "{KEY}="\n',
        f'[daemon]\n"{KEY}=" = 1\n',
    ],
)
def test_nor_is_one_in_a_line_that_only_means_nothing(tmp_path: Path, text: str) -> None:
    """The place of a problem is told by its line; its name may be the key."""
    for problem in refused(tmp_path, text):
        assert KEY not in f"{problem} {problem!r}"


@given(
    key=st.text("ABCXYZabcxyz0189+/-_", min_size=12, max_size=60),
    shape=st.sampled_from(["{}=", "{}==", '"{}="', "{}= 1", "{} =", "x.{}==", "{}", "'{}"]),
)
def test_no_line_of_a_login_shows_what_is_no_key_of_the_schema(key: str, shape: str) -> None:
    """However short the key and wherever it is cut."""
    text = f"[logins.a]\n{shape.format(key)}\n[oops\n"
    assert key not in report(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('[logins.a]\nusername_env = "X" y\n', "username_env = ..."),
        ("[logins.a]\n[logins.a]\n", "[logins.a]"),
        ('[daemon]\nmode = "x" y\n', 'mode = "x" y'),
        ('[logins.a]\nusername_env = "X"\n[daemon]\nmode = "x" y\n', 'mode = "x" y'),
    ],
)
def test_what_is_no_secret_is_still_shown(text: str, shown: str) -> None:
    """A report that hides everything helps nobody."""
    assert f" | {shown}\n" in report(text)


def test_a_mistyped_key_of_a_login_is_named(tmp_path: Path) -> None:
    """A word in small letters is no key."""
    problems = refused(tmp_path, SMALL.replace("username_env", "usrname_env"))
    assert "logins.topstep.usrname_env" in [problem.key for problem in problems]
