"""Images and label images that an explorer is given as paths."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from objclass._common import checks
from objclass.widgets.replay import call


def read_paths(image: Any, labels: Any, spacing: Any) -> tuple[Any, Any, Any, list[str]]:
    """Read what is given as a path.

    Parameters
    ----------
    image, labels
        As for `objclass.explore`.
    spacing : sequence of float or None
        The voxel size, by default that of the images.

    Returns
    -------
    image, labels, spacing
        Arrays in the place of paths, or a mapping to pairs of them.
    code : list of str
        The lines of code that read a single image and its labels.

    Raises
    ------
    ValueError
        If files cannot be read, or have different voxel sizes and `spacing` is None.
    """
    if not isinstance(image, Mapping):
        arrays, size, code = _read_pair(image, labels)
        return (*arrays, size if spacing is None else spacing, code)
    pairs, sizes = {}, []
    for key, pair in image.items():
        pairs[key] = pair
        if isinstance(pair, (tuple, list)) and len(pair) == 2:
            pairs[key], size, _ = _read_pair(*pair)
            sizes.append(size)
    if spacing is None and any(size != sizes[0] for size in sizes):
        got = ", ".join(dict.fromkeys(map(str, sizes)))
        raise checks.invalid("image", "images with the same voxel size", got, "Pass spacing for all of them.")
    return pairs, labels, sizes[0] if spacing is None and sizes else spacing, []


def _read_pair(image: Any, labels: Any) -> tuple[tuple[Any, Any], tuple[float, ...] | None, list[str]]:
    from objclass.io.labels import read_labels
    from objclass.io.opening import open_image

    size, code, shape = None, [], None
    if isinstance(image, (str, os.PathLike)):
        code.append(f"image = {call('objclass.imread', repr(os.fspath(image)), keywords={})}")
        with open_image(image) as opened:
            image, size, ndim = opened.read(), opened.info.spacing, opened.info.ndim
        shape = image.shape[-ndim:]
    if isinstance(labels, (str, os.PathLike)):
        if shape is None and np.ndim(image) in (2, 3):
            shape = np.shape(image)
        path, labels = os.fspath(labels), read_labels(labels, shape=shape)
        keywords = {} if shape is None else {"shape": shape}
        code.append(f"labels = {call('objclass.read_labels', repr(path), keywords=keywords)}")
    return (image, labels), size, code
