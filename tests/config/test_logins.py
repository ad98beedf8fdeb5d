"""Who logs in and where to; and that nobody reads the key by accident."""

from pathlib import Path

import pytest

from tests.config.documents import ENVIRONMENT, LOGIN, SMALL, loaded, only, refused

SECRET = "sk-very-secret"

LOCAL = """\
api_url = "http://127.0.0.1:8765/api"
user_hub_url = "http://127.0.0.1:8765/hubs/user"
market_hub_url = "http://127.0.0.1:8765/hubs/market"
"""
ACCOUNT = '[accounts.A]\nlogin = "topstep"\n'


def with_login(body: str) -> str:
    return f"[logins.topstep]\n{body}\n{ACCOUNT}"


def key_file(folder: Path, content: str = SECRET, mode: int = 0o600) -> str:
    path = folder / "my.key"
    path.write_text(content)
    path.chmod(mode)
    return with_login('username = "me"\napi_key_file = "my.key"')


def test_a_login_goes_to_topstepx_unless_it_says_otherwise(tmp_path: Path) -> None:
    """Its key comes from the environment, and only to run."""
    login = loaded(tmp_path, SMALL, for_run=True).logins[0]
    assert (login.login.username, login.login.api_key) == ("trader", "hush-hush-env")
    assert login.login.api_url == "https://api.topstepx.com/api"
    assert not login.loopback
    assert loaded(tmp_path, SMALL).logins[0].login.api_key == ""


def test_a_simulated_gateway_is_told_apart(tmp_path: Path) -> None:
    """All three addresses on this machine; its clock may then be followed."""
    config = loaded(tmp_path, LOGIN + LOCAL + ACCOUNT + '[daemon]\nclock = "gateway"\n')
    assert config.logins[0].loopback
    assert config.daemon.clock == "gateway"


def test_a_key_file_of_mode_0600_is_read(tmp_path: Path) -> None:
    """The line end an editor leaves does not belong to the key."""
    config = loaded(tmp_path, key_file(tmp_path, f"{SECRET}\n"), for_run=True)
    assert config.logins[0].login.api_key == SECRET


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604])
def test_a_key_file_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """Also in check: the key may have been read already."""
    problem = only(refused(tmp_path, key_file(tmp_path, mode=mode)))
    assert f"{mode:04o}" in problem.message
    assert "chmod 600" in problem.hint


@pytest.mark.parametrize("content", ["", "\n", "two\nlines", "x" * 5000, "a\0b"])
def test_a_key_file_holds_one_key(tmp_path: Path, content: str) -> None:
    """Anything else is not a key, and is not shown."""
    problem = only(refused(tmp_path, key_file(tmp_path, content)))
    assert "one key on one line" in problem.message


@pytest.mark.parametrize("path", ["none.key", ".", "a\\u0000b"])
def test_a_key_file_that_cannot_be_read_is_an_error(tmp_path: Path, path: str) -> None:
    """Missing, a folder, or no path at all."""
    body = f'username = "me"\napi_key_file = "{path}"'
    assert only(refused(tmp_path, with_login(body))).line == 3


def test_an_unset_variable_is_a_warning_to_check_and_an_error_to_run(tmp_path: Path) -> None:
    """A configuration can be checked where its secrets are not."""
    warnings = loaded(tmp_path, SMALL, {}).warnings
    assert [(w.line, w.key) for w in warnings] == [
        (2, "logins.topstep.username_env"),
        (3, "logins.topstep.api_key_env"),
    ]
    assert "PROJECT_X_API_KEY is not set" in warnings[1].message
    assert [p.line for p in refused(tmp_path, SMALL, {}, for_run=True)] == [2, 3]
    empty = ENVIRONMENT | {"PROJECT_X_API_KEY": " "}
    assert only(refused(tmp_path, SMALL, empty, for_run=True)).line == 3


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('username = "me"', "needs api_key_env or api_key_file"),
        ('api_key_env = "PROJECT_X_API_KEY"', "needs username or username_env"),
        (
            'username = "me"\nusername_env = "X"\napi_key_env = "PROJECT_X_API_KEY"',
            "only one of username and username_env",
        ),
        (
            'username = "me"\napi_key_env = "PROJECT_X_API_KEY"\napi_key_file = "x"',
            "only one of api_key_env and api_key_file",
        ),
        (f'username = "me"\napi_key = "{SECRET}"', "did you mean api_key_env?"),
        (f'username = "me"\napi_key_env = "{SECRET}"', "name of an environment variable"),
        (LOGIN.partition("\n")[2] + 'api_url = "https://x.example/api"', "name all three"),
    ],
)
def test_a_login_says_exactly_one_of_each(tmp_path: Path, body: str, said: str) -> None:
    """One mistake, one problem."""
    problem = only(refused(tmp_path, with_login(body)))
    assert said in f"{problem.message} {problem.hint}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://rtc.topstepx.com/hubs/user", "mixes simulated and real"),
        ("http://rtc.topstepx.com/hubs/user", "must begin with https"),
        (f"https://me:{SECRET}@127.0.0.1/x", "without user, password"),
        (f"https://127.0.0.1/x?key={SECRET}", "without user, password"),
        ("ws://127.0.0.1/x", "must be an address"),
        ("https://[::1", "must be an address"),
        ("127.0.0.1", "must be an address"),
    ],
)
def test_an_address_that_could_hurt_is_refused(tmp_path: Path, url: str, said: str) -> None:
    """Real and simulated are never mixed, and a key never travels in the clear."""
    body = LOGIN + LOCAL.replace("http://127.0.0.1:8765/hubs/user", url) + ACCOUNT
    problem = only(refused(tmp_path, body))
    assert problem.key == "logins.topstep.user_hub_url"
    assert said in problem.message
    assert SECRET not in str(problem)


