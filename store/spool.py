"""The spool: a file beside the database that takes one entry with one append.

What it holds has reached the operating system, so it survives any death of this process. Entries
stay after the database has them, until the file is cleared at leisure; their numbers tell.
"""

import os
from pathlib import Path

from store.entry import Entry, from_line


class Spool:
    """The file, opened when first needed and again after a failure."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self.size = 0
        """Bytes written since the file was last empty."""

    def write(self, entry: Entry) -> None:
        """Append an entry; OSError when the operating system has not taken all of it."""
        # The line end in front keeps a line that was torn by a full disk from spoiling this one.
        line = b"\n" + entry.line() + b"\n"
        try:
            written = os.write(self._opened(), line)
        except OSError:
            self.close()
            raise
        self.size += written
        if written < len(line):
            raise OSError(f"{self._path}: only {written} of {len(line)} bytes were taken")

    def clear(self) -> None:
        """Forget everything; only when the database has it. OSError."""
        os.ftruncate(self._opened(), 0)
        self.size = 0

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def read(self) -> tuple[list[Entry], int]:
        """Return the entries in the file and the number of lines that are torn. OSError."""
        if not self._path.exists():
            return [], 0
        content = self._path.read_bytes()
        self.size = len(content)
        entries: dict[int, Entry] = {}
        torn = 0
        for line in filter(None, content.split(b"\n")):
            try:
                entry = from_line(line)
            except ValueError:
                torn += 1
            else:
                entries.setdefault(entry.seq, entry)
        return [entries[seq] for seq in sorted(entries)], torn

    def _opened(self) -> int:
        if self._file is None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._file = os.open(self._path, flags, 0o600)
        return self._file
