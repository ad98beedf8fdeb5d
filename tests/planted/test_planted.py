"""The tool that proves tests, proven on a toy: it tells found, survived, hung and unfit apart."""

from pathlib import Path
from typing import Any

import pytest

from tests.planted import __main__ as command
from tests.planted.catalogue import Defect, Misfit, hold_against, read_catalogue
from tests.planted.plant import Verdict, try_defect, try_nothing

PROGRAM = "def double(number: int) -> int:\n    return 2 * number\n"
TESTS = """\
from program import double


def test_weak() -> None:
    assert double(0) == 0


def test_strong() -> None:
    assert double(2) == 4
"""
CAMPAIGN = "import sys\nfrom program import double\nsys.exit(double(int(sys.argv[1])) != 6)\n"
COMMAND = ("python", "-m", "campaign")


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "test_program.py").write_text(TESTS)
    (tmp_path / "campaign.py").write_text(CAMPAIGN)
    return tmp_path


def defect(after: str, *found_by: str, **more: Any) -> Defect:
    return Defect("name", "Wrong.", "program.py", "2 * number", after, found_by, **more)


async def test_a_defect_that_a_test_notices_is_found_by_that_test(toy: Path) -> None:
    """The first failing test is named, and the tree itself is left as it was."""
    outcome = await try_defect(defect("3 * number", "test_program.py"), toy)
    assert (outcome.verdict, outcome.found_by) == (Verdict.FOUND, "test_program.py::test_strong")
    assert (toy / "program.py").read_text() == PROGRAM


async def test_a_defect_that_no_test_notices_survives(toy: Path) -> None:
    """Only the tests that were named count."""
    outcome = await try_defect(defect("3 * number", "test_program.py::test_weak"), toy)
    assert outcome.verdict is Verdict.SURVIVED


async def test_a_hang_is_found_too_and_says_so(toy: Path) -> None:
    """A finder that does not come back has noticed."""
    hang = defect("sum(iter(int, 1))", "3", finder=COMMAND, within=1)
    outcome = await try_defect(hang, toy)
    assert (outcome.verdict, outcome.found_by) == (Verdict.FOUND, "a hang: 3")


async def test_a_finder_that_dies_has_found_something(toy: Path) -> None:
    """A run ended by a signal did not pass."""
    death = defect("__import__('os').kill(__import__('os').getpid(), 9)", "3", finder=COMMAND)
    outcome = await try_defect(death, toy)
    assert (outcome.verdict, outcome.found_by) == (Verdict.FOUND, "died of SIGKILL: 3")


@pytest.mark.parametrize(
    ("after", "test", "words"),
    [
        ("2 *", "test_program.py", "no test ran"),
        ("3 * number", "test_program.py::test_gone", "no test ran"),
    ],
)
async def test_a_run_without_tests_finds_nothing(
    toy: Path, after: str, test: str, words: str
) -> None:
    """A program that cannot be imported, or a test that is not there, is no proof."""
    outcome = await try_defect(defect(after, test), toy)
    assert outcome.verdict is Verdict.MISFIT
    assert words in outcome.found_by


async def test_a_defect_without_its_place_is_a_misfit(toy: Path) -> None:
    """Text that is gone, or there twice, is not planted somewhere else instead."""
    (toy / "program.py").write_text(PROGRAM + "TWICE = 2 * number\n")
    outcome = await try_defect(defect("3 * number", "test_program.py"), toy)
    assert (outcome.verdict, outcome.found_by) == (
        Verdict.MISFIT,
        "the text before occurs 2 times in program.py",
    )


async def test_a_defect_may_break_two_layers_at_once(toy: Path) -> None:
    """In one file or in several, one change after the other; each must have its place."""
    (toy / "more.py").write_text("LIMIT = 4\n")
    second = {"file": "more.py", "before": "4", "after": "5"}
    third = {"file": "program.py", "before": "3 * number", "after": "5 * number"}
    both = defect("3 * number", "test_program.py", also=(second, third))
    texts = both.planted_in(toy)
    assert texts[toy / "more.py"] == "LIMIT = 5\n"
    assert "5 * number" in texts[toy / "program.py"]
    assert (await try_defect(both, toy)).verdict is Verdict.FOUND
    unfit = defect("3 * number", "test_program.py", also=({**second, "before": "7"},))
    assert (await try_defect(unfit, toy)).verdict is Verdict.MISFIT


async def test_another_command_can_be_the_finder(toy: Path) -> None:
    """Whatever fails has found it."""
    wrong = defect("3 * number", "3", finder=COMMAND)
    assert (await try_defect(wrong, toy)).verdict is Verdict.FOUND
    assert (await try_nothing([wrong], toy)).verdict is Verdict.SURVIVED


async def test_a_finder_that_always_fails_proves_nothing(toy: Path) -> None:
    """Before anything is planted, all finders must pass."""
    (toy / "test_program.py").write_text(TESTS.replace("== 4", "== 5"))
    outcome = await try_nothing([defect("3 * number", "test_program.py")], toy)
    assert outcome.verdict is Verdict.MISFIT
    assert outcome.found_by == "fails as it is: test_program.py::test_strong"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (defect("2 * number", "test_program.py"), "the same"),
        (defect("3 * number"), "names no test"),
        (defect("3 * number", "test_gone.py"), "no test_gone.py"),
        (defect("3 * number", "test_program.py::test_gone"), "no test_gone in"),
        (defect("3 * number", finder=("python", "-m", "gone")), "no module gone"),
    ],
)
def test_a_catalogue_out_of_date_is_noticed_without_running_it(
    toy: Path, wrong: Defect, words: str
) -> None:
    """Nothing to change, nobody to find it: each is told by name."""
    with pytest.raises(Misfit, match=words):
        hold_against(wrong, toy)


def test_a_catalogue_sets_defaults_and_a_defect_overrides_them(tmp_path: Path) -> None:
    """One room, one finder; the exception says so itself."""
    path = tmp_path / "room.toml"
    common = "wrong = 'W.'\nfile = 'f'\nbefore = 'b'\nafter = 'a'\nfound_by = ['x']\n"
    path.write_text(
        "finder = ['campaign']\nwithin = 7.0\n"
        f"[[defect]]\nname = 'one'\n{common}"
        f"[[defect]]\nname = 'two'\nfinder = ['python', '-m', 'pytest']\n{common}"
    )
    one, two = read_catalogue(path)
    assert (one.command, one.within) == (("campaign", "x"), 7.0)
    assert two.command == ("python", "-m", "pytest", "x")


@pytest.mark.parametrize(
    ("after", "exit_code", "words"),
    [("3 * number", 0, "1 planted, 0 not found"), ("2 * abs(number)", 1, "SURVIVED")],
)
def test_the_command_fails_when_a_defect_survives(
    toy: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    after: str,
    exit_code: int,
    words: str,
) -> None:
    """The table says who found what; the exit code says whether that is all of them."""
    monkeypatch.setattr(command, "ROOT", toy)
    monkeypatch.setattr(command, "_chosen", lambda *_: [defect(after, "3", finder=COMMAND)])
    assert command.main([]) == exit_code
    assert words in capsys.readouterr().out


def test_the_command_lists_and_refuses_unknown_names(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither plants anything."""
    assert command.main(["--list"]) == 0
    assert "shutdown-order-lost-on-outer-cancel: " in capsys.readouterr().out
    assert command.main(["--only", "nobody"]) == 2
    assert "no defect named nobody" in capsys.readouterr().out
