"""Files of a batch that stay open between the reading of their headers and that of their pixels."""

from __future__ import annotations

import contextlib
import math
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from objclass.io.opening import OpenFile

State = Callable[["OpenFile"], str]

_BYTES_A_FILE, _BYTES_A_PLANE = 2**14, 400  # of tifffile's lists
_MOST_HANDLES = 2**14


class OpenFiles:
    """Files that are kept open from reading their header until their images are read.

    Each file is opened and its pages are scanned only once, regardless of its number of images, unless there
    are more files than are kept open. Several threads can use it; a file is used by one of them at a time.
    Warnings of opening are repeated whenever a file is used.

    Parameters
    ----------
    most : int, optional
        How many files to keep open for later use; by default a quarter of those that the system allows a
        process.
    most_bytes : int
        How much memory their headers may occupy, and their pixels where the format is read as a whole.
    """

    def __init__(self, most: int | None = None, *, most_bytes: int = 2**28) -> None:
        self.most = _handles() // 4 if most is None else most
        self.most_bytes = most_bytes
        self._kept: dict[str, _Kept] = {}
        self._n_bytes = 0
        self._last: dict[int, str] = {}  # the file that each thread used last
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all of them."""
        for path in [*self._kept]:
            self._close(self._pop(path))

    def look_at(self, path: str, state: State) -> tuple[OpenFile, str]:
        """Return a file, kept open if there is room, and its state, which changes if the file does."""
        kept = _Kept.of(path, state)
        with self._lock:
            has_room = len(self._kept) < self.most and self._n_bytes + kept.n_bytes <= self.most_bytes
        self._close(self._push(path, kept) if has_room else kept)
        return kept.file, kept.state

    @contextlib.contextmanager
    def use(self, path: str, state: State) -> Iterator[tuple[OpenFile, str]]:
        """Yield a file to read images from, and its state; close the file that this thread used before."""
        thread = threading.get_ident()
        with self._lock:
            before = self._last.pop(thread, path)
            is_used = before in (path, *self._last.values())
            self._last[thread] = path
        if not is_used:
            self._close(self._pop(before))
        kept = self._pop(path)
        if kept is not None and state(kept.file) != kept.state:
            self._close(kept)
            kept = None
        kept = kept or _Kept.of(path, state)
        try:
            for message in kept.warnings:
                warnings.warn(message, stacklevel=3)
            yield kept.file, kept.state
        finally:
            self._close(self._push(path, kept))

    def _pop(self, path: str) -> _Kept | None:
        with self._lock:
            kept = self._kept.pop(path, None)
            self._n_bytes -= kept.n_bytes if kept is not None else 0
            return kept

    def _push(self, path: str, kept: _Kept) -> _Kept | None:
        """Keep a file open; return the same file as opened by another thread, or None."""
        with self._lock:
            other = self._kept.get(path)
            self._kept[path] = kept
            self._n_bytes += kept.n_bytes - (other.n_bytes if other is not None else 0)
            return other

    @staticmethod
    def _close(kept: _Kept | None) -> None:
        if kept is not None:
            kept.stack.close()


@dataclass
class _Kept:
    """A file that is kept open."""

    file: OpenFile
    stack: contextlib.ExitStack
    warnings: list[str]
    state: str
    n_bytes: int

    @classmethod
    def of(cls, path: str, state: State) -> _Kept:
        from objclass.io.opening import open_file

        with warnings.catch_warnings(record=True) as caught, contextlib.ExitStack() as stack:
            warnings.simplefilter("always", UserWarning)
            file = stack.enter_context(open_file(path))
            said = [str(each.message) for each in caught if issubclass(each.category, UserWarning)]
            return cls(file, stack.pop_all(), said, state(file), _BYTES_A_FILE + _bytes_of(file))


def _bytes_of(file: OpenFile) -> int:
    """Return about how much memory an open file occupies."""
    n_bytes = 0
    for stored in file.series:
        lengths = zip(stored.axes, stored.shape, strict=False)  # numbers without axes are no image
        n_bytes += _BYTES_A_PLANE * math.prod(n for axis, n in lengths if axis not in "yxs")
        n_bytes += stored.is_in_memory * math.prod(stored.shape) * stored.dtype.itemsize
    return n_bytes


def _handles() -> int:
    """Return how many files the system allows this process to open at a time."""
    try:
        import resource
    except ImportError:  # on Windows
        return 512
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if 0 < soft < _MOST_HANDLES else _MOST_HANDLES
