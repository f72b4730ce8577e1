"""Normalization by the percentiles of each image, for images that differ in exposure.

The image is not rescaled. Filters are linear up to a power, so that the thresholds of the forest are scaled
to the range of the image instead. Cached features and all compute engines can be used unchanged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from objclass.pixels.comparison import forget_pixels, sample_pixels
from objclass.pixels.features import Feature

if TYPE_CHECKING:
    from objclass.pixels.classifier import ObjectClassifier

NORMALIZATIONS = ("percentile",)
PERCENTILES = (1.0, 99.8)
# The response of filters to a constant image of 1 in 2D and 3D, if it is not 0 as for differences.
_OF_ONE = {"original": (1, 1), "gaussian_blur": (1, 1), "laplace_box_of_gaussian_blur": (0, -25)}


def image_range(image: np.ndarray) -> np.ndarray:
    """Return the 1st and 99.8th percentile of each channel: (n_channels, 2).

    Parameters
    ----------
    image : ndarray, channels first
        Every n-th pixel along each axis is used, a quarter of a million in total.
    """
    return range_of_samples([channel.ravel() for channel in sample_pixels(image)])


def range_of_samples(channels: Sequence[np.ndarray]) -> np.ndarray:
    """Return the percentiles of each channel from the pixels of `sample_pixels`."""
    return np.array([np.percentile(values.astype(np.float64), PERCENTILES) for values in channels])


def normalize_rows(
    rows: np.ndarray, features: Sequence[Feature], image_range: np.ndarray, ndim: int
) -> np.ndarray:
    """Return the features of pixels for the image scaled to 0 … 1 between its percentiles.

    Parameters
    ----------
    rows : ndarray of float32, (n_pixels, n_features)
        The features of channel 0, then of channel 1, and so on.
    features : sequence of Feature
    image_range : ndarray, (n_channels, 2)
    ndim : int
        The number of spatial axes of the image.
    """
    offsets, scales = _per_input(features, image_range, ndim)
    return ((rows - offsets) / scales).astype(np.float32)


def fit_to_range(classifier: ObjectClassifier, image_range: np.ndarray) -> ObjectClassifier:
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
    offsets, scales = _per_input(classifier.features, image_range, classifier.ndim)
    forest = classifier.forest
    at = np.maximum(forest.feature, 0)
    carried = forest.threshold * scales[at] + offsets[at]
    threshold = np.where(forest.feature < 0, 0, carried)
    return dataclasses.replace(
        classifier,
        normalize=None,
        forest=dataclasses.replace(forest, threshold=threshold),
        notes=forget_pixels(classifier.notes),
    )


def fit_to_image(classifier: ObjectClassifier, image: np.ndarray) -> ObjectClassifier:
    """Return the classifier for an image, channels first: see `fit_to_range`."""
    return classifier if classifier.normalize is None else fit_to_range(classifier, image_range(image))


def _per_input(
    features: Sequence[Feature], image_range: np.ndarray, ndim: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return offset and scale of the normalized image for each input of the forest."""
    low, high = image_range.T
    width = np.where(high > low, high - low, 1.0)
    of_one = [_OF_ONE.get(feature.name, (0, 0))[ndim - 2] for feature in features]
    powers = [2 if feature.name.startswith("structure") else 1 for feature in features]
    return np.outer(low, of_one).ravel(), (width[:, np.newaxis] ** powers).ravel()
