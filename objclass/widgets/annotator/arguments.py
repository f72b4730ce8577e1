"""Checks and conversion of the arguments of the annotator."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from objclass._common import checks
from objclass._common.files import check_writable
from objclass.pixels.features import parse_features
from objclass.plots.colors import class_color
from objclass.widgets.annotator.autosave import check_save_to, saved_planes
from objclass.widgets.annotator.scribbles import MAX_CLASS
from objclass.widgets.base import spatial_image
from objclass.widgets.channels import describe_channels, spatial_rank


class PixelClass(TypedDict):
    """A class of pixels."""

    value: int
    name: str
    color: str


_MOST_CLASSES = 16
_CODES = "0 for not annotated, 1 background, 2 object, further classes"


def check_features(features: Any) -> str:
    """Return `features` if it is a specification."""
    if not isinstance(features, str):
        raise checks.invalid(
            "features", "a predefined set's name or a specification", features, kind=TypeError
        )
    parse_features(features)
    return features


def check_input(
    image: np.ndarray,
    annotations: npt.ArrayLike | None,
    spacing: Sequence[float] | None,
    channel_names: Sequence[str] | None,
) -> tuple[np.ndarray, int]:
    """Return the image as (c, z, y, x) and its number of spatial axes."""
    if annotations is not None:
        checked = check_annotations(annotations)
        return spatial_image(image, checked.ndim, reference=checked, name="annotations"), checked.ndim
    if checks.has_colours_last(image):
        hint = "Move the channels first with numpy.moveaxis(image, -1, 0), and name them with channel_names."
        raise checks.invalid(
            "image", "axes (z, y, x), or with channels first (c, y, x) or (c, z, y, x)", image, hint
        )
    ndim = spatial_rank(image, spacing, channel_names)
    return spatial_image(image, ndim), ndim


def check_annotations(annotations: npt.ArrayLike, *, argument: str = "annotations") -> np.ndarray:
    """Return annotations as a 2D or 3D integer array of classes that the widget supports."""
    array = np.ma.filled(annotations, 0)  # a masked pixel is not annotated
    if array.dtype.kind not in "iub":
        raise checks.invalid(argument, f"an integer array: {_CODES}", array, kind=TypeError)
    if array.ndim not in (2, 3) or array.size == 0:
        raise checks.invalid(argument, "a non-empty array of axes (y, x) or (z, y, x)", array)
    low, high = int(array.min()), int(array.max())
    if low < 0 or high > MAX_CLASS:
        got = f"{low if low < 0 else high} among them"
        raise checks.invalid(argument, f"classes from 0 to {MAX_CLASS}", got)
    return array


def choose_channels(
    channel: int | str | Sequence[int | str] | None, names: Sequence[str] | None, count: int
) -> list[int]:
    """Return the numbers of the channels to learn from, by default all."""
    if channel is None:
        return list(range(count))
    shown = [described["name"] for described in describe_channels(count, names)]
    return list(checks.channel_numbers(channel, shown, count))


def annotation_files(
    folder: str | os.PathLike[str], names: Sequence[str], images: Sequence[Path]
) -> list[Path]:
    """Return the file of each image's annotations in a folder, which is made if it is not there.

    Raises
    ------
    ValueError
        If `folder` is a file, or one of these files is one of `images`.
    """
    target = Path(folder).expanduser().resolve()
    if target.suffix.lower() in (".tif", ".tiff") or (target.exists() and not target.is_dir()):
        raise checks.invalid("save_to", "a folder, for the annotations of several images", str(folder))
    check_writable(target.parent, argument="save_to")
    target.mkdir(exist_ok=True)
    stems = [re.sub(r"[^\w .-]", "_", name).strip(" .") or "image" for name in names]
    folded = [stem.casefold() for stem in stems]
    files = [
        target / (f"{stem}.tif" if folded.count(stem.casefold()) == 1 else f"{stem} {number}.tif")
        for number, stem in enumerate(stems)
    ]
    taken = {path.resolve() for path in images} & set(files)
    if taken:
        hint = "Choose another folder for the annotations."
        raise checks.invalid("save_to", "a folder without the images", str(folder), hint)
    return files


def given_annotations(annotations: Any, names: Sequence[str]) -> list[Any]:
    """Return the annotations of each image, None where there are none."""
    if annotations is None:
        return [None] * len(names)
    if isinstance(annotations, Mapping):
        unknown = [name for name in annotations if name not in names]
        if unknown:
            raise checks.invalid("annotations", f"names of the images: {', '.join(names)}", unknown[0])
        return [annotations.get(name) for name in names]
    if not checks.is_list(annotations) or len(annotations) != len(names):
        raise checks.invalid("annotations", f"a list of {len(names)}, or a dict by name", annotations)
    return list(annotations)


def open_annotations(
    annotations: npt.ArrayLike | None,
    save_to: str | os.PathLike[str] | None,
    shape: tuple[int, ...],
    ndim: int,
) -> tuple[np.ndarray, list[int] | None]:
    """Return the initial annotations as a new (z, y, x) array: those of the file, if it exists.

    The list says which planes along z may be annotated, None for any.
    """
    if save_to is not None:
        path = check_save_to(save_to)
        if path.exists():
            return _read_annotations(path, shape, ndim)
    if annotations is None:
        return np.zeros(shape, np.uint8), []
    checked = check_annotations(annotations)
    if checked.shape != tuple(shape[3 - ndim :]):
        raise checks.invalid("annotations", f"the shape of the image, {tuple(shape[3 - ndim :])}", checked)
    return np.array(checked, np.uint8, order="C").reshape(shape), None


def _read_annotations(path: Path, shape: tuple[int, ...], ndim: int) -> tuple[np.ndarray, list[int]]:
    from objclass.io.images import imread

    planes = saved_planes(path, shape)
    if planes is None:
        stored = check_annotations(imread(path), argument="save_to")
        if stored.shape != tuple(shape[3 - ndim :]):
            hint = "It belongs to another image: choose another name."
            raise checks.invalid("save_to", f"annotations of shape {shape[3 - ndim :]}", stored, hint)
        planes = {z: plane for z, plane in enumerate(stored.reshape(shape)) if plane.any()}
    volume = np.zeros(shape, np.uint8)
    sizes = np.zeros(256, np.int64)
    for z, plane in planes.items():
        volume[z] = check_annotations(plane, argument="save_to")
        sizes += np.bincount(volume[z].ravel(), minlength=256)
    n_classes = np.count_nonzero(sizes[1:])
    if n_classes > _MOST_CLASSES and sizes[1:].sum() > volume.size / 2:
        got = f"{path.name}, of {n_classes} numbers, which looks like an image"
        raise checks.invalid("save_to", "annotations, or a new name", got, "It was not changed.")
    return volume, list(planes)


def name_classes(names: Sequence[str], sizes: np.ndarray) -> list[PixelClass]:
    """Return the list of classes of the widget: those with names, and those with annotated pixels."""
    if isinstance(names, str) or not all(isinstance(name, str) for name in names) or len(names) < 2:
        raise checks.invalid("classes", "at least two names", names)
    painted = [value for value in np.flatnonzero(sizes).tolist() if value > len(names)]
    named = [*enumerate(names, start=1), *((value, "") for value in painted)]
    return [new_class(value, name) for value, name in named]


def new_class(value: int, name: str = "") -> PixelClass:
    """Return an entry of the list of classes."""
    return {"value": value, "name": name or f"class {value}", "color": class_color(value)}


def check_classes(classes: list[PixelClass]) -> list[PixelClass]:
    """Return the list of classes if it is valid."""
    values = [item.get("value") for item in classes]
    fits = all(isinstance(value, int) and 1 <= value <= MAX_CLASS for value in values)
    if (
        not fits
        or len(set(values)) != len(values)
        or any({"name", "color"} - item.keys() for item in classes)
    ):
        raise checks.invalid("classes", f"different values from 1 to {MAX_CLASS}", str(classes))
    return classes
