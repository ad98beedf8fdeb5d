"""One daemon per state directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StateDirectoryTaken(RuntimeError):
    """Another daemon keeps its state here; two would fight over the same accounts."""

    def __init__(self, directory: Path, pid: int | None) -> None:
        by = f"process {pid}" if pid is not None else "another process"
        super().__init__(f"{directory} is in use by {by}: is Seawall running already?")
        self.directory = directory
        self.pid = pid
        """Process id of the owner, None when it has not told yet."""


@contextmanager
def claim(directory: Path) -> Iterator[None]:
    """Own a state directory, made when missing; the claim ends with the block or the process.

    StateDirectoryTaken when someone else owns it, OSError when it cannot be made or written. Keeps
    ``seawall.pid`` in it, and never removes that file: a lock on a removed file protects nothing.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(directory / "seawall.pid", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateDirectoryTaken(directory, _owner(file)) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        yield
        os.ftruncate(file, 0)
    finally:
        os.close(file)


def _owner(file: int) -> int | None:
    text = os.pread(file, 32, 0).strip()
    return int(text) if text.isdigit() else None
