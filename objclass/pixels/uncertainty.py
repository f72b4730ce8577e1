"""Uncertainty of a forest in a plane, and suggestion of a slice to annotate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from objclass._common.checks import axis_names, check_number, invalid
from objclass.pixels.classifier import ObjectClassifier
from objclass.pixels.extraction import plane_region
from objclass.pixels.features import check_filters
from objclass.pixels.prediction import check_fit, fit_to_image, object_classes, run_forest
from objclass.pixels.tiling import Region, as_volume

_LEAST_OBJECT = 0.01
_GRID, _COLUMN = (3, 4), 32  # columns through all slices, and their side in pixels


@dataclass(frozen=True)
class Suggestion:
    """Where to annotate next.

    Parameters
    ----------
    index : int
        The slice along z; 0 of a 2D image.
    region : tuple of int
        The most uncertain part of that slice: first row and column, last row and column + 1.
    scores : ndarray of float64
        The score of each slice along z.
    """

    index: int
    region: tuple[int, int, int, int]
    scores: np.ndarray = field(repr=False)


def uncertainty_plane(
    image: npt.ArrayLike,
    classifier: ObjectClassifier,
    axis: int = 0,
    *,
    index: int = 0,
) -> np.ndarray:
    """Return the uncertainty of the forest for each pixel of one plane.

    Parameters
    ----------
    image : array
        (z, y, x) or (y, x), or with channels first, as in the training.
    classifier : ObjectClassifier
        From `train_object_classifier` or `load_classifier`.
    axis, index : int
        The plane: `index` along the spatial `axis`. A 2D image has plane 0 along axis 0 only.

    Returns
    -------
    ndarray of float32
        ``1 − |2p − 1|`` for a fraction p of votes for the positive class: 0 if all trees agree, 1 if half of
        them vote for it.

    Raises
    ------
    ValueError
        If the image does not match the classifier, or the plane does not exist.

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.tile(np.repeat([0.0, 9], 8), (4, 8, 1))
    >>> classifier = objclass.train_object_classifier(image, np.where(image > 4, 2, 1))
    >>> uncertainty_plane(image, classifier, index=2).shape
    (8, 16)
    """
    channels = check_fit(image, classifier)
    classifier = fit_to_image(classifier, channels)
    classes, shape = object_classes(classifier), as_volume(channels, classifier.ndim).shape[1:]
    check_number("axis", axis, low=0, high=2 if classifier.ndim == 3 else 0, integer=True)
    if not 0 <= index < shape[axis]:
        raise invalid("index", f"a plane from 0 to {shape[axis] - 1} along axis {axis}", index)
    probability = _probability(channels, classifier, classes, plane_region(shape, axis, index))
    return np.take(_unsure(probability), 0, axis=axis)


def suggest_slice(
    image: npt.ArrayLike,
    classifier: ObjectClassifier,
    annotations: npt.ArrayLike | None = None,
    *,
    positive_class: int | Sequence[int] | None = None,
) -> Suggestion:
    """Suggest the most uncertain slice, away from annotated slices.

    A forest trained at one depth may fail at another. Where it misses all objects, it is certain of the
    background, wrongly; therefore the uncertainty of a slice is divided by the amount of objects found.

    Parameters
    ----------
    image, classifier
        As in `uncertainty_plane`.
    annotations : integer array, optional
        Annotated slices, and their close neighbours, have lower scores.
    positive_class
        As in `probability_map`.

    Returns
    -------
    Suggestion
        The slice and the region in it.

    Raises
    ------
    ValueError
        If the image does not match the classifier, or the annotations do not match the image.

    Notes
    -----
    Slices are sampled in twelve columns of 32×32 pixels through the stack, in each part of the image where it
    varies most. The score of a slice is Σu / (Σp + 0.01 n) over its n sampled pixels, with p the probability
    of the positive class and ``u = 1 − |2p − 1|``, times 1 − exp(−d²/2w²), with d the distance to the next
    annotated slice and w a sixteenth of the stack.

    References
    ----------
    .. [1] B. Settles, Active Learning Literature Survey, University of Wisconsin–Madison, 2009

    Examples
    --------
    >>> import numpy as np, objclass
    >>> image = np.random.default_rng(0).normal(size=(6, 40, 40))
    >>> annotations = np.zeros(image.shape, np.uint8)
    >>> annotations[0, 4, :20], annotations[0, 30, 10:] = 1, 2
    >>> classifier = objclass.train_object_classifier(image, annotations)
    >>> 0 < suggest_slice(image, classifier, annotations).index < 6
    True
    """
    channels = check_fit(image, classifier)
    classifier = fit_to_image(classifier, channels)
    classes = object_classes(classifier, positive_class)
    stack = as_volume(channels, classifier.ndim)[0]
    columns, depth = _place_columns(stack), len(stack)
    doubt, found = np.zeros((len(columns), depth)), np.zeros((len(columns), depth))
    for number, (rows, cols) in enumerate(columns):
        probability = _probability(channels, classifier, classes, (slice(0, depth), rows, cols))
        doubt[number] = _unsure(probability).mean(axis=(1, 2))
        found[number] = probability.mean(axis=(1, 2))
    scores = doubt.mean(axis=0) / (found.mean(axis=0) + _LEAST_OBJECT)
    if annotations is not None:
        scores *= _away_from(annotations, channels.shape[1:], depth)
    index = int(scores.argmax())
    rows, cols = columns[int(doubt[:, index].argmax())]
    return Suggestion(index, (rows.start, cols.start, rows.stop, cols.stop), scores)


def _probability(
    channels: np.ndarray, classifier: ObjectClassifier, classes: tuple[int, ...], region: Region
) -> np.ndarray:
    """Return the probability of the positive class within a region, (z, y, x)."""
    check_filters(classifier.features)
    return run_forest(channels, classifier, classes, region=region)


def _unsure(probability: np.ndarray) -> np.ndarray:
    return 1 - np.abs(2 * probability - 1)


def _place_columns(stack: np.ndarray) -> list[tuple[slice, slice]]:
    """Distribute columns over a stack (z, y, x), in each part at the position of highest variance."""
    depth, *size = stack.shape
    edges = [np.linspace(0, length, count + 1).astype(int) for length, count in zip(size, _GRID, strict=True)]
    planes = stack[:: max(1, depth // 8), ::2, ::2].astype(np.float32)
    spread = planes.std(axis=0) + planes.max(axis=0)
    columns = []
    for top, bottom in zip(edges[0], edges[0][1:], strict=False):
        for left, right in zip(edges[1], edges[1][1:], strict=False):
            window = spread[
                top // 2 : max(bottom // 2, top // 2 + 1), left // 2 : max(right // 2, left // 2 + 1)
            ]
            row, col = np.unravel_index(int(window.argmax()), window.shape)
            columns.append((_around(top + 2 * row, size[0]), _around(left + 2 * col, size[1])))
    return columns


def _around(middle: int, size: int) -> slice:
    begin = int(np.clip(middle - _COLUMN // 2, 0, max(0, size - _COLUMN)))
    return slice(begin, min(begin + _COLUMN, size))


def _away_from(annotations: npt.ArrayLike, shape: tuple[int, ...], depth: int) -> np.ndarray:
    scribbles = np.asarray(annotations)
    if scribbles.shape != tuple(shape):
        raise invalid("annotations", f"axes {axis_names(len(shape))} of shape {tuple(shape)}", scribbles)
    annotated = np.flatnonzero([plane.any() for plane in scribbles.reshape(depth, -1)])
    if not annotated.size or depth == 1:
        return np.ones(depth)
    distance = np.abs(np.arange(depth)[:, None] - annotated).min(axis=1)
    return 1 - np.exp(-(distance**2) / (2 * max(1.0, depth / 16) ** 2))
