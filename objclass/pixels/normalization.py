"""Normalization by the percentiles of each image, for images that differ in exposure.

The image is not rescaled. Filters are linear up to a power, so that the thresholds of the forest are scaled
to the range of the image instead. Cached features and all compute engines can be used unchanged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from objclass.pixels.features import Feature
from objclass.pixels.forest import Forest
from objclass.pixels.sampling import sample_pixels

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


def scale_thresholds(
    forest: Forest, features: Sequence[Feature], image_range: np.ndarray, ndim: int
) -> Forest:
    """Return a forest trained on the rows of `normalize_rows` for the features of one image as it is."""
    offsets, scales = _per_input(features, image_range, ndim)
    at = np.maximum(forest.feature, 0)
    carried = forest.threshold * scales[at] + offsets[at]
    return dataclasses.replace(forest, threshold=np.where(forest.feature < 0, 0, carried))


def _per_input(
    features: Sequence[Feature], image_range: np.ndarray, ndim: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return offset and scale of the normalized image for each input of the forest."""
    low, high = image_range.T
    width = np.where(high > low, high - low, 1.0)
    of_one = [_OF_ONE.get(feature.name, (0, 0))[ndim - 2] for feature in features]
    powers = [2 if feature.name.startswith("structure") else 1 for feature in features]
    return np.outer(low, of_one).ravel(), (width[:, np.newaxis] ** powers).ravel()
