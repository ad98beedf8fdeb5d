"""The tool that mutates, proven on toys: what it changes, what it leaves alone, and what it tells."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.mutation.ledger import read_ledger
from tests.mutation.mutants import enums_of, mutants_of, planted

ROOT = Path(__file__).parents[2]


def names(program: str) -> list[str]:
    tree = ast.parse(program)
    return [mutant.name for mutant in mutants_of("toy.py", tree, enums_of([tree]))]


def changes(expression: str) -> list[str]:
    return [name.partition(" => ")[2] for name in names(f"toy = {expression}")]


@pytest.mark.parametrize(
    ("expression", "others"),
    [
        ("a < b", ["a <= b", "a >= b"]),
        ("a >= b", ["a > b", "a < b"]),
        ("a == b", ["a != b"]),
        ("a is not None", ["a is None"]),
        ("a in b", ["a not in b"]),
        ("a < b < c", ["a <= b < c", "a >= b < c", "a < b <= c", "a < b >= c"]),
        ("a + b", ["a - b"]),
        ("a * b", ["a / b"]),
        ("a | b", []),
        ("a and b", ["a or b", "b", "a", "not a", "not b"]),
        ("not a", ["a"]),
        ("-a", ["a"]),
        ("a if b else c", ["not b"]),
        ("[a for a in b if a]", ["not a"]),
        ("True", ["False"]),
        ("7", ["8"]),
        ("'word'", ["'word!'"]),
        ("None", []),
        ("math.inf", ["0.0"]),
        ("call(a, b=c, d=e)", ["call(a, d=e)", "call(a, b=c)"]),
        ("min(a, b)", ["max(a, b)"]),
        ("list(reversed(a))", ["a"]),
        ("f'{a + b} words'", []),
    ],
)
def test_an_expression_is_changed_in_every_small_way(expression: str, others: list[str]) -> None:
    """Boundaries, contraries, neighbours; and nothing that only people read."""
    assert changes(expression) == others


def test_a_member_of_an_enum_becomes_the_next_one() -> None:
    """The values themselves are left alone: nobody looks at them."""
    program = (
        "class Way(enum.Enum):\n  OUT = 'out'\n  BACK = 'back'\none = Way.OUT\nother = Way.BACK"
    )
    assert names(program) == ["module: Way.OUT => Way.BACK", "module: Way.BACK => Way.OUT"]


def test_the_values_of_an_enum_of_strings_are_seen_by_others() -> None:
    """They are printed and stored."""
    assert names("class Way(enum.StrEnum):\n  OUT = 'out'") == ["Way: 'out' => 'out!'"]


def test_statements_are_dropped_and_results_withheld() -> None:
    """Within functions; a program without its definitions would prove nothing."""
    program = """
CALLED = call()
class C:
    x: int = field(validator=positive)
    def f(self):
        '''Words.'''
        assert self.x
        self.x += y
        call()
        if self.x:
            raise ValueError("words")
        return y
    def g(self):
        return None
"""
    assert names(program) == [
        "C.x: field(validator=positive) => field()",
        "C.f: self.x += y => pass",
        "C.f: self.x += y => self.x -= y",
        "C.f: call() => pass",
        "C.f: self.x => not self.x",
        "C.f: raise ValueError('words') => pass",
        "C.f: return y => return None",
    ]


def test_equal_changes_in_one_place_are_told_apart() -> None:
    """Each mutant has a name of its own, which does not depend on its line."""
    program = "def f():\n    call(1, 1)"
    expected = ["f: call(1, 1) => pass", "f: 1 => 2", "f: 1 => 2 #2"]
    assert names(program) == expected
    assert names(f"\n\n{program}") == expected


def test_a_change_that_is_none_is_not_counted() -> None:
    """The only member of an enum has no neighbour; None instead of False says the same."""
    program = "class No(enum.Enum):\n  NO = 0\ndef f():\n  a(No.NO)\n  return False"
    assert names(program) == ["f: a(No.NO) => pass", "f: False => True"]


def test_a_change_in_a_long_statement_is_reached_with_its_first_line() -> None:
    """A line in the middle of it is never run by itself."""
    (mutant,) = mutants_of("toy.py", ast.parse("\ntoy = (\n    a,\n    -b,\n)"), {})
    assert (mutant.line, mutant.statement) == (4, 2)


def test_what_is_there_for_mypy_alone_is_left_alone() -> None:
    """No test can notice it."""
    program = """
