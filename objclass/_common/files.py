"""Files that are written beside and renamed, so that nobody ever finds half of one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from objclass._common.checks import invalid

AnyPath = str | os.PathLike[str]

_TEMPORARY = ".objclass-unfinished-"
_UNFINISHED = re.compile(re.escape(_TEMPORARY) + r"[0-9a-f]{32}(\.\w+)*")


@contextlib.contextmanager
def replacing(path: AnyPath) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes the place of `path` once all went well.

    Until then, and after an error, `path` keeps its old content: a crash never leaves half a file. A file
    that is replaced hands on its permissions and, where the system allows it, its group.

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
    FileExistsError
        If `path` is a symbolic link that leads to another folder, or nowhere.

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
    target = _target(Path(path))
    # Writers choose the format by the last suffixes; a name that is already long must not grow.
    suffixes = "".join(suffix for suffix in target.suffixes[-2:] if len(suffix) <= 10)
    beside = target.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}{suffixes}")
    check_writable(target.parent)
    try:
        yield beside
        _keep_access(beside, target)
        _take_place(beside, target)
    finally:
        _remove(beside)


def remove_unfinished(folder: Path) -> None:
    """Remove the files in `folder` that `replacing` made and a process that was killed left behind.

    Call it only where no other process can be writing. Folders stay: one may hold what it was to replace.
    """
    for path in folder.glob(f"{_TEMPORARY}*"):
        if _UNFINISHED.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            with contextlib.suppress(OSError):
                path.unlink()


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


def _target(path: Path) -> Path:
    """Return the file that `path` stands for, following links within its own folder only."""
    folder = path.absolute().parent.resolve()
    if not path.is_symlink():
        return folder / path.name
    target = path.resolve()
    if target.parent != folder or not target.exists():
        raise invalid(
            "path",
            "a file",
            f"{path}, a symbolic link to {target}",
            "Give the name of the file itself, or remove the link.",
            kind=FileExistsError,
        )
    return target


def _keep_access(beside: Path, target: Path) -> None:
    """Give `beside` the permissions and the group of the file that it replaces."""
    if not (beside.is_file() and target.is_file()):
        return
    status = target.stat()
    with contextlib.suppress(OSError):
        if hasattr(os, "chown") and beside.stat().st_gid != status.st_gid:
            os.chown(beside, -1, status.st_gid)
    with contextlib.suppress(OSError):
        beside.chmod(stat.S_IMODE(status.st_mode))


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
