"""The shape of the house, kept by reading the source: who imports whom, and what nobody may do."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

MAY_IMPORT: dict[str, frozenset[str]] = {
    "supervision": frozenset(),
    "risk": frozenset(),
    "config": frozenset({"risk", "broker"}),
    "broker": frozenset({"risk"}),
    "store": frozenset({"risk"}),
    "simulator": frozenset(),
    "actors": frozenset({"supervision", "risk", "config", "broker", "store"}),
    "simulation": frozenset({"supervision", "risk", "broker", "store", "actors", "simulator"}),
    "console": frozenset(
        {
            "supervision",
            "risk",
            "config",
            "broker",
            "store",
            "actors",
            "simulator",
            "simulation",
        }
    ),
}
"""Imports point one way; a package may always import itself."""

ON_THE_EXCHANGE = re.compile(r"broker/memory\w*\.py")
"""The port straight on the exchange model: the one thing below that knows the simulator."""

SDK = frozenset({"project_x_py", "pysignalr", "trio_asyncio"})
IMPURE = frozenset(
    {"trio", "asyncio", "anyio", "threading", "socket", "httpx", "sqlite3", "subprocess", "time"}
)

EDGES = ("broker/clock.py", "simulator/__main__.py", "console/", "tests/", "benchmarks/")
"""Where wall time and chance may come from; everywhere else they come through ports."""
CHANCE_EDGES = (*EDGES, "broker/projectx.py", "actors/daemon.py")
"""The real adapter, and where the real ports are put together, default to the system's chance."""

BOUNDARIES = {
    "supervision/child.py": "whatever an incarnation raises becomes a restart",
    "supervision/incarnation.py": "an actor that cannot tell its status must not spoil the picture",
    "actors/guests.py": "whatever a rule of others raises costs its own answer",
    "config/plugins.py": "whatever the import of a rule of others raises leaves that rule out",
    "supervision/house.py": "whatever an observer of the tree raises must not become a crash of it",
}
"""The only places that catch everything, once each."""

PYTEST_PLUGIN = "supervision/pytest_plugin.py"
"""Fixtures for those who test actors; no program imports it, so pytest is for tests alone."""

MAX_LINES = 450


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Path from the root, and syntax tree, of every Python file in these root folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module a file imports, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A relative import stays in its package.
            yield node.module or "" if node.level == 0 else ""


def imported_roots(tree: ast.AST) -> set[str]:
    """Their first parts."""
    return {module.partition(".")[0] for module in imported(tree)}


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of a name or attribute, else nothing."""
    match node:
        case ast.Name(name):
            return name
        case ast.Attribute(value, name):
            return f"{dotted(value)}.{name}".lstrip(".")
        case _:
            return ""


def swallows_everything(handler: ast.ExceptHandler) -> bool:
    """Tell whether it catches Exception or more, and not to clean up and raise it again."""
    kind = handler.type
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    broad = {dotted(one) for one in kinds if one is not None} & {"Exception", "BaseException"}
    again = handler.body[-1]
    raised_again = isinstance(again, ast.Raise) and again.exc is None
    return bool(broad or kind is None) and not raised_again


def test_what_the_program_imports_is_declared() -> None:
    """Also what another package happens to bring: it may stop doing so."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [re.split(r"[^\w-]", each)[0].replace("-", "_") for each in project["dependencies"]]
    allowed = {"", *sys.stdlib_module_names, *MAY_IMPORT, *named}
    for path, tree in sources(*MAY_IMPORT):
        more = {"pytest"} if path == PYTEST_PLUGIN else set()
        assert imported_roots(tree) - allowed <= more, path
        imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
        assert not [n for n in imports if "pytest_plugin" in ast.unparse(n)], path


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package: str) -> None:
    """Console -> actors -> (risk, broker, store, config, supervision)."""
    packages = frozenset(MAY_IMPORT) | {"tests", "benchmarks"}
    for path, tree in sources(package):
        allowed = MAY_IMPORT[package] | {package}
        if ON_THE_EXCHANGE.fullmatch(path):
            allowed |= {"simulator"}
        assert imported_roots(tree) & packages <= allowed, path


def test_only_the_adapter_knows_the_sdk() -> None:
    """project_x_py and what carries it stay behind the port."""
    for path, tree in sources(*MAY_IMPORT):
        if not re.fullmatch(r"broker/projectx\w*\.py", path):
            assert not imported_roots(tree) & SDK, path


def test_risk_is_pure() -> None:
    """No loop, no clock, no socket, no file under a rule."""
    for path, tree in sources("risk"):
        assert not imported_roots(tree) & IMPURE, path


def test_supervision_knows_nothing_of_trading() -> None:
    """Its words are actors and restarts."""
    words = re.compile(
        r"\b(broker|account|position|contract|trade|fill|flatten)s?\b", re.IGNORECASE
    )
    for path, tree in sources("supervision"):
        names = {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef | ast.FunctionDef)}
        assert not [name for name in names if words.search(name.replace("_", " "))], path


