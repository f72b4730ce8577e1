"""A lock on a folder that ends with its process, however that ends."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from objclass._common.checks import invalid

LOCK = ".lock"


@contextlib.contextmanager
def locked(folder: Path, *, argument: str = "out") -> Iterator[None]:
    """Within this context no other process gets the lock of `folder`.

    The operating system holds it, so that a process that is killed leaves no lock behind.

    Raises
    ------
    BlockingIOError
        If another process has it.
    """
    with (folder / LOCK).open("a+b") as file:
        try:
            _lock(file)
        except OSError as error:
            got, hint = (
                f"{folder}, on which one is at work now",
                "Wait until it ends, or choose another folder.",
            )
            raise invalid(
                argument, "a folder without a batch at work", got, hint, kind=BlockingIOError
            ) from error
        yield


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
