"""Journals that a test leaves behind as a kill would, and their files."""

from collections.abc import Iterator

import pytest

import store.journal
from store.database import Database
from store.spool import Spool


@pytest.fixture(autouse=True)
def abandoned_files(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close, without writing anything more, what the tests' dead daemons had open."""
    opened: list[Database | Spool] = []

    class RememberedDatabase(Database):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[arg-type]
            opened.append(self)

    class RememberedSpool(Spool):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)  # type: ignore[arg-type]
            opened.append(self)

    monkeypatch.setattr(store.journal, "Database", RememberedDatabase)
    monkeypatch.setattr(store.journal, "Spool", RememberedSpool)
    yield
    for file in opened:
        file.close()
