"""Segmentation: from pixel probabilities to labelled objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from objclass._common.checks import (
    Images,
    Spacing,
    check_number,
    check_option,
    check_spacing,
    for_each,
    invalid,
)
from objclass._common.notices import warn
from objclass._common.parallel import map_tiles
from objclass._common.progress import Progress
from objclass._common.sizes import parse_size, weighted_median
from objclass.objects import splitting
from objclass.objects.kernels.depth import fill_cavities
from objclass.objects.runlength import Runs, object_sizes
from objclass.pixels.classifier import ObjectClassifier
from objclass.pixels.prediction import (
    check_classifier,
    check_planewise,
    for_spacing,
    predict,
    warn_of_differences,
)

_TRUNCATE = 4.0  # in sigma
SPLITS = ("none", *splitting.METHODS)


@dataclass(frozen=True)
class SegmentationOptions:
    """The options of `segment`, described there; None selects the value of the preset of the classifier.

    Examples
    --------
    >>> SegmentationOptions(split="distance").of_preset("apoc")
    SegmentationOptions(positive_class=None, smooth=0.0, threshold=0.5, split='distance', min_distance=None,
    fill_holes=False, min_certainty=0.0, min_size=0, planewise=False, match_spacing=False)
    """

    positive_class: int | tuple[int, ...] | None = None
    smooth: float | None = None
    threshold: float | None = None
    split: str | None = None
    min_distance: float | None = None
    fill_holes: bool | None = None
    min_certainty: float | None = None
    min_size: float | str | None = None
    planewise: bool = False
    match_spacing: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.positive_class, (list, tuple, np.ndarray)):
            plain = [one.item() if isinstance(one, np.generic) else one for one in self.positive_class]
            object.__setattr__(self, "positive_class", tuple(dict.fromkeys(plain)))
        for name, high in (("smooth", 100), ("threshold", 1), ("min_certainty", 1)):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), low=0, high=high)
        if self.split is not None:
            check_option("split", self.split, SPLITS)
        if self.min_distance is not None and check_number("min_distance", self.min_distance, low=0) == 0:
            raise invalid("min_distance", "a distance above 0", self.min_distance)
        for name in ("fill_holes", "planewise", "match_spacing"):
            if getattr(self, name) not in ((None, True, False) if name == "fill_holes" else (True, False)):
                raise invalid(name, "True or False", getattr(self, name))
        if self.min_size is not None:
            parse_size("min_size", self.min_size)

    def of_preset(self, preset: str) -> SegmentationOptions:
        """Return the options with None replaced by the values of a preset."""
        missing = {name: value for name, value in PRESETS[preset].items() if getattr(self, name) is None}
        options = replace(self, **missing)
        if self.min_distance is not None and options.split in ("none", "tree"):
            got = f"{self.min_distance} together with split={options.split!r}"
            hint = 'Pass split="distance" or split="auto".'
            raise invalid("min_distance", "None where objects are not split by distance", got, hint)
        return options

    def of_classifier(self, classifier: ObjectClassifier) -> SegmentationOptions:
        """Return the complete options for a classifier, from its preset and positive class."""
        check_classifier(classifier)
        if self.planewise:
            check_planewise(classifier)
        options = self.of_preset(classifier.preset)
        positive = options.positive_class
        if positive is None:
            positive = classifier.positive_class
        if positive is None:
            hint = f"Pass positive_class=, from 1 to {classifier.n_classes}."
            expected = f"the class of the objects, which a {classifier.class_name} does not store"
            raise invalid("positive_class", expected, "none", hint)
        options = replace(options, positive_class=positive)
        for number in options.positive_classes:
            check_number("positive_class", number, low=1, high=classifier.n_classes, integer=True)
        if not 0 < len(set(options.positive_classes)) < max(classifier.n_classes, 2):
            raise invalid("positive_class", f"not all of the {classifier.n_classes} classes", positive)
        return options

    def scaled(
        self,
        classifier: ObjectClassifier,
        spacing: float | Sequence[float] | None,
        *,
        stacklevel: int,
    ) -> tuple[ObjectClassifier, tuple[float, ...] | None]:
        """Return the classifier for images of a voxel size, see `for_spacing`, and that of the objects."""
        ndim = self.ndim_of_images(classifier)
        known = check_spacing(spacing, ndim)
        along = None if known is None else known[-classifier.ndim :]
        scaled = for_spacing(classifier, along, match_spacing=self.match_spacing, stacklevel=stacklevel + 1)
        return scaled, known or (None if self.planewise else classifier.spacing)

    def ndim_of_images(self, classifier: ObjectClassifier) -> int:
        """Return the number of spatial axes of the images that the classifier is applied to."""
        return 3 if self.planewise else classifier.ndim

    @property
    def positive_classes(self) -> tuple[int, ...]:
        """The classes of the objects; requires complete options."""
        positive = self.positive_class
        return positive if isinstance(positive, tuple) else (positive or 0,)

    @property
    def needs_whole_objects(self) -> bool:
        """Whether a step needs whole objects, not only their sizes; requires complete options."""
        return bool(self.min_certainty or self.fill_holes or self.split != "none")

    @property
    def needs_probability(self) -> bool:
        """Whether probabilities are needed, not only classes; requires complete options."""
        return bool(
            self.smooth or self.threshold != 0.5 or self.min_certainty or self.split in ("tree", "auto")
        )


PRESETS: dict[str, dict[str, Any]] = {
    "default": {
        "smooth": 0.5,
        "threshold": 0.5,
        "split": "auto",
        "fill_holes": True,
        "min_certainty": 0.5,
        "min_size": "10%",
    },
    "apoc": {
        "smooth": 0.0,
        "threshold": 0.5,
        "split": "none",
        "fill_holes": False,
        "min_certainty": 0.0,
        "min_size": 0,
    },
}
"""The options of each preset."""


def segment(
    image: Images,
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
    engine: str = "cpu",
    progress: Progress = True,
) -> Images:
    """Segment objects: connected components of the positive class.

    The probability of the class is smoothed and thresholded. Connected components (6-connected in 3D,
    4-connected in 2D) are objects. Touching objects are split, holes are filled, and uncertain or small
    objects are removed. The defaults of each step come from the preset of the classifier: the default preset
    uses all of them; the preset "apoc" uses none, so that objects are those of APOC.

    Parameters
    ----------
    image : array, or list of arrays
        (z, y, x) or (y, x), or with channels first (c, z, y, x) or (c, y, x), as in the training.
    classifier : ObjectClassifier
        From `train_object_classifier` or `load_classifier`.
    positive_class : int or tuple of int, optional
        The class or classes of the objects; by default that of the classifier.
    smooth : float, optional
        Sigma, in voxels, of the Gaussian filter of the probability; 0.5 by default.
    threshold : float, optional
        Pixels with a higher probability are foreground; 0.5 by default. With more than two classes, the
        probability is that of the objects against the most likely other class.
    split : {"auto", "distance", "tree", "none"}, optional
        The method to split touching objects, see `split_touching`; ``"auto"`` by default.
    min_distance : float, optional
        The minimum distance between the seeds of two objects, in units of `spacing`, or in voxels along x
        without it: a smaller one splits more. By default it depends on each object, see `split_touching`.
    fill_holes : bool, optional
        Fill holes of objects, after splitting, so that gaps between objects are kept. True by default.
    min_certainty : float, optional
        Remove objects whose certainty, the mean of their probability above the threshold, is less than this
        fraction of the typical certainty (the median weighted by size); 0.5 by default.
    min_size : float or str, optional
        Remove objects smaller than this: voxels as 20, a physical size as ``"4 um3"`` or ``"4 um2"``, or a
        percentage of the typical size (the median weighted by size); ``"10%"`` by default.
    planewise : bool
        Apply a classifier of 2D images to each plane of a stack; objects are connected in 3D.
    spacing : float or sequence of float, optional
        Voxel size along each axis, for splitting and physical sizes; by default that of the training, if
        the classifier stores it. Where it differs from that by over a fifth, there is a warning.
    match_spacing : bool
        Scale the filters to `spacing` instead, so that they see the same lengths as in the training.
    engine : {"cpu", "opencl", "auto"}
        The compute engine, see `classify_pixels`.
    progress : bool or callable
        Show a bar where it takes over two seconds; or call ``progress(done, total)``.

    Returns
    -------
    ndarray of int32, or list of such
        0 is background, objects are 1…n in raster order of their first voxels; the spatial shape of `image`.

    Raises
    ------
    ValueError
        If the number of axes or channels does not match the classifier, pixels are not finite, an option is
        out of range, or the class of the objects is unknown, as with a PixelClassifier of APOC.
    TypeError
        If pixels are not real-valued.

    Warns
    -----
    UserWarning
        If over half of the image is foreground, which happens if classes were swapped in the scribbles, or if
        the voxel size, the number of bits or the brightness is not that of the training.

    See Also
    --------
    split_touching : Split touching objects, with more options.
    exclude_small : Remove small objects afterwards.

    References
    ----------
    .. [1] W. Silversmith, connected-components-3d, https://doi.org/10.5281/zenodo.5535250

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.repeat([[9.0, 0, 0, 0, 9, 9]], 6, axis=0)
    >>> annotations, features = np.where(image > 4, 2, 1), "object_size_1_to_2_px"
    >>> classifier = objclass.train_object_classifier(image, annotations, features=features)
    >>> objclass.segment(image, classifier)[0]
    array([1, 0, 0, 0, 2, 2], dtype=int32)
    >>> objclass.segment(image, classifier, min_size=7)[0]
    array([0, 0, 0, 0, 1, 1], dtype=int32)
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
    )
    labels = segment_with(
        image, classifier, options, spacing=spacing, engine=engine, progress=progress, stacklevel=3
    )
    warn_of_differences(image, classifier, planewise=options.planewise)
    return labels


