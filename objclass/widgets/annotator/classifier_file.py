"""The classifier's file, rewritten at each training unless it belongs to someone else."""

from __future__ import annotations

import os
from pathlib import Path

from objclass._common.files import check_name, check_writable, file_identity
from objclass.pixels.classifier import ObjectClassifier, load_classifier, write_classifier

ON_EXISTING = ("ask", "load", "rename", "overwrite")


class OwnFile:
    """A .cl file, and whether it may be overwritten.

    Parameters
    ----------
    path : path or None
        None keeps classifiers in memory only.

    Raises
    ------
    FileNotFoundError, PermissionError
        If the folder does not exist or is not writable.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = None if path is None else check_name(Path(path).expanduser()).resolve()
        self._own: object = None
        if self.path is not None:
            check_writable(self.path.parent)

    @property
    def is_foreign(self) -> bool:
        """Whether there is a file that this object has neither written, loaded nor adopted."""
        return self.path is not None and self.path.exists() and file_identity(self.path) != self._own

    @property
    def was_own(self) -> bool:
        """Whether this object has written, loaded or adopted the file before."""
        return self._own is not None

    def adopt(self) -> None:
        """Adopt the existing file, so that it may be overwritten."""
        if self.path is not None:
            self._own = file_identity(self.path)

    def load(self) -> ObjectClassifier:
        """Read the existing file."""
        return load_classifier(self.path or "")

    def rename(self) -> None:
        """Switch to the next free name, such as ``ObjectSegmenter-1.cl``."""
        if self.path is not None:
            self.path = free_name(self.path)
            self._own = None

    def save(self, classifier: ObjectClassifier) -> bool:
        """Write the file unless it is foreign; return whether it was written."""
        if self.path is None or self.is_foreign:
            return False
        write_classifier(self.path, classifier)
        self.adopt()
        return True


def free_name(path: Path) -> Path:
    """Return an unused file name similar to `path`.

    Examples
    --------
    >>> free_name(Path("surely_not_there.cl")).name
    'surely_not_there-1.cl'
    """
    number = 1
    while (other := path.with_stem(f"{path.stem}-{number}")).exists():
        number += 1
    return other
