"""Prediction of the class of each pixel, or of the probability of a class."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from objclass._common.checks import (
    Images,
    Spacing,
    check_float32,
    check_image,
    check_number,
    check_option,
    check_spacing,
    counted,
    for_each,
    invalid,
    is_list,
)
from objclass._common.parallel import map_tiles
from objclass._common.progress import Progress, progress_bar
from objclass.pixels import opencl
from objclass.pixels.classifier import ObjectClassifier
from objclass.pixels.comparison import compare_with_training, describe_other_spacing
from objclass.pixels.extraction import FeatureCache, plane_region
from objclass.pixels.features import check_filters
from objclass.pixels.filter_bank import plan_features
from objclass.pixels.forest import pack_trees, votes_against_first, votes_of_total
from objclass.pixels.kernels.pixels import classify_collected, classify_rows, probability_rows
from objclass.pixels.normalization import image_range, scale_thresholds
from objclass.pixels.sampling import forget_pixels
from objclass.pixels.tiling import TASK_VOXELS, Band, Region, as_volume, corner_in, run, whole
from objclass.pixels.training import check_pixels

ENGINES = ("auto", "cpu", "opencl")


def classify_pixels(
    image: Images,
    classifier: ObjectClassifier,
    *,
    planewise: bool = False,
    spacing: Spacing = None,
    match_spacing: bool = False,
    engine: str = "cpu",
    progress: Progress = True,
) -> Images:
    """Predict the class of each pixel by majority vote.

    Parameters
    ----------
    image : array, or list of arrays
        (z, y, x) or (y, x), or with channels first (c, z, y, x) or (c, y, x), as in the training.
    classifier : ObjectClassifier
        From `train_object_classifier` or `load_classifier`.
    planewise : bool
        Apply a classifier of 2D images to each plane of a stack, (z, y, x) or (c, z, y, x).
    spacing : float or sequence of float, optional
        The voxel size along the spatial axes. A warning is issued if it differs from that of the training
        by more than a fifth.
    match_spacing : bool
        Scale the filters to `spacing` instead, so that they have the same physical size as in the training.
    engine : {"cpu", "opencl", "auto"}
        The compute engine: all cores, or an OpenCL device through pyclesperanto; "auto" takes OpenCL where
        there is a graphics card, see `choose_engine`.
    progress : bool or callable
        Show a progress bar after two seconds, or call ``progress(done, total)``.

    Returns
    -------
    ndarray of uint8, or list of such
        The class of each pixel, at least 1; the spatial shape of `image`.

    Raises
    ------
    ValueError
        If the number of axes or channels does not match the classifier, or pixels are not finite.
    TypeError
        If pixels are not real-valued.

    Warns
    -----
    UserWarning
        If the voxel size, the number of bits or the brightness is not that of the training.

    See Also
    --------
    segment : Segment the objects of the positive class.

    References
    ----------
    .. [1] L. Breiman, Random Forests, Machine Learning 45 (2001), https://doi.org/10.1023/A:1010933404324
    .. [2] R. Haase, Accelerated Pixel and Object Classifiers, https://github.com/haesleinhuepf/apoc

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.repeat([[0.0, 0, 0, 9, 9, 9]], 6, axis=0)
    >>> classifier = objclass.train_object_classifier(image, np.where(image > 4, 2, 1))
    >>> objclass.classify_pixels(image, classifier)[0]
    array([1, 1, 1, 2, 2, 2], dtype=uint8)
    """
    check_option("engine", engine, ENGINES)
    classifier = for_spacing(classifier, spacing, planewise=planewise, match_spacing=match_spacing)
    found = predict(image, classifier, planewise=planewise, engine=engine, progress=progress)
    warn_of_differences(image, classifier, planewise=planewise)
    return found


def probability_map(
    image: Images,
    classifier: ObjectClassifier,
    *,
    positive_class: int | Sequence[int] | None = None,
    planewise: bool = False,
    spacing: Spacing = None,
    match_spacing: bool = False,
    engine: str = "cpu",
    progress: Progress = True,
) -> Images:
    """Compute the probability of the positive class for each pixel: its fraction of the votes.

    Parameters
    ----------
    image, classifier, planewise, spacing, match_spacing, engine, progress
        As in `classify_pixels`.
    positive_class : int or sequence of int, optional
        The class, or several classes whose probabilities are added; by default that of the classifier.

    Returns
    -------
    ndarray of float32, or list of such
        From 0 to 1; the spatial shape of `image`.

    Raises
    ------
    ValueError
        If the positive class is unknown or not a class of the classifier, or if the image does not match the
        classifier.
    TypeError
        If pixels are not real-valued.

    Warns
    -----
    UserWarning
        If the voxel size, the number of bits or the brightness is not that of the training.

    References
    ----------
    .. [1] L. Breiman, Random Forests, Machine Learning 45 (2001), https://doi.org/10.1023/A:1010933404324

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.repeat([[0.0, 0, 0, 9, 9, 9]], 6, axis=0)
    >>> classifier = objclass.train_object_classifier(image, np.where(image > 4, 2, 1))
    >>> objclass.probability_map(image, classifier)[0].round()
    array([0., 0., 0., 1., 1., 1.], dtype=float32)
    """
    check_option("engine", engine, ENGINES)
    classes = object_classes(classifier, positive_class)
    classifier = for_spacing(classifier, spacing, planewise=planewise, match_spacing=match_spacing)
    found = predict(image, classifier, classes, planewise=planewise, engine=engine, progress=progress)
    warn_of_differences(image, classifier, planewise=planewise)
    return found


def predict(
    image: Images,
    classifier: ObjectClassifier,
    positive_classes: tuple[int, ...] | None = None,
    *,
    planewise: bool = False,
    engine: str = "cpu",
    progress: Progress = True,
) -> Images:
    """Return the class of each pixel, or the probability of some classes.

    This is `classify_pixels` or `probability_map` without comparing the image with those of the training.
    """

    def predict_one(one: Any) -> np.ndarray:
        channels = check_fit(one, classifier, planewise=planewise)
        check_pixels(channels)
        fitted = fit_to_image(classifier, channels)
        if choose_engine(engine) == "opencl":
            volume = as_volume(channels, channels.ndim - 1)
            found = opencl.predict(volume, fitted, positive_classes, progress=progress)
        else:
            check_filters(fitted.features)
            found = run_forest(channels, fitted, positive_classes, progress=progress)
        return found.reshape(channels.shape[1:])

    return for_each(image, predict_one)


def warn_of_differences(image: Images, classifier: ObjectClassifier, *, planewise: bool) -> None:
    """Warn, from a public function, where bits or brightness of an image are not those of the training."""
    ndim = 3 if planewise else classifier.ndim
    for number, one in enumerate(image if is_list(image) else [image]):
        pixels = np.asarray(one)
        channels = pixels if pixels.ndim > ndim else pixels[np.newaxis]
        name = f"image[{number}]: " if is_list(image) and len(image) > 1 else ""
        for difference in compare_with_training(channels, classifier):
            warnings.warn(f"{name}{difference}", stacklevel=3)


def fit_to_range(classifier: ObjectClassifier, limits: np.ndarray) -> ObjectClassifier:
    """Return the classifier for one image: the same, or one with thresholds scaled to its range.

    What the training images were like is no longer noted in it.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.repeat([[0.0, 0, 0, 9, 9, 9]], 6, axis=0)
    >>> annotations = np.where(image > 4, 2, 1)
    >>> classifier = objclass.train_object_classifier(image, annotations, normalize="percentile")
    >>> other = 100 + 3 * image
    >>> fitted = fit_to_range(classifier, image_range(other[np.newaxis]))
    >>> fitted.normalize is None, objclass.classify_pixels(other, fitted)[0]
    (True, array([1, 1, 1, 2, 2, 2], dtype=uint8))
    """
    if classifier.normalize is None:
        return classifier
    forest = scale_thresholds(classifier.forest, classifier.features, limits, classifier.ndim)
    notes = forget_pixels(classifier.notes)
    return dataclasses.replace(classifier, normalize=None, forest=forest, notes=notes)


def fit_to_image(classifier: ObjectClassifier, image: np.ndarray) -> ObjectClassifier:
    """Return the classifier for an image, channels first: see `fit_to_range`."""
    return classifier if classifier.normalize is None else fit_to_range(classifier, image_range(image))


def predict_plane(
    image: npt.ArrayLike,
    classifier: ObjectClassifier,
    *,
    index: int = 0,
    axis: int = 0,
    cache: FeatureCache | None = None,
) -> np.ndarray:
    """Predict the class of each pixel of one plane, without computing the others.

    Parameters
    ----------
    image : array
        (z, y, x) or (y, x), or with channels first (c, z, y, x) or (c, y, x), as in the training.
    classifier : ObjectClassifier
        From `train_object_classifier` or `load_classifier`.
    index : int
        The index of the plane along `axis`; 0 for a 2D image.
    axis : int
        The spatial axis that the plane is perpendicular to: 0 (z), 1 (y) or 2 (x).
    cache : FeatureCache, optional
        A cache for the features of the plane, so that another classifier with the same features takes
        milliseconds.

    Returns
    -------
    ndarray of uint8
        (y, x), (z, x) or (z, y): exactly that plane of the result of `classify_pixels` on the CPU.

    Raises
    ------
    ValueError
        If the plane does not exist, or the image does not match the classifier.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.repeat([[0.0, 0, 0, 9, 9, 9]], 6, axis=0)
    >>> classifier = objclass.train_object_classifier(image, np.where(image > 4, 2, 1))
    >>> objclass.predict_plane(image, classifier)[0]
    array([1, 1, 1, 2, 2, 2], dtype=uint8)
    """
    check_classifier(classifier)
    array = np.asarray(image)
    volume_shape = (1,) * (3 - classifier.ndim) + array.shape[-classifier.ndim :]
    channels = check_fit(array, classifier, finite=cache is None)
    check_number("axis", axis, low=0, high=2 if classifier.ndim == 3 else 0, integer=True)
    check_number("index", index, low=0, high=volume_shape[axis] - 1, integer=True)
    check_filters(classifier.features)
    classifier = fit_to_image(classifier, channels)
    if cache is None:
        region = plane_region(volume_shape, axis, index)
        return run_forest(channels, classifier, None, region=region).squeeze(axis)
    features = cache.compute(channels, classifier.features, classifier.ndim, axis, index)
    trees = classifier.forest.packed
    collected = features.reshape(len(features), -1)
    classes = np.empty(collected.shape[1], np.uint8)

    def classify(first: int) -> None:
        classify_collected(collected, first, min(first + TASK_VOXELS, classes.size), trees, classes)

    map_tiles(classify, range(0, classes.size, TASK_VOXELS))
    return classes.reshape(features.shape[1:])


def for_spacing(
    classifier: ObjectClassifier,
    spacing: Spacing,
    *,
    planewise: bool = False,
    match_spacing: bool = False,
    stacklevel: int = 3,
) -> ObjectClassifier:
    """Return the classifier to use for a voxel size: the same, or one scaled to it.

    Parameters
    ----------
    classifier : ObjectClassifier
    spacing : float or sequence of float, optional
        The voxel size of the images; not compared if None.
    planewise : bool
        The images are stacks, and the classifier is one of their planes.
    match_spacing : bool
        Scale the filters; otherwise warn if the voxel size differs from that of the training.
    stacklevel : int
        How many calls up the caller is that a warning is about.
    """
    check_classifier(classifier)
    if planewise:
        check_planewise(classifier)
    sizes = check_spacing(spacing, 3 if planewise else classifier.ndim)
    sizes = sizes and sizes[-classifier.ndim :]
    if match_spacing:
        if sizes is None:
            hint = "Read it from a file with objclass.read_spacing(path)."
            raise invalid("spacing", "the voxel size of the image, for match_spacing=True", "None", hint)
        return classifier.match_spacing(sizes)
    if text := describe_other_spacing(classifier, sizes):
        warnings.warn(f"{text} Pass match_spacing=True to scale the filters to it.", stacklevel=stacklevel)
    return classifier


def choose_engine(engine: str = "auto") -> str:
    """Say which engine computes.

    Parameters
    ----------
    engine : {"auto", "cpu", "opencl"}
        "auto" takes OpenCL where pyclesperanto finds a graphics card.

    Returns
    -------
    str
        "cpu" or "opencl".

    Examples
    --------
    >>> choose_engine("cpu")
    'cpu'
    """
    check_option("engine", engine, ENGINES)
    return engine if engine != "auto" else ("opencl" if opencl.has_graphics_card() else "cpu")


def object_classes(
    classifier: ObjectClassifier, positive_class: int | Sequence[int] | None = None
) -> tuple[int, ...]:
    """Return the classes of the objects: those given, or that of the classifier.

    Raises
    ------
    ValueError
        If no class is given and that of the classifier is unknown, or if a class does not exist.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.repeat([[0.0, 0, 0, 9, 9, 9]], 6, axis=0)
    >>> classifier = objclass.train_object_classifier(image, np.where(image > 4, 2, 1))
    >>> object_classes(classifier), object_classes(classifier, 1)
    ((2,), (1,))
    """
    check_classifier(classifier)
    if positive_class is None and classifier.positive_class is None:
        raise invalid(
            "positive_class",
            f"the class of the objects, 1 to {classifier.n_classes}",
            f"none, and the file of a {classifier.class_name} does not store it",
            f"Pass positive_class={min(2, classifier.n_classes)}, for example.",
        )
    given = classifier.positive_class if positive_class is None else positive_class
    classes = tuple(given) if isinstance(given, (tuple, list, np.ndarray)) else (given,)
    if not classes:
        raise invalid("positive_class", f"classes of 1 to {classifier.n_classes}", "none of them")
    for one in classes:
        check_number("positive_class", one, low=1, high=classifier.n_classes, integer=True)
    return tuple(dict.fromkeys(map(int, classes)))


def reach(classifier: ObjectClassifier) -> tuple[int, ...]:
    """Return the radius along each axis on which the class of a voxel depends."""
    used = np.unique(classifier.forest.feature[classifier.forest.feature >= 0]).tolist()
    return plan_features(classifier.features, classifier.n_channels, classifier.ndim, used=used).reach


def check_classifier(classifier: object) -> None:
    """Raise unless `classifier` is one of pixels."""
    if not isinstance(classifier, ObjectClassifier):
        expected = "a classifier from train_object_classifier or load_classifier"
        raise invalid("classifier", expected, classifier, kind=TypeError)


def check_planewise(classifier: ObjectClassifier) -> None:
    """Raise unless a classifier can be applied to the planes of a stack."""
    if classifier.ndim != 2:
        hint = "Leave planewise out, or train on single planes."
        raise invalid("planewise", "a classifier of 2D images", f"one of {classifier.ndim}D images", hint)


def check_fit(
    image: Any, classifier: ObjectClassifier, *, planewise: bool = False, finite: bool = True
) -> np.ndarray:
    """Return `image` with channels first, after checking that its axes and channels match `classifier`."""
    if is_list(image):
        hint = "A list means several images; combine channels with numpy.stack(channels)."
        raise invalid("image", "one image", f"a list of {len(image)}", hint)
    channels = check_image(image, ndim=3 if planewise else classifier.ndim, finite=finite)
    if finite:
        check_float32(channels)
    if channels.shape[0] != classifier.n_channels:
        expected = f"{counted(classifier.n_channels, 'channel')}, as in the training"
        n, hint = channels.shape[0], "Train a classifier for these channels."
        if n == classifier.n_channels + 1 and n in (2, 4):  # of grey or colours and alpha
            others = " ".join(map(str, range(n - 1)))
            hint = f"If the last one is alpha, segment on the others (--channel {others}). {hint}"
        elif n > 1 and classifier.ndim == 2 and not planewise:
            hint = f"Are these planes along z? Pass planewise=True. {hint}"
        raise invalid("image", expected, f"{n}", hint)
    return channels


def run_forest(
    channels: np.ndarray,
    classifier: ObjectClassifier,
    positive_classes: tuple[int, ...] | None,
    *,
    region: Region | None = None,
    progress: Progress = False,
) -> np.ndarray:
    """Return the classes, or the probability of some, for a region or the whole: (z, y, x).

    A classifier of 2D images takes the planes of a stack, (c, z, y, x), one by one.
    """
    forest = classifier.forest
    used = np.unique(forest.feature[forest.feature >= 0])
    plan = plan_features(classifier.features, len(channels), classifier.ndim, used=used.tolist())
    volume = as_volume(channels, channels.ndim - 1)
    region = region or whole(volume.shape[1:])
    if positive_classes is None:
        write, votes = classify_rows, votes_against_first(forest)
    else:
        write, votes = probability_rows, votes_of_total(forest, positive_classes)
    trees = pack_trees(forest, votes, used)
    shape = [part.stop - part.start for part in region]
    result = np.empty(shape, np.uint8 if positive_classes is None else np.float32)

    def classify(volume: np.ndarray, region: Region, result: np.ndarray, progress: Progress) -> None:
        def consume(band: Band, z: int, first: int, last: int) -> None:
            target, corner = result[z - region[0].start], corner_in(region, band)
            write(band.tile, band.source_at(z), band.slots(z), (first, last), trees, corner, target)

        run(volume, plan, region, consume, description="Classifying pixels", progress=progress)

    planes = range(volume.shape[1])[region[0]]
    if classifier.ndim == 3 or volume.shape[1] == 1:
        classify(volume, region, result, progress)
        return result
    with progress_bar(len(planes), "Classifying planes", progress) as advance:
        for z, plane in zip(planes, result, strict=True):
            classify(volume[:, z : z + 1], (slice(0, 1), *region[1:]), plane[np.newaxis], False)
            advance()
    return result
