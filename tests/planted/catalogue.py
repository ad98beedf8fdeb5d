"""Planted defects as data: read from a catalogue, held against the tree they are planted in.

A test that has never failed proves little. A catalogue lists changes of the source that must not
survive the tests: what goes wrong in one sentence, the exact text before and after, and who must
find it. One catalogue serves one room of the house and names its finder, the command to which each
defect adds its own last words (``found_by``): test ids for pytest, arguments for a campaign. Where a
second layer of defence makes good what the first does not do, tables ``also`` break that, too.
"""

import ast
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from attrs import field, frozen

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent

PYTEST = ("python", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider")
"""The finder unless a catalogue, or a defect, names another; ``python`` is the one that runs us."""

WITHIN = 120.0
"""Seconds after which a finder hangs, and has thereby found something, unless told otherwise."""


class Misfit(ValueError):
    """A defect cannot be planted, or its finder is not there: the catalogue is out of date."""


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
        raise TypeError(f"a list of words is wanted, not {value!r}")
    return tuple(value)


@frozen
class Edit:
    """One change of one file."""

    file: str
    """Path from the root of the tree."""
    before: str
    """Occurs exactly once in the file."""
    after: str

    def made(self, text: str) -> str:
        """The file's text with the change in it; :class:`Misfit` when it has no single place."""
        places = text.count(self.before)
        if places != 1:
            raise Misfit(f"the text before occurs {places} times in {self.file}")
        return text.replace(self.before, self.after)


def _edits(value: Iterable[Edit | Mapping[str, str]]) -> tuple[Edit, ...]:
    return tuple(it if isinstance(it, Edit) else Edit(**it) for it in value)


@frozen
class Defect:
    """A change of the source that somebody must find."""

    name: str
    wrong: str
    """What goes wrong, in one sentence."""
    file: str
    before: str
    after: str
    found_by: tuple[str, ...] = field(converter=_words)
    finder: tuple[str, ...] = field(default=PYTEST, converter=_words)
    within: float = WITHIN
    also: tuple[Edit, ...] = field(default=(), converter=_edits)
    """Made together with it: a second layer of defence, without which the first is not missed."""

    @property
    def command(self) -> tuple[str, ...]:
        """The whole command that must fail; success means that the defect survived."""
        return (*self.finder, *self.found_by)

    def planted_in(self, root: Path) -> dict[Path, str]:
        """The text of each file of a tree that it changes, changed; nothing is written."""
        texts: dict[Path, str] = {}
        for edit in (Edit(self.file, self.before, self.after), *self.also):
            path = root / edit.file
            known = texts[path] if path in texts else path.read_text("utf-8")
            texts[path] = edit.made(known)
        return texts


def read_catalogue(path: Path) -> tuple[Defect, ...]:
    """The defects of one TOML file: tables ``defect``, and defaults for them before the first."""
    document = tomllib.loads(path.read_text("utf-8"))
    entries = document.pop("defect", [])
    return tuple(Defect(**{**document, **entry}) for entry in entries)


def catalogues(names: list[str]) -> dict[str, Path]:
    """The files of these catalogues by name, of all when none is named."""
    known = {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise LookupError(f"no catalogue {', '.join(unknown)}; there are {', '.join(known)}")
    return {name: known[name] for name in names or known}


def hold_against(defect: Defect, root: Path) -> None:
    """Raise :class:`Misfit` unless the defect can be planted in this tree and its finder is there.

    Whether the finder finds it is another question, and takes longer to answer.
    """
    for path, text in defect.planted_in(root).items():
        if text == path.read_text("utf-8"):
            raise Misfit("the text before and after are the same")
        if path.suffix == ".py":
            ast.parse(text, str(path))
    if "pytest" in defect.finder:
        if not defect.found_by:
            raise Misfit("it names no test")
        for test in defect.found_by:
            _find_test(test, root)
    elif "-m" in defect.finder:
        _find_module(defect.finder[defect.finder.index("-m") + 1], root)


def _find_test(node_id: str, root: Path) -> None:
    file, *names = node_id.partition("[")[0].split("::")
    path = root / file
    if not path.exists():
        raise Misfit(f"there is no {file}")
    if names:
        tree = ast.parse(path.read_text("utf-8"))
        known = {getattr(node, "name", "") for node in ast.walk(tree)}
        if names[-1] not in known:
            raise Misfit(f"there is no {names[-1]} in {file}")


def _find_module(name: str, root: Path) -> None:
    base = root.joinpath(*name.split("."))
    if not (base.with_suffix(".py").exists() or (base / "__main__.py").exists()):
        raise Misfit(f"there is no module {name}")
