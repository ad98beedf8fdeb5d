"""Where the console actor listens. Apart from it, so that asking needs none of what answering needs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOCKET_NAME = "seawall.sock"
"""In the state directory."""
ADDRESS_AT_MOST = 100
"""Bytes of a socket's name that every platform takes."""


@contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """A name by which the operating system takes this socket, however deep its directory lies."""
    if len(os.fsencode(path)) <= ADDRESS_AT_MOST:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