CLOCKS = re.compile(
    r"(time\.(time|time_ns|monotonic|monotonic_ns|perf_counter|perf_counter_ns|sleep|localtime)"
    r"|(datetime\.)?datetime\.(now|utcnow|today)|(datetime\.)?date\.today)"
)
CHANCE = re.compile(r"(random\.(?!Random$)\w+|uuid\.\w+|uuid[14]|secrets\.\w+|os\.urandom)")


def leaks(tree: ast.AST, words: re.Pattern[str]) -> list[str]:
    """Uses of a clock or of chance, and imports that would hide such uses."""
    found = [dotted(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and dotted(node.func).endswith("Random") and not node.args:
            found.append("random.unseeded")
    return [use for use in found if words.fullmatch(use)]


def test_wall_time_comes_through_the_port() -> None:
    """Or a simulated day would not be simulated."""
    for path, tree in sources(*MAY_IMPORT):
        if not path.startswith(EDGES) and path != "supervision/watchdog.py":
            assert leaks(tree, CLOCKS) == [], path


def test_the_watchdog_alone_reads_a_clock_that_no_simulation_moves() -> None:
    """It is a thread that watches the loop from outside, so the loop's clock is no use to it."""
    for path, tree in sources("supervision"):
        if path == "supervision/watchdog.py":
            assert set(leaks(tree, CLOCKS)) <= {"time.monotonic"}


def test_chance_comes_through_the_port() -> None:
    """Or a run could not be repeated from its seed."""
    for path, tree in sources(*MAY_IMPORT):
        if not path.startswith(CHANCE_EDGES):
            assert leaks(tree, CHANCE) == [], path


def test_nothing_can_place_or_modify_an_order() -> None:
    """Seawall closes, reduces, cancels, locks, alerts."""
    endpoint = re.compile(r"order/(place|modify)|\b(place|modify)_(\w+_)?order\b", re.IGNORECASE)
    for package in set(MAY_IMPORT) - {"simulator"}:
        for path in (ROOT / package).rglob("*.py"):
            assert endpoint.search(path.read_text("utf-8")) is None, path


def test_only_the_boundaries_catch_everything() -> None:
    """An error that nobody foresaw crashes its actor, and supervision takes it from there."""
    for path, tree in sources(*MAY_IMPORT):
        caught = [
            handler
            for handler in ast.walk(tree)
            if isinstance(handler, ast.ExceptHandler) and swallows_everything(handler)
        ]
        assert len(caught) <= (1 if path in BOUNDARIES else 0), path


def test_no_binary_fractions_in_the_rules() -> None:
    """Money is Decimal; ``float`` may only spell an infinity of monotonic seconds."""
    for path, tree in sources("risk"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and dotted(node.func) == "float":
                infinity = [ast.unparse(argument) for argument in node.args]
                assert infinity in (["'inf'"], ["'-inf'"]), f"{path}:{node.lineno}"


def test_files_stay_short() -> None:
    """A file is one idea; one that has grown past this holds two."""
    files = [path for name in (*MAY_IMPORT, "benchmarks") for path in (ROOT / name).rglob("*.py")]
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in files}
    assert {str(path): n for path, n in lengths.items() if n > MAX_LINES} == {}


@pytest.mark.parametrize(
    ("words", "source"),
    [
        (CLOCKS, "import time\ntime.time()"),
        (CLOCKS, "from datetime import datetime\ndatetime.now(UTC)"),
        (CLOCKS, "import datetime\ndatetime.datetime.utcnow()"),
        (CLOCKS, "from time import monotonic"),
        (CLOCKS, "at = field(factory=datetime.now)"),
        (CHANCE, "import random\nrandom.random()"),
        (CHANCE, "from random import choice"),
        (CHANCE, "import random\nrandom.Random()"),
        (CHANCE, "from uuid import uuid4"),
        (CHANCE, "import secrets\nsecrets.token_hex()"),
    ],
)
def test_leaks_are_found(words: re.Pattern[str], source: str) -> None:
    """The rule above would notice each of these."""
    assert leaks(ast.parse(source), words) != []


@pytest.mark.parametrize(
    ("clause", "swallows"),
    [
        ("except:\n pass", True),
        ("except Exception:\n pass", True),
        ("except (OSError, BaseException) as e:\n raise ValueError from e", True),
        ("except* Exception:\n pass", True),
        ("except BaseException:\n close()\n raise", False),
        ("except OSError:\n pass", False),
    ],
)
def test_swallowing_is_found(clause: str, swallows: bool) -> None:
    """Cleaning up and raising again is no swallowing."""
    (statement,) = ast.parse(f"try:\n pass\n{clause}").body
    assert isinstance(statement, ast.Try | ast.TryStar)
    assert swallows_everything(statement.handlers[0]) is swallows


@pytest.mark.parametrize(
    "source",
    ["chance: random.Random = random.Random(7)", "trio.current_time()", "clock.now()"],
)
def test_ports_are_not_leaks(source: str) -> None:
    """What comes in from outside is what is wanted."""
    tree = ast.parse(source)
    assert leaks(tree, CLOCKS) + leaks(tree, CHANCE) == []


def test_texts_are_not_leaks() -> None:
    """A docstring may name what is forbidden."""
    tree = ast.parse('"""random.random()"""\nx = "time.time()"')
    assert leaks(tree, CLOCKS) + leaks(tree, CHANCE) == []