def segment_with(
    image: Images,
    classifier: ObjectClassifier,
    options: SegmentationOptions,
    *,
    spacing: Spacing = None,
    engine: str = "cpu",
    progress: Progress = True,
    stacklevel: int = 2,
) -> Images:
    """Call `segment` with `SegmentationOptions`; warnings point to the caller `stacklevel` calls up."""
    options = options.of_classifier(classifier)
    scaled, known = options.scaled(classifier, spacing, stacklevel=stacklevel + 1)
    keywords: dict[str, Any] = {"planewise": options.planewise, "engine": engine, "progress": progress}

    def find(one: Any) -> np.ndarray:
        if options.needs_probability:
            return object_probability(one, scaled, options, **keywords)
        return np.isin(predict(one, scaled, **keywords), options.positive_classes)

    # Without a name here, the unsmoothed probability is freed when the smoothed one replaces it.
    found = for_each(image, lambda one: label_objects(find(one), options, spacing=known, progress=progress))
    for number, labels in enumerate(found if isinstance(found, list) else [found]):
        share = np.count_nonzero(labels) / labels.size
        name = f"image[{number}]: " if isinstance(found, list) and len(found) > 1 else ""
        if share > 0.5:
            warn(
                f"{name}Over half of the image is foreground ({share:.0%}). Check the scribbles and "
                f"positive_class: the class of the objects is {options.positive_class}.",
                stacklevel=stacklevel,
            )
    return found


