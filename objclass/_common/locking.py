"""A lock on a folder that ends with its process, however that ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

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
    try:
        lock = FileLock(folder / LOCK).acquire(timeout=0)
    except Timeout as error:
        got = f"{folder}, on which one is at work now"
        hint = "Wait until it ends, or choose another folder."
        raise invalid(
            argument, "a folder without a batch at work", got, hint, kind=BlockingIOError
        ) from error
    with lock:
        yield
