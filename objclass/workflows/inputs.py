"""The images of a batch: what inputs stand for, one item for each time point, and a name for each."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from objclass._common.checks import invalid
from objclass._common.files import AnyPath
from objclass.io.images import image_info
from objclass.io.opening import OPENERS
from objclass.workflows.record import checksum

GLOB = set("*?[")


@dataclass(frozen=True)
class Item:
    """One image, or one time point of a series.

    Attributes
    ----------
    path : str
        The file, or the folder of an OME-Zarr image.
    image : str
        What it is called: its path from the folder that all inputs are in.
    frame : int or None
        The time point; None for what is no series.
    """

    path: str
    image: str
    frame: int | None = None

    @property
    def stem(self) -> str:
        """What files about it are called."""
        name = self.image.replace("/", "__")
        return name if self.frame is None else f"{name}_t{self.frame:05}"

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return self.image if self.frame is None else f"{self.image}, frame {self.frame}"

    def fingerprint(self) -> dict[str, object]:
        """Return what tells whether the file is still the same, without reading all of it."""
        path = Path(self.path)
        if path.is_dir():
            return {"sha256": checksum(path)}
        status = path.stat()
        return {"bytes": status.st_size, "modified": status.st_mtime_ns}


def find_items(inputs: AnyPath | Iterable[AnyPath], *, axes: str | None = None) -> list[Item]:
    """Return the images that files, patterns (``data/*.tif``) and folders stand for, sorted by name.

    Raises
    ------
    FileNotFoundError
        If an input stands for none.
    ValueError
        If two images would get the same name.
    """
    given = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    paths = sorted({path.absolute() for each in given for path in _expand(os.fspath(each))})
    if not paths:
        raise invalid("inputs", "one image or more", "none", kind=FileNotFoundError)
    base = Path(os.path.commonpath([path.parent for path in paths]))
    items = [item for path in paths for item in _frames(path, path.relative_to(base).as_posix(), axes)]
    items.sort(key=lambda item: (item.image, item.frame or 0))
    stems: dict[str, Item] = {}
    for item in items:
        other = stems.setdefault(item.stem.lower(), item)
        if other is not item:
            raise invalid("inputs", "images of different names", f"{other.path} and {item.path}")
    return items


def _expand(given: str) -> list[Path]:
    path = Path(given)
    if _is_image(path):
        found = [path]
    elif path.is_dir():
        found = _images_in(path)
    elif GLOB & set(given):
        matches = [Path(match) for match in sorted(glob.glob(given, recursive=True))]
        found = [match for match in matches if _is_image(match)]
    else:
        found = []
    if not found:
        hint = f"Images end in {', '.join(OPENERS)}. The working directory is {Path.cwd()}."
        raise invalid("inputs", "images, or a folder of them", given, hint, kind=FileNotFoundError)
    return found


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in OPENERS and path.exists() and not path.name.startswith(".")


def _images_in(folder: Path) -> list[Path]:
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if _is_image(path):
            found.append(path)
        elif path.is_dir() and not path.name.startswith("."):
            found += _images_in(path)
    return found


def _frames(path: Path, image: str, axes: str | None) -> Sequence[Item]:
    """Return an item for each time point; what cannot be read is one item, which will say so."""
    try:
        n_frames = image_info(path, axes=axes)[0].n_frames
    except (OSError, ValueError):
        n_frames = None
    numbers: Iterable[int | None] = [None] if n_frames is None else range(n_frames)
    return [Item(str(path), image, number) for number in numbers]
