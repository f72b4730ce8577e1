"""Atomic writing: files are written under a temporary name and then renamed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from objclass._common.checks import invalid

AnyPath = str | os.PathLike[str]

_TEMPORARY = ".objclass-unfinished-"
_UNFINISHED = re.compile(re.escape(_TEMPORARY) + r"[0-9a-f]{32}(\.\w+)*")


@contextlib.contextmanager
def replacing(path: AnyPath) -> Iterator[Path]:
    """Yield a temporary path in the same folder, which replaces `path` if no error occurs.

    Until then, and after an error, `path` keeps its old content: a crash never leaves an incomplete file.
    The new file gets the permissions and, where the system allows it, the group of the old one.

    Parameters
    ----------
    path : str or path
        The file, or the folder, to write. Its folder must exist.

    Raises
    ------
    FileNotFoundError
        If the folder of `path` does not exist.
    PermissionError
        If the folder is not writable.
    FileExistsError
        If `path` is a symbolic link to another folder, or a broken one.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> note = pathlib.Path(folder.name) / "note.txt"
    >>> with replacing(note) as temporary:
    ...     _ = temporary.write_text("done")
    >>> note.read_text()
    'done'
    >>> folder.cleanup()
    """
    target = _target(check_name(path))
    # Writers choose the format by the suffixes; a long name must not exceed the limit of the file system.
    suffixes = "".join(suffix for suffix in target.suffixes[-2:] if len(suffix) <= 10)
    temporary = target.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}{suffixes}")
    check_writable(target.parent)
    try:
        yield temporary
        _keep_access(temporary, target)
        _take_place(temporary, target)
    finally:
        _remove(temporary)


def remove_unfinished(folder: Path) -> None:
    """Remove temporary files of `replacing` that a killed process left in `folder`.

    Call it only where no other process can be writing. Folders are kept: one may hold the old content.
    """
    for path in folder.glob(f"{_TEMPORARY}*"):
        if _UNFINISHED.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            with contextlib.suppress(OSError):
                path.unlink()


def check_name(path: AnyPath, *, argument: str = "path") -> Path:
    """Return `path` if there can be a file of this name: it is not too long, and has no null byte."""
    path = Path(path)
    try:
        os.lstat(path)
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) or error.errno == errno.ENAMETOOLONG:
            reason = error.strerror if isinstance(error, OSError) else error
            hint = "Choose another name." if isinstance(error, ValueError) else "Choose a shorter name."
            raise invalid(argument, "a name that a file can have", f"{path} ({reason})", hint) from error
    return path


def check_exists(path: AnyPath, *, argument: str = "path") -> Path:
    """Return `path` if there is a file or a folder of this name."""
    path = check_name(path, argument=argument)
    if not path.exists():
        hint = f"The working directory is {Path.cwd()}."
        raise invalid(argument, "a file that exists", str(path), hint, kind=FileNotFoundError)
    return path


def check_writable(folder: AnyPath, *, argument: str = "path") -> None:
    """Raise unless a file can be created in `folder`; creates one to find out."""
    folder = Path(folder)
    hint = "Choose an existing folder that you can write to."
    if not folder.is_dir():
        raise invalid(argument, "a place in an existing folder", str(folder), hint, kind=FileNotFoundError)
    probe = folder / f".{uuid.uuid4().hex[:8]}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        got = f"{folder} ({error.strerror})"
        raise invalid(argument, "a folder that can be written", got, hint, kind=PermissionError) from error


def check_output(path: AnyPath, suffix: str, *, inputs: Iterable[AnyPath]) -> None:
    """Raise unless a file can be written to `path` that ends in `suffix` and is none of `inputs`."""
    path = check_name(path, argument="out")
    if path.suffix.lower() != suffix or path.is_dir():
        raise invalid("out", f"the name of a file that ends in {suffix}", str(path))
    if path.exists() and any(Path(given).exists() and path.samefile(given) for given in inputs):
        raise invalid("out", "another file than the inputs", str(path))
    check_writable(path.absolute().parent, argument="out")


def file_identity(path: Path) -> tuple[int, int, int] | None:
    """Return values that change whenever a file is written; None if it does not exist."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def content_uuid(array: Any, *description: object) -> str:
    """Return a UUID computed from the content of a contiguous array and its description."""
    digest = hashlib.sha256(f"{array.shape} {array.dtype} {description}".encode())
    digest.update(array.data)
    return str(uuid.uuid5(uuid.NAMESPACE_OID, digest.hexdigest()))


def _target(path: Path) -> Path:
    """Return the file that `path` refers to, following links within its own folder only."""
    folder = path.absolute().parent.resolve()
    if not path.is_symlink():
        return folder / path.name
    target = Path(os.path.realpath(path))  # `Path.resolve` raises RuntimeError where links form a loop
    if target.parent != folder or not target.exists():
        raise invalid(
            "path",
            "a file",
            f"{path}, a symbolic link to {target}",
            "Give the name of the file itself, or remove the link.",
            kind=FileExistsError,
        )
    return target


def _keep_access(temporary: Path, target: Path) -> None:
    """Give `temporary` the permissions and the group of the file that it replaces."""
    if not (temporary.is_file() and target.is_file()):
        return
    status = target.stat()
    with contextlib.suppress(OSError):
        if hasattr(os, "chown") and temporary.stat().st_gid != status.st_gid:
            os.chown(temporary, -1, status.st_gid)
    with contextlib.suppress(OSError):
        temporary.chmod(stat.S_IMODE(status.st_mode))


def _take_place(temporary: Path, target: Path) -> None:
    if target.exists() and target.is_dir() != temporary.is_dir():
        expected, got = ("file", "folder") if target.is_dir() else ("folder", "file")
        hint = "Choose another name."
        raise invalid("path", f"the name of a {expected}", f"the {got} {target}", hint, kind=FileExistsError)
    if not target.is_dir():
        os.replace(temporary, target)
        return
    # A folder that holds files cannot be replaced in one step.
    old = temporary.with_name(f"{temporary.name}.old")
    target.rename(old)
    try:
        temporary.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
