"""A lock on a folder that the operating system releases when its process ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from objclass._common.checks import invalid

LOCK = ".lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder` within this context.

    The operating system manages it, so that a killed process leaves no lock.

    Raises
    ------
    BlockingIOError
        If another process holds it.
    """
    try:
        lock = FileLock(folder / LOCK).acquire(timeout=0)
    except Timeout as error:
        got = f"{folder}, which another batch is using"
        hint = "Wait until it ends, or choose another folder."
        raise invalid("out", "a folder without a running batch", got, hint, kind=BlockingIOError) from error
    with lock:
        yield
