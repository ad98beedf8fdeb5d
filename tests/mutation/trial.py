"""One run of the tests on one mutant, in a process of its own that ends with the answer.

What takes longest is to import pytest and what else comes from outside, so that is done once and the
process forked. The program itself is imported anew each time, with the mutant in the place of its
file: nothing is written anywhere, and the program that stands on the disk is never touched.
"""

import ast
import gc
import importlib
import importlib.util
import os
import resource
import signal
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import coverage
import hypothesis
import pytest
from attrs import field, frozen

from .mutants import Mutant, planted

# Nobody reads what it says, so it need not find words for it; other plugins only cost time.
PYTEST = ["-x", "-q", "--noconftest", "--tb=no", "--assert=plain", "-p", "no:cacheprovider"]
PYTEST += ["-p", "pytest_trio.plugin"]
IMPORTED_ONCE = ("pytest_trio.plugin", "structlog", "trio.testing")
"""What the tests and the program import from outside."""
MEMORY = 4 * 2**30
"""Bytes; a mutant may well collect something for ever."""

hypothesis.settings.register_profile(
    "mutation",
    derandomize=True,
    deadline=None,
    database=None,
    # That it fails is enough; nobody reads the smallest example.
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    suppress_health_check=list(hypothesis.HealthCheck),
)


def prepare() -> None:
    """To be called once, before the first fork."""
    for name in IMPORTED_ONCE:
        importlib.import_module(name)
    hypothesis.settings.load_profile("mutation")
    gc.freeze()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"


@frozen
class Trial:
    """What mutants of one file have to go through."""

    file: str
    program: ast.Module
    tests: Sequence[str]
    within: float = field(kw_only=True)
    """Seconds; who takes longer hangs, and has been noticed by that."""

    def begin(self, mutant: Mutant) -> int:
        """Start it; the process, whose end :func:`passed` understands."""

        def trial() -> int:
            program = planted(self.program, mutant)
            sys.meta_path.insert(0, _Mutated(self.file, program))
            return pytest.main([*PYTEST, *self.tests])

        return _in_a_fork(trial, self.within)


def passed(status: int) -> bool:
    """Whether all tests passed; a crash, a hang and a program that cannot be imported did not."""
    return os.waitstatus_to_exitcode(status) == 0


def covered(
    files: Collection[str], tests: Sequence[str], *, within: float
) -> Mapping[str, set[int]]:
    """The lines of each file that the tests execute; RuntimeError when a test fails as it is."""
    reader, writer = os.pipe()

    def trial() -> int:
        measured = coverage.Coverage(data_file=None, config_file=False, include=list(files))
        measured.start()
        code = pytest.main([*PYTEST, *tests])
        measured.stop()
        data = measured.get_data()
        lines = {file: data.lines(str(Path(file).resolve())) or [] for file in files}
        os.write(writer, repr(lines).encode())
        return code

    process = _in_a_fork(trial, within)
    os.close(writer)
    with os.fdopen(reader) as told:
        text = told.read()
    if not passed(os.waitpid(process, 0)[1]):
        raise RuntimeError(f"the tests fail as they are: pytest {' '.join(tests)}")
    return {file: set(lines) for file, lines in ast.literal_eval(text).items()}


def _in_a_fork(trial: Callable[[], int], within: float) -> int:
    process = os.fork()
    if process:
        return process
    code = 70
    with suppress(BaseException):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, within)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        code = trial()
    os._exit(code)


class _Mutated(MetaPathFinder):
    """Finds one module of the program, which is another than on the disk."""

    def __init__(self, file: str, program: ast.Module) -> None:
        self._name = file.removesuffix(".py").replace("/", ".")
        self._file = str(Path(file).resolve())
        self._program = program

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        if name != self._name:
            return None
        loader = _Loader(name, self._file, compile(self._program, self._file, "exec"))
        return importlib.util.spec_from_file_location(name, self._file, loader=loader)


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, _: str) -> CodeType:
        return self._code