def object_probability(
    image: Any,
    classifier: ObjectClassifier,
    options: SegmentationOptions,
    **keywords: Any,
) -> np.ndarray:
    """Return the probability of the objects against the most likely other class, from 0 to 1: float32.

    With two classes this is the fraction of votes. `options` must be complete; `keywords` are those of
    `predict`.
    """

    def votes(number: int) -> np.ndarray:
        return predict(image, classifier, (number,), **keywords)

    return combine_votes(votes, classifier.n_classes, options.positive_classes)


def combine_votes(
    votes: Callable[[int], np.ndarray], n_classes: int, positive_classes: Sequence[int]
) -> np.ndarray:
    """Return the votes of classes as a fraction of their votes and those of the strongest other class."""
    others = [number for number in range(1, n_classes + 1) if number not in positive_classes]
    own = votes(positive_classes[0])
    for number in positive_classes[1:]:
        own += votes(number)
    if len(others) == 1:
        return np.minimum(own, 1, out=own)
    strongest = votes(others[0])
    for number in others[1:]:
        np.maximum(strongest, votes(number), out=strongest)
    strongest += own
    return np.divide(own, strongest, out=own)


def label_objects(
    found: np.ndarray,
    options: SegmentationOptions,
    *,
    spacing: Sequence[float] | None = None,
    progress: Progress = True,
) -> np.ndarray:
    """Label objects in a probability map or a foreground mask.

    Parameters
    ----------
    found : float32 or bool array
        (z, y, x) or (y, x): a probability map, or a mask if `options` need no probability.
    options : SegmentationOptions
        Complete, from `SegmentationOptions.of_classifier`.
    spacing : sequence of float, optional
        Voxel size along each axis.
    progress : bool or callable
        As in `segment`.

    Returns
    -------
    ndarray of int32
        1…n in raster order.
    """
    probability = None
    if options.needs_probability:
        probability = smooth_probability(found, options)
        found = probability > options.threshold
    labels = connected_components(found)
    if options.split != "none":
        labels = _without_small(labels, options, spacing, most=splitting.LARGEST_DEBRIS)
        labels = splitting.split_touching(
            labels,
            method=options.split or "auto",
            probability=None if options.split == "distance" else probability,
            min_distance=options.min_distance,
            spacing=spacing,
            progress=progress,
        )
    if options.fill_holes:
        labels = fill_objects(labels)
    if options.min_certainty and probability is not None:
        labels = _without_uncertain(labels, probability, options)
    return _without_small(labels, options, spacing)