SIMULATED = f"""\
[logins.simulated]
username = "sim"
api_key_env = "PROJECT_X_API_KEY"
{LOCAL}"""


@pytest.mark.parametrize("for_run", [False, True])
@pytest.mark.parametrize("text", [SMALL + SIMULATED, SIMULATED + SMALL])
def test_simulated_and_live_logins_do_not_share_a_file(
    tmp_path: Path, text: str, for_run: bool
) -> None:
    """One daemon has one set of prices: simulated quotes would judge live positions."""
    problem = only(refused(tmp_path, text, for_run=for_run))
    assert problem.key == "logins.simulated"
    assert "login topstep is not" in problem.message
    assert "live positions" in problem.message
    assert "a file of its own" in problem.hint


def test_several_simulated_logins_share_a_file(tmp_path: Path) -> None:
    """Simulated ones among themselves risk nobody's money."""
    again = SIMULATED.replace("logins.simulated", "logins.topstep").replace('"sim"', '"sim2"')
    assert all(each.loopback for each in loaded(tmp_path, SIMULATED + again + ACCOUNT).logins)


def test_the_gateway_s_clock_is_for_simulated_gateways(tmp_path: Path) -> None:
    """Following a remote clock could end a lock early."""
    text = SMALL + '[daemon]\nclock = "gateway"\n'
    assert "not loopback" in only(refused(tmp_path, text)).message


@pytest.mark.parametrize(
    "second",
    ['username_env = "PROJECT_X_USERNAME"', 'username = "Trader"', 'username_env = "OTHER"'],
)
@pytest.mark.parametrize("environment", [ENVIRONMENT | {"OTHER": "TRADER"}])
def test_one_user_in_two_logins_is_an_error(
    tmp_path: Path, second: str, environment: dict[str, str]
) -> None:
    """The gateway gives a user one session: the second login would end the first."""
    text = SMALL + f'[logins.again]\n{second}\napi_key_env = "PROJECT_X_API_KEY"\n'
    problem = only(refused(tmp_path, text, environment))
    assert (problem.line, problem.key) == (7, "logins.again")
    assert "same user as login topstep" in problem.message


def test_the_same_unset_variable_is_the_same_user(tmp_path: Path) -> None:
    """It is found before anybody sets it."""
    again = LOGIN.replace("logins.topstep", "logins.again")
    assert only(refused(tmp_path, SMALL + again, {})).key == "logins.again"


@pytest.mark.parametrize(
    "login",
    [
        f'username = "me"\napi_key = "{SECRET}"',
        f'username = "me"\napikye = "{SECRET}"',
        f'username = "me"\napi_key_env = "{SECRET}"',
        f'username = "me"\napi_key_file = "{SECRET}"',
        f'username = "me"\napi_key_env = ["{SECRET}"]',
        f'username = "me"\napi_key_env = """\n{SECRET}""" x',
        f'username = "me"\napi_key = "{SECRET}',
        f'username = "me"\n"{SECRET}"',
        f'username = ["{SECRET}"]',
    ],
)
def test_a_key_in_the_wrong_place_is_never_shown(tmp_path: Path, login: str) -> None:
    """People paste keys where they should not; the report is pasted on."""
    problems = refused(tmp_path, with_login(login))
    for problem in problems:
        assert SECRET not in str(problem)
        assert SECRET not in repr(problem)


@pytest.mark.parametrize(
    "text",
    [
        f'logins.topstep.apikye = "{SECRET}"\n',
        f'logins = {{ topstep = {{ api = "{SECRET}" }} }}\n',
        f'[notify]\ndiscord = {{ url = "https://d.example/{SECRET}" }}\n',
        f'[notify]\ndiscord = {{ url_env = "https://d.example/{SECRET}" }}\n',
        f'[notify]\ntelegram = "{SECRET}"\n',
        f'[daemon]\napi_key = "{SECRET}"\n',
        f'[daemon]\npassword = "{SECRET}" x\n',
    ],
)
def test_nor_is_one_in_another_table(tmp_path: Path, text: str) -> None:
    """Lines that may hold credentials are masked as a whole."""
    for problem in refused(tmp_path, text):
        assert SECRET not in f"{problem} {problem!r}"


def test_a_loaded_key_is_in_no_repr_and_no_document(tmp_path: Path) -> None:
    """The key travels to the broker and nowhere else."""
    config = loaded(tmp_path, SMALL, for_run=True)
    said = f"{config!r} {config.logins!r} {config.document()} {config.warnings}"
    assert "hush-hush-env" not in said
    changed = ENVIRONMENT | {"PROJECT_X_API_KEY": "rotated"}
    assert loaded(tmp_path, SMALL, changed, for_run=True).fingerprint() == config.fingerprint()
