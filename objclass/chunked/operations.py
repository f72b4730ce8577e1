"""The public functions, which check arguments and build dask graphs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from objclass._common.checks import ArrayLike, Spacing, check_spacing, invalid
from objclass.chunked.blocks import Source
from objclass.chunked.graph import (
    check_array,
    classify_blocks,
    image_source,
    keep_objects,
    labels_source,
    measure_blocks,
    segment_blocks,
)
from objclass.chunked.measuring import Quantities
from objclass.measurement.measuring import (
    axis_names,
    check_options,
    check_perimeter,
    choose_properties,
    counters_of,
    make_table,
)
from objclass.objects.filtering import SizeLimit, every, inside
from objclass.objects.segmentation import SegmentationOptions
from objclass.pixels.classifier import ObjectClassifier
from objclass.pixels.comparison import describe_other_dtype
from objclass.pixels.prediction import for_spacing

if TYPE_CHECKING:
    import dask.array as da
    import pandas as pd


def segment(
    image: ArrayLike,
    classifier: ObjectClassifier,
    *,
    positive_class: int | Sequence[int] | None = None,
    smooth: float | None = None,
    threshold: float | None = None,
    split: str | None = None,
    min_distance: float | None = None,
    fill_holes: bool | None = None,
    min_certainty: float | None = None,
    min_size: float | str | None = None,
    planewise: bool = False,
    spacing: Spacing = None,
    match_spacing: bool = False,
    block_shape: Sequence[int] | None = None,
) -> da.Array:
    """Segment objects: connected components of the positive class.

    Each block is classified with a halo of the size of the filters. Objects are then merged across block
    boundaries and labelled as by `objclass.segment`. Intermediate labels are run-length encoded.

    Splitting, filling holes and removing uncertain objects need whole objects. One task processes the whole
    image, with about 16 bytes of memory per voxel. For larger images pass ``split="none",
    fill_holes=False, min_certainty=0``.

    Parameters
    ----------
    image : dask array, array of `imread` or of zarr, or ndarray
        (z, y, x) or (y, x), or with channels first, as in the training. Blocks are read from a file
        directly with their halo, which needs fewer tasks than assembling them from dask chunks.
    classifier : ObjectClassifier
        From `train_object_classifier` or `load_classifier`.
    positive_class, smooth, threshold, split, min_distance, fill_holes, min_certainty, min_size
        As in `objclass.segment`; the defaults come from the preset of the classifier.
    planewise, spacing, match_spacing
        As in `objclass.segment`.
    block_shape : sequence of int, optional
        The shape of a block along the spatial axes: by default the chunks of a dask array, or for an array
        in a file multiples of its chunks of about (256, 512, 512) or (8192, 8192). Large blocks have less
        overhead for the halo; a block needs about 16 bytes of memory per voxel.

    Returns
    -------
    dask array of int32
        0 is background, objects are 1…n in raster order of their first voxels.

    Raises
    ------
    ValueError
        If the number of axes or channels does not match the classifier, an option is out of range, or the
        image is too large for steps that need whole objects; on computing, if pixels are not finite.

    Warns
    -----
    UserWarning
        If the voxel size or the number of bits is not that of the training; on computing, if the brightness
        is not.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.repeat([[9.0, 0, 0, 0, 9, 9]], 6, axis=0)
    >>> classifier = objclass.train_object_classifier(image, np.where(image > 4, 2, 1))
    >>> segment(image, classifier, block_shape=(2, 3)).compute()[0]
    array([1, 0, 0, 0, 2, 2], dtype=int32)
    """
    options = SegmentationOptions(
        positive_class=positive_class,  # type: ignore[arg-type]
        smooth=smooth,
        threshold=threshold,
        split=split,
        min_distance=min_distance,
        fill_holes=fill_holes,
        min_certainty=min_certainty,
        min_size=min_size,
        planewise=planewise,
        match_spacing=match_spacing,
    ).of_classifier(classifier)
    classifier, voxel = options.scaled(classifier, spacing, stacklevel=3)
    source = image_source(image, classifier, block_shape, planewise=planewise)
    _compare_dtype(source, classifier)
    return segment_blocks(source, classifier, options, voxel)


def classify_pixels(
    image: ArrayLike,
    classifier: ObjectClassifier,
    *,
    planewise: bool = False,
    spacing: Spacing = None,
    match_spacing: bool = False,
    block_shape: Sequence[int] | None = None,
) -> da.Array:
    """Predict the class of each pixel by majority vote.

    Parameters
    ----------
    image, classifier, planewise, spacing, match_spacing, block_shape
        As in `segment`.

    Returns
    -------
    dask array of uint8
        The class of each pixel, 1 and above.

    Raises
    ------
    ValueError
        If the number of axes or channels does not match the classifier; on computing, if pixels are not
        finite.

    Warns
    -----
    UserWarning
        If the voxel size or the number of bits is not that of the training; on computing the last block, if
        the brightness of the whole image is not.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.repeat([[0.0, 0, 0, 9, 9, 9]], 6, axis=0)
    >>> classifier = objclass.train_object_classifier(image, np.where(image > 4, 2, 1))
    >>> classify_pixels(image, classifier, block_shape=(2, 2)).compute()[0]
    array([1, 1, 1, 2, 2, 2], dtype=uint8)
    """
    scaled = for_spacing(classifier, spacing, planewise=planewise, match_spacing=match_spacing)
    source = image_source(image, scaled, block_shape, planewise=planewise)
    _compare_dtype(source, scaled)
    return classify_blocks(source, scaled)


def exclude_small(
    labels: ArrayLike,
    min_size: float | str = 20,
    *,
    spacing: Spacing = None,
    relabel: bool = True,
) -> da.Array:
    """Remove objects smaller than `min_size`, counting voxels of all blocks.

    Parameters
    ----------
    labels : dask array, array of `imread` or of zarr, or ndarray, of integers
        (z, y, x) or (y, x); 0 is background.
    min_size : float or str
        The minimum size: voxels as 20, a physical size as ``"4 um3"``, or a percentage of the typical size
        (the median weighted by size) as ``"10%"``.
    spacing : float or sequence of float, optional
        Voxel size along each axis in micrometres, for a physical size.
    relabel : bool
        Relabel the remaining objects to 1…n in the order of their labels; otherwise keep their labels.

    Returns
    -------
    dask array of int32

    Examples
    --------
    >>> import numpy as np
    >>> exclude_small(np.array([[1, 0, 7, 7, 0, 9, 9]]), 2).compute()
    array([[0, 0, 1, 1, 0, 2, 2]], dtype=int32)
    """
    source = labels_source(labels)
    limit = SizeLimit("min_size", min_size, spacing, source.array.ndim)
    return keep_objects(source, limit, dense=relabel)


def exclude_large(
    labels: ArrayLike,
    max_size: float | str,
    *,
    spacing: Spacing = None,
    relabel: bool = True,
) -> da.Array:
    """Remove objects larger than `max_size`, counting voxels of all blocks.

    Parameters
    ----------
    labels, spacing, relabel
        As in `exclude_small`.
    max_size : float or str
        The maximum size; given as in `exclude_small`.

    Returns
    -------
    dask array of int32

    Examples
    --------
    >>> import numpy as np
    >>> exclude_large(np.array([[1, 0, 7, 7, 0, 9]]), 1).compute()
    array([[1, 0, 0, 0, 0, 2]], dtype=int32)
    """
    source = labels_source(labels)
    limit = SizeLimit("max_size", max_size, spacing, source.array.ndim)
    return keep_objects(source, limit, dense=relabel)


def exclude_border(labels: ArrayLike, *, relabel: bool = True) -> da.Array:
    """Remove objects that touch the border of the image.

    Parameters
    ----------
    labels, relabel
        As in `exclude_small`. An axis of length one has no border.

    Returns
    -------
    dask array of int32

    Examples
    --------
    >>> import numpy as np
    >>> exclude_border(np.array([[0, 0, 0, 0], [5, 0, 8, 0], [0, 0, 0, 0]])).compute()
    array([[0, 0, 0, 0],
           [0, 0, 1, 0],
           [0, 0, 0, 0]], dtype=int32)
    """
    return keep_objects(labels_source(labels), inside, dense=relabel)


def relabel(labels: ArrayLike) -> da.Array:
    """Relabel objects to 1…n in the order of their labels.

    Parameters
    ----------
    labels : array
        As in `exclude_small`.

    Returns
    -------
    dask array of int32

    Examples
    --------
    >>> import numpy as np
    >>> relabel(np.array([[7, 0, 3, 3]])).compute()
    array([[2, 0, 1, 1]], dtype=int32)
    """
    return keep_objects(labels_source(labels), every, dense=True)


def measure(
    labels: ArrayLike,
    image: ArrayLike | None = None,
    *,
    spacing: Spacing = None,
    unit: str | None = None,
    properties: str | Sequence[str] = "basic",
    channel_names: Sequence[str] | None = None,
    texture_distances: Spacing = None,
    texture_scales: Spacing = None,
) -> pd.DataFrame:
    """Measure region properties of objects, including those in several blocks. Computes immediately.

    Parameters
    ----------
    labels : dask array, array of `imread` or of zarr, or ndarray, of integers
        (z, y, x) or (y, x); 0 is background. Store expensive results with `imwrite` and read them with
        `imread` before measuring.
    image : array, optional
        Of the shape of labels, or with channels first; its chunks may differ from those of labels.
    spacing, unit, properties, channel_names, texture_distances, texture_scales
        As in `objclass.measure`. Properties that depend on the surroundings of an object ("neighbors" and
        the background ring) are not supported.

    Returns
    -------
    pandas.DataFrame
        The table of `objclass.measure`.

    Raises
    ------
    TypeError, ValueError
        As in `objclass.measure`.

    Notes
    -----
    Of an object in several blocks, properties that cannot be computed from sums (``area_convex``,
    ``area_filled``, ``euler_number``, ``feret_diameter_max``, ``solidity``, perimeters, surfaces and moments)
    are computed in this process from its compressed mask: where its bounding box has more than two million
    voxels, in slabs of it, with 16 bytes for each row of the box. Only quantiles, correlations and textures
    of the intensity need the pixels of the whole box in memory.

    Examples
    --------
    >>> import dask.array as da
    >>> labels = da.from_array([[1, 1, 1, 0, 7]], chunks=(1, 2))
    >>> measure(labels, labels * 10, properties=("area", "intensity_mean"))
       label  area  intensity_mean
    0      1   3.0            10.0
    1      7   1.0            70.0
    """
    of_labels = labels_source(labels)
    ndim = of_labels.array.ndim
    steps = check_spacing(spacing, ndim) or (1.0,) * ndim
    options = check_options(spacing=steps, texture_distances=texture_distances, texture_scales=texture_scales)
    names = axis_names(channel_names, image, ndim, options)
    chosen = choose_properties(properties, ndim, 0 if image is None else len(names["channel"]), options)
    for entry in chosen:
        if entry.scope != "object":
            expected = "properties that depend on the voxels of an object only"
            hint = "Measure it in memory with objclass.measure."
            raise invalid("properties", expected, f"{entry.name!r}, which needs its surroundings", hint)
    check_perimeter(chosen, spacing, steps)
    of_image = None
    if image is not None:
        check_array(image)
        of_image = Source(image, len(np.shape(image)) - ndim)
        if of_image.grid.shape != of_labels.grid.shape:
            got, hint = f"one of shape {np.shape(image)}", "Channels come first."
            raise invalid("image", f"the spatial shape of labels, {of_labels.grid.shape}", got, hint)
        of_image = of_image if any(entry.needs_image for entry in chosen) else None
    counts_pixels = any(entry.needs_image and entry.counters for entry in chosen)
    quantities = Quantities(tuple(counters_of(chosen, "object")), counts_pixels, steps, options)
    objects = measure_blocks(of_labels, of_image, quantities)
    return make_table(objects.sums.numbers, objects, chosen, names, unit=unit, spacing=spacing)


def _compare_dtype(source: Source, classifier: ObjectClassifier) -> None:
    if text := describe_other_dtype(classifier, source.array.dtype):
        warnings.warn(text, stacklevel=3)
