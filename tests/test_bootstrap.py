"""``./seawall`` before there is an environment: who is refused, how, and what a failure leaves.

Nothing here installs anything: the index these tests offer is a closed port.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

TOOLS = [
    "sh",
    "cat",
    "cksum",
    "dirname",
    "readlink",
    "tr",
    "awk",
    "grep",
    "rm",
    "mv",
    "mkdir",
    "sleep",
    "tail",
    "flock",
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A fresh checkout, as far as the bootstrap reads it, in a path with a space."""
    root = tmp_path / "sea wall"
    root.mkdir()
    for name in ("seawall", "pyproject.toml", "requirements.lock"):
        shutil.copy2(ROOT / name, root / name)
    return root


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH of its own, in which no Python is."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    return folder


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A loopback port where nobody listens, held so that nobody will."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def start(
    tree: Path, path: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the bootstrap with next to no environment."""
    return subprocess.run(
        [tree / "seawall", *arguments],
        env={"HOME": str(tree.parent), "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    """The only line it said, on standard error."""
    (line,) = result.stderr.splitlines()
    assert result.stdout == ""
    assert line.startswith("seawall: ")
    return line


def fake_python(folder: Path, name: str, version: str) -> None:
    """A program that answers the bootstrap's question as a Python of another version would."""
    program = folder / name
    program.write_text(f"#!{shutil.which('sh')}\necho {version} >&2\nexit 1\n")
    program.chmod(0o755)


@pytest.mark.parametrize("version", ["3.11", "3.14", "2.7", "4"])
def test_a_version_that_cannot_work_is_bad_usage(tree: Path, tools: Path, version: str) -> None:
    """It is said before anything is looked for."""
    result = start(tree, str(tools), SEAWALL_PYTHON=version)
    assert result.returncode == 2
    assert f"SEAWALL_PYTHON={version}" in one_line(result)
    assert "3.12 and 3.13" in one_line(result)


def test_a_chosen_program_that_is_not_there_is_bad_usage(tree: Path, tools: Path) -> None:
    """A mistyped path is named."""
    result = start(tree, str(tools), SEAWALL_PYTHON="/no/such/python")
    assert result.returncode == 2
    assert "/no/such/python" in one_line(result)


def test_a_chosen_program_of_another_version_is_bad_usage(tree: Path, tools: Path) -> None:
    """What it turned out to be is said."""
    fake_python(tools, "python-of-mine", "3.11.7")
    result = start(tree, str(tools), SEAWALL_PYTHON="python-of-mine")
    assert result.returncode == 2
    assert "3.11.7" in one_line(result)


@pytest.mark.skipif(
    bool([*Path("/usr/local/bin").glob("python3.1[23]"), *Path("/usr/bin").glob("python3.1[23]")]),
    reason="this machine has a fitting Python outside of PATH and home",
)
def test_a_machine_without_a_fitting_python_is_told_what_to_do(tree: Path, tools: Path) -> None:
    """The line names what was found and a way to get one."""
    fake_python(tools, "python3", "3.11.2")
    result = start(tree, str(tools))
    assert result.returncode == 1
    line = one_line(result)
    assert "3.11.2" in line
    assert "pyenv install 3.13" in line
    assert not (tree / ".venv").exists()


def test_an_index_out_of_reach_is_told_and_leaves_no_stamp(tree: Path, closed_port: int) -> None:
    """The next start begins again instead of running something half installed."""
    nowhere = f"http://127.0.0.1:{closed_port}"
    result = start(
        tree,
        os.environ["PATH"],
        "--bootstrap",
        SEAWALL_PYTHON=sys.executable,
        HTTP_PROXY=nowhere,
        HTTPS_PROXY=nowhere,
        PIP_CONFIG_FILE=os.devnull,
        PIP_RETRIES="0",
    )
    assert result.returncode == 1
    assert "the package index cannot be reached" in result.stderr.splitlines()[-1]
    assert not (tree / ".venv" / "seawall-stamp").exists()
    assert (tree / ".venv" / "seawall-building").exists()


