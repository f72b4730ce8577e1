"""Files that are written beside and renamed, so that nobody ever finds half of one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ._check import invalid

AnyPath = str | os.PathLike[str]


@contextlib.contextmanager
def replacing(path: AnyPath) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes the place of `path` once all went well.

    Until then, and after an error, `path` keeps its old content: a crash never leaves half a file.

    Parameters
    ----------
    path : str or path
        The file, or the folder, to write. Its folder must exist.

    Raises
    ------
    FileNotFoundError
        If the folder of `path` does not exist.
    PermissionError
        If nothing can be written there.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> note = pathlib.Path(folder.name) / "note.txt"
    >>> with replacing(note) as beside:
    ...     _ = beside.write_text("done")
    >>> note.read_text()
    'done'
    >>> folder.cleanup()
    """
    target = Path(path).resolve()
    beside = target.with_name(f".{uuid.uuid4().hex[:8]}.{target.name}")
    check_writable(target.parent)
    try:
        yield beside
        _take_place(beside, target)
    finally:
        _remove(beside)


def check_writable(folder: AnyPath, *, argument: str = "path") -> None:
    """Raise unless files can be made in `folder`, found out by making one."""
    folder = Path(folder)
    hint = "Choose a folder that exists and that you may write to."
    if not folder.is_dir():
        raise invalid(argument, "a place in an existing folder", str(folder), hint, kind=FileNotFoundError)
    probe = folder / f".{uuid.uuid4().hex[:8]}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        got = f"{folder} ({error.strerror})"
        raise invalid(argument, "a folder that can be written", got, hint, kind=PermissionError) from error


def content_uuid(array: Any, *description: object) -> str:
    """Return a UUID that follows from a contiguous array and what describes it."""
    digest = hashlib.sha256(f"{array.shape} {array.dtype} {description}".encode())
    digest.update(array.data)
    return str(uuid.uuid5(uuid.NAMESPACE_OID, digest.hexdigest()))


def _take_place(beside: Path, target: Path) -> None:
    if not (beside.is_dir() and target.is_dir()):
        os.replace(beside, target)
        return
    # A folder that holds files cannot be replaced in one step.
    old = beside.with_name(f"{beside.name}.old")
    target.rename(old)
    try:
        beside.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