if TYPE_CHECKING:
    from a import b
type Kind = Literal["one"]
def f(a: Literal["word"], *, b: int = 1) -> Literal[2]: ...
"""
    assert names(program) == ["f: 1 => 2"]


def test_a_mutant_differs_in_one_place_from_the_program_which_stays_as_it_is() -> None:
    """Mutants of one program are tried one after the other."""
    program = "def f(a):\n    return a < 1 < 1"
    tree = ast.parse(program)
    mutants = list(mutants_of("toy.py", tree, {}))
    texts = [ast.unparse(planted(tree, mutant)) for mutant in mutants]
    assert "def f(a):\n    return a < 1 < 2" in texts
    assert len(set(texts)) == len(mutants)
    assert ast.unparse(tree) == program


PROGRAM = """
def span(low, high):
    if low > high:
        return 0
    return high - low

def never():
    return 1
"""
TESTS = """
import program

def test_span():
    assert program.span(1, 3) == 2
    assert program.span(3, 1) == 0
"""
LEDGER = """
files = ["program.py"]
tests = ["test_program.py"]
[[survivor]]
file = "program.py"
mutant = "span: low > high => low >= high"
why = "The span of nothing is 0 either way."
[[survivor]]
file = "program.py"
mutant = "never: return 1 => return None"
why = "Nobody calls it."
"""
NOT_NEEDED = """
[[survivor]]
file = "program.py"
mutant = "span: 0 => 1"
why = "This is not so."
"""

type Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    def run(ledger: str, *words: str, tests: str = TESTS) -> subprocess.CompletedProcess[str]:
        (tmp_path / "program.py").write_text(PROGRAM)
        (tmp_path / "test_program.py").write_text(tests)
        (tmp_path / "ledger.toml").write_text(ledger)
        command: Sequence[str] = [sys.executable, "-m", "tests.mutation", "--ledger=ledger.toml"]
        return subprocess.run(
            [*command, *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_who_survives_without_an_explanation_is_told_and_fails_the_command(
    command: Command,
) -> None:
    """Code that no test reaches counts too, and an explanation without its survivor."""
    done = command(LEDGER + NOT_NEEDED)
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("  ")] == [
        "  survived: line 8, never: 1 => 2",
        "  no survivor (any more): span: 0 => 1",
    ]
    assert lines[-1] == "2 to be explained"
    assert lines[-2].split()[:4] == ["all", "8", "5", "3"]
    assert done.returncode == 1


def test_the_command_passes_when_every_survivor_is_explained(command: Command) -> None:
    """Whatever the number of jobs."""
    last = LEDGER.replace("return 1 => return None", "1 => 2")
    done = command(LEDGER + last[last.rindex("[[survivor]]") :], "--jobs=2")
    assert done.stdout.splitlines()[-1] == "every survivor is explained"
    assert done.returncode == 0


def test_tests_that_fail_anyway_prove_nothing(command: Command) -> None:
    """Nor does a file that the ledger does not know."""
    assert "the tests fail as they are" in command(LEDGER, tests="def test(): 1 / 0").stderr
    assert command(LEDGER, "other.py").returncode == 2


def test_the_command_lists_what_it_would_try(command: Command) -> None:
    """With the lines as they are now."""
    listed = command(LEDGER, "--list", "program.py").stdout.splitlines()
    assert listed[0] == "program.py:3 span: low > high => low >= high"
    assert len(listed) == 8


def test_the_ledger_explains_only_mutants_that_there_are() -> None:
    """Its tests and files are there too; whether it is right, the command says."""
    ledger = read_ledger()
    assert all((ROOT / path).is_file() for path in (*ledger.files, *ledger.tests))
    trees = {file: ast.parse((ROOT / file).read_text("utf-8")) for file in ledger.files}
    enums = enums_of(trees.values())
    there = {(file, each.name) for file in trees for each in mutants_of(file, trees[file], enums)}
    assert set(ledger.explained) - there == set()


@pytest.mark.parametrize("wrong", [LEDGER + LEDGER[LEDGER.index("[[") :], LEDGER.replace("N", "")])
def test_a_survivor_is_explained_once_and_in_words(tmp_path: Path, wrong: str) -> None:
    """An empty explanation would make every survivor acceptable."""
    path = tmp_path / "ledger.toml"
    path.write_text(wrong.replace('"obody calls it."', '""'))
    with pytest.raises(ValueError, match="one explanation"):
        read_ledger(path)
