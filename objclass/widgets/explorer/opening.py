"""What an explorer is opened with: images and labels as arrays or paths, one or several, and a table."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from objclass._common import checks
from objclass._common.files import AnyPath
from objclass.widgets.base import spatial_image
from objclass.widgets.channels import RGB, is_rgb_first
from objclass.widgets.explorer.object_table import ObjectTable
from objclass.widgets.label_images import LabelImages, read_images
from objclass.widgets.replay import call

if TYPE_CHECKING:
    import pandas as pd

Images: TypeAlias = Mapping[Any, tuple[npt.ArrayLike, npt.ArrayLike]]


def open_objects(
    image: npt.ArrayLike | AnyPath | Images,
    labels: npt.ArrayLike | AnyPath | pd.DataFrame | None,
    table: pd.DataFrame | None,
    *,
    spacing: Sequence[float] | None,
    channel_names: Sequence[str] | None,
) -> tuple[ObjectTable, list[np.ndarray], tuple[float, ...] | None, Sequence[str] | None]:
    """Return objects, images (c, z, y, x), voxel size and names of channels of what `explore` is given.

    Where there is no table, the objects are measured.
    """
    given, labels, spacing, names, code = _read_paths(image, labels, spacing)
    if isinstance(given, Mapping):
        if labels is not None and table is not None:
            hint = "The labels are in the mapping: explore({name: (image, labels), ...}, table)."
            raise checks.invalid("labels", "nothing beside several images", checks.describe(labels), hint)
        objects, pixels, sizes = _open_several(given, labels if table is None else table, spacing)
    else:
        objects, pixels, sizes = _open_one(given, labels, table, spacing, code)
    objects.edits.image, objects.edits.spacing = given, sizes
    if names is None and all(map(is_rgb_first, pixels)):  # of a file it is known
        names = RGB
    if channel_names is not None:
        names = channel_names
    return objects, pixels, sizes, names


def _open_one(
    image: npt.ArrayLike, labels: Any, table: Any, spacing: Sequence[float] | None, code: Sequence[str]
) -> tuple[ObjectTable, list[np.ndarray], tuple[float, ...] | None]:
    if labels is None:
        hint = "Several images: explore({name: (image, labels), ...}, table)."
        raise checks.invalid("labels", "the label image", "None", hint, kind=TypeError)
    numbers = checks.check_labels(labels)
    sizes = checks.check_spacing(spacing, numbers.ndim)
    channels = spatial_image(image, numbers.ndim, reference=numbers)
    opening = ["# image, labels and table: those that the explorer was opened with", *code]
    if table is not None:
        checks.warn_like_image(numbers, stacklevel=2)
    else:
        from objclass.measurement.region_properties import measure

        table = measure(numbers, np.asarray(image), spacing=sizes)
        measured = call("objclass.measure", "labels", "image", keywords=_spaced(sizes))
        opening = [
            "# image and labels: those that the explorer was opened with",
            *code,
            f"table = {measured}",
        ]
    return ObjectTable(table, numbers, opening=opening), [channels], sizes


def _spaced(spacing: tuple[float, ...] | None) -> dict[str, Any]:
    return {} if spacing is None else {"spacing": spacing}


def _open_several(
    images: Images, table: Any, spacing: Sequence[float] | None
) -> tuple[ObjectTable, list[np.ndarray], tuple[float, ...] | None]:
    arrays, numbers, keys, columns = read_images(images)
    sizes = checks.check_spacing(spacing, numbers[0].ndim)
    pixels = [
        spatial_image(image, labels.ndim, reference=labels, name=f"labels of {key!r}")
        for key, image, labels in zip(images, arrays, numbers, strict=True)
    ]
    opening = ["# images and table: those that the explorer was opened with"]
    if table is not None:
        for key, labels in zip(images, numbers, strict=True):
            checks.warn_like_image(labels, name=f"labels of {key!r}", stacklevel=2)
    else:
        import pandas as pd

        from objclass.measurement.region_properties import measure

        named: list[dict[str, Any]] = [dict(zip(columns, key, strict=True)) for key in keys]
        tables = [
            measure(labels, image, spacing=sizes).assign(**names)
            for image, labels, names in zip(arrays, numbers, named, strict=True)
        ]
        table = pd.concat(tables, ignore_index=True)
        measured = call("objclass.measure", "labels", "pixels", keywords=_spaced(sizes))
        names = columns[0] if len(columns) == 1 else f"({', '.join(columns)})"
        assigned = ", ".join(f"{name}={name}" for name in columns)
        opening = [
            "# images: those that the explorer was opened with",
            "import pandas",
            f"table = pandas.concat([{measured}.assign({assigned})",
            f"    for {names}, (pixels, labels) in images.items()], ignore_index=True)",
        ]
    return ObjectTable(table, LabelImages(numbers, keys, columns), opening=opening), pixels, sizes


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