def test_an_environment_with_its_stamp_is_used_as_it_is(tree: Path, tools: Path) -> None:
    """No Python is looked for, nothing is installed, arguments arrive whole."""
    stamped(tree, tools)
    result = start(tree, str(tools), "status", "two words")
    assert (result.returncode, result.stdout, result.stderr) == (0, "status|two words|", "")


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml", "seawall"])
def test_a_change_of_what_it_depends_on_is_noticed(tree: Path, tools: Path, changed: str) -> None:
    """The stamp does not fit any more, so the environment is looked at again."""
    stamped(tree, tools)
    with (tree / changed).open("a") as file:
        file.write("\n# changed\n")
    assert start(tree, str(tools), SEAWALL_PYTHON="/no/such/python").returncode == 2


def test_a_moved_tree_is_noticed(tree: Path, tools: Path) -> None:
    """Scripts in an environment name the place where it was made."""
    stamped(tree, tools)
    moved = tree.rename(tree.with_name("elsewhere"))
    assert start(moved, str(tools), SEAWALL_PYTHON="/no/such/python").returncode == 2


def test_another_chosen_python_is_noticed(tree: Path, tools: Path) -> None:
    """The version of the environment satisfies the same version, and no other."""
    stamped(tree, tools)
    assert start(tree, str(tools), SEAWALL_PYTHON="3.12").returncode == 0
    assert start(tree, str(tools), SEAWALL_PYTHON="3.12.1").returncode == 0
    assert start(tree, str(tools), SEAWALL_PYTHON="/no/such/python").returncode == 2


def test_it_can_be_called_through_a_link(tree: Path, tools: Path) -> None:
    """From any folder, by any name."""
    stamped(tree, tools)
    link = tree.parent / "sw"
    link.symlink_to(tree / "seawall")
    result = subprocess.run(
        [link, "x"], env={"PATH": str(tools)}, cwd="/", capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (0, "x|")


def bootstrap_with_everything_installed(tree: Path) -> subprocess.CompletedProcess[str]:
    """Prepare an environment in which nothing has to be fetched: its uv only says yes."""
    venv = tree / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True, timeout=60)
    (venv / "bin" / "pip").write_text(f"#!{venv}/bin/python\n")
    for name in ("uv", "seawall"):
        (venv / "bin" / name).write_text(f"#!{shutil.which('sh')}\nexit 0\n")
        (venv / "bin" / name).chmod(0o755)
    return start(
        tree,
        os.environ["PATH"],
        "--bootstrap",
        SEAWALL_PYTHON=sys.executable,
        PYTHONDONTWRITEBYTECODE="1",
    )


def module(folder: Path, source: str = "") -> Path:
    """A package of its own in a folder; the place of its bytecode."""
    package = folder / "mine"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(source)
    return package / "__pycache__"


def test_bytecode_is_made_when_the_environment_is(tree: Path) -> None:
    """The first start is quick, and every one where Python may not write bytecode itself."""
    installed = tree / ".venv" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    places = [module(tree), module(installed)]
    result = bootstrap_with_everything_installed(tree)
    assert result.returncode == 0, result.stderr
    assert [len(list(place.glob("*.pyc"))) for place in places] == [1, 1]
    assert (tree / ".venv" / "seawall-stamp").exists()


@pytest.mark.parametrize("source", ["", "this is no Python"])
def test_without_bytecode_it_works_too(tree: Path, source: str) -> None:
    """A tree one may not write in, or a file that is no Python, is no failure and no noise."""
    place = module(tree, source)
    place.write_text("where a folder is wanted")
    result = bootstrap_with_everything_installed(tree)
    assert result.returncode == 0, result.stderr
    assert "mine" not in result.stderr
    assert (tree / ".venv" / "seawall-stamp").exists()


def stamped(tree: Path, tools: Path) -> None:
    """Put a finished environment into the tree: a program that prints its arguments."""
    programs = tree / ".venv" / "bin"
    programs.mkdir(parents=True)
    shell = shutil.which("sh")
    (programs / "python").symlink_to(shell or "/bin/sh")
    (programs / "seawall").write_text(f"#!{shell}\nprintf '%s|' \"$@\"\n")
    (programs / "seawall").chmod(0o755)
    files = [tree / name for name in ("requirements.lock", "pyproject.toml", "seawall")]
    content = b"".join(file.read_bytes() for file in files)
    checksum = subprocess.run(
        [tools / "cksum"], input=content, capture_output=True, check=True
    ).stdout.decode()
    lines = [checksum.strip(), str(tree), "3.12.1", "/usr/bin/python3.12", ""]
    (tree / ".venv" / "seawall-stamp").write_text("\n".join(lines) + "\n")