def smooth_probability(probability: np.ndarray, options: SegmentationOptions) -> np.ndarray:
    """Return the smoothed probability, which depends on voxels within `smoothing_reach`."""
    from scipy.ndimage import gaussian_filter

    if not options.smooth:
        return probability
    return gaussian_filter(probability, options.smooth, mode="nearest", truncate=_TRUNCATE)


def smoothing_reach(options: SegmentationOptions) -> int:
    """Return the radius of the Gaussian filter in voxels."""
    return int(_TRUNCATE * (options.smooth or 0) + 0.5)


def fill_objects(labels: np.ndarray) -> np.ndarray:
    """Fill holes of each object separately; objects inside holes are kept."""
    from scipy.ndimage import find_objects

    filled = labels.copy()
    volume = filled.reshape((1,) * (3 - labels.ndim) + labels.shape)
    boxes = find_objects(volume)

    def holes(index: int) -> np.ndarray | None:
        within = volume[boxes[index]]
        mask = within == index + 1
        inside = fill_cavities(mask) & (within == 0)
        return inside if inside.any() else None

    for box, inside, label in zip(
        boxes, map_tiles(holes, range(len(boxes))), range(1, len(boxes) + 1), strict=True
    ):
        if inside is not None:
            volume[box][inside] = label
    return filled


def connected_components(mask: np.ndarray) -> np.ndarray:
    """Label the face-connected components of `mask` 1…n in raster order: int32."""
    import cc3d

    # Neither SciPy nor scikit-image is as fast: see benchmarks/labelling.py.
    labels = cc3d.connected_components(
        np.ascontiguousarray(mask), connectivity=6 if mask.ndim == 3 else 4, out_dtype=np.uint32
    )
    return labels.view(np.int32)


def _without_small(
    labels: np.ndarray,
    options: SegmentationOptions,
    spacing: Sequence[float] | None,
    most: float = np.inf,
) -> np.ndarray:
    """Remove objects that are smaller than the minimum size, and smaller than `most` voxels."""
    numbers, sizes = object_sizes(labels)
    size = parse_size("min_size", options.min_size or 0).in_voxels("min_size", spacing, labels.ndim, sizes)
    return _keep(labels, numbers, sizes >= min(size, most))


def _without_uncertain(
    labels: np.ndarray, probability: np.ndarray, options: SegmentationOptions
) -> np.ndarray:
    numbers, sizes = object_sizes(labels)
    sums = np.zeros(len(numbers) + 1)
    for own, values in zip(labels, probability, strict=True):  # bincount makes copies of 64 bits
        sums += np.bincount(own.reshape(-1), weights=values.reshape(-1), minlength=len(sums))
    return _keep(labels, numbers, certain(sizes, sums[numbers], options))


def certain(sizes: np.ndarray, sums: np.ndarray, options: SegmentationOptions) -> np.ndarray:
    """Return which objects, given their sizes and sums of the probability, are certain enough."""
    certainty = sums / np.maximum(sizes, 1) - (options.threshold or 0)
    return certainty >= (options.min_certainty or 0) * weighted_median(certainty, sizes)


def _keep(labels: np.ndarray, numbers: np.ndarray, keep: np.ndarray) -> np.ndarray:
    return labels if keep.all() else Runs.encode(labels).renumber(numbers, np.where(keep, np.cumsum(keep), 0))
