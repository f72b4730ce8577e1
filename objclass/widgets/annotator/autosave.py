"""Saving of annotations after every scribble, without overwriting changes by others."""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from objclass._common import checks
from objclass._common.files import check_name, check_writable, file_identity, replacing
from objclass.widgets.annotator.scribbles import Scribbles
from objclass.widgets.background import Latest


class ChangedElsewhereError(Exception):
    """The file was changed by someone else since it was last written."""


class Autosave:
    """Write annotations to a TIFF file in a thread, only the newest state.

    Only changed planes are compressed again, so that the cost of a scribble does not depend on the size of
    the stack or the number of scribbles.

    Parameters
    ----------
    path : path
        The TIFF file.
    scribbles : Scribbles
        What is saved.
    ndim : int
        Whether the file has the axes (z, y, x) or, for an image of one plane, (y, x).
    on_saved, on_failure : callable
        Called in the thread as ``on_saved(ticket)`` with the newest ticket in the file, and with the
        exception after a failure.
    """

    def __init__(
        self,
        path: Path,
        scribbles: Scribbles,
        *,
        ndim: int,
        on_saved: Callable[[Any], None],
        on_failure: Callable[[Exception], None],
    ) -> None:
        self.path = path
        self.paused = False
        self._scribbles, self._ndim = scribbles, ndim
        self._on_saved = on_saved
        self._pages: dict[int, bytes] = {}
        self._empty = _compress(np.zeros(scribbles.volume.shape[1:], np.uint8))
        self._changed: set[int] = set()
        self._known = file_identity(path)
        self._ticket: Any = None
        self._jobs = Latest(on_failure)
        self._lock, self._writing = threading.Lock(), threading.Lock()

    def request(self, ticket: Any, planes: Iterable[int]) -> None:
        """Request saving after changes of `planes` along z; `ticket` is reported once they are saved."""
        with self._lock:
            self._changed.update(planes)
            self._ticket = ticket
        if not self.paused:
            self._jobs.submit("save", self._save)

    def resume(self) -> None:
        """Continue after `ChangedElsewhereError` and overwrite the existing file."""
        self.paused, self._known = False, file_identity(self.path)
        if self._ticket is not None:
            self._jobs.submit("save", self._save)

    def flush(self, timeout: float = 30) -> None:
        """Wait until all requested changes are saved."""
        self._jobs.join(timeout)

    def _save(self) -> None:
        with self._lock:
            if self._ticket is None or self.paused:
                return
            ticket, self._ticket = self._ticket, None
            changed, self._changed = self._changed, set()
        try:
            self._write(changed)
        except Exception as failure:
            with self._lock:
                self._changed |= changed
                self._ticket = ticket if self._ticket is None else self._ticket
                self.paused = isinstance(failure, ChangedElsewhereError)
            raise
        self._on_saved(ticket)

    def _write(self, changed: set[int]) -> None:
        import tifffile

        with self._writing:
            if file_identity(self.path) != self._known:
                raise ChangedElsewhereError(
                    f"{self.path} was changed elsewhere since it was last saved here."
                )
            volume = self._scribbles.volume
            for z in range(len(volume)):
                if z in changed or z not in self._pages:
                    with self._scribbles.lock:
                        plane = volume[z].copy() if self._scribbles.marked[0][z] else None
                    self._pages[z] = self._empty if plane is None else _compress(plane)
            shape = volume.shape if self._ndim == 3 else volume.shape[1:]
            with replacing(self.path) as temporary:
                tifffile.imwrite(
                    temporary,
                    (self._pages[z] for z in range(len(volume))),
                    shape=shape,
                    dtype=np.uint8,
                    compression="zlib",
                    rowsperstrip=volume.shape[1],
                    photometric="minisblack",
                    metadata={"axes": "ZYX"[-self._ndim :]},
                )
            self._known = file_identity(self.path)


def saved_planes(path: Path, shape: tuple[int, ...]) -> dict[int, np.ndarray] | None:
    """Return the annotated planes along z of a file by `Autosave`; None for any other file.

    Empty planes are alike in the file, so that only the first one is decompressed.
    """
    import tifffile

    planes, empty = {}, set()
    try:
        with tifffile.TiffFile(path) as tiff:
            stored, page = tiff.series[0], tiff.pages.first
            same = stored.dtype == np.uint8 and (1,) * (3 - stored.ndim) + stored.shape == shape
            same &= stored.axes == "ZYX"[-stored.ndim :] and len(stored.pages) == shape[0]
            plain = page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE and page.predictor == 1
            if not same or not plain or page.photometric != tifffile.PHOTOMETRIC.MINISBLACK:
                return None
            for z, frame in enumerate(stored.pages):
                assert frame is not None
                (offset,), (count,) = frame.dataoffsets, frame.databytecounts
                tiff.filehandle.seek(offset)
                content = tiff.filehandle.read(count)
                if content in empty:
                    continue
                plane = np.frombuffer(zlib.decompress(content), np.uint8).reshape(shape[1:])
                if plane.any():
                    planes[z] = plane
                else:
                    empty.add(content)
    except Exception:  # of any kind, for a damaged file: reading it as an image says what is wrong
        return None
    return planes


def _compress(plane: np.ndarray) -> bytes:
    return zlib.compress(np.ascontiguousarray(plane).data, 1)


def check_save_to(path: str | os.PathLike[str]) -> Path:
    """Return the path for annotations, after checking that it is writable.

    Raises
    ------
    ValueError
        If the name does not end in .tif or .tiff.
    FileNotFoundError, PermissionError
        If the folder does not exist, or the folder or the file cannot be written.
    """
    target = check_name(Path(path).expanduser(), argument="save_to").resolve()
    if target.suffix.lower() not in (".tif", ".tiff"):
        raise checks.invalid("save_to", "a file name that ends in .tif", str(path))
    check_writable(target.parent, argument="save_to")
    if target.exists() and not os.access(target, os.W_OK):
        hint = "Choose another name, or make the file writable."
        raise checks.invalid("save_to", "a file that can be written", str(target), hint, kind=PermissionError)
    return target
