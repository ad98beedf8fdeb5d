"""What the package shows, and what it needs."""

import ast
import sys
from pathlib import Path

import supervision

ALLOWED = {"attrs", "trio", "structlog", "supervision"}


def test_every_public_name_is_there_and_documented() -> None:
    """The list in __init__ is the surface; each name on it says what it is for."""
    assert supervision.__all__ == sorted(supervision.__all__)
    for name in supervision.__all__:
        assert hasattr(supervision, name)
        assert getattr(supervision, name).__doc__ or name == "SupervisionEvent"


def test_supervision_imports_nothing_of_the_house() -> None:
    """It could leave with its folder alone: attrs, trio and structlog is all it needs."""
    for path in Path(supervision.__file__).parent.rglob("*.py"):
        if path.name == "pytest_plugin.py":
            continue  # for tests, by its name
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                roots = {(node.module or "").split(".")[0]}
            elif isinstance(node, ast.Import):
                roots = {alias.name.split(".")[0] for alias in node.names}
            else:
                continue
            assert roots <= ALLOWED | set(sys.stdlib_module_names), path.name
