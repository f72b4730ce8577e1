"""What an explorer is opened with: images and labels as arrays or paths, one or several, and a table."""

from __future__ import annotations

import math
import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from objclass._common import checks
from objclass._common.files import AnyPath
from objclass.tables.belonging import warn_if_elsewhere
from objclass.widgets.base import spatial_image
from objclass.widgets.channels import RGB, is_rgb_first
from objclass.widgets.explorer.object_table import ObjectTable
from objclass.widgets.label_images import LabelImages, read_images
from objclass.widgets.replay import call

if TYPE_CHECKING:
    import pandas as pd

Images: TypeAlias = Mapping[Any, tuple[npt.ArrayLike, npt.ArrayLike]]


@dataclass(frozen=True)
class Opened:
    """What an explorer is opened with: its objects, and images (c, z, y, x) with what is known of them."""

    objects: ObjectTable
    pixels: list[np.ndarray]
    spacing: tuple[float, ...] | None
    channel_names: Sequence[str] | None


def open_objects(
    image: npt.ArrayLike | AnyPath | Images,
    labels: npt.ArrayLike | AnyPath | pd.DataFrame | None,
    table: pd.DataFrame | None,
    *,
    spacing: Sequence[float] | None,
    channel_names: Sequence[str] | None,
) -> Opened:
    """Open what `explore` is given; where there is no table, the objects are measured."""
    given, second, spacing, names, code = _read_paths(image, labels, spacing)
    if isinstance(given, Mapping):
        if second is not None and table is not None:
            hint = "The labels are in the mapping: explore({name: (image, labels), ...}, table)."
            raise checks.invalid("labels", "nothing beside several images", checks.describe(second), hint)
        table = second if table is None else table
        arrays, numbers, keys, columns = read_images(given)
        called = [f"labels of {key!r}" for key in given]
    else:
        if second is None:
            hint = "Several images: explore({name: (image, labels), ...}, table)."
            raise checks.invalid("labels", "the label image", "None", hint, kind=TypeError)
        arrays, numbers, keys, columns = [given], [checks.check_labels(second)], [()], ()
        called = ["labels"]
    sizes = checks.check_spacing(spacing, numbers[0].ndim)
    pixels = [
        spatial_image(one, beside.ndim, reference=beside, name=name)
        for one, beside, name in zip(arrays, numbers, called, strict=True)
    ]
    what = "images" if columns else "image, labels"
    is_given = table is not None
    if table is None:
        table, made = _measure(arrays, numbers, keys, columns, sizes)
        opening = [f"# {what.replace(', ', ' and ')}: those that the explorer was opened with", *code, *made]
    else:
        opening = [f"# {what} and table: those that the explorer was opened with", *code]
        for beside, name in zip(numbers, called, strict=True):
            checks.warn_like_image(beside, name=name, stacklevel=2)
    objects = ObjectTable(table, LabelImages(numbers, keys, columns), opening=opening)
    if is_given:
        places = objects.images.places_of(objects.row_labels)
        for place, beside in enumerate(numbers):
            if not checks.is_like_image(beside):
                warn_if_elsewhere(table[places == place], beside, stacklevel=2)
    objects.edits.image, objects.edits.spacing = given, sizes
    if names is None and all(map(is_rgb_first, pixels)):  # of a file it is known
        names = RGB
    return Opened(objects, pixels, sizes, names if channel_names is None else channel_names)


def _measure(
    arrays: Sequence[Any],
    numbers: Sequence[np.ndarray],
    keys: Sequence[tuple[Hashable, ...]],
    columns: Sequence[str],
    spacing: tuple[float, ...] | None,
) -> tuple[pd.DataFrame, list[str]]:
    """Return the table of the objects of all images, and the lines of code that make it."""
    import pandas as pd

    from objclass.measurement.measuring import measure

    named: list[dict[str, Any]] = [dict(zip(columns, key, strict=True)) for key in keys]
    tables = [
        measure(labels, np.asarray(image), spacing=spacing).assign(**names)
        for image, labels, names in zip(arrays, numbers, named, strict=True)
    ]
    keywords = {} if spacing is None else {"spacing": spacing}
    if not columns:
        return tables[0], [f"table = {call('objclass.measure', 'labels', 'image', keywords=keywords)}"]
    measured = call("objclass.measure", "labels", "pixels", keywords=keywords)
    key = columns[0] if len(columns) == 1 else f"({', '.join(columns)})"
    return pd.concat(tables, ignore_index=True), [
        "import pandas",
        f"table = pandas.concat([{measured}.assign({', '.join(f'{name}={name}' for name in columns)})",
        f"    for {key}, (pixels, labels) in images.items()], ignore_index=True)",
    ]


def _read_paths(
    image: Any, labels: Any, spacing: Any
) -> tuple[Any, Any, Any, Sequence[str] | None, list[str]]:
    """Read what is given as a path; return image, labels, spacing, channel names and the code that reads.

    Raises
    ------
    ValueError
        If files cannot be read, or have different voxel sizes and `spacing` is None.
    """
    if not isinstance(image, Mapping):
        arrays, size, names, code = _read_pair(image, labels)
        return (*arrays, size if spacing is None else spacing, names, code)
    pairs, sizes, all_names = {}, [], []
    for key, pair in image.items():
        pairs[key] = pair
        if isinstance(pair, (tuple, list)) and len(pair) == 2:
            pairs[key], size, names, _ = _read_pair(*pair)
            sizes.append(size)
            all_names.append(names)
    if spacing is None and any(size != sizes[0] for size in sizes):
        got = ", ".join(dict.fromkeys(map(str, sizes)))
        raise checks.invalid("image", "images with the same voxel size", got, "Pass spacing for all of them.")
    known = [names for names in all_names if names is not None]
    names = known[0] if known else None
    if any(others != names for others in known):
        names = _numbered(len(known[0]))
    return pairs, labels, sizes[0] if spacing is None and sizes else spacing, names, []


def _read_pair(
    image: Any, labels: Any
) -> tuple[tuple[Any, Any], tuple[float, ...] | None, Sequence[str] | None, list[str]]:
    from objclass.io.labels import read_labels
    from objclass.io.opening import open_image

    size, names, code, shape = None, None, [], None
    if isinstance(image, (str, os.PathLike)):
        code.append(f"image = {call('objclass.imread', repr(os.fspath(image)), keywords={})}")
        with open_image(image) as opened:
            image, size, ndim = opened.read(), opened.info.spacing, opened.info.ndim
            numbered = _numbered(math.prod(image.shape[:-ndim]))
            names = RGB if opened.info.is_rgb else opened.info.channel_names or numbered
        shape = image.shape[-ndim:]
    if isinstance(labels, (str, os.PathLike)):
        if shape is None and np.ndim(image) in (2, 3):
            shape = np.shape(image)
        path, labels = os.fspath(labels), read_labels(labels, shape=shape)
        keywords = {} if shape is None else {"shape": shape}
        code.append(f"labels = {call('objclass.read_labels', repr(path), keywords=keywords)}")
    return (image, labels), size, names, code


def _numbered(n_channels: int) -> list[str]:
    return [f"Channel {number}" for number in range(n_channels)]
