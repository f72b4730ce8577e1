"""The dask graphs of operations on blocks."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import ArrayLike, invalid, labels_hint
from objclass._common.sizes import Size, parse_size
from objclass.chunked.blocks import Grid, Index, Region, Source, Tasks, with_halo, without_collection
from objclass.chunked.measuring import (
    Quantities,
    fragments_of,
    measure_block,
    merge_measured,
    objects_across_blocks,
)
from objclass.chunked.stitching import (
    Part,
    count_block,
    describe_part,
    join_links,
    link_boundaries,
    merge_regions,
    number_part,
    renumber_runs,
)
from objclass.measurement.objects import MeasuredObjects
from objclass.objects.filtering import Choice, SizeLimit, choose_numbers
from objclass.objects.segmentation import (
    SegmentationOptions,
    combine_votes,
    connected_components,
    label_objects,
    smooth_probability,
    smoothing_reach,
)
from objclass.pixels.classifier import ObjectClassifier
from objclass.pixels.comparison import describe_other_brightness, pixels_to_compare
from objclass.pixels.features import check_filters
from objclass.pixels.normalization import range_of_samples
from objclass.pixels.prediction import check_fit, check_planewise, fit_to_range, reach, run_forest
from objclass.pixels.sampling import sample_step
from objclass.pixels.training import check_range, may_lose_steps

if TYPE_CHECKING:
    import dask.array as da

MOST_VOXELS = 2 * 10**9
"""The maximum size of an image for a single task, which needs about 16 bytes per voxel."""


def image_source(
    image: ArrayLike,
    classifier: ObjectClassifier,
    block_shape: Sequence[int] | None,
    *,
    planewise: bool = False,
) -> Source:
    """Return the source of the blocks of an image, after checking that it fits the classifier."""
    check_array(image)
    if planewise:
        check_planewise(classifier)
    shape, ndim = np.shape(image), 3 if planewise else classifier.ndim
    n_channels = shape[0] if len(shape) == ndim + 1 else 1
    if len(shape) not in (ndim, ndim + 1) or n_channels != classifier.n_channels:
        expected = f"{ndim} spatial axes and {classifier.n_channels} channels, as in the training"
        raise invalid("image", expected, f"one of shape {shape}", "Channels come first.")
    return Source(image, len(shape) - ndim, block_shape)


def check_array(image: ArrayLike) -> None:
    """Raise unless an image is an array of numbers that is read in blocks."""
    dtype = getattr(image, "dtype", None)
    if not isinstance(dtype, np.dtype) or dtype.kind not in "iufb":
        hint = "Pass single images; chunked.imread opens one from a file."
        got = type(image).__name__ if dtype is None else f"{type(image).__name__} of {dtype}"
        raise invalid("image", "a dask, zarr or NumPy array of real numbers", got, hint, kind=TypeError)


def labels_source(labels: ArrayLike) -> Source:
    """Return the source of the blocks of labels."""
    dtype = np.dtype(getattr(labels, "dtype", object))
    if dtype.kind not in "iu":
        got = f"{type(labels).__name__} of {dtype}"
        raise invalid("labels", "an integer array, 0 for background", got, labels_hint(dtype), kind=TypeError)
    if labels.ndim not in (2, 3):
        raise invalid("labels", "axes (y, x) or (z, y, x)", f"an array of shape {labels.shape}")
    return Source(labels)


def segment_blocks(
    source: Source,
    classifier: ObjectClassifier,
    options: SegmentationOptions,
    spacing: tuple[float, ...] | None,
) -> da.Array:
    """Segment each block, merge objects across blocks, and relabel them.

    Steps that need whole objects are computed on the whole image in one task.
    """
    if options.needs_whole_objects:
        return _segment_at_once(source, classifier, options, spacing)
    labels = _label_blocks(source, classifier, options)
    if parse_size("min_size", options.min_size or 0) == Size(0):
        return labels
    limit = SizeLimit("min_size", options.min_size or 0, spacing, len(source.grid.shape))
    return keep_objects(Source(labels), limit, dense=True)


def _segment_at_once(
    source: Source,
    classifier: ObjectClassifier,
    options: SegmentationOptions,
    spacing: tuple[float, ...] | None,
) -> da.Array:
    n_voxels = int(np.prod(source.grid.shape))
    if n_voxels > MOST_VOXELS:
        raise invalid(
            "split, fill_holes, min_certainty",
            f"'none', False and 0 for over {MOST_VOXELS:.0e} voxels, as they need whole objects",
            f"{options.split!r}, {options.fill_holes} and {options.min_certainty} for {n_voxels:.1e} voxels",
            "Pass these, or segment parts of the image.",
        )
    tasks = Tasks()
    step = found_block if options.needs_probability else mask_block
    for index, arguments, place in _classified(tasks, source, classifier):
        del place["corner"]
        tasks.add(step, index, *arguments, **place, options=options)
    dtype = np.float32 if options.needs_probability else bool
    found = tasks.array(step.__name__, source.grid, dtype).rechunk(source.grid.shape)
    at_once = Tasks(collections=[found])
    compared = _compared(at_once, source, classifier)
    first = (0,) * len(source.grid.shape)
    at_once.add(label_whole, first, (found.name, *first), compared, options=options, spacing=spacing)
    labels = at_once.array("label_whole", Grid(found.chunks), np.int32)
    return labels.rechunk(source.grid.chunks)


def label_whole(
    found: np.ndarray, _: None, *, options: SegmentationOptions, spacing: tuple[float, ...] | None
) -> np.ndarray:
    """Label the objects of the whole image, once it has been compared with the training images."""
    return label_objects(found, options, spacing=spacing, progress=False)


def _compared(tasks: Tasks, source: Source, classifier: ObjectClassifier) -> Any:
    """Return the key of the comparison of the whole image with the training images, if they are known."""
    if pixels_to_compare(classifier) is None:
        return tasks.constant("compared", None)
    key, samples = tasks.constant("trained", classifier), _samples(tasks, source, classifier)
    return tasks.add(compare_samples, (0,), key, samples)


def _samples(tasks: Tasks, source: Source, classifier: ObjectClassifier) -> Any:
    """Return the key of every n-th pixel of each channel of the whole image."""
    cut, step = source.cutter(tasks), sample_step(source.grid.shape)
    key = tasks.constant("sampled", classifier)
    samples = [
        tasks.add(sample_block, index, cut(region), key, corner=_corner(region), step=step)
        for index, region in source.grid.blocks()
    ]
    return tasks.gather(join_samples, samples)


def compare_samples(classifier: ObjectClassifier, samples: list[np.ndarray]) -> None:
    """Warn where the brightness of the image is not that of the training."""
    for text in describe_other_brightness(classifier, samples):
        _warn(text)


def _warn(text: str) -> None:
    """Warn; on a worker of a cluster its clients only, since both may write to one terminal."""
    if "distributed" in sys.modules:
        from distributed import get_worker, warn

        with contextlib.suppress(ValueError), warnings.catch_warnings():
            get_worker()  # raises where this is no worker
            warnings.simplefilter("ignore")
            warn(text)
            return
    warnings.warn(text, stacklevel=3)


def join_samples(samples: list[list[np.ndarray]]) -> list[np.ndarray]:
    """Return the pixels of each channel."""
    return [np.concatenate(channel) for channel in zip(*samples, strict=True)]


@without_collection()
def _label_blocks(source: Source, classifier: ObjectClassifier, options: SegmentationOptions) -> da.Array:
    tasks, parts = Tasks(), {}
    halo = smoothing_reach(options)
    for index, arguments, place in _classified(tasks, source, classifier, halo=halo):
        shape = source.grid.shape
        parts[index] = tasks.add(segment_block, index, *arguments, **place, shape=shape, options=options)
    position = {index: number for number, index in enumerate(parts)}
    boundaries = {index: tasks.part(part, 1) for index, part in parts.items()}
    links = []
    for index in parts:
        following = {axis: (*index[:axis], index[axis] + 1, *index[axis + 1 :]) for axis in range(len(index))}
        following = {axis: other for axis, other in following.items() if other in parts}
        fixed = {"axes": tuple(following), "blocks": tuple(position[other] for other in following.values())}
        others = [boundaries[other] for other in following.values()]
        links.append(tasks.add(link_boundaries, index, boundaries[index], *others, **fixed))
    compared = _compared(tasks, source, classifier)
    numbering = tasks.add(first_of, (0,), tasks.gather(join_links, links), compared)
    for index, part in parts.items():
        tasks.add(number_part, index, tasks.part(part, 0), numbering, block=position[index])
    return tasks.array("number_part", source.grid, np.int32)


def classify_blocks(source: Source, classifier: ObjectClassifier) -> da.Array:
    """Classify each block; before the last one, the whole image is compared with the training images."""
    tasks = Tasks()
    last = source.grid.blocks()[-1][0]
    for index, (pixels, key), place in _classified(tasks, source, classifier):
        if index == last:
            key = tasks.add(first_of, (0,), key, _compared(tasks, source, classifier))
        tasks.add(classify_block, index, pixels, key, inner=place["inner"])
    return tasks.array("classify_block", source.grid, np.uint8)


def _classified(tasks: Tasks, source: Source, classifier: ObjectClassifier, *, halo: int = 0) -> Any:
    """Yield the region of each block, and the arguments of its classification with a halo."""
    check_filters(classifier.features)
    cut, shape = source.cutter(tasks), source.grid.shape
    planes = (0,) * (len(shape) - classifier.ndim)
    reaches = [n + halo for n in (*planes, *reach(classifier))]
    key = tasks.constant("classifier", classifier)
    if may_lose_steps(source.array.dtype):
        ranges = [
            tasks.add(range_block, index, cut(region), key, n_axes=len(shape))
            for index, region in source.grid.blocks()
        ]
        key = tasks.add(check_ranges, (0,), key, tasks.gather(list, ranges), dtype=source.array.dtype)
    if classifier.normalize is not None:
        limits = tasks.add(range_of_samples, (0,), _samples(tasks, source, classifier))
        key = tasks.add(fit_to_range, (0,), key, limits)
    for index, region in source.grid.blocks():
        wide, inner = with_halo(region, shape, reaches)
        yield index, (cut(wide), key), {"inner": inner, "corner": _corner(region)}


def range_block(pixels: np.ndarray, classifier: ObjectClassifier, *, n_axes: int) -> np.ndarray:
    """Return the lowest and the highest pixel of each channel of a block."""
    channels = check_fit(pixels, classifier, planewise=n_axes > classifier.ndim)
    flat = channels.reshape(len(channels), -1)
    return np.stack([flat.min(axis=1), flat.max(axis=1)]).astype(np.float64)


def check_ranges(
    classifier: ObjectClassifier, ranges: list[np.ndarray], *, dtype: np.dtype[Any]
) -> ObjectClassifier:
    """Return the classifier if float32 tells the pixels of the whole image apart."""
    lows, highs = np.min([low for low, _ in ranges], axis=0), np.max([high for _, high in ranges], axis=0)
    for low, high in zip(lows.tolist(), highs.tolist(), strict=True):
        check_range(low, high, dtype)
    return classifier


def sample_block(
    pixels: np.ndarray, classifier: ObjectClassifier, *, corner: Index, step: int
) -> list[np.ndarray]:
    """Return every `step`-th pixel of the image within a block, for each channel."""
    places = tuple(slice(-start % step, None, step) for start in corner)
    channels = check_fit(pixels, classifier, planewise=len(corner) > classifier.ndim)
    return [channel[places].ravel() for channel in channels]


def first_of(value: Any, _: object) -> Any:
    """Return the first of two results, once there are both."""
    return value


def classify_block(pixels: np.ndarray, classifier: ObjectClassifier, *, inner: Region) -> np.ndarray:
    """Return the classes of the region `inner` of an image."""
    return _run_forest(pixels, classifier, None, inner)


def _run_forest(
    pixels: np.ndarray, classifier: ObjectClassifier, positive_classes: tuple[int, ...] | None, inner: Region
) -> np.ndarray:
    channels = check_fit(pixels, classifier, planewise=len(inner) > classifier.ndim)
    region: Any = (slice(0, 1),) * (3 - len(inner)) + inner
    found = run_forest(channels, classifier, positive_classes, region=region)
    return found.reshape([part.stop - part.start for part in inner])


def found_block(
    pixels: np.ndarray, classifier: ObjectClassifier, *, inner: Region, options: SegmentationOptions
) -> np.ndarray:
    """Return the probability of the objects in the region `inner` of an image."""

    def votes(positive_class: int) -> np.ndarray:
        return _run_forest(pixels, classifier, (positive_class,), inner)

    return combine_votes(votes, classifier.n_classes, options.positive_classes)


def mask_block(
    pixels: np.ndarray, classifier: ObjectClassifier, *, inner: Region, options: SegmentationOptions
) -> np.ndarray:
    """Return the foreground mask of the region `inner` of an image."""
    return np.isin(classify_block(pixels, classifier, inner=inner), options.positive_classes)


def segment_block(
    pixels: np.ndarray,
    classifier: ObjectClassifier,
    *,
    inner: Region,
    corner: Index,
    shape: Index,
    options: SegmentationOptions,
) -> Part:
    """Return the objects of the region `inner` of an image, which starts at `corner` of the whole image."""
    if options.needs_probability:
        wide, within = with_halo(inner, pixels.shape[-len(inner) :], smoothing_reach(options))
        probability = found_block(pixels, classifier, inner=wide, options=options)
        mask = smooth_probability(probability, options)[within] > options.threshold
    else:
        mask = mask_block(pixels, classifier, inner=inner, options=options)
    return describe_part(connected_components(mask), corner, shape)


@without_collection()
def keep_objects(labels: Source, choose: Choice, *, dense: bool) -> da.Array:
    """Remove the objects for which `choose` is false."""
    tasks = Tasks()
    cut, shape = labels.cutter(tasks), labels.grid.shape
    blocks = labels.grid.blocks()
    counted = {
        index: tasks.add(count_block, index, cut(region), borders=_faces(region, shape, inner=False))
        for index, region in blocks
    }
    total = tasks.gather(merge_regions, [tasks.part(key, 1) for key in counted.values()])
    numbers = tasks.add(choose_numbers, (0,), total, choose=choose, dense=dense)
    for index, key in counted.items():
        tasks.add(renumber_runs, index, tasks.part(key, 0), numbers)
    return tasks.array("renumber_runs", labels.grid, np.int32)


def measure_blocks(labels: Source, image: Source | None, quantities: Quantities) -> MeasuredObjects:
    """Measure the blocks and merge the results. This computes."""
    blocks, shape = labels.grid.blocks(), labels.grid.shape
    tasks, cuts = _cut_both(labels, image)
    keys = []
    for index, region in blocks:
        arguments = [cut(region) for cut in cuts]
        fixed: dict[str, Any] = {"corner": _corner(region), "inner_faces": _faces(region, shape, inner=True)}
        keys.append(tasks.add(measure_block, index, *arguments, quantities=quantities, **fixed))
    found = tasks.compute(tasks.gather(list, keys))
    tasks, cuts = _cut_both(labels, image)
    keys = []
    for (index, region), objects in zip(blocks, objects_across_blocks(found), strict=True):
        if len(objects):
            arguments = [cut(region) for cut in cuts]
            fixed = {"corner": _corner(region), "objects": objects}
            keys.append(tasks.add(fragments_of, index, *arguments, quantities=quantities, **fixed))
    more = tasks.compute(tasks.gather(list, keys)) if keys else []
    return merge_measured(quantities, found, [fragment for some in more for fragment in some])


def _cut_both(labels: Source, image: Source | None) -> tuple[Tasks, list[Callable[[Region], Any]]]:
    tasks = Tasks()
    return tasks, [source.cutter(tasks) for source in (labels, image) if source is not None]


def _corner(region: Region) -> Index:
    return tuple(part.start for part in region)


def _faces(region: Region, shape: Index, *, inner: bool) -> tuple[tuple[int, int], ...]:
    """Return the faces (axis, side) of a block that are inside the image, or those at its border."""
    faces = []
    for axis, (part, n) in enumerate(zip(region, shape, strict=True)):
        if inner or n > 1:
            faces += [(axis, 0)] * ((part.start > 0) == inner) + [(axis, -1)] * ((part.stop < n) == inner)
    return tuple(faces)
